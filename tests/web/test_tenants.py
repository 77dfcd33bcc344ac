"""Another tenant's data: never. Each tenant's people, words and accounts carry its marker."""

import random
import re
from contextlib import suppress
from typing import Any

import httpx
import pytest
from raven import Roost, message
from raven.web import Desk, Web

from socialsupport_core.hub import ReplyRefused
from socialsupport_core.model import IdentityClaimed
from socialsupport_core.store.accounts import SCOPES
from socialsupport_core.web.operations import OPERATIONS

MARK = {"acme": "aaaacmeaaa", "rival": "rrrivalrrr"}
BIRDS = ("wren", "finch", "robin")


def fill(roost: Roost, chance: random.Random, step: int) -> None:
    """Something happens to either tenant; ids, threads and agents are the same in both."""
    tenant = chance.choice(list(MARK))
    mark, name = MARK[tenant], chance.choice(BIRDS)
    hub = roost.hub
    text = f"{mark} {step}"
    kind = chance.choice(["message", "comment", "claim", "reply", "note", "call", "link", "file"])
    said = message(step // 2, text, name, at=roost.clock.now, visibility="public" if kind == "comment" else "private")
    if kind == "file":
        roost.sky.files[f"f{step}"] = text.encode()
        file = {"native_id": f"f{step}", "name": f"{mark}.txt"}
        said = message(step // 2, text, name, at=roost.clock.now, attachments=(file,))
    known = [one["id"] for one in hub.queue(tenant, status=None)]
    if kind == "claim":
        subject = said.interaction.author.identifiers[0]
        other = subject.model_copy(update={"kind": "email", "value": f"{name}@{mark}.example"})
        at = roost.clock.now
        claim = IdentityClaimed(
            id=f"c{step}", own_account="tower", subject=subject, claims=(other,), tier="verified", proof="signed", at=at
        )
        roost.hear(claim, tenant=tenant)
    elif kind == "reply" and known:
        with suppress(ReplyRefused):  # of a call alone there is nothing to answer to
            hub.reply(tenant, chance.choice(known), text, agent="dana", key=f"k{step}")
    elif kind == "note" and known:
        hub.note(tenant, chance.choice(known), text, agent="dana")
    elif kind == "call":
        hub.record_interaction(tenant, said.interaction)
    elif kind == "link":
        hub.find_customers(tenant, name)
    else:
        roost.hear(said, tenant=tenant)
    hub.drain()


def everything(desk: Desk, ids: set[str]) -> list[str]:
    """Every answer of the API to every id that anybody knows."""
    found = [desk.get(path).text for path in ("/api/me", "/api/agents", "/api/channels", "/api/events?limit=500")]
    found += [desk.get(f"/api/conversations?status={status}").text for status in ("all", "open", "resolved")]
    found += [desk.get(f"/api/customers?q={text}").text for text in ("", "r", "aaa", "%25", *MARK.values())]
    for one in sorted(ids):
        found += [desk.get(f"/api/{what}/{one}").text for what in ("customers", "conversations", "attachments")]
        found += [desk.get(f"/api/customers/{one}/{what}").text for what in ("timeline", "explain")]
        found.append(desk.post(f"/api/conversations/{one}/plan", {"text": "x"}).text)
    return found


def ids_of(roost: Roost, tenant: str) -> set[str]:
    hub = roost.hub
    customers = hub.find_customers(tenant, "", limit=500)
    found = {one["id"] for one in customers} | {con["id"] for one in customers for con in one["conversations"]}
    found |= {account["identifier"] for one in customers for account in one["accounts"] if "@" in account["identifier"]}
    for one in customers:
        entries = hub.timeline(tenant, one["id"], limit=500)
        found |= {file["id"] for entry in entries for file in entry.get("attachments", ())}
    return found


@pytest.mark.parametrize("seed", range(3))
def test_no_answer_to_one_tenant_holds_a_word_of_the_other(roost: Roost, acme: Desk, rival: Desk, seed: int) -> None:
    chance = random.Random(seed)
    for step in range(40):
        fill(roost, chance, step)
        roost.clock.forward(minutes=3)
    ids = ids_of(roost, "acme") | ids_of(roost, "rival")
    for tenant, desk in (("acme", acme), ("rival", rival)):
        answers = everything(desk, ids)
        foreign = MARK["rival" if tenant == "acme" else "acme"]
        asked = [one for one in answers if foreign in one]
        assert not [one for one in asked if foreign in one.replace(f"'{foreign}", "") and '"status":404' not in one]
        assert any(MARK[tenant] in one for one in answers)


SAID: dict[str, Any] = {"text": "x"}
BODIES: dict[str, dict[str, Any]] = {
    "/reply": SAID,
    "/plan": SAID,
    "/note": SAID,
    "/drafts": SAID,
    "/interactions/{id}": SAID,
    "/reaction": {"reaction": "+1"},
    "/link": {"other": "raven.ring:robin"},
    "/customers/{id}/split": {"accounts": ["raven.ring:kerry"]},
    "/conversations/{id}/split": {"legs": [1]},
    "/customers/{id}/undo": {"verdict": "link"},
    "/conversations/{id}/undo": {"move": "mov_1"},
    "/triage": {"kind": "complaint"},
    "/refuse": {"word": "no"},
    "/challenge": {"told": "raven.ring:kerry", "expected": "raven.ring:robin"},
    "/hear": {"code": "123456"},
    "/consents": {"channel": "loft", "state": "in"},
    "/presence": {"answering": True},
    "/merge": {"into": "con_1"},
    "/move": {"into": "con_1", "legs": [1]},
    "/assign": {"assignee": "dana"},
    "/context": {"kind": "order", "value": "4711"},
    "/reviews/{id}": {"decision": "link"},
    "/settle": {"state": "sent"},
    "/backfill": {"since": "2026-02-01T00:00:00Z"},
    "/webhooks/{id}/replay": {"after": 0},
    "/answers/{id}": {"title": "x", "text": "x"},
}
"""By how the path ends: what makes the request a good one."""
NOT_404 = {
    "/api/challenges/{id}/hear": 422,
    "/api/identities/issuers/{id}": 422,
    "/api/outbox/{part}/settle": 422,
    "/api/reviews/{id}": 409,
}
"""They say the same of what never was."""
OWN = {
    "PUT /api/answers/{id}": "a name of the tenant's own",
    "GET /api/connect/{connector}": "a plugin",
}


def theirs(roost: Roost, acme: Desk) -> dict[str, str]:
    """By the first part of a path, something of acme's that exists."""
    hub = roost.hub
    roost.sky.files["f"] = b"secret"
    roost.hear(message(1, "hello", at=roost.clock.now, attachments=({"native_id": "f"},)))
    con = roost.conversation()
    roost.sky.before = _away
    hub.reply("acme", con, "on its way", agent="dana", key="one")
    hub.drain()
    hub.add_channel("acme", "loft", "raven", {})
    hub.add_webhook("acme", "https://desk.example/hook", webhook="desk")
    assert acme.ask("PUT", "/api/answers/hours", json=BODIES["/answers/{id}"]).status_code == 200
    (entry,) = [one for one in roost.timeline() if one["interaction"]["direction"] == "inbound"]
    return {
        "customers": hub.customer("acme", "raven.ring:kerry")["id"],
        "conversations": con,
        "interactions": entry["id"],
        "attachments": entry["attachments"][0]["id"],
        "drafts": acme.post(f"/api/conversations/{con}/drafts", SAID).json()["id"],
        "answers": "hours",
        "channels": "loft",
        "webhooks": "desk",
        "outbox": "one",
    }


def _away(request: Any) -> None:
    raise httpx.ReadTimeout("", request=request)


def calls() -> list[tuple[str, str, str, Any]]:
    """Every operation on something that has a name: method, path, the first part of it, and a good body."""
    found = []
    for (method, path), one in OPERATIONS.items():
        if "{" in path and one.scope not in (None, "operate") and f"{method} {path}" not in OWN:
            body = next((BODIES[end] for end in BODIES if path.endswith(end)), {})
            found.append((method, path, path.split("/")[2], body))
    return found


def test_another_tenants_ids_are_as_those_that_never_were(roost: Roost, web: Web) -> None:
    """For every operation that there is: 404, or whatever is said of an id that nobody has."""
    scopes = [one for one in SCOPES if one != "operate"]
    acme, rival = Desk(roost, web, "acme", *scopes), Desk(roost, web, "rival", *scopes)
    known = theirs(roost, acme)
    before, wrong = roost.hub.cursor(), []
    for method, path, first, body in calls():
        told = []
        theirs_is = known.get(first, "xyzzy-1")
        for name in (theirs_is, f"{theirs_is[:4]}never"):
            answer = rival.ask(method, re.sub(r"\{\w+\}", name, path), json=body)
            told.append((answer.status_code, answer.text.replace(name, "")))
        if told[0] != told[1] or told[0][0] != NOT_404.get(path, 404):
            wrong.append((method, path, told))
    assert not wrong, "\n".join(map(str, wrong))
    assert roost.hub.cursor() == before
    shown = [path for method, path, first, _ in calls() if method == "GET" and first in known]
    assert [acme.get(re.sub(r"\{\w+\}", known[path.split("/")[2]], path)).status_code for path in shown] == [200] * len(
        shown
    )


def test_what_a_body_names_is_looked_for_in_ones_own_tenant(roost: Roost, web: Web) -> None:
    scopes = [one for one in SCOPES if one != "operate"]
    acme, rival = Desk(roost, web, "acme", *scopes), Desk(roost, web, "rival", *scopes)
    known = theirs(roost, acme)
    roost.hear(message(7, "mine", "wren", at=roost.clock.now), tenant="rival")
    roost.hub.add_agent("acme", "eve", "Eve")
    con, wren = roost.conversation("wren", "rival"), "raven.ring:wren"
    leg = roost.hub.conversation("acme", known["conversations"])["legs"][0]["id"]
    for path, field, foreign, never in (
        (f"conversations/{con}/merge", "into", known["conversations"], "con_never"),
        (f"conversations/{con}/move", "into", known["conversations"], "con_never"),
        (f"conversations/{con}/reply", "leg", leg, 987654),
        (f"conversations/{con}/plan", "leg", leg, 987654),
        (f"conversations/{con}/assign", "assignee", "eve", "nobody"),
        (f"customers/{wren}/link", "other", known["customers"], "cus_never"),
    ):
        more = {"text": "x"} if field == "leg" else {"legs": [1]} if path.endswith("/move") else {}
        told = []
        for name in (foreign, never):
            answer = rival.post(f"/api/{path}", {field: name, **more})
            told.append((answer.status_code, answer.text.replace(str(name), "")))
        assert told[0] == told[1], path
        assert told[0][0] in (404, 409, 422), (path, told)


def test_the_same_person_is_another_customer_to_another_tenant(roost: Roost) -> None:
    roost.hear(message(1, "hello"))
    roost.hear(message(1, "hello"), tenant="rival")
    ids = {roost.hub.customer(tenant, "raven.ring:kerry")["id"] for tenant in MARK}
    assert len(ids) == 2


def test_what_happened_in_a_thread_is_that_of_one_channel_of_one_tenant(roost: Roost) -> None:
    """Though the threads have one name everywhere."""
    door = roost.hub.add_channel("acme", "loft", "raven", {}, mode="webhook").rsplit("/", 1)[1]
    roost.hear(message(1, "to the tower"))
    roost.hear(message(2, "to the rival"), tenant="rival")
    roost.hub.receive(door, roost.payload(message(3, "to the loft"))).result()
    roost.hub.drain()
    for tenant, channel, text in (
        ("acme", "tower", "to the tower"),
        ("rival", "tower", "to the rival"),
        ("acme", "loft", "to the loft"),
    ):
        (told,) = roost.hub.thread_events(tenant, channel, "dm-kerry", 0, ["interaction.received"])
        assert (told.tenant, told.channel, told.data["interaction"]["text"]) == (tenant, channel, text)
        assert roost.hub.thread_events(tenant, channel, "dm-kerry", told.cursor, ["interaction.received"]) == []
