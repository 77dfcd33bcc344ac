"""`socialsupport tenant remove` in the terminal."""

import fcntl
import io
import json
from pathlib import Path
from typing import Any

import pytest

from socialsupport_core.contract import Registry
from socialsupport_core.hub import Hub

CONFIG = '[hub]\nstore = "support.sqlite"\n\n[tenants.{tenant}]\nname = "Somebody"\n'


@pytest.fixture
def store(tmp_path: Path, registry: Registry) -> str:
    path = tmp_path / "support.sqlite"
    hub = Hub.open(path, public_url="https://support.example", registry=registry)
    for tenant in ("acme", "rival"):
        hub.add_tenant(tenant, tenant.capitalize())
        hub.add_agent(tenant, "dana", f"Dana of {tenant}")
    hub.close()
    return str(path)


def test_it_asks_for_the_name_and_tells_what_went(run: Any, store: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("acmee\nacme\n"))
    ran = run("tenant", "remove", "acme", "--store", store)
    assert (ran.status, "that is not acme; nothing was removed" in ran.err) == (1, True)
    ran = run("tenant", "remove", "acme", "--store", store)
    assert ran.status == 0, ran.err
    assert "the tenant acme was removed at" in ran.out
    assert "may still hold something: copies of the store that were made before" in ran.out
    assert b"Dana of acme" not in Path(store).read_bytes()
    assert b"Dana of rival" in Path(store).read_bytes()


def test_in_json_it_is_one_document_and_asks_nobody(run: Any, store: str) -> None:
    ran = run("tenant", "remove", "acme", "--store", store, "--json")
    assert (ran.status, "add --yes" in ran.err) == (1, True)
    told = json.loads(run("tenant", "remove", "acme", "--store", store, "--json", "--yes").out)
    assert told["removed"] == {"agents": 1, "tenants": 1}
    ran = run("tenant", "remove", "acme", "--store", store, "--yes")
    assert (ran.status, len(ran.err.strip().splitlines())) == (1, 1)
    assert "there is no tenant 'acme'" in ran.err


def test_not_while_the_configuration_has_it_or_a_file_is_served(run: Any, store: str, tmp_path: Path) -> None:
    file = tmp_path / "support.toml"
    file.write_text(CONFIG.format(tenant="acme"))
    ran = run("tenant", "remove", "acme", "--store", str(file), "--yes")
    assert (ran.status, "take [tenants.acme] out of it" in ran.err) == (1, True)
    file.write_text(CONFIG.format(tenant="rival"))
    assert run("tenant", "remove", "acme", "--store", str(file), "--yes").status == 0
    with Path(f"{store}.lock").open("a") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        ran = run("tenant", "remove", "rival", "--store", store, "--yes")
    assert (ran.status, "is being served by" in ran.err) == (1, True)
    assert run("tenant", "remove", "rival", "--store", store, "--yes").status == 0
