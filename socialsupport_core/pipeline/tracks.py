"""The traces of what the workers do, each linked to the one in which it began, perhaps in another process."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial

from socialsupport_core import tracing
from socialsupport_core.pipeline.inbound import Translated
from socialsupport_core.store import Database, Tx, traces
from socialsupport_core.store.journal import Entry
from socialsupport_core.store.outbox import Part


class Tracks:
    """Of one thread that records. Does nothing where nobody traces."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._translated: dict[int, tracing.Span] = {}
        self._recording: dict[int, tracing.Span] = {}

    def following(self, translate: Callable[[Entry], Translated]) -> Callable[[Entry], Translated]:
        """The same for a batch of entries, each in its trace."""
        return partial(self._translate, translate) if tracing.active() else translate

    def _translate(self, translate: Callable[[Entry], Translated], entry: Entry) -> Translated:
        link = self._database.read(lambda tx: traces.get(tx, "entry", "", str(entry.number)))
        size = len(entry.payload.body)
        with tracing.span("translate", link=link, entry=entry.number, source=entry.payload.source, bytes=size) as span:
            found = translate(entry)
            span.set(events=len(found.events))
            for place in [place for _, place in found.events if not isinstance(place, str)][:1]:
                span.set(tenant=place.tenant, channel=place.channel, network=place.network)
            if found.trouble:
                span.set(state="trouble")
        self._translated[entry.number] = span
        return found

    def record(self, tx: Tx, batch: Sequence[Translated]) -> None:
        """It is about to be recorded, perhaps for the second time."""
        if not tracing.active():
            return
        for one in batch:
            number = one.entry.number
            if number not in self._recording:
                parent = self._translated.get(number)
                self._recording[number] = tracing.begin("record", parent=parent, entry=number, batch=len(batch))
        traces.forget(tx, "entry", "", [str(one.entry.number) for one in batch])

    @contextmanager
    def recorded(self) -> Iterator[None]:
        """Around all of it: what was begun ends with the commit."""
        try:
            yield
            if self._recording:
                states = self._database.read(lambda tx: traces.states(tx, list(self._recording)))
                for number, span in self._recording.items():
                    span.set(state=states.get(number, "gone"))
        except BaseException as error:
            for span in self._recording.values():
                span.set(error=type(error).__name__)
            raise
        finally:
            for span in self._recording.values():
                span.end()
            self._translated, self._recording = {}, {}


@contextmanager
def sending(database: Database, part: Part, network: str) -> Iterator[tracing.Span]:
    """Around one try to send a part."""
    link = None
    if tracing.active():
        link = database.read(lambda tx: traces.get(tx, "part", part.tenant, part.key))
    with tracing.span(
        "send",
        link=link,
        tenant=part.tenant,
        channel=part.channel,
        network=network,
        conversation=part.conversation,
        part=tracing.part_id(part.key),
        intent=part.intent.type,
        attempts=part.attempts + 1,
    ) as span:
        yield span
