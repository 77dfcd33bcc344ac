"""What differs and is right is left alone: another header, another order, more fields."""

import json
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from signing import golden, signature, write_package

from socialsupport_core.testing.check import check

SOURCE = """
from pigeon.connector import Pigeon
from socialsupport_core.contract import SignatureError


class Homing(Pigeon):
    name = "pigeon"
    signature_header = "X-Homing-Signature"
    timestamp_header = "X-Homing-Sent"

    def handshake(self, payload):
        try:
            return super().handshake(payload)
        except SignatureError:
            return None
"""
"""A forged challenge is answered with 404, which is as good as 401."""


def other_looks(case: dict[str, Any]) -> dict[str, Any]:
    """The same case with renamed headers, keys in another order, spaces, and fields that nobody knows."""
    payload = case["payload"]
    if "Pigeon-Signature" not in payload.get("headers", {}):
        return case
    body = other_body(payload["body"]) if "body" in payload else ""
    sent = payload["headers"]["Pigeon-Timestamp"]
    genuine = not payload["headers"]["Pigeon-Signature"].endswith("=00")
    headers = {
        "X-Homing-Signature": signature(sent, body) if genuine else "sha256=00",
        "Accept": "*/*",
        "X-Homing-Sent": sent,
    }
    return {**case, "payload": {**payload, "headers": headers, "body": body}}


def other_body(body: str) -> str:
    notes = json.loads(body)["notes"]
    turned = [{"plumage": {"grey": True}, **dict(reversed(note.items()))} for note in notes or ()] or notes
    return json.dumps({"season": "spring", "notes": turned}, indent=2)


def test_a_legitimate_variant_passes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    inbound = [other_looks(case) for case in golden("inbound.json")]
    others = {name: golden(name) for name in ("settings.json", "outbound.json", "flows.json")}
    write_package(tmp_path / "homing", SOURCE, {"inbound.json": inbound, **others})
    monkeypatch.syspath_prepend(tmp_path)
    report = check(import_module("homing").Homing)
    assert report.failed == ()
    assert report.passed
