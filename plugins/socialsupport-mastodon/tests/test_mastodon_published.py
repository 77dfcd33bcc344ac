"""What we ask, against the part of the published (unofficial) description of 4.7 that we use, restated here."""

import json
import re
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

import socialsupport_mastodon

CASES = Path(socialsupport_mastodon.__file__).parent / "cases"
POSTED = {"in_reply_to_id": str, "media_ids": list, "spoiler_text": str, "status": str, "visibility": str}
CHANGED = {"language": str, "media_ids": list, "sensitive": bool, "spoiler_text": str, "status": str}
TYPES = {"mention", "status", "favourite", "update", "quote", "quoted_update", "reblog", "follow", "poll"}
OPERATIONS: dict[str, tuple[set[str], dict[str, type]]] = {
    "GET /api/v1/accounts/verify_credentials": (set(), {}),
    "GET /api/v1/accounts/{id}": (set(), {}),
    "GET /api/v1/accounts/{id}/statuses": ({"limit", "exclude_reblogs"}, {}),
    "GET /api/v1/statuses/{id}/source": (set(), {}),
    "GET /api/v2/instance": (set(), {}),
    "GET /api/v1/notifications": ({"limit", "max_id", "min_id", "types[]"}, {}),
    "GET /api/v1/statuses/{id}": (set(), {}),
    "POST /api/v1/statuses": (set(), POSTED),
    "PUT /api/v1/statuses/{id}": (set(), CHANGED),
    "DELETE /api/v1/statuses/{id}": (set(), {}),
    "POST /api/v1/statuses/{id}/favourite": (set(), {}),
    "POST /api/v1/statuses/{id}/unfavourite": (set(), {}),
    "POST /api/v2/media": (set(), {"description": str, "file": str}),
    "GET /api/v1/media/{id}": (set(), {}),
    "POST /oauth/token": (
        set(),
        dict.fromkeys(("client_id", "client_secret", "code", "code_verifier", "grant_type", "redirect_uri"), str),
    ),
}
"""By operation: the parameters in the address, and the fields of the body."""


def requests() -> list[Any]:
    found = []
    for file in sorted(CASES.glob("*.json")):
        cases = json.loads(file.read_text())
        for case in cases if isinstance(cases, list) else []:
            found += [
                pytest.param(step["request"], id=f"{case['name']}-{at}")
                for at, step in enumerate(case.get("exchange", []))
                if "request" in step and "files." not in step["request"]["url"]
            ]
    return found


@pytest.mark.parametrize("request_", requests())
def test_every_request_is_one_that_mastodon_describes(request_: dict[str, Any]) -> None:
    url = urlsplit(request_["url"])
    path = re.sub(r"/[0-9]+(?=/|$)", "/{id}", url.path)
    parameters, fields = OPERATIONS[f"{request_['method']} {path}"]
    asked = parse_qsl(url.query)
    assert {name for name, _ in asked} <= parameters
    assert {value for name, value in asked if name == "types[]"} <= TYPES
    given = request_.get("json") or request_.get("form") or dict.fromkeys(request_.get("multipart", ()), "")
    assert given.keys() <= fields.keys()
    assert all(isinstance(value, fields[name]) for name, value in given.items())
    assert given.get("visibility") in {None, "public", "unlisted", "private", "direct"}
