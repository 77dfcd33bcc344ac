"""A person is erased: no byte is left, nobody else loses anything, and what comes again brings nothing back."""

import asyncio
import itertools
import json
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import eraser
import pytest
from canary import CANARY, MARKERS, ROBIN, Aviary, Ledger, left_in, life, live, mark, old_payloads, speaks
from raven import Roost, message, reacted
from raven.events import thread_id

from socialsupport_core.contract import CRM, ConfigError
from socialsupport_core.identity import Erased, NoSuchCustomer, customer_of
from socialsupport_core.model import DeliveryUpdated, ErasureRequested, Identifier, IdentityClaimed
from socialsupport_core.pipeline import erasing
from socialsupport_core.store import Tx
from socialsupport_core.store.postgres import migrate
from socialsupport_core.testing import postgresql

_schemas = itertools.count()
WHO = f"raven.ring:{CANARY}"


@pytest.fixture(scope="module")
def server() -> Iterator[postgresql.Server]:
    """Of these tests alone: they look for what is left in every file of the server."""
    if postgresql.programs() is None:
        pytest.skip(postgresql.MISSING)
    with postgresql.running() as one:
        yield one


@pytest.fixture
def new_store(request: pytest.FixtureRequest) -> Callable[[str, Path], str | Path]:
    """Never one that was used before: what an earlier test wrote may be in its files."""

    def make(kind: str, folder: Path) -> str | Path:
        if kind == "sqlite":
            return folder / "support.sqlite"
        url = f"{request.getfixturevalue('server').url}?schema=test_erased_{next(_schemas)}"
        migrate(url)
        return url

    return make


@pytest.fixture
def aviary(tmp_path: Path, store: str | Path) -> Iterator[Aviary]:
    made = Aviary(tmp_path, store)
    yield made
    made.hub.close()


@pytest.fixture
def server_of(aviary: Aviary, request: pytest.FixtureRequest) -> Any:
    return request.getfixturevalue("server") if aviary.store != aviary.path else None


def test_every_marker_was_there(aviary: Aviary, server_of: Any) -> None:
    """Else not finding them proves nothing."""
    live(aviary)
    blobs = b"".join(path.read_bytes() for path in aviary.path.parent.rglob("*.blobs/*/*"))
    held = aviary.dump().encode() + blobs
    hexed = [one for one in MARKERS if one.encode().hex().encode() in held.lower()]  # bodies, as PostgreSQL shows them
    assert {*left_in(held), *hexed} >= set(MARKERS)


def test_no_byte_is_left(aviary: Aviary, server_of: Any) -> None:
    live(aviary)
    told = aviary.hub.erase("acme", WHO, agent="dana")
    assert (told["state"], told["store"]["cleaned"]) == ("removed", True)
    assert any("contacts in CRMs" in one for one in told["left"])
    _until_done(aviary)
    held = aviary.dump()
    assert left_in(held) == []
    assert [one for one in MARKERS if one.encode().hex() in held.lower()] == []
    aviary.forget_pages(server_of)
    found = {path.name: left for path in aviary.files(server_of) if (left := left_in(path.read_bytes()))}
    assert found == {}


def test_the_account_tells_what_went_where(aviary: Aviary) -> None:
    customer = live(aviary)
    told = aviary.hub.erase("acme", WHO, agent="dana")
    removed = told["removed"]
    assert told["customer"] == customer
    wanted = {"interactions", "journal", "log", "nodes", "evidence", "outbox", "attachments", "reactions", "early"}
    wanted |= {"legs", "conversations", "handoffs", "crm_contacts", "audit", "webhook_waiting", "interaction_keys"}
    assert wanted <= removed.keys()
    assert all(count > 0 for count in removed.values())
    assert told["files"] == {
        "removed": 2,
        "bytes": len(f"file with {mark('content')}sent {mark('upload')}"),
        "shared": 0,
    }
    assert any("backups" in one for one in told["left"])
    assert aviary.hub.erasures("acme")[0]["removed"] == removed


def test_nobody_is_known_by_any_of_the_old_ids_again(aviary: Aviary) -> None:
    customer = live(aviary)
    ids = [customer, *aviary.hub.customer("acme", customer)["aliases"]]
    aviary.hub.erase("acme", customer, agent="dana")
    assert len(ids) > 2
    for one in ids:
        with pytest.raises(Erased, match="has been erased"):
            aviary.hub.customer("acme", one)
        with pytest.raises(Erased):
            aviary.hub.timeline("acme", one)
    with pytest.raises(NoSuchCustomer, match="nobody is known"):
        aviary.hub.customer("acme", WHO)
    assert aviary.hub.find_customers("acme", "canary7") == []
    assert [one["customer"]["name"] for one in aviary.hub.queue("acme", status=None)] == [ROBIN.capitalize()]


def test_what_comes_again_brings_nothing_back(aviary: Aviary) -> None:
    live(aviary)
    payloads = old_payloads(aviary)
    aviary.hub.erase("acme", WHO, agent="dana")
    for payload in payloads:
        aviary.hub.receive(aviary.doors["acme"], payload).result()
    page = b"[" + b",".join(payload.body[1:-1] for payload in payloads) + b"]"
    aviary.hub.import_file("acme", "tower", page, "export.json")
    aviary.hub.drain()
    for entry in range(1, aviary.journal()["accepted"] + 1):
        aviary.hub.replay(entry)
    aviary.hub.drain()
    with pytest.raises(NoSuchCustomer):
        aviary.hub.customer("acme", WHO)
    counts = aviary.journal()
    assert (counts["unexplained"], counts["waiting"]) == (0, 0)
    assert left_in(aviary.dump()) == []


def test_of_what_comes_again_the_reason_is_told_and_the_payload_goes(aviary: Aviary) -> None:
    live(aviary)
    aviary.hub.erase("acme", WHO, agent="dana")
    aviary.hear(speaks("late", f"late {mark('text')}", 80))
    entry = aviary.hub.journalled(aviary.journal()["accepted"])
    assert entry is not None
    assert (entry.state, entry.reason, entry.payload.body) == ("ignored", "erased", b"")


def test_whoever_writes_again_is_somebody_new(aviary: Aviary) -> None:
    customer = live(aviary)
    ids = {customer, *aviary.hub.customer("acme", customer)["aliases"]}
    aviary.hub.erase("acme", WHO, agent="dana")
    aviary.clock.forward(days=1)
    for number in (1, 2):
        aviary.hear(speaks(f"new-{number}", "good morning", aviary.clock()))
    found = aviary.hub.customer("acme", WHO)
    assert not {found["id"], *found["aliases"]} & ids
    texts = [one["interaction"]["text"] for one in aviary.hub.timeline("acme", WHO)]
    assert texts == ["good morning", "good morning"]
    for one in ids:
        with pytest.raises(Erased):
            aviary.hub.customer("acme", one)
    again = aviary.hub.erase("acme", found["id"], agent="dana")
    aviary.clock.forward(days=1)
    aviary.hear(speaks("new-3", "once more", aviary.clock()))
    assert aviary.hub.customer("acme", WHO)["id"] not in {customer, again["customer"]}


def test_others_lose_nothing(aviary: Aviary) -> None:
    live(aviary)
    aviary.hear(message("robin-2", f"have you seen {mark('name')}?", ROBIN, at=100))
    aviary.hear(speaks("1", "the same in the other house", 0), tenant="rival")
    before = _seen(aviary, f"raven.ring:{ROBIN}"), _seen(aviary, WHO, "rival")
    kept = aviary.hub._database.read(_of_others)
    aviary.hub.erase("acme", WHO, agent="dana")
    after = _seen(aviary, f"raven.ring:{ROBIN}"), _seen(aviary, WHO, "rival")
    assert after[1] == before[1]
    robin, robin_before = after[0], before[0]
    assert robin_before["timeline"][0].pop("reactions") == ["+1"]  # it was the canary's
    assert robin == robin_before
    assert mark("name") in str(robin)
    assert aviary.hub._database.read(_of_others) == kept


def _seen(aviary: Aviary, who: str, tenant: str = "acme") -> dict[str, Any]:
    customer = aviary.hub.customer(tenant, who)
    conversations = [aviary.hub.conversation(tenant, one["id"])["legs"] for one in customer["conversations"]]
    customer.pop("conversations")
    return {"customer": customer, "timeline": aviary.hub.timeline(tenant, who), "legs": conversations}


def _of_others(tx: Tx) -> list[str]:
    rows = tx.all(
        "SELECT tenant, type, data FROM log WHERE tenant = 'rival' OR data LIKE ? ORDER BY cursor", f"%{ROBIN}%"
    )
    return [f"{row['tenant']} {row['type']} {row['data']}" for row in rows]


def test_who_looks_alike_is_somebody_else(aviary: Aviary) -> None:
    live(aviary)
    namesake = f"{CANARY}2"
    aviary.hear({"type": "scroll", "of": namesake}, {"type": "scroll", "of": f"see {CANARY}.example"})
    scroll = aviary.journal()["accepted"]
    aviary.hub.audit("acme", "dana", "read", f"GET /api/customers/{WHO}2/timeline")
    aviary.hub.erase("acme", WHO, agent="dana")
    entry = aviary.hub.journalled(scroll)
    assert entry is not None
    assert namesake.encode() in entry.payload.body
    objects = aviary.hub._database.read(lambda tx: [row["object"] for row in tx.all("SELECT object FROM audit")])
    assert f"GET /api/customers/{WHO}2/timeline" in objects
    assert "erased" in objects


def test_a_file_that_others_have_too_stays(aviary: Aviary) -> None:
    live(aviary)
    aviary.sky.files["nest2"] = aviary.sky.files["nest"]
    same = life()[1].interaction.attachments[0].model_copy(update={"native_id": "nest2", "name": "mine.txt"})  # type: ignore[union-attr]
    aviary.hear(message("robin-3", "look", ROBIN, at=110, attachments=(same,)))
    told = aviary.hub.erase("acme", WHO, agent="dana")
    assert (told["files"]["removed"], told["files"]["shared"]) == (1, 1)
    entry = aviary.hub.timeline("acme", f"raven.ring:{ROBIN}")[-1]
    assert mark("content").encode() in aviary.hub.attachment("acme", entry["attachments"][0]["id"])[1]


def test_subscribers_and_the_crm_are_told(aviary: Aviary) -> None:
    customer = live(aviary)
    told = aviary.hub.erase("acme", WHO, agent="dana")
    contacts = [one for one in told["crm"] if "contact" in one]
    cases = {one["case"] for one in told["crm"] if "case" in one}
    assert [one["state"] for one in contacts] == ["queued"]
    (change,) = [one for one in aviary.log("customer.changed") if one["data"]["cause"] == "erased"]
    assert (change["data"]["old"], change["data"]["agent"], change["data"]["accounts"]) == (customer, "dana", [])
    assert change["data"]["conversations"]
    aviary.hub.drain()
    assert aviary.books.erased == [mark("contact")]
    assert cases
    assert set(aviary.books.erased_cases) == cases
    ended = aviary.hub.erasures("acme")[0]["crm"]
    assert [(one["state"], "contact" in one or "case" in one) for one in ended] == [("done", False)] * len(told["crm"])
    aviary.desk.down = False
    aviary.clock.forward(days=2)
    aviary.hub.drain()
    assert any(one["data"]["data"].get("cause") == "erased" for one in aviary.desk.taken)
    assert left_in(json.dumps(aviary.desk.taken)) == []


def test_a_crm_that_is_away_is_asked_again_and_its_end_is_seen(aviary: Aviary) -> None:
    live(aviary)
    aviary.books.answers = [503, 429, 403]
    aviary.hub.erase("acme", WHO, agent="dana")
    aviary.hub.drain()
    assert _at_crm(aviary)["state"] == "queued"
    aviary.clock.forward(hours=2)
    aviary.hub.drain()
    assert (_at_crm(aviary)["state"], _at_crm(aviary)["attempts"]) == ("queued", 2)
    for _ in range(2):
        aviary.clock.forward(hours=2)
        aviary.hub.drain()
    assert _at_crm(aviary)["state"] == "done"
    assert aviary.books.erased == [mark("contact")]


def _at_crm(aviary: Aviary) -> dict[str, Any]:
    found: dict[str, Any] = aviary.hub.erasures("acme")[0]["crm"][0]
    return found


def test_a_crm_is_not_asked_about_somebody_who_may_be_another(aviary: Aviary) -> None:
    known: dict[str, Any] = {"identifiers": [], "verified": []}
    aviary.books.contacts["kerry"] = [{"id": "contact-a", **known}, {"id": "contact-b", **known}]
    aviary.hear(message(1, "hello"))
    told = aviary.hub.erase("acme", "raven.ring:kerry", agent="dana")
    aviary.hub.drain()
    assert [(one["contact"], one["state"]) for one in told["crm"] if "contact" in one] == [
        ("contact-a", "by_hand"),
        ("contact-b", "by_hand"),
    ]
    assert aviary.books.erased == []


def test_a_contact_by_whom_the_crm_knows_somebody_else_too_is_left_to_a_person(aviary: Aviary) -> None:
    both = {"id": "contact-a", "identifiers": [], "verified": []}
    aviary.books.contacts |= {"kerry": [both], "lou": [both]}
    aviary.hear(message(1, "hello"), message(2, "me too", "lou"))
    told = aviary.hub.erase("acme", "raven.ring:kerry", agent="dana")
    aviary.hub.drain()
    (left,) = [one for one in told["crm"] if "contact" in one]
    assert (left["contact"], left["state"]) == ("contact-a", "by_hand")
    assert "another customer" in left["reason"]
    assert aviary.books.erased == []


def said_in_one_case(aviary: Aviary) -> str:
    """By Kerry, by Lou, and by Kerry again; the case."""
    for number, who in enumerate(("kerry", "lou", "kerry")):
        aviary.hear(message(number, "hello", who, thread=thread_id("kerry"), at=number))
        aviary.hub.drain()
    (case,) = aviary.hub.queue("acme")[0]["cases"]
    return str(case["case"])


def test_of_a_case_in_which_others_speak_only_what_this_person_said_is_removed(aviary: Aviary) -> None:
    case = said_in_one_case(aviary)
    saved = {f"acme:{entry['id']}": entry["interaction"]["author"]["name"] for entry in aviary.timeline("kerry")}
    told = aviary.hub.erase("acme", "raven.ring:kerry", agent="dana")
    assert [(one["case"], one["state"]) for one in told["crm"]] == [(case, "queued")]
    aviary.hub.drain()
    assert sorted(aviary.books.removed) == sorted(saved)
    assert len(saved) == 2
    assert aviary.books.erased_cases == []
    assert [one["state"] for one in aviary.hub.erasures("acme")[0]["crm"]] == ["done"]
    aviary.hub.erase("acme", "raven.ring:lou", agent="dana")
    aviary.hub.drain()
    assert aviary.books.erased_cases == [case]
    assert len(aviary.books.removed) == 2


def test_a_crm_that_removes_nothing_leaves_that_to_a_person(aviary: Aviary, monkeypatch: pytest.MonkeyPatch) -> None:
    case = said_in_one_case(aviary)
    monkeypatch.setattr(Ledger, "remove_interaction", CRM.remove_interaction)
    aviary.hub.erase("acme", "raven.ring:kerry", agent="dana")
    aviary.hub.drain()
    (left,) = aviary.hub.erasures("acme")[0]["crm"]
    assert (left["case"], left["state"]) == (case, "by_hand")
    assert "others speak in this case" in left["reason"]
    assert aviary.books.erased_cases == []


def test_what_a_person_must_do_in_a_crm_is_named_for_thirty_days(aviary: Aviary) -> None:
    aviary.hub.import_contacts("acme", b"id,name,email\n4711,Pat,pat@mail.example\n", kind="crm.sheet")
    aviary.hub.erase("acme", "crm.sheet:4711", agent="dana")
    named = []
    for _ in range(2):
        aviary.clock.forward(days=16)
        aviary.hub.drain()
        named.append([one["contact"] for one in aviary.hub.erasures("acme")[0]["crm"]])
    assert named == [["4711"], []]


def test_a_table_that_was_imported_is_left_to_a_person_and_the_erasure_ends(aviary: Aviary) -> None:
    """Nobody is there who could be asked, so nothing waits for an answer."""
    table = b"id,name,email,verified\n4711,Pat,pat@mail.example,yes\n"
    aviary.hub.import_contacts("acme", table, kind="crm.sheet")
    aviary.hub.erase("acme", "email:pat@mail.example", agent="dana")
    aviary.hub.drain()
    (told,) = aviary.hub.erasures("acme")
    assert (told["state"], [(one["crm"], one["state"]) for one in told["crm"]]) == ("done", [("sheet", "by_hand")])
    assert "no such CRM is connected" in told["crm"][0]["reason"]


@pytest.mark.parametrize(
    ("store", "point"),
    [
        *(("sqlite", point) for point in eraser.POINTS),
        *(("postgresql", point) for point in ("told", "finish")),
        *(pytest.param("postgresql", point, marks=pytest.mark.long) for point in ("rows", "files", "file", "noted")),
    ],
    indirect=["store"],
)
def test_a_kill_leaves_it_undone_or_to_be_finished_by_the_same_call(aviary: Aviary, server_of: Any, point: str) -> None:
    live(aviary)
    aviary.hub.close()
    command = [sys.executable, str(Path(eraser.__file__)), str(aviary.store), point, WHO]
    died = subprocess.run(command, check=False, capture_output=True, timeout=60, cwd=aviary.path.parent)
    assert died.returncode == -signal.SIGKILL, died.stderr.decode()
    aviary.again()
    if point in ("rows", "told"):
        assert aviary.hub.erasures("acme") == []
        assert len(aviary.hub.timeline("acme", WHO)) > 3
    else:
        assert aviary.hub.erasures("acme")[0]["state"] == "removed"
        assert left_in(aviary.dump()) == [mark("contact")]  # until the CRM has erased it
    told = aviary.hub.erase("acme", WHO, agent="dana")
    assert told["files"]["removed"] == 2
    _until_done(aviary)
    aviary.forget_pages(server_of)
    assert {path.name: left for path in aviary.files(server_of) if (left := left_in(path.read_bytes()))} == {}


def _until_done(aviary: Aviary) -> None:
    """The CRM is asked, and then the store's files are cleaned of its contact too."""
    for _ in range(2):
        aviary.hub.drain()
        aviary.clock.forward(minutes=10)
    assert [one["state"] for one in aviary.hub.erasures("acme")] == ["done"]


def test_a_running_hub_finishes_what_another_began(aviary: Aviary) -> None:
    live(aviary)
    told = aviary.hub.erase("acme", WHO, agent="dana", compact=False)
    assert any("until a running hub has cleaned them" in one for one in told["left"])
    assert aviary.hub.retention_due()["erasures"] == 1
    _until_done(aviary)
    assert aviary.hub.retention_due()["erasures"] == 0


def test_erasing_twice_tells_the_same(aviary: Aviary) -> None:
    customer = live(aviary)
    first = aviary.hub.erase("acme", WHO, agent="dana")
    _until_done(aviary)
    left = [one for one in first["left"] if "names of contacts in CRMs" not in one]
    for who in (customer, WHO):
        again = aviary.hub.erase("acme", who, agent="dana")
        assert (again["left"], again["store"]["cleaned"]) == (left, True)
        assert (again["id"], again["removed"], again["state"]) == (first["id"], first["removed"], "done")
    assert len(aviary.hub.erasures("acme")) == 1


def test_who_is_not_there_cannot_be_erased(aviary: Aviary) -> None:
    for who in ("cus_nobody", "raven.ring:nobody", "nonsense"):
        with pytest.raises(NoSuchCustomer):
            aviary.hub.erase("acme", who, agent="dana")
    aviary.hear(message(1, "hello"))
    with pytest.raises(ConfigError, match="no agent"):
        aviary.hub.erase("acme", "raven.ring:kerry", agent="nobody")
    assert aviary.hub.erasures("acme") == []
    with pytest.raises(NoSuchCustomer):
        aviary.hub.erase("rival", "raven.ring:kerry", agent="dana")


def test_a_reply_that_is_under_way_leaves_nothing(aviary: Aviary) -> None:
    aviary.hear(speaks("1", "hello", 0))
    conversation = aviary.hub.customer("acme", WHO)["conversations"][0]["id"]
    aviary.hub.reply("acme", conversation, mark("reply"), agent="dana", key="r")

    def erase(request: Any) -> None:
        if request.method == "POST":
            aviary.hub.erase("acme", WHO, agent="dana")

    aviary.sky.before = erase
    aviary.hub.drain()
    assert left_in(aviary.dump()) == []


def test_what_was_taken_up_but_not_asked_yet_is_not_sent(aviary: Aviary) -> None:
    aviary.hear(speaks("1", "hello", 0))
    conversation = aviary.hub.customer("acme", WHO)["conversations"][0]["id"]
    aviary.hub.reply("acme", conversation, mark("reply"), agent="dana", key="r")
    workers = aviary.hub.workers

    async def send() -> None:
        (part,) = await workers._claim([])
        aviary.hub.erase("acme", WHO, agent="dana")
        await workers._send(part)
        await aviary.hub.wire.aclose()

    asyncio.run(send())
    assert aviary.sky.messages == []
    assert aviary.hub._database.read(lambda tx: tx.all("SELECT * FROM asks")) == []
    assert left_in(aviary.dump()) == []


def test_receipts_and_reactions_to_what_is_gone_leave_nothing(aviary: Aviary) -> None:
    live(aviary)
    (first,) = [one for one in life() if getattr(one, "id", "") == f"m-{mark('native')}"]
    aviary.hub.erase("acme", WHO, agent="dana")
    later = first.interaction.sent_at.replace(year=2027)  # type: ignore[union-attr]
    known = {"own_account": "tower", "native_id": mark("native"), "at": later}
    aviary.hear(DeliveryUpdated(id="d", state="read", **known), reacted(first, "-1", 500, ROBIN))  # type: ignore[arg-type]
    assert left_in(aviary.dump()) == []


def test_in_a_conversation_of_several_the_others_go_on(aviary: Aviary) -> None:
    thread = speaks("x", "x", 0).interaction.thread
    aviary.hear(speaks("1", mark("text"), 0, subject=mark("subject")))
    aviary.hear(message(2, "me too", "kerry", at=5, thread=thread))
    aviary.hub.erase("acme", WHO, agent="dana")
    (conversation,) = aviary.hub.queue("acme")
    assert conversation["customer"]["name"] == "Kerry"
    assert [one["interaction"]["text"] for one in aviary.hub.conversation("acme", conversation["id"])["timeline"]] == [
        "me too"
    ]
    assert set(left_in(aviary.dump())) <= {mark("thread")}  # where kerry still is
    aviary.hear(message(3, "still here", "kerry", at=9, thread=thread))
    assert len(aviary.hub.queue("acme")) == 1


def test_what_waits_to_be_read_again_is_known_then(aviary: Aviary) -> None:
    aviary.hear(speaks("1", "hello", 0))
    (entry,) = aviary.hub._database.read(lambda tx: [row["entry"] for row in tx.all("SELECT entry FROM journal")])
    aviary.hub.replay(entry)
    aviary.hub.erase("acme", WHO, agent="dana")
    aviary.hub.drain()
    found = aviary.hub.journalled(entry)
    assert found is not None
    assert (found.state, found.reason, found.payload.body) == ("ignored", "erased", b"")


def test_what_waited_behind_a_reply_to_them_goes_out(aviary: Aviary) -> None:
    """In a thread of several, one part after the other."""
    thread = speaks("x", "x", 0).interaction.thread
    aviary.hear(speaks("1", "hello", 0), message(2, "me too", "kerry", at=5, thread=thread))
    conversation = aviary.hub.conversation("acme", aviary.conversation("kerry"))
    legs = {one["account"]: one["id"] for one in conversation["legs"]}
    aviary.sky.faults.unavailable = 1
    for account in (f"raven.ring:{CANARY}", "raven.ring:kerry"):
        aviary.hub.reply("acme", conversation["id"], f"to {account}", agent="dana", leg=legs[account])
    aviary.hub.drain()
    assert aviary.sky.texts() == []
    aviary.hub.erase("acme", WHO, agent="dana")
    aviary.hub.drain()
    assert aviary.sky.texts() == ["to raven.ring:kerry"]


def _said_of(name: str, kind: str, value: str) -> IdentityClaimed:
    at = speaks("x", "x", 90).interaction.sent_at
    claim = (Identifier(kind=kind, value=value),)
    who = Identifier(kind="raven.ring", value=name)
    return IdentityClaimed(
        id=f"c-{value}", own_account="tower", subject=who, claims=claim, tier="claimed", proof="form", at=at
    )


def test_what_they_merely_said_of_themselves_goes_too(aviary: Aviary) -> None:
    """An address that nobody has proven, and from which nobody has written."""
    aviary.hear(message(1, "hello"), _said_of("kerry", "email", f"{mark('mail')}@acme.example"))
    assert mark("mail") in aviary.dump()
    aviary.hub.erase("acme", "raven.ring:kerry", agent="dana")
    assert left_in(aviary.dump()) == []


def test_whoever_they_said_to_be_and_was_not_stays(aviary: Aviary) -> None:
    aviary.hear(message(1, "hello"), message(2, "good day", "robin"), _said_of("kerry", "raven.ring", "robin"))
    aviary.hub.erase("acme", "raven.ring:kerry", agent="dana")
    assert aviary.texts("robin") == ["good day"]


def test_what_parted_them_from_others_names_nobody(aviary: Aviary) -> None:
    aviary.hear(message(1, "hello"), message(2, "good day", "robin"))
    aviary.hub.link("acme", "raven.ring:kerry", "raven.ring:robin", agent="dana")
    aviary.hub.split("acme", "raven.ring:kerry", ["raven.ring:kerry"], agent="dana")
    database = aviary.hub._database
    (kerry,) = database.read(lambda tx: [row["node"] for row in tx.all("SELECT * FROM nodes WHERE value = 'kerry'")])
    sql = "INSERT INTO hints SELECT tenant, other, node FROM ties WHERE node = ? ON CONFLICT DO NOTHING"
    database.do(lambda tx: tx.run(sql, kerry))

    def naming(tx: Tx) -> int:
        return sum(
            len(tx.all(f"SELECT 1 FROM {table} WHERE {one} = ? OR {other} = ?", kerry, kerry))
            for table, one, other in (("ties", "node", "other"), ("hints", "node", "other"), ("evidence", "a", "b"))
        )

    assert database.read(naming) > 2
    aviary.hub.erase("acme", "raven.ring:kerry", agent="dana")
    assert database.read(naming) == 0
    assert aviary.texts("robin") == ["good day"]


def test_what_was_told_in_the_same_commit_goes_too(aviary: Aviary, monkeypatch: pytest.MonkeyPatch) -> None:
    aviary.hear(speaks("1", "hello", 0))
    (row,) = aviary.hub._database.read(lambda tx: tx.all("SELECT * FROM log WHERE type = 'interaction.received'"))
    told = [row[name] for name in ("tenant", "type", "at", "channel", "thread", "conversation")]
    other = ("acme", "typing.started", 1, None, None, None, "{}")

    def both(tx: Tx) -> None:
        tx.told += [(*told, json.dumps(json.loads(row["data"]) | {"said": mark("text")})), other]
        with monkeypatch.context() as patch, suppress(ZeroDivisionError), tx.savepoint():
            patch.setattr(erasing, "_publish", lambda *_: 1 / 0)
            erasing.begin(tx, "acme", customer_of(tx, "acme", WHO), "era_0", "dana", 4 * 10**15)
        assert len(tx.told) == 2
        erasing.begin(tx, "acme", customer_of(tx, "acme", WHO), "era_1", "dana", 4 * 10**15)

    aviary.hub._database.do(both, "acme")
    assert left_in(aviary.dump()) == []
    assert len(aviary.log("typing.started")) == 1


def test_while_others_write(roost: Roost) -> None:
    """On a hub that works: what was accepted of others is recorded, and of the one nothing."""
    roost.hub.start()
    done, number = threading.Event(), 0
    roost.deliver(message("first", "unforgettable words", "kerry", at=roost.clock()))

    def write() -> None:
        nonlocal number
        while not done.is_set():
            number += 1
            author = ("kerry", "robin")[number % 2]
            roost.deliver(message(number, f"unforgettable words {number}" if number % 2 == 0 else "kept", author, at=0))

    writers = [threading.Thread(target=write) for _ in range(1)]
    for one in writers:
        one.start()
    told = None
    while told is None:
        try:
            told = roost.hub.erase("acme", "raven.ring:kerry", agent="dana")
        except NoSuchCustomer:
            continue
    done.set()
    for one in writers:
        one.join()
    roost.hub.close()
    roost.reopen()
    roost.hub.drain()
    counts = roost.journal()
    assert (counts["unexplained"], counts["waiting"], counts["quarantined"]) == (0, 0, 0)
    assert "unforgettable" not in roost.dump()
    assert len(roost.hub.timeline("acme", "raven.ring:robin", limit=10_000)) == (number + 1) // 2


def test_a_network_may_demand_it_and_an_agent_decides(aviary: Aviary) -> None:
    customer = live(aviary)
    aviary.hub.resolve("acme", aviary.hub.customer("acme", customer)["conversations"][0]["id"], agent="dana")
    aviary.clock.forward(seconds=1)
    aviary.hear(_demand(CANARY))
    (request,) = aviary.hub.erasure_requests("acme")
    assert (request["customer"], request["channel"], request["state"]) == (customer, "tower", "waiting")
    (waiting,) = [one for one in aviary.hub.queue("acme", waiting=True) if one["customer"]["id"] == customer]
    assert "demands that everything about this customer be erased" in waiting["last"]["text"]
    assert aviary.hub.retention_due()["erasure_requests"] == 1
    aviary.hear(_demand("nobody"))
    assert len(aviary.hub.erasure_requests("acme")) == 1
    aviary.hub.erase("acme", customer, agent="dana")
    assert aviary.hub.erasure_requests("acme") == []
    assert left_in(aviary.dump()) in ([], [mark("contact")])


def test_a_demand_may_be_dismissed(aviary: Aviary) -> None:
    aviary.hear(message(1, "hello"), _demand("kerry"))
    (request,) = aviary.hub.erasure_requests("acme")
    aviary.hub.dismiss_erasure("acme", request["id"], agent="dana")
    assert aviary.hub.erasure_requests("acme") == []
    with pytest.raises(KeyError, match="no demand"):
        aviary.hub.dismiss_erasure("acme", request["id"], agent="dana")
    assert aviary.timeline()


def test_where_the_operator_says_so_a_demand_needs_no_agent(aviary: Aviary) -> None:
    aviary.hub.erase_on_request("acme", "tower", allowed=True)
    aviary.hear(message(1, "hello"), _demand("kerry"))
    with pytest.raises(NoSuchCustomer):
        aviary.timeline()
    assert [one["agent"] for one in aviary.hub.erasures("acme")] == ["network"]
    aviary.hub.erase_on_request("acme", "tower", allowed=False)
    with pytest.raises(ConfigError, match="no channel"):
        aviary.hub.erase_on_request("acme", "nowhere", allowed=True)


def _demand(name: str) -> ErasureRequested:
    whom = (Identifier(kind="raven.ring", value=name),)
    at = speaks("x", "x", 90).interaction.sent_at
    return ErasureRequested(id=f"demand-{name}", own_account="tower", identifiers=whom, at=at)
