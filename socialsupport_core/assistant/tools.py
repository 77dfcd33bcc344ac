"""The tools: each a name, what it is for, the scope that it needs, what it takes, and what it does with a hub.

None of them sends, assigns, resolves or changes a setting. `draft_reply` alone writes, and what it writes waits for a
person. So whatever a customer's text talks an assistant into, nothing leaves by it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from socialsupport_core.assistant.marking import OURS, marked
from socialsupport_core.conversation.timeline import PLACE, place_of
from socialsupport_core.hub import Hub
from socialsupport_core.hub.drafting import LONGEST
from socialsupport_core.store.accounts import Access, Scope

MOST_ENTRIES = 50
CONVERSATION = Field(min_length=1, max_length=200, description="The id of a conversation: con_…")
WHO = Field(
    min_length=1, max_length=2048, description="A customer's id, cus_…, or an identifier such as phone:+15550147."
)
LEG = Field(default=None, ge=1, description="The number of the leg; unless given the one that is answered.")
TEXT = Field(min_length=1, max_length=LONGEST, description="What would be said, in CommonMark.")


class Arguments(BaseModel):
    model_config = ConfigDict(extra="forbid")


class QueueArguments(Arguments):
    waiting: bool = Field(default=False, description="Only where the customer waits for an answer.")
    channel: str | None = Field(default=None, max_length=200, description="Only with a leg on this channel.")
    assignee: str | None = Field(default=None, max_length=200, description="Only this agent's.")
    status: Literal["open", "resolved"] = "open"
    limit: int = Field(default=20, ge=1, le=MOST_ENTRIES)


class SearchArguments(Arguments):
    text: str = Field(min_length=1, max_length=200, description="Part of a name, handle or identifier.")
    limit: int = Field(default=10, ge=1, le=MOST_ENTRIES)


class ConversationArguments(Arguments):
    conversation: str = CONVERSATION


class TimelineArguments(Arguments):
    customer: str = WHO
    before: str | None = Field(
        default=None, pattern=PLACE, description="The `before` of the answer so far: what is older."
    )
    limit: int = Field(default=20, ge=1, le=MOST_ENTRIES)


class CustomerArguments(Arguments):
    customer: str = WHO


class ReplyArguments(Arguments):
    conversation: str = CONVERSATION
    text: str = TEXT
    leg: int | None = LEG
    private: bool = Field(default=False, description="Open a private thread with somebody who spoke in public.")


class DraftArguments(ReplyArguments):
    why: str = Field(default="", max_length=2000, description="One sentence for the person who decides.")


class LegArguments(Arguments):
    conversation: str = CONVERSATION
    leg: int | None = LEG


class ReportArguments(Arguments):
    since: datetime | None = Field(default=None, description="The first moment, with its zone.")
    until: datetime | None = None


Call = Callable[[Hub, Access, Any], Any]


@dataclass(frozen=True, slots=True)
class Tool:
    """`does` is told to the assistant. `call` gives plain values, with strangers' texts marked."""

    name: str
    does: str
    scope: Scope
    takes: type[Arguments]
    call: Call

    @property
    def reads(self) -> bool:
        return self.scope == "read"


def queue(hub: Hub, access: Access, given: QueueArguments) -> Any:
    found = hub.queue(access.agent.tenant, **given.model_dump())
    return {"conversations": marked([_named(one) for one in found])}


def find(hub: Hub, access: Access, given: SearchArguments) -> Any:
    found = hub.find_customers(access.agent.tenant, given.text, limit=given.limit)
    return {"customers": marked([_customer(one) for one in found])}


def conversation(hub: Hub, access: Access, given: ConversationArguments) -> Any:
    found = hub.conversation(access.agent.tenant, given.conversation)
    kept = {name: value for name, value in _named(found).items() if name not in {"timeline", "entries", "unsent"}}
    shown: dict[str, Any] = marked(kept)
    return shown | {"entries": _entries(found["entries"])}


def timeline(hub: Hub, access: Access, given: TimelineArguments) -> Any:
    before = place_of(given.before) if given.before else None
    found = hub.timeline(access.agent.tenant, given.customer, before=before, limit=given.limit)
    return {"entries": _entries(found), "before": found[0]["cursor"] if len(found) == given.limit else None}


def explain(hub: Hub, access: Access, given: CustomerArguments) -> Any:
    return marked(hub.explain(access.agent.tenant, given.customer))


def plan(hub: Hub, access: Access, given: ReplyArguments) -> Any:
    found = _planned(hub, access, given)
    return {**marked(found, OURS | {"text"})}


def check(hub: Hub, access: Access, given: ReplyArguments) -> Any:
    found = _planned(hub, access, given)
    kept = {name: found[name] for name in ("possible", "visibility", "refusals", "obstacles")}
    return marked(kept, OURS)


def _planned(hub: Hub, access: Access, given: ReplyArguments) -> dict[str, Any]:
    how: dict[str, Any] = {"leg": given.leg, "private": given.private}
    return hub.plan(access.agent.tenant, given.conversation, given.text, agent=access.agent.id, **how)


def targets(hub: Hub, access: Access, given: LegArguments) -> Any:
    return marked(hub.hand_off_targets(access.agent.tenant, given.conversation, leg=given.leg), OURS)


def drafts(hub: Hub, access: Access, given: ConversationArguments) -> Any:
    found = hub.drafts(access.agent.tenant, given.conversation, ended=True)
    return {"drafts": marked(found)}


def draft(hub: Hub, access: Access, given: DraftArguments) -> Any:
    agent, planned = access.agent, _planned(hub, access, given)  # what cannot be planned is not kept
    made = hub.draft(
        agent.tenant,
        given.conversation,
        given.text,
        agent=agent.id,
        leg=given.leg,
        private=given.private,
        why=given.why or None,
        source="mcp",
    )
    return {
        "draft": made["id"],
        "note": "It waits for a person. Nothing was sent.",
        "plan": marked(planned, OURS | {"text"}),
    }


def report(hub: Hub, access: Access, given: ReportArguments) -> Any:
    found = hub.report(access.agent.tenant, since=given.since, until=given.until)
    found["journeys"] = found["journeys"][:20]
    return marked(found, OURS | {"outcome", "began", "customer"})


TOOLS: Mapping[str, Tool] = {
    one.name: one
    for one in (
        Tool("list_queue", "Who waits for an answer, whoever has waited longest first.", "read", QueueArguments, queue),
        Tool("find_customers", "Customers by name, handle or identifier.", "read", SearchArguments, find),
        Tool(
            "read_conversation",
            "One matter of one customer: its legs across networks, each with the rule and reason by which it belongs"
            " here; what the customer has told (`context`); what was said (`entries`); what agents did (`turns`).",
            "read",
            ConversationArguments,
            conversation,
        ),
        Tool(
            "read_timeline",
            "Everything that one customer and we have said, on every network, the newest entries, oldest first.",
            "read",
            TimelineArguments,
            timeline,
        ),
        Tool("explain_customer", "Why these accounts are one person.", "read", CustomerArguments, explain),
        Tool(
            "plan_reply",
            "What would go out for a text, in how many parts, what would be lost, and what stands against it. Nothing"
            " is sent.",
            "read",
            ReplyArguments,
            plan,
        ),
        Tool(
            "check_reply",
            "Whether a text may be said there: the verdicts of guard and policies, and what closes the place. Nothing"
            " is sent.",
            "read",
            ReplyArguments,
            check,
        ),
        Tool(
            "list_hand_off_targets",
            "The channels on which this conversation could go on: how each is reached, or what closes it.",
            "read",
            LegArguments,
            targets,
        ),
        Tool(
            "list_drafts", "Drafts of a conversation, and what became of them.", "read", ConversationArguments, drafts
        ),
        Tool("read_report", "How fast and how well customers are answered.", "read", ReportArguments, report),
        Tool(
            "draft_reply",
            "Keep an answer as a draft. A person reads it, changes it, and sends it or throws it away; it is never"
            " sent by itself.",
            "draft",
            DraftArguments,
            draft,
        ),
    )
}


def _entries(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The newest, each with the text where it is easily read."""
    return [_entry(one) for one in found[-MOST_ENTRIES:]]


def _entry(one: dict[str, Any]) -> dict[str, Any]:
    said = one["interaction"]
    about = ("id", "at", "conversation", "leg", "channel", "state", "agent", "edited_at", "deleted_at")
    shown = {name: one[name] for name in about if name in one}
    shown |= {name: said[name] for name in ("network", "kind", "direction") if name in said}
    shown["visibility"] = said["thread"]["visibility"]
    strange = {name: said[name] for name in ("text", "subject", "choice", "rating") if said.get(name) is not None}
    strange |= {"by": one["by"]} if "by" in one else {}
    files = [each.get("name", "") for each in said.get("attachments", ())]
    return marked(shown) | marked(strange | ({"files": files} if files else {}), frozenset())  # type: ignore[no-any-return]


def _named(one: dict[str, Any]) -> dict[str, Any]:
    """The customer's name is the customer's own to choose; the id is ours."""
    return one | {"customer": {"id": one["customer"]["id"], "name": one["customer"].get("name", "")}}


def _customer(one: dict[str, Any]) -> dict[str, Any]:
    mine = [each["id"] for each in one.get("conversations", ())]
    return {"id": one["id"], "name": one.get("name", ""), "accounts": one["accounts"], "conversations": mine}
