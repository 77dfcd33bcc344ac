"""What a simulator is handed: JSON, or a form with files."""

import json
from email.parser import BytesParser
from email.policy import HTTP
from typing import Any

import httpx


def content_of(request: httpx.Request) -> tuple[dict[str, Any], list[tuple[str, bytes]]]:
    """The members of a JSON object or the fields of a multipart form, and the form's files: name and content."""
    kind = request.headers["content-type"]
    if kind.startswith("application/json"):
        return json.loads(request.content), []
    read = BytesParser(policy=HTTP).parsebytes(f"content-type: {kind}\r\n\r\n".encode() + request.read())
    fields: dict[str, Any] = {}
    files: list[tuple[str, bytes]] = []
    for part in read.walk():
        content = part.get_payload(decode=True)
        if not isinstance(content, bytes):
            continue
        if (name := part.get_filename()) is not None:
            files.append((name, content))
        else:
            fields[str(part.get_param("name", header="content-disposition"))] = content.decode()
    return fields, files
