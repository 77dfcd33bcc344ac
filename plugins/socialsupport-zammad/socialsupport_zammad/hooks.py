"""A webhook, and the trigger that calls it.

https://docs.zammad.org/en/latest/api/webhook.html and api/trigger.html (2026-11)
"""

from collections.abc import Callable
from typing import Any

import httpx
from pydantic import SecretStr

from socialsupport_core.contract import ContentRejected, Flow


def subscribe(request: Callable[..., httpx.Request], door: str, secret: SecretStr | None, tag: str) -> Flow[None]:
    """For each change of a ticket with this tag; what is there already is left."""
    if secret is None:
        raise ContentRejected("set webhook_secret first; the webhook is made with it")
    known = (yield request("GET", "webhooks")).json()
    hook = next((one["id"] for one in known if one["endpoint"] == door), None)
    if hook is None:
        proven = {"signature_token": secret.get_secret_value(), "ssl_verify": True}
        content = {"name": tag, "endpoint": door, "active": True, **proven}
        hook = (yield request("POST", "webhooks", json=content)).json()["id"]
    calls = {"notification.webhook": {"webhook_id": hook}}
    if all(one["perform"] != calls for one in (yield request("GET", "triggers")).json()):
        yield request("POST", "triggers", json=trigger(calls, tag))


def trigger(calls: dict[str, Any], tag: str) -> dict[str, Any]:
    return {
        "name": tag,
        "condition": {
            "ticket.action": {"operator": "is", "value": "update"},
            "ticket.tags": {"operator": "contains one", "value": tag},
        },
        "perform": calls,
        "activator": "action",
        "execution_condition_mode": "selective",
        "active": True,
    }
