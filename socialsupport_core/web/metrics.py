"""How it feels, for load balancers and monitoring systems. What names a tenant or a channel is for operators only."""

import asyncio
from itertools import groupby

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from socialsupport_core.hub import Hub
from socialsupport_core.web.auth import token_of

MEDIA_TYPE = "text/plain; version=0.0.4; charset=utf-8"
"""https://prometheus.io/docs/instrumenting/exposition_formats/ (2026-11)"""
PUBLIC = ("status", "working", "journal", "refused", "outbox", "channels")
HELP = {
    "journal": ("gauge", "Payloads by state; `accepted` is all of them, `unexplained` must be 0."),
    "outbox": ("gauge", "Parts of replies by state."),
    "channels": ("gauge", "Channels by state."),
    "refused_total": ("counter", "Payloads that were forged."),
    "oldest_waiting_seconds": ("gauge", "Age of the oldest payload that is not recorded yet."),
    "oldest_due_seconds": ("gauge", "How long the part that is next should have been tried by now."),
    "working": ("gauge", "1 if this process records and sends."),
    "unwell": ("gauge", "Channels, webhooks and brokers that are not well."),
    "channel_state": ("gauge", "1 for the state in which the channel is."),
    "breaker_open": ("gauge", "1 while a host that does not answer is left alone, as this credential sees it."),
}
OPERATORS = frozenset({"channel_state", "breaker_open"})


async def health(request: Request) -> Response:
    hub: Hub = request.app.state.hub
    is_operator = await _is_operator(request)
    found = await asyncio.to_thread(hub.health)
    found["working"] = hub.running
    if request.app.state.run_workers and not hub.running:
        found["status"] = "failing"
    shown = {name: value for name, value in found.items() if name in PUBLIC or is_operator}
    return JSONResponse(shown, 503 if found["status"] == "failing" else 200)


async def metrics(request: Request) -> Response:
    hub: Hub = request.app.state.hub
    is_operator = await _is_operator(request)
    samples = await asyncio.to_thread(hub.metrics)
    lines: list[str] = []
    for name, group in groupby(samples, key=lambda one: one.name):
        if name in OPERATORS and not is_operator:
            continue
        kind, text = HELP[name]
        full = f"socialsupport_{name}"
        lines += [f"# HELP {full} {text}", f"# TYPE {full} {kind}"]
        lines += [f"{full}{_labels(one.labels)} {one.value:g}" for one in group]
    return Response("\n".join(lines) + "\n", headers={"content-type": MEDIA_TYPE})


async def _is_operator(request: Request) -> bool:
    """Whoever asks; nobody is turned away."""
    token = token_of(request)
    access = await asyncio.to_thread(request.app.state.hub.access, token) if token else None
    return access is not None and "operate" in access.scopes


def _labels(labels: dict[str, str]) -> str:
    written = ",".join(f'{name}="{_escaped(value)}"' for name, value in labels.items())
    return f"{{{written}}}" if written else ""


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
