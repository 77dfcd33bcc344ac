"""The connector that the sites share: what differs is how each lists, reads, takes and withdraws."""

from abc import abstractmethod
from collections.abc import Iterable
from datetime import datetime
from typing import TypeVar

import httpx

from socialsupport_core.contract import Connector, DeliveryError, Flow, Settings, Unsupported
from socialsupport_core.contract.lax import Json, Unreadable
from socialsupport_core.model import DeleteMessage, EditMessage, Event, Intent, Page, Payload, Receipt, SendMessage
from socialsupport_reviews import failures, review
from socialsupport_reviews.review import Listing, Review, Said, Site

S = TypeVar("S", bound=Settings)


class ReviewSite(Connector[S]):
    listed = "reviews"
    """The name of the list in what the site answers."""

    # inbound: pure

    def parse(self, payload: Payload) -> Iterable[Event]:
        return review.translated(payload, self._site, self.listed, self._reviewed)

    def poll(self, cursor: str | None) -> Flow[Page]:
        return self._listing.poll(cursor)

    def history(self, since: datetime, cursor: str | None) -> Flow[Page]:
        return self._listing.history(cursor)

    # outbound

    def send(self, intent: Intent) -> Flow[Receipt]:
        match intent:
            case SendMessage():
                review.unanswered((yield from self._answer(intent.thread.id)), intent)
                return (yield from self._reply(intent.thread.id, review.text_of(intent)))
            case EditMessage():
                return (yield from self._reply(review.own(intent), review.text_of(intent)))
            case DeleteMessage() if intent.type in self.capabilities.intents:
                yield from self._withdraw(review.own(intent))
                return review.receipt(self._site, review.own(intent))
            case _:
                raise Unsupported(f"{self.name} cannot carry out {intent.type}")

    def lookup(self, intent: Intent, since: datetime) -> Flow[Receipt | None]:
        """There is one answer: it is there as it was written, or it is not."""
        answer = yield from self._answer(intent.thread.id)
        if isinstance(intent, DeleteMessage):
            return None if answer else review.receipt(self._site, intent.thread.id)
        if answer is None or answer.text != review.text_of(intent):
            return None
        return review.receipt(self._site, intent.thread.id, answer.edited_at)

    def failure(self, response: httpx.Response) -> DeliveryError | None:
        return failures.failure(response)

    # what each site says for itself

    @property
    @abstractmethod
    def _own(self) -> str:
        """Whose reviews."""

    @property
    @abstractmethod
    def _list(self) -> httpx.Request:
        """For the newest reviews first."""

    @abstractmethod
    def _onward(self, found: Json) -> dict[str, str] | None:
        """The parameters by which the page after this answer is asked for; None if it was the last."""

    @abstractmethod
    def _reviewed(self, one: Json, found: Json) -> Review:
        """A native object of the list `found`. Raises Unreadable."""

    @abstractmethod
    def _answer(self, id: str) -> Flow[Said | None]:
        """Ours to a review, as it is now."""

    @abstractmethod
    def _reply(self, id: str, text: str) -> Flow[Receipt]:
        """Puts it in the place of the one before."""

    def _withdraw(self, id: str) -> Flow[None]:
        """Asked of a site that deletes."""
        raise NotImplementedError

    # inside

    @property
    def _site(self) -> Site:
        return Site(self.name, self._own)

    @property
    def _listing(self) -> Listing:
        return Listing(self._list, self.listed, self._newest, self._onward)

    def _newest(self, one: Json) -> str | None:
        try:
            return self._reviewed(one, {}).said.edited_at.isoformat()
        except Unreadable:
            return None
