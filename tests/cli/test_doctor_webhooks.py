"""`socialsupport doctor` names who cannot be told any more."""

import json
from pathlib import Path
from typing import Any

from socialsupport_core.contract import Registry
from socialsupport_core.hub import Hub


def test_a_dead_endpoint_is_named_and_the_status_is_1(run: Any, tmp_path: Path, registry: Registry) -> None:
    store = tmp_path / "support.sqlite"
    hub = Hub.open(store, public_url="https://hub.example", registry=registry)
    hub.add_tenant("acme", "Acme")
    hub.add_webhook("acme", "https://desk.example/", webhook="desk")
    dead = "UPDATE webhooks SET state = 'dead', reason = '10 attempts failed'"
    hub._database.do(lambda tx: tx.run(dead))
    hub.close()
    ran = run("doctor", "--store", str(store))
    assert ran.status == 1
    assert "acme/webhook desk: 10 attempts failed" in ran.out
    assert json.loads(run("doctor", "--json", "--store", str(store)).out)["status"] == "degraded"
    hub = Hub.open(store, public_url="https://hub.example", registry=registry)
    hub.resume_webhook("acme", "desk")
    hub.close()
    assert run("doctor", "--store", str(store)).status == 0
