"""Golden cases of pigeons, signed anew."""

import hashlib
import hmac
import json
from importlib import resources
from pathlib import Path
from typing import Any

SECRET = b"coo-coo-signing-secret"


def signature(sent: str, body: str) -> str:
    return "sha256=" + hmac.new(SECRET, f"{sent}.{body}".encode(), hashlib.sha256).hexdigest()


def golden(name: str) -> Any:
    return json.loads((resources.files("pigeon") / "cases" / name).read_bytes())


def write_package(folder: Path, source: str, cases: dict[str, Any]) -> None:
    """A package with a connector's module and its cases."""
    (folder / "cases").mkdir(parents=True)
    (folder / "__init__.py").write_text(source)
    for name, content in cases.items():
        (folder / "cases" / name).write_text(json.dumps(content))
