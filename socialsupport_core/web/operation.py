"""An operation of the API, and what its parameters mean."""

from dataclasses import dataclass
from typing import Any

from socialsupport_core.guidance.triage import GRAVE
from socialsupport_core.hub.queueing import ORDERS
from socialsupport_core.store.accounts import Scope
from socialsupport_core.web.endpoint import MAX_PAGE, NO, YES
from socialsupport_core.web.shape import TEXT, Shape

BINARY: Shape = {"type": "string", "format": "binary", "contentMediaType": "application/octet-stream"}
LIMIT: Shape = {"type": "integer", "minimum": 1, "maximum": MAX_PAGE}
QUERY: dict[str, tuple[Shape, str]] = {
    "q": (TEXT, "Part of a name, handle or identifier."),
    "limit": (LIMIT, "How many at most."),
    "before": (TEXT, "A cursor of the answer before: what is older."),
    "after": ({"type": "integer", "minimum": 0}, "The cursor of the last event dealt with; of the queue, its place."),
    "order": ({"enum": list(ORDERS)}, "`oldest` unless you say otherwise."),
    "noise": ({"enum": [*sorted(YES), *sorted(NO - {""})]}, "Only what is kept out of the queue, or only what is not."),
    "kind": ({"enum": list(GRAVE)}, "Only contacts of this kind."),
    "presence": ({"const": "1"}, "In the stream, also who else is answering."),
    "status": ({"enum": ["open", "resolved", "all"]}, "`open` unless you say otherwise."),
    "channel": (
        TEXT,
        "Of conversations and matters, only those with a leg on this channel; to connect, the channel itself.",
    ),
    "crm": (TEXT, "The CRM to connect, in place of a channel; its adapter stands in the path."),
    "return_to": (TEXT, "A path of this origin to which the operator comes back in the end."),
    "redirect": ({"enum": ["1", "true", "yes"]}, "Send the browser there at once; only this browser may come back."),
    "state": (
        TEXT,
        "Of reviews `open`, `later` or `decided`, of approvals `waiting` or `decided`; coming back from a network,"
        " what was given along.",
    ),
    "code": (TEXT, "What the network gives for access."),
    "error": (TEXT, "Why there is no access."),
    "error_description": (TEXT, "The same in words."),
    "assignee": (TEXT, "Only this agent's."),
    "waiting": ({"enum": ["1", "true", "yes"]}, "Only where the customer waits for an answer."),
    "name": (TEXT, "What the file is called; its ending tells the type where the request does not."),
    "tenant": (TEXT, "Only of this tenant."),
    "since": (TEXT, "A day or a moment; matters that began from then on. The beginning unless you say."),
    "until": (TEXT, "A day or a moment: as it stood then. Now unless you say."),
    "network": (TEXT, "Only matters with a leg on this network."),
    "visibility": ({"enum": ["public", "private"]}, "Only matters with such a leg."),
    "agent": (TEXT, "Only matters with a leg on which this agent answered."),
    "ended": ({"enum": ["1", "true", "yes"]}, "Also those that were sent or discarded."),
    "leg": ({"type": "integer"}, "The leg on which the customer is; where the customer spoke last unless you say."),
}
GUIDANCE: Shape = {"type": "object", "description": "The keys of `[tenants.TENANT.guidance]`."}
PATH: dict[str, str] = {
    "door": "The unguessable id of the door.",
    "id": "The id; of a customer also any identifier, such as `phone:+15550147`.",
    "part": "The key of the part.",
    "entry": "The number of the journal's entry.",
    "connector": "The network, such as `telegram`.",
    "token": "What a hand-off gave.",
    "page": "What the surface calls its pages.",
}


@dataclass(frozen=True, slots=True)
class Operation:
    """One method on one path. `scope` None: no token is asked for."""

    summary: str
    scope: Scope | None
    answer: Shape
    body: type[Any] | None = None
    query: tuple[str, ...] = ()
    status: int = 200
    media_type: str = "application/json"
    takes: str | None = None
    """The media type of a body that is no JSON."""
