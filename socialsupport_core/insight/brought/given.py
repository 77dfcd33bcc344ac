"""What connectors give (`translate` prints it), and bare interactions, as `POST /api/interactions` takes them.

Nobody has said yet whose they are: customers are found by the rules of `resolve`. A channel is called as its network
is, a conversation as its thread, and which agent it was is not known.
"""

from collections import Counter
from collections.abc import Iterator, Mapping

from socialsupport_core.identity.batch import Batch
from socialsupport_core.insight.brought.rows import Row
from socialsupport_core.insight.brought.touching import numbered, touch_of
from socialsupport_core.insight.history import Touch
from socialsupport_core.model import EVENT, Identifier, Interaction, Party
from socialsupport_core.model.event import (
    DeliveryUpdated,
    Event,
    IdentityClaimed,
    InteractionDeleted,
    InteractionEdited,
    InteractionReceived,
)
from socialsupport_core.store import micros

Key = tuple[str, str]
"""Our own account, and the network's id of a touch."""


class Given:
    def __init__(self) -> None:
        self.repeated = 0
        self.silent: Counter[str] = Counter()
        self._seen: set[tuple[str, str, str]] = set()
        self._batch = Batch()
        self._heard: dict[Key, tuple[int, Interaction]] = {}
        self._edited: dict[Key, InteractionEdited] = {}
        self._gone: set[Key] = set()
        self._states: dict[Key, str] = {}

    def take(self, row: Row, number: int) -> None:
        """Raises ValueError with what is wrong."""
        if "type" not in row:
            row = {"type": "interaction.received", "id": str(row["native_id"]), "interaction": row}
        event = EVENT.validate_python({name: value for name, value in row.items() if name != "source"})
        once = event.type, getattr(event, "own_account", None) or "", event.id
        if once in self._seen:
            self.repeated += 1
            return
        self._seen.add(once)
        self._keep(event, number)

    def _keep(self, event: Event, number: int) -> None:
        if isinstance(event, InteractionReceived):
            self._hear(event.interaction, number)
        elif isinstance(event, InteractionEdited):
            self._edit(event)
        elif isinstance(event, InteractionDeleted):
            self._gone.add((event.own_account, event.native_id))
        elif isinstance(event, DeliveryUpdated) and event.native_id:
            self._states[event.own_account, event.native_id] = event.state
        elif isinstance(event, IdentityClaimed):
            self._batch.observe(
                micros(event.at), _plain(event.subject), [(*_plain(one), event.tier) for one in event.claims]
            )
        else:
            self.silent[event.type] += 1

    def _hear(self, interaction: Interaction, number: int) -> None:
        self._heard[interaction.own_account, interaction.native_id] = number, interaction
        if (party := interaction.counterpart) and party.identifiers:
            first, *others = party.identifiers
            claims = [(*_plain(one), "asserted") for one in others]
            self._batch.observe(micros(interaction.sent_at), _plain(first), claims)

    def _edit(self, event: InteractionEdited) -> None:
        """The newest wins."""
        key = event.own_account, event.interaction.native_id
        if key not in self._edited or self._edited[key].edited_at < event.edited_at:
            self._edited[key] = event

    def touches(self) -> Iterator[Touch | None]:
        customers = dict(self._batch.customers())
        threads = self._threads(customers)
        for key, (number, said) in self._heard.items():
            if key in self._gone:
                continue
            edit = self._edited.get(key)
            whose = _whose(said.counterpart, customers) or threads.get(_thread(said), "")
            row = {
                "at": micros(said.sent_at),
                "seq": numbered(number),
                "customer": whose,
                "channel": said.network,
                "conversation": "/".join(_thread(said)),
                "agent": None,
                "state": self._states.get(key),
                "edited_at": 1 if edit else None,
            }
            answered = self._heard.get((said.own_account, said.in_reply_to or ""))
            now = edit.interaction if edit else said
            yield touch_of(row, now, numbered(answered[0]) if answered else None)

    def _threads(self, customers: Mapping[Identifier, str | None]) -> dict[tuple[str, str], str]:
        """Whose each is: of what we say there the network may not tell to whom."""
        found: dict[tuple[str, str], str] = {}
        for _, said in self._heard.values():
            if whose := _whose(said.counterpart, customers):
                found.setdefault(_thread(said), whose)
        return found


def _thread(said: Interaction) -> tuple[str, str]:
    return said.network, said.thread.id


def _whose(party: Party | None, customers: Mapping[Identifier, str | None]) -> str:
    """What is shared by several people is a customer of its own."""
    if party is None or party.account is None:
        return ""
    return customers.get(party.account) or str(party.account)


def _plain(one: Identifier) -> tuple[str, str | None, str]:
    return one.kind, one.scope, one.value
