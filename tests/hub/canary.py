"""A person whose every field holds a marker of its own, and where to look for those markers afterwards."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import httpx
from raven import Clock, Raven, Roost, Sky, bird, deleted, edited, message, reacted
from raven.connector import ACCOUNT, RavenSettings
from receiver import Receiver

from socialsupport_core.contract import CRM, CaseRef, CaseSummary, Contact, Flow, Ref, Settings, hookimpl
from socialsupport_core.model import (
    Attachment,
    Event,
    Identifier,
    IdentityClaimed,
    Interaction,
    InteractionReceived,
    Location,
    Party,
    Reach,
    Thread,
    TypingStarted,
)
from socialsupport_core.testing import Network, Simulator

API = "https://ledger.example"
ROBIN = "kerry7canarying"
"""Somebody else, whose account begins like the canary's."""


def mark(what: str) -> str:
    return f"canary7{what}zq"


class LedgerSettings(Settings):
    pass


class Ledger(CRM[LedgerSettings]):
    name = "ledger"
    settings_model = LedgerSettings

    @property
    def hosts(self) -> frozenset[str]:
        return frozenset({"ledger.example"})

    def find_customers(self, party: Party) -> Flow[tuple[Contact, ...]]:
        assert party.account is not None
        response = yield httpx.Request("GET", f"{API}/contacts", params={"who": party.account.value})
        return tuple(Contact(**one) for one in response.json())

    def open_case(self, conversation: CaseSummary) -> Flow[CaseRef]:
        yield httpx.Request("POST", f"{API}/cases", json={})
        return CaseRef(id=f"case-{conversation.conversation}")

    def save_interaction(self, case: CaseRef, interaction: Interaction, key: str) -> Flow[Ref]:
        yield httpx.Request("POST", f"{API}/entries", json={})
        return Ref(id=key)

    def remove_interaction(self, case: CaseRef, record: Ref, key: str) -> Flow[None]:
        yield httpx.Request("DELETE", f"{API}/entries/{record.id}")

    def close_case(self, case: CaseRef, outcome: Any) -> Flow[None]:
        yield httpx.Request("POST", f"{API}/closed", json={})

    def erase(self, contact: str) -> Flow[None]:
        yield httpx.Request("DELETE", f"{API}/contacts/{contact}")

    def erase_case(self, case: str) -> Flow[None]:
        yield httpx.Request("DELETE", f"{API}/cases/{case}")


class Books(Simulator):
    network = "ledger"
    hosts = frozenset({"ledger.example"})

    def __init__(self, clock: Clock) -> None:
        super().__init__(RavenSettings(), clock=clock)
        self.contacts: dict[str, list[dict[str, Any]]] = {}
        self.erased: list[str] = []
        self.erased_cases: list[str] = []
        self.removed: list[str] = []
        """Entries of cases that stay."""
        self.answers: list[int] = []
        """Statuses of the next answers to an erasure; 200 after them."""

    def respond(self, request: httpx.Request) -> httpx.Response:
        if request.method == "DELETE" and request.url.path.startswith("/entries/"):
            self.removed.append(request.url.path.rsplit("/", 1)[1])
            return httpx.Response(200, json={})
        if request.method == "DELETE" and request.url.path.startswith("/cases/"):
            self.erased_cases.append(request.url.path.rsplit("/", 1)[1])
            return httpx.Response(200, json={})
        if request.method == "DELETE":
            status = self.answers.pop(0) if self.answers else 200
            if status == 200:
                self.erased.append(request.url.path.rsplit("/", 1)[1])
            return httpx.Response(status, json={}, headers={"retry-after": "60"} if status == 429 else {})
        if request.url.path == "/contacts":
            return httpx.Response(200, json=self.contacts.get(request.url.params["who"], []))
        return httpx.Response(200, json={})


class Aviary(Roost):
    """A roost with a CRM, and a helpdesk that listens and is down."""

    def __init__(self, folder: Path, store: str | Path) -> None:
        clock = Clock()
        self.books, self.desk, sky = Books(clock), Receiver(clock), Sky(clock=clock)

        @hookimpl
        def socialsupport_crms() -> Sequence[type[CRM[Any]]]:
            return (Ledger,)

        self.crms = socialsupport_crms
        answering: list[Any] = [sky, self.books, self.desk]
        transport = Network(answering).transport()
        super().__init__(folder, store=store, clock=clock, sky=sky, transport=transport)
        self.hub.add_crm("acme", "books", "ledger", {})
        self.desk.down = True
        made = self.hub.add_webhook("acme", "https://desk.example/hook", webhook="desk")
        self.desk.secrets.append(made["secret"])

    def open(self, *connectors: Any, **hooks: Any) -> Any:
        return super().open(*connectors, socialsupport_crms=self.crms, **hooks)

    def again(self) -> None:
        self.reopen(Raven)

    def forget_pages(self, server: Any) -> None:
        """What the owner of a PostgreSQL does, as `erase` says; on SQLite it was done."""
        if self.store != self.path:
            import psycopg

            mine = str(self.store).rpartition("schema=")[2]
            with psycopg.connect(server.url, autocommit=True) as connection:
                others = connection.execute(
                    "SELECT nspname FROM pg_namespace WHERE nspname LIKE 'test%%' AND nspname <> %s", (mine,)
                )
                for (name,) in others.fetchall():  # of tests before this one
                    connection.execute(f'DROP SCHEMA "{name}" CASCADE')
                connection.execute("VACUUM (FULL, ANALYZE)")
                connection.execute("CHECKPOINT")

    def files(self, server: Any) -> Iterator[Path]:
        """Every file in which something could be left."""
        yield from (path for path in self.path.parent.rglob("*") if path.is_file())
        if self.store != self.path:
            yield from (path for path in (server.folder / "data" / "base").rglob("*") if path.is_file())


CANARY = mark("ring")
EMAIL = f"{mark('mail')}@acme.example"


def party() -> Party:
    return Party(
        identifiers=(
            Identifier(kind="raven.ring", value=CANARY),
            Identifier(kind="phone", value="+15550771234"),
        ),
        name=mark("name"),
        handle=mark("handle"),
        avatar=f"https://img.example/{mark('avatar')}",
    )


def speaks(number: str, text: str, at: Any, *, thread: Thread | None = None, **more: Any) -> InteractionReceived:
    """The canary says something."""
    where = thread or Thread(id=mark("thread"), visibility="private")
    event = message(number, text, CANARY, at=at, **more)
    said = event.interaction.model_copy(update={"author": party(), "thread": where})
    return event.model_copy(update={"interaction": said})


def life() -> list[Event]:
    """What the canary's payloads say, in order."""
    first = speaks(
        mark("native"),
        mark("text"),
        0,
        subject=mark("subject"),
        attachments=(Attachment(native_id="nest", name=f"{mark('file')}.txt", url=f"https://f.example/{mark('url')}"),),
        location=Location(latitude=1, longitude=2, name=mark("place"), address=mark("address")),
        reach=Reach(followers=3),
        context=mark("context"),
    )
    second = speaks(mark("second"), mark("oldversion"), 10)
    public = speaks(
        mark("public"), mark("comment"), 20, thread=Thread(id="square", visibility="public"), kind="comment"
    )
    robins = message("robins", "robin speaks of nobody", ROBIN, at=5, visibility="public")
    other = edited(speaks(mark("nevercame"), "x", 30), mark("early"), 31)
    return [
        robins,
        first,
        second,
        edited(second, mark("newversion"), 40),
        public,
        deleted(public, 50),
        other,
        reacted(robins, "+1", 60, CANARY).model_copy(update={"author": party()}),
        IdentityClaimed(
            id="claim",
            own_account=ACCOUNT,
            subject=Identifier(kind="raven.ring", value=CANARY),
            claims=(Identifier(kind="email", value=EMAIL),),
            tier="verified",
            proof="dmarc",
            at=first.interaction.sent_at,
        ),
        TypingStarted(
            id="typing",
            own_account=ACCOUNT,
            thread=first.interaction.thread,
            author=party(),
            at=first.interaction.sent_at,
        ),
    ]


MARKERS = [
    mark(what)
    for what in [
        "ring",
        "name",
        "handle",
        "avatar",
        "thread",
        "native",
        "text",
        "subject",
        "file",
        "url",
        "place",
        "address",
        "context",
        "second",
        "oldversion",
        "public",
        "comment",
        "nevercame",
        "early",
        "newversion",
        "mail",
        "content",
        "contact",
        "crmname",
        "quarantined",
        "reply",
        "queued",
        "upload",
        "note",
        "linknote",
    ]
]
MARKERS.append("5550771234")


def live(aviary: Aviary) -> str:
    """Lets the canary live through everything; its customer id."""
    hub, sky = aviary.hub, aviary.sky
    sky.files["nest"] = f"file with {mark('content')}".encode()
    aviary.books.contacts[CANARY] = [
        {
            "id": mark("contact"),
            "identifiers": [{"kind": "raven.ring", "value": CANARY}],
            "verified": [{"kind": "raven.ring", "value": CANARY}],
            "name": mark("crmname"),
        }
    ]
    for event in life():
        aviary.hear(event)
    aviary.hear({"type": "scroll", "of": CANARY, "text": mark("quarantined")})
    who = f"raven.ring:{CANARY}"
    conversation = hub.customer("acme", who)["conversations"][0]["id"]
    hub.note("acme", conversation, mark("note"), agent="dana")
    sent = hub.blobs.put(f"sent {mark('upload')}".encode())
    hub.reply("acme", conversation, mark("reply"), agent="dana", key="r-1", attachments=[_file(sent)])
    hub.drain()
    aviary.sky.before = _away
    hub.reply("acme", conversation, mark("queued"), agent="dana", key="r-2")
    hub.drain()
    hub.hand_off("acme", conversation, agent="dana")
    aviary.hear(message("hers", "another", "sister", at=70))
    hub.link("acme", who, "raven.ring:sister", agent="dana", note=mark("linknote"))
    hub.audit("acme", "dana", "read", f"GET /api/customers/{who}/timeline")
    aviary.settle()
    return str(hub.customer("acme", who)["id"])


def _file(blob: str) -> dict[str, Any]:
    return {"blob": blob, "name": f"{mark('file')}2.txt", "media_type": "text/plain", "size": 10}


def _away(request: httpx.Request) -> None:
    if request.method == "POST":
        raise httpx.ConnectError("the sky is closed", request=request)


def left_in(text: str | bytes) -> list[str]:
    content = text.encode() if isinstance(text, str) else text
    folded = content.lower()
    return [one for one in MARKERS if one.encode() in folded]


def old_payloads(aviary: Aviary) -> list[Any]:
    """As a network would deliver them again."""
    return [aviary.payload(json.loads(event.to_json())) for event in life()]


__all__ = [
    "CANARY",
    "EMAIL",
    "MARKERS",
    "ROBIN",
    "Aviary",
    "bird",
    "left_in",
    "life",
    "live",
    "mark",
    "old_payloads",
    "party",
    "speaks",
]
