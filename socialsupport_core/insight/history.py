"""A history: what was said by whom and when, and what agents did about it. Everything in event time."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from socialsupport_core.contract import NOISE
from socialsupport_core.conversation.conduct import Conduct
from socialsupport_core.conversation.kinds import Kind, same
from socialsupport_core.guidance.rating import CHOICE
from socialsupport_core.guidance.terms import terms_of
from socialsupport_core.model import Interaction
from socialsupport_core.store import Row, Tx, ratings
from socialsupport_core.store import history as table
from socialsupport_core.store.nodes import public_id

By = Literal["customer", "agent", "bot"]
HAND_OFFS = {"arrived": "arrived", "confirmed": "arrived", "expired": "expired", "replaced": "expired"}
REACHED = frozenset({None, "sent", "delivered", "read"})
"""States of what we said in which the customer may have read it; None is what was typed in the network's own app."""

RATING = "rating"
"""The kind of a touch that asks how it went, or says nothing else."""


@dataclass(frozen=True, slots=True, order=True)
class Touch:
    """One interaction."""

    at: int
    """Microseconds since 1970, when the network had it."""
    id: str
    customer: str
    channel: str
    network: str
    thread: str
    visibility: str
    by: By
    conversation: str = ""
    kind: str = "message"
    agent: str | None = None
    failed: bool = False
    """Ours, and the network did not take it."""
    attended: bool = False
    """Somebody was there while it lasted, as in a call that was taken or a visit: it needs no answer."""
    topics: frozenset[str] = frozenset()
    """Order numbers and the like that it names."""
    told: frozenset[str] = frozenset()
    """Kinds of what the customer tells in it: `email`, `order`."""
    asks: frozenset[str] = frozenset()
    """Kinds of what it asks the customer for."""
    answers: str | None = None
    """The id of the touch to which it is a reply."""
    edited: bool = False
    rating: float | None = None
    reach: int = 0
    contact: str | None = None
    """What kind of contact triage, or an agent, says it is: `praise`."""
    verdict: int | None = None
    """How it went, from 1 to 5, by the customer's word when asked."""
    terms: tuple[str, ...] = ()
    """What the customer's words are about; never exported."""

    @property
    def is_rating(self) -> bool:
        """It asks how it went, or says nothing but that: it is no contact and no answer."""
        return self.kind == RATING


@dataclass(frozen=True, slots=True, order=True)
class Turn:
    """What an agent did with a conversation."""

    at: int
    type: Literal["resolved", "reopened"]
    conversation: str
    agent: str = ""


@dataclass(frozen=True, slots=True, order=True)
class Handed:
    """A hand-off that was offered."""

    at: int
    conversation: str
    channel: str
    """Where the customer was."""
    state: str
    """`offered`, `arrived` or `expired`."""
    arrived_channel: str = ""


@dataclass(frozen=True, slots=True)
class History:
    touches: tuple[Touch, ...] = ()
    turns: tuple[Turn, ...] = ()
    handed: tuple[Handed, ...] = ()
    until: int = 0
    """The moment at which one looks at it."""


def read(tx: Tx, tenant: str, conduct: Conduct, until: int) -> History:
    """Everything that the store holds until then; customers are who they are known to be now."""
    living = table.living(tx, tenant)
    told: list[Touch] = []
    done: list[Turn] = []
    after: Place | None = table.START
    while after is not None:
        page, after = touches(tx, tenant, conduct, 0, until, after)
        told += page
    cursor: int | None = 0
    while cursor is not None:
        more, cursor = turns(tx, tenant, 0, until, cursor, living)
        done += more
    given = hand_offs(tx, tenant, 0, until, living)
    return History(tuple(sorted(told)), tuple(sorted(done)), tuple(sorted(given)), until)


Place = tuple[int, int, int]
"""Where a page ended: node, time and number of its last interaction."""


def touches(
    tx: Tx, tenant: str, conduct: Conduct, since: int, until: int, after: Place
) -> tuple[list[Touch], Place | None]:
    """A page of those between two moments, in the order of accounts, and where it ended; None if it was the last."""
    rows = table.interactions(tx, tenant, since, until, after)
    read = [(row, Interaction.model_validate_json(row["data"])) for row in rows]
    told = table.told(tx, tenant, [row["seq"] for row in rows])
    replies = {(row["channel"], one.thread.id, one.in_reply_to) for row, one in read if one.in_reply_to}
    answered = table.answered(tx, tenant, replies)
    verdicts = ratings.verdicts(tx, tenant, [row["seq"] for row in rows])
    found = []
    for row, one in read:
        answers = answered.get((row["channel"], one.thread.id, one.in_reply_to or ""))
        judged = json.loads(row["triage"]) if row["triage"] else {}
        who = public_id(row["customer"])
        if touch := touch_of(row, who, one, told.get(row["seq"], ()), answers, judged, conduct):
            found.append(_rated(touch, row["part"], verdicts.get(row["seq"])))
    last = (rows[-1]["node"], rows[-1]["at"], rows[-1]["seq"]) if len(rows) == table.PAGE else None
    return found, last


def touch_of(
    row: Row,
    customer: str,
    interaction: Interaction,
    facts: Iterable[tuple[str, str]],
    answers: int | str | None,
    judged: Mapping[str, Any],
    conduct: Conduct,
) -> Touch | None:
    """None: nobody says it to anybody else. `row` tells `at`, `seq`, `channel`, `conversation`, `agent`,
    `state` and `edited_at`, `facts` what the customer tells in it, `judged` what triage says of it."""
    by = _by(interaction)
    if by is None:
        return None
    asks = _asks(interaction, conduct) if interaction.direction == "outbound" else frozenset[str]()
    known = conduct.by_name
    return Touch(
        row["at"],
        str(row["seq"]),
        customer,
        row["channel"],
        interaction.network,
        interaction.thread.id,
        interaction.thread.visibility,
        by,
        row["conversation"],
        interaction.kind,
        row["agent"],
        failed=by != "customer" and row["state"] not in REACHED,
        attended=interaction.attended,
        topics=frozenset(f"{kind}:{same(value)}" for kind, value in facts if kind in known and known[kind].topic),
        told=frozenset(kind for kind, _ in facts),
        asks=asks,
        answers=None if answers is None else str(answers),
        edited=row["edited_at"] is not None,
        rating=interaction.rating,
        reach=(interaction.reach.followers or 0) if interaction.reach else 0,
        contact=judged.get("kind"),
        terms=_terms(interaction, judged) if by == "customer" else (),
    )


def _rated(touch: Touch, part: str | None, verdict: tuple[int, bool] | None) -> Touch:
    if verdict is not None:
        value, alone = verdict
        return replace(touch, verdict=value, kind=RATING if alone else touch.kind)
    return replace(touch, kind=RATING) if touch.by == "bot" and (part or "").startswith(CHOICE) else touch


def turns(
    tx: Tx, tenant: str, since: int, until: int, cursor: int, living: dict[str, str]
) -> tuple[list[Turn], int | None]:
    """A page, and the cursor after which there is more; `living` are the conversations that go on under another id."""
    rows, more = table.turns(tx, tenant, since, until, cursor, living)
    found = [
        Turn(at, "resolved" if name == "resolved" else "reopened", conversation, agent or "")
        for at, name, conversation, agent in rows
    ]
    return found, more


def hand_offs(tx: Tx, tenant: str, since: int, until: int, living: dict[str, str]) -> list[Handed]:
    return [
        Handed(at, conversation, channel, HAND_OFFS.get(state, "offered"), arrived or "")
        for at, conversation, channel, state, arrived in table.hand_offs(tx, tenant, since, until, living)
    ]


def _terms(interaction: Interaction, judged: Mapping[str, Any]) -> tuple[str, ...]:
    """What is for sale elsewhere is no theme of ours."""
    if judged.get("kind") in NOISE:
        return ()
    said = f"{interaction.subject or ''}\n{interaction.text or ''}"
    return terms_of(said, interaction.language or judged.get("language"))


def _by(interaction: Interaction) -> By | None:
    """None: nobody says it to anybody else, as a note, or another machine does."""
    if interaction.direction == "inbound":
        return None if interaction.author.is_bot else "customer"
    if interaction.direction == "outbound":
        return "bot" if interaction.author.is_bot else "agent"
    return None


def _asks(interaction: Interaction, conduct: Conduct) -> frozenset[str]:
    """Kinds for which it asks: a question that names one and gives no value of it."""
    text = (interaction.text or "")[:10_000].casefold()
    questions = [part.rsplit(".", 1)[-1].rsplit("\n", 1)[-1] for part in text.split("?")[:-1]]
    return frozenset(
        kind.name for kind in conduct.kinds for question in questions if any(word in question for word in _words(kind))
    )


def _words(kind: Kind) -> tuple[str, ...]:
    return _ASKED_AS.get(kind.name, ())


_ASKED_AS: Mapping[str, tuple[str, ...]] = {
    "email": ("e-mail address", "email address", "your e-mail", "your email", "e-mail-adresse"),
    "phone": ("phone number", "your number", "telefonnummer", "numéro de téléphone", "número de teléfono"),
    "order": ("order number", "order id", "order no", "bestellnummer", "numéro de commande", "número de pedido"),
    "account": ("account number", "customer number", "kundennummer", "numéro de client", "número de cliente"),
    "invoice": ("invoice number", "rechnungsnummer", "numéro de facture", "número de factura"),
    "address": ("your address", "postal address", "ihre adresse", "votre adresse", "su dirección"),
    "reference": ("ticket number", "case number", "reference number", "vorgangsnummer"),
}
"""How agents ask for it."""
