"""The operator's own system, played: it writes the JSON that the mapping reads, and takes what we post."""

import json
import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, ClassVar

import httpx

from socialsupport_core.contract import Settings, SignatureError
from socialsupport_core.contract import standard_webhooks as signing
from socialsupport_core.model import Payload
from socialsupport_core.testing import Place as Corner
from socialsupport_core.testing import Said, Simulator
from socialsupport_generic.settings import GenericSettings
from socialsupport_generic.where import Place, names


class GenericSimulator(Simulator):
    """Whatever the mapping says, it is followed backwards: the first path of a place is where a value is written."""

    network: ClassVar[str] = "generic"
    hosts: ClassVar[frozenset[str]] = frozenset({"channel.example"})
    places: ClassVar[tuple[Corner, ...]] = (
        Corner("direct", "Write to us", "private"),
        Corner("forum", "Forum", "public"),
    )

    def __init__(self, settings: Settings, **more: Any) -> None:
        super().__init__(settings, **more)
        self.channel = GenericSettings.model_validate(settings, from_attributes=True)
        self.taken: dict[str, str] = {}
        """By `webhook-id`, the id that we gave it: what is posted again is not said again."""
        self._count = 0

    def resume(self, sent: Sequence[Payload]) -> None:
        super().resume(sent)
        self._count += len(sent)

    def speak(self, person: str, text: str, place: str = "", **more: Any) -> Said:
        """`more`: email, phone, subject, in_reply_to, handoff, choice; and thread, in place of one of their own."""
        corner = place or "direct"
        thread = more.pop("thread", None) or ("forum" if corner == "forum" else f"room-{person}")
        said = Said(self._next(), corner, thread, person, text, self.clock())
        self.said.append(said)
        self._tell("message", said, **more)
        return said

    def edit(self, id_: str, text: str) -> None:
        self._change(id_, text=text, edited=True)
        self._tell("edit", self._find(id_), edited_at=self.clock().isoformat())

    def delete(self, id_: str) -> None:
        self._change(id_, text="", deleted=True)
        self._tell("delete", self._find(id_))

    def report(self, id_: str, state: str, **more: str) -> None:
        """By call-back: what became of a message of ours. `more`: code, reason."""
        places = self.channel.mapping.receipt
        if places is None:
            raise ValueError("the mapping has no `receipt`")
        event: dict[str, Any] = {}
        body = self._wrapped(event)
        put(event, body, self.channel.mapping.type, "receipt")
        written = {"message": id_, "state": state, "at": self.clock().isoformat(), **more}
        for name, value in written.items():
            put(event, body, getattr(places, name), value)
        self._post(body)

    def respond(self, request: httpx.Request) -> httpx.Response:
        """As README.md asks of an operator: verify, know it again, answer with an id."""
        content = request.read()
        if request.method != "POST" or str(request.url) != self.channel.address:
            return httpx.Response(404)
        keys = [signing.secret_key(one.get_secret_value()) for one in self.channel.outgoing]
        headers = tuple(request.headers.items())
        try:
            signing.verify(keys, Payload(headers=headers, body=content, received_at=self.clock()))
        except SignatureError as error:
            return httpx.Response(401, text=str(error))
        return self._take(request.headers[signing.ID], json.loads(content))

    def _take(self, id_: str, body: dict[str, Any]) -> httpx.Response:
        if body["type"] != "message":
            return httpx.Response(204)
        if id_ not in self.taken:
            self.taken[id_] = self._next()
            thread, choices = body["thread"], tuple(one["title"] for one in body.get("choices", ()))
            corner = "forum" if thread["visibility"] == "public" else "direct"
            self.said.append(
                Said(self.taken[id_], corner, thread["id"], "us", body.get("text", ""), self.clock(), choices)
            )
            if self.channel.mapping.receipt:
                self.report(self.taken[id_], "delivered")
        return httpx.Response(200, json={"id": self.taken[id_]})

    def due(self) -> list[Payload]:
        """Signed as they leave: a late or repeated one carries a fresh signature."""
        return [self.signed(payload.body) for payload in super().due()]

    def signed(self, body: bytes) -> Payload:
        secret, header = self.channel.secret.get_secret_value(), self.channel.header
        now = self.clock()
        if header:
            proof = {header: secret}
        else:
            id_, at = f"msg_{self.random.getrandbits(64):016x}", str(int(now.timestamp()))
            signature = signing.sign([signing.secret_key(secret)], id_, at, body)
            proof = {signing.ID: id_, signing.TIMESTAMP: at, signing.SIGNATURE: signature}
        headers = (("content-type", "application/json"), *proof.items())
        return Payload(url=self.door, headers=headers, body=body, received_at=now)

    def _tell(self, happened: str, said: Said, **more: str) -> None:
        mapping, event = self.channel.mapping, dict[str, Any]()
        body = self._wrapped(event)
        visibility = "public" if said.place == "forum" else "private"
        found = {"type": happened, "id": said.id, "thread": said.thread, "visibility": visibility, "text": said.text}
        found |= {"direction": "inbound", "sent_at": said.at.isoformat()}
        person = {"id": said.author, "name": said.author.title()}
        person |= {name: more.pop(name) for name in ("email", "phone") if name in more}
        for name, value in (found | more).items():
            put(event, body, getattr(mapping, name), value)
        for name, value in person.items():
            put(event, body, getattr(mapping.author, name), value)
        self._post(body)

    def _wrapped(self, event: dict[str, Any]) -> dict[str, Any]:
        """The body, in whose list of events this is the only one."""
        path = self.channel.mapping.events
        body: dict[str, Any] = {} if path else event
        if path:
            _write(body, names(path), [event])
        return body

    def _post(self, body: dict[str, Any]) -> None:
        self.emit(self.signed(json.dumps(body).encode()))

    def _next(self) -> str:
        self._count += 1
        return f"m-{self._count}"

    def _find(self, id_: str) -> Said:
        return next(one for one in self.said if one.id == id_)

    def _change(self, id_: str, **changes: Any) -> None:
        self.said = [replace(one, **changes) if one.id == id_ else one for one in self.said]


def put(event: dict[str, Any], body: dict[str, Any], where: Place | None, value: str) -> None:
    """Writes a value where the mapping will look for it, in their words."""
    if where is None or not where.path:
        return
    word = next((theirs for theirs, ours in where.values.items() if ours == value), value)
    if where.present and where.present != value:
        return  # its presence alone would mean something else
    if where.default == value and where.values and word == value:
        return
    path = names(where.path[0])
    target, rest = (body, path[1:]) if path[0] == "$" else (event, path)
    _write(target, rest, {"true": True, "false": False}.get(word, word))


def _write(target: dict[str, Any], path: Sequence[str], value: Any) -> None:
    """A number in a path is an index of a list, as the mapping reads it."""
    here: Any = target
    for name, after in zip(path, [*path[1:], None], strict=True):
        fresh: Any = value if after is None else [] if re.fullmatch("[0-9]+", after) else {}
        if isinstance(here, list):
            here += [{} for _ in range(int(name) + 1 - len(here))]
            here[int(name)] = fresh if after is None else (here[int(name)] or fresh)
            here = here[int(name)]
        elif after is None:
            here[name] = value
        else:
            here = here.setdefault(name, fresh)
