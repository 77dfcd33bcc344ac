"""Visits after they have ended, written down by whoever was there."""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import ClassVar
from zoneinfo import ZoneInfo

from socialsupport_core.contract import Connector, Flow, Settings
from socialsupport_core.contract import standard_webhooks as signing
from socialsupport_core.contract.records import Found, digest
from socialsupport_core.contract.typed import contacts
from socialsupport_core.model import (
    Capabilities,
    Event,
    Facts,
    Identifier,
    Interaction,
    InteractionReceived,
    Party,
    Payload,
    Thread,
    Unrecognised,
)
from socialsupport_visit.records import VISITS, Record, record
from socialsupport_visit.settings import VisitSettings


class Visit(Connector[VisitSettings]):
    name: ClassVar[str] = "visit"
    settings_model: ClassVar[type[Settings]] = VisitSettings
    capabilities: ClassVar[Capabilities] = Capabilities(
        receives=frozenset({"webhook", "file"}),
        verification="signature",
        events=frozenset({"interaction.received", "unrecognised"}),
        unsupported=frozenset(
            {
                "interaction.edited",
                "interaction.deleted",
                "reaction.added",
                "reaction.removed",
                "delivery.updated",
                "profile.updated",
                "thread.updated",
                "typing.started",
                "send.message",
                "edit.message",
                "delete.message",
                "react",
                "open.private",
                "mark.read",
                "typing",
            }
        ),
    )

    def __init__(self, settings: VisitSettings, facts: Facts | None = None) -> None:
        super().__init__(settings, facts)
        self.zone = ZoneInfo(settings.timezone)
        self._branches = {one.name.casefold(): id_ for id_, one in settings.branches.items()}

    # inbound

    def verify(self, payload: Payload) -> None:
        """A file was chosen by the operator; everything else is signed."""
        if payload.source != "file":
            signing.verify(self.settings.keys, payload)

    def parse(self, payload: Payload) -> Iterable[Event]:
        """A row that cannot be read costs no other."""
        seen: set[str] = set()
        for event in map(self._event, VISITS.found(payload)):
            if event.id not in seen:
                seen.add(event.id)
                yield event

    def _event(self, one: Found) -> Event:
        if one.problem:
            return self._unrecognised(one, one.problem)
        try:
            interaction = self._interaction(record(one.native))
        except (ValueError, OverflowError) as error:
            return self._unrecognised(one, str(error))
        return InteractionReceived(id=f"visit:{interaction.native_id}", interaction=interaction)

    def _interaction(self, said: Record) -> Interaction:
        branch, at = self._branch(said.branch), self._moment(said.at)
        customer = (said.card, said.email, said.phone, said.name)
        named = (branch, at.isoformat(), said.about, *(one or "" for one in (said.staff, *customer)))
        native_id = f"{branch}/{said.id}" if said.id else digest(*named)
        return Interaction(
            network=self.name,
            native_id=native_id,
            kind="visit",
            direction="inbound",
            own_account=self.settings.own_account,
            thread=Thread(id=native_id, visibility="private"),
            author=Party(identifiers=tuple(self._customer(said, native_id)), name=said.name),
            recipients=(Party(name=said.staff, is_self=True),) if said.staff else (),
            subject=self._subject(branch, said.staff),
            text=_text(said),
            duration=said.minutes * 60 if said.minutes is not None else None,
            sent_at=at,
        )

    def _customer(self, said: Record, visit: str) -> Iterator[Identifier]:
        """What the staff have read from a card or been told, the most telling first. What they typed is asserted, so
        it never is the account itself: a slip of theirs can be undone. Each nobody is one of their own."""
        own, known = self.settings.own_account, contacts(said.email, said.phone)
        if said.card:
            yield Identifier(kind="visit.card", scope=own, value=said.card)
        elif known:
            yield Identifier(kind="visit.contact", scope=own, value=str(known[0]).lower())
        else:
            yield Identifier(kind="visit.anonymous", scope=own, value=visit)
        yield from known

    def _branch(self, written: str) -> str:
        """By its id or its name."""
        id_ = written if written in self.settings.branches else self._branches.get(written.casefold())
        if id_ is None:
            raise ValueError(f"branch: there is no such branch; there is {', '.join(sorted(self.settings.branches))}")
        return id_

    def _moment(self, at: datetime) -> datetime:
        """In UTC and whole seconds, so that a form and a table name the same visit alike."""
        return (at if at.tzinfo else at.replace(tzinfo=self.zone)).astimezone(UTC).replace(microsecond=0)

    def _subject(self, branch: str, staff: str | None) -> str:
        where = self.settings.branches[branch].name
        return f"Visit in {where} ({staff})" if staff else f"Visit in {where}"

    def _unrecognised(self, one: Found, reason: str) -> Unrecognised:
        where = f"{one.place}: " if one.place else ""
        return Unrecognised(
            id=f"unrecognised:{one.name}",
            own_account=self.settings.own_account,
            native_type="visit",
            reason=f"{where}{reason}"[:1000],
        )

    # about the world

    def probe(self) -> Flow[Facts]:
        yield from ()
        return Facts(own_account=self.settings.own_account, name=self.settings.title)


def _text(said: Record) -> str:
    """What it was about, and below it what came of it."""
    notes = [f"Order {said.order}" if said.order else "", f"Outcome: {said.outcome}" if said.outcome else ""]
    return "\n\n".join(part for part in (said.about, *notes) if part)
