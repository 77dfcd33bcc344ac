"""The auditor: knows only what an outsider may know, and asks the hub the rest through its public verbs.

An outsider knows which payloads were offered and how often each was acknowledged, which replies were promised, and
what the network has received.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from socialsupport_core.hub import Hub
from socialsupport_core.identity import NoSuchCustomer
from socialsupport_core.testing.torture.site import TENANT
from socialsupport_core.testing.torture.story import Story

EVERYTHING = 1_000_000
PAGE = 7
"""Of the log as a subscriber reads it: small, so that there are many."""
WENT_OUT = frozenset({"sent", "delivered", "read"})
ENDS = WENT_OUT | {"failed", "uncertain"}


@dataclass(frozen=True, slots=True)
class Finding:
    """`lost`: acknowledged or promised, and not there. `doubled`: there or sent twice. `wrong`: anything else."""

    kind: Literal["lost", "doubled", "wrong"]
    what: str


@dataclass
class Witness:
    """What an outsider saw."""

    story: Story
    acknowledged: Counter[str] = field(default_factory=Counter)
    """By letter."""
    offered: Counter[str] = field(default_factory=Counter)
    promised: set[str] = field(default_factory=set)
    """Keys of the replies that the hub took."""
    hurts: int = 0
    """How often it was hurt."""
    other_entries: int = 0
    """Journal entries beside these letters: polled pages, echoes."""
    findings: list[Finding] = field(default_factory=list)
    """What was seen on the way."""
    figures: dict[str, float] = field(default_factory=dict)
    """What was measured, by name; less is better."""


Entry = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Picture:
    """Everything that anybody can read of people and what they said, in a form that two runs can be compared in."""

    customers: frozenset[frozenset[str]]
    timelines: dict[str, list[tuple[Any, ...]]]
    """By account: what was said to and by its customer, our replies apart."""
    replies: dict[str, tuple[Any, ...]]
    conversations: dict[str, int]
    """How many, by account."""
    entries: list[Entry] = field(compare=False)


def picture(hub: Hub, accounts: Iterable[str]) -> Picture:
    members: dict[str, set[str]] = defaultdict(set)
    conversations: dict[str, int] = {}
    for account in accounts:
        try:
            found = hub.customer(TENANT, account)
        except NoSuchCustomer:
            continue
        members[found["id"]].add(account)
        conversations[account] = len(found["conversations"])
    timelines: dict[str, list[tuple[Any, ...]]] = {}
    replies: dict[str, tuple[Any, ...]] = {}
    entries: list[Entry] = []
    for customer, known in members.items():
        shown = hub.timeline(TENANT, customer, limit=EVERYTHING)
        entries += shown
        timelines[min(known)] = [_essence(one) for one in shown if "client_key" not in one["interaction"]]
        replies |= {str(one["interaction"]["client_key"]): _reply(one) for one in shown if _is_reply(one)}
    return Picture(frozenset(map(frozenset, members.values())), timelines, replies, conversations, entries)


def _is_reply(entry: Entry) -> bool:
    return "client_key" in entry["interaction"]


def _essence(entry: Entry) -> tuple[Any, ...]:
    said = entry["interaction"]
    marks = tuple(sorted(entry.get("reactions", ())))
    kept = tuple(entry.get(name) for name in ("channel", "at", "state", "edited_at", "deleted_at"))
    return said["native_id"], said["thread"]["id"], said["direction"], said.get("text"), marks, *kept


def _reply(entry: Entry) -> tuple[Any, ...]:
    said = entry["interaction"]
    return said["thread"]["id"], said.get("text"), entry["channel"]


def audit(
    hub: Hub, witness: Witness, sent: Sequence[dict[str, str]], undisturbed: Picture | None = None
) -> list[Finding]:
    """Of a hub that has recovered and has nothing left to do."""
    seen = picture(hub, witness.story.accounts)
    found = [
        *witness.findings,
        *_journal(hub, witness),
        *_letters(witness, seen.entries),
        *_replies(witness, seen.entries, sent),
        *_log(hub, seen.entries),
    ]
    if undisturbed is not None:
        found += differences(seen, undisturbed)
    return found


def _journal(hub: Hub, witness: Witness) -> Iterator[Finding]:
    """`accepted = recorded + ignored + quarantined + waiting`, and no fewer than were acknowledged."""
    health = hub.health()
    counts = health["journal"]
    explained = sum(counts[state] for state in ("recorded", "ignored", "quarantined", "waiting"))
    if counts["unexplained"] or explained != counts["accepted"]:
        yield Finding("wrong", f"the journal does not add up: {counts}")
    if counts["waiting"]:
        yield Finding("lost", f"{counts['waiting']} payloads still wait after everything was done")
    acknowledged = witness.acknowledged.total() + witness.other_entries
    if counts["accepted"] < acknowledged:
        yield Finding("lost", f"{acknowledged} payloads were acknowledged, {counts['accepted']} are in the journal")
    most = witness.offered.total() + witness.other_entries
    if counts["accepted"] > most:
        yield Finding("doubled", f"{most} payloads were offered, {counts['accepted']} are in the journal")
    if unexplained := [
        one.number for one in hub.quarantine(limit=EVERYTHING) if not one.reason or not one.payload.body
    ]:
        yield Finding("lost", f"entries {unexplained} are quarantined without their reason or their bytes")


def _letters(witness: Witness, entries: Sequence[Entry]) -> Iterator[Finding]:
    """Every message of an acknowledged letter is in the timelines once, and nothing that nobody offered."""
    shown = Counter(_where(one) for one in entries if not _is_reply(one))
    offered, owed = set(), set()
    for letter in witness.story.letters:
        meant = [event.get("meant", event) for event in letter.events]
        mine = {_named(letter.channel, event) for event in meant if event["type"] == "interaction.received"}
        offered |= mine
        if witness.acknowledged[letter.id]:
            owed |= mine
    for where in sorted(owed - shown.keys()):
        yield Finding("lost", f"the message {where} was acknowledged and is in no timeline")
    for where, times in sorted(shown.items()):
        if times > 1:
            yield Finding("doubled", f"the message {where} is in the timelines {times} times")
        if where not in offered:
            yield Finding("doubled", f"the entry {where} is in a timeline and nobody offered it")


def _named(channel: str, event: Any) -> tuple[str, str, str]:
    said = event["interaction"]
    return channel, said["thread"]["id"], said["native_id"]


def _where(entry: Entry) -> tuple[str, str, str]:
    said = entry["interaction"]
    return entry["channel"], said["thread"]["id"], said["native_id"]


def _replies(witness: Witness, entries: Sequence[Entry], sent: Sequence[dict[str, str]]) -> Iterator[Finding]:
    """Every promised reply reached the network once, or is shown as uncertain or failed; none reached it twice."""
    received = Counter(one["key"] for one in sent)
    shown: dict[str, list[Entry]] = defaultdict(list)
    for one in entries:
        if _is_reply(one):
            shown[one["interaction"]["client_key"]].append(one)
    for key in sorted(witness.promised | received.keys() | shown.keys()):
        yield from _reply_findings(key, received[key], shown[key])


def _reply_findings(key: str, received: int, shown: Sequence[Entry]) -> Iterator[Finding]:
    if received > 1:
        yield Finding("doubled", f"the network received the reply {key} {received} times")
    if len(shown) > 1:
        yield Finding("doubled", f"the reply {key} is in the timelines {len(shown)} times")
    if not shown:
        yield Finding("lost", f"the reply {key} was promised or sent, and no timeline shows it")
        return
    state = shown[0].get("state")
    if state not in ENDS:
        yield Finding("lost", f"the reply {key} has come to no end: it is {state}")
    if state in WENT_OUT and not received:
        yield Finding("lost", f"the reply {key} is said to be {state}, and the network never received it")
    if state == "failed" and received:
        yield Finding("wrong", f"the reply {key} is said to have failed, and the network received it")


def _log(hub: Hub, entries: Sequence[Entry]) -> Iterator[Finding]:
    """A subscriber who reads by cursor sees everything once, in order."""
    records = list(subscribed(hub))
    cursors = [one["cursor"] for one in records]
    if cursors != sorted(set(cursors)):
        yield Finding("doubled", "the log hands out a cursor twice or out of order")
    if hub.events(TENANT, limit=EVERYTHING) != records:
        yield Finding("wrong", "the log read by pages is not the log")
    told = Counter(one["data"]["id"] for one in records if one["type"] == "interaction.received")
    for entry in entries:
        if not told[entry["id"]]:
            yield Finding("lost", f"the entry {_where(entry)} is in a timeline and was never published")
    for one, times in told.items():
        if times > 1:
            yield Finding("doubled", f"the arrival of entry {one} was published {times} times")
    ends = Counter((one["data"].get("id"), one["data"].get("state")) for one in records if _tells_end(one))
    for (one, state), times in ends.items():
        if times > 1 and state in WENT_OUT:
            yield Finding("doubled", f"that entry {one} is {state} was published {times} times")


def _tells_end(record: dict[str, Any]) -> bool:
    return bool(record["type"] == "delivery.updated")


def subscribed(hub: Hub, after: int = 0) -> Iterator[dict[str, Any]]:
    """The log as a subscriber reads it: page by page, from the last cursor seen."""
    while page := hub.events(TENANT, after, PAGE):
        yield from page
        after = page[-1]["cursor"]


def differences(seen: Picture, undisturbed: Picture) -> Iterator[Finding]:
    """What an undisturbed run shows otherwise."""
    if seen.customers != undisturbed.customers:
        apart = sorted(map(sorted, seen.customers ^ undisturbed.customers))
        yield Finding("wrong", f"customers differ from the undisturbed run's: {apart}")
    for account in sorted(seen.timelines.keys() | undisturbed.timelines.keys()):
        mine, theirs = seen.timelines.get(account, []), undisturbed.timelines.get(account, [])
        if mine != theirs:
            yield Finding("wrong", f"the timeline of {account} differs: {_first(mine, theirs)}")
    for account, number in sorted(seen.conversations.items()):
        if number > undisturbed.conversations.get(account, number):
            yield Finding("doubled", f"{account} has {number} conversations, undisturbed fewer")
    if seen.replies != undisturbed.replies:
        keys = {key for key, _ in seen.replies.items() ^ undisturbed.replies.items()}
        yield Finding("wrong", f"the replies differ: {sorted(keys)}")


def _first(mine: Sequence[Any], theirs: Sequence[Any]) -> str:
    for one, other in zip(mine, theirs, strict=False):
        if one != other:
            return f"{one} in place of {other}"
    return f"{len(mine)} entries in place of {len(theirs)}"
