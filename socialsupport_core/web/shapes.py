"""What the API answers, as JSON Schema. The hub's answers are plain values; tests hold real ones against this."""

from typing import Any, get_args

from socialsupport_core.contract import ContactKind, Refusal, Urgency
from socialsupport_core.identity.review import Kind as ReviewKind
from socialsupport_core.model import Facts, Interaction
from socialsupport_core.model.event import DeliveryState
from socialsupport_core.pipeline.plan import Loss, Obstacle
from socialsupport_core.store.accounts import SCOPES
from socialsupport_core.store.approvals import State as ApprovalState
from socialsupport_core.store.moves import Kind
from socialsupport_core.store.outbox import NEXT

Shape = dict[str, Any]
TEXT: Shape = {"type": "string"}
FLAG: Shape = {"type": "boolean"}
NUMBER: Shape = {"type": "integer"}
TIME: Shape = {"type": "string", "format": "date-time"}
EMPTY: Shape = {"type": "object", "maxProperties": 0}
COUNTS: Shape = {"type": "object", "additionalProperties": NUMBER}
VISIBILITY: Shape = {"enum": ["public", "private"]}
STATE: Shape = {"enum": sorted({*NEXT, *get_args(DeliveryState)})}


def ref(name: str) -> Shape:
    return {"$ref": f"#/components/schemas/{name}"}


def listed(items: Shape) -> Shape:
    return {"type": "array", "items": items}


def fields(**properties: Shape) -> Shape:
    """An object of exactly these fields; one in whose name a `_` is last may be absent."""
    named = {name.removesuffix("_"): shape for name, shape in properties.items()}
    required = [name for name in properties if not name.endswith("_")]
    return {"type": "object", "properties": named, "required": required, "additionalProperties": False}


WHO = fields(id=TEXT, name=TEXT)
BETWEEN: dict[str, Shape] = {
    "id": TEXT,
    "between": listed(TEXT),
    "tier": {"enum": ["claimed", "asserted", "verified", "human", "cannot"]},
    "proof": TEXT,
    "source": TEXT,
    "at": TIME,
    "agent_": TEXT,
}
WEAK = fields(between=listed(TEXT), tier=BETWEEN["tier"], at=TIME)
"""Of evidence that was retracted or is too much to be told."""
JUDGED: dict[str, Shape] = {
    "kind": {"enum": list(get_args(ContactKind))},
    "urgency": {"enum": list(get_args(Urgency))},
    "language_": TEXT,
    "sentiment_": {"type": "number"},
    "reasons": listed(TEXT),
    "by": TEXT,
}
SUMMARY: dict[str, Shape] = {
    "id": TEXT,
    "customer": WHO,
    "subject_": TEXT,
    "status": {"enum": ["open", "resolved", "superseded"]},
    "superseded_by_": TEXT,
    "assignee_": TEXT,
    "opened_at": TIME,
    "updated_at": TIME,
    "waiting_since_": TIME,
    "channels": listed(TEXT),
    "networks": listed(TEXT),
    "cases_": listed({"type": "object"}),
    "triage_": ref("Standing"),
    "next_": fields(score={"type": "number"}, parts=listed(fields(name=TEXT, points={"type": "number"}, reason=TEXT))),
    "failed_": fields(channel=TEXT, agent=TEXT, part=TEXT, state=STATE, reason_=TEXT, code_=TEXT, attempts=NUMBER),
    "last_": fields(text=TEXT, direction=TEXT, network=TEXT, visibility=VISIBILITY, at=TIME, state_=STATE),
}
TOKEN: dict[str, Shape] = {
    "id": TEXT,
    "tenant": TEXT,
    "agent": TEXT,
    "scopes": listed({"enum": list(SCOPES)}),
    "origin": {"enum": ["file", "http", "code"]},
    "issued_at_": TIME,
    "issued_by_": TEXT,
    "purpose_": TEXT,
}

SPIKE = fields(
    hour=NUMBER,
    count=NUMBER,
    usual={"type": "number"},
    reason=TEXT,
    causes=listed(fields(words=listed(TEXT), count=NUMBER, conversations=listed(TEXT))),
)
HOW: Shape = {"enum": ["open", "leg", "begin", "link"]}
CHALLENGE: dict[str, Shape] = {
    "id": TEXT,
    "proof": TEXT,
    "conversation": TEXT,
    "told": TEXT,
    "expected": TEXT,
    "agent": TEXT,
    "state": {"enum": ["open", "proven", "spent", "expired", "replaced"]},
    "tries": NUMBER,
    "created_at": TIME,
    "expires_at": TIME,
    "ended_at_": TIME,
}

SHAPES: dict[str, Shape] = {
    "Problem": {
        "type": "object",
        "description": "RFC 9457. `refusals`, `obstacles`: what forbids a reply; `fields`: what is wrong in a body.",
        "properties": {
            "title": TEXT,
            "status": NUMBER,
            "detail": TEXT,
            "refusals": listed(ref("Refusal")),
            "obstacles": listed(ref("Obstacle")),
            "fields": listed(fields(field=TEXT, problem=TEXT)),
        },
        "required": ["title", "status"],
    },
    "Account": fields(identifier=TEXT, kind=TEXT, value=TEXT, id=TEXT, name_=TEXT, handle_=TEXT, since=TIME),
    "Customer": fields(
        id=TEXT,
        name=TEXT,
        aliases=listed(TEXT),
        accounts=listed(ref("Account")),
        crm_=listed({"type": "object"}),
        conversations=listed(ref("ConversationSummary")),
    ),
    "Erasure": fields(
        id=TEXT,
        customer=TEXT,
        agent=TEXT,
        at=TIME,
        state={"enum": ["removed", "done"]},
        removed=COUNTS,
        files=fields(removed=NUMBER, bytes=NUMBER, shared=NUMBER),
        crm=listed(
            fields(
                crm=TEXT,
                state={"enum": ["queued", "done", "by_hand", "failed"]},
                attempts=NUMBER,
                contact_=TEXT,
                reason_=TEXT,
            )
        ),
        store_=fields(cleaned=FLAG, seconds={"type": "number"}, bytes=NUMBER),
        left_=listed(TEXT),
    ),
    "ErasureRequest": fields(id=TEXT, customer=TEXT, channel=TEXT, at=TIME, state={"enum": ["waiting", "accepted"]}),
    "ConversationSummary": fields(**SUMMARY, answering_=listed(TEXT)),
    "Conversation": fields(
        **SUMMARY,
        answering_=listed(TEXT),
        legs=listed(ref("Leg")),
        context=listed(ref("Told")),
        moves=listed(ref("Move")),
        entries=listed(ref("Entry")),
        timeline=listed(ref("Entry")),
        turns=listed({"type": "object"}),
        unsent=listed(ref("Unsent")),
        approvals_=listed(ref("Approval")),
        drafts_=listed(ref("Draft")),
        routing_=ref("Routed"),
    ),
    "Spike": SPIKE,
    "Routed": fields(agent_=TEXT, reason=TEXT, group_=TEXT, step=NUMBER, at=TIME),
    "AtWork": fields(
        agent=TEXT,
        load=NUMBER,
        capacity=NUMBER,
        on_={"enum": ["hours", "call"]},
        away_=TEXT,
        seen_at_=TIME,
        skills=listed(TEXT),
        languages=listed(TEXT),
        groups=listed(TEXT),
    ),
    "Draft": fields(
        id=TEXT,
        conversation=TEXT,
        leg=NUMBER,
        text=TEXT,
        private=FLAG,
        why_=TEXT,
        agent=TEXT,
        by_machine=FLAG,
        source=TEXT,
        at=TIME,
        state={"enum": ["open", "sent", "discarded"]},
        ended_at_=TIME,
        ended_by_=TEXT,
        key_=TEXT,
    ),
    "Standing": fields(**JUDGED, noise=FLAG, due_at_=TIME),
    "Told": fields(
        kind=TEXT,
        label=TEXT,
        value=TEXT,
        told_=TEXT,
        state={"enum": ["told", "corrected", "removed"]},
        at=TIME,
        interaction=TEXT,
        conversation=TEXT,
        network_=TEXT,
        visibility=VISIBILITY,
        agent_=TEXT,
        decided_at_=TIME,
    ),
    "Move": fields(
        id=TEXT,
        kind={"enum": list(get_args(Kind))},
        origin=TEXT,
        target=TEXT,
        legs=listed(NUMBER),
        at=TIME,
        agent_=TEXT,
        reason=TEXT,
        undone_at_=TIME,
        undone_by_=TEXT,
    ),
    "Review": fields(
        id=TEXT,
        kind={"enum": list(get_args(ReviewKind))},
        reason=TEXT,
        between=listed(fields(identifier=TEXT, customer=TEXT, name_=TEXT, handle_=TEXT)),
        evidence=listed({"type": "object"}),
        identifier_=TEXT,
        rule_=TEXT,
        remedy_=TEXT,
        at_=TIME,
        probability_={"type": "number"},
        weight_={"type": "number"},
        waterfall_=listed({"type": "object"}),
        reasons_=listed(TEXT),
        conversation_=TEXT,
    ),
    "Decided": fields(
        id=TEXT,
        decision={"enum": ["link", "apart", "later"]},
        agent=TEXT,
        at=TIME,
        until_=TIME,
        verdict_=TEXT,
    ),
    "Moved": fields(move=TEXT, conversations=listed(TEXT)),
    "Leg": fields(
        id=NUMBER,
        channel=TEXT,
        network=TEXT,
        thread=TEXT,
        visibility=VISIBILITY,
        account=TEXT,
        opened_at=TIME,
        last_inbound_=TIME,
        rule=TEXT,
        reason=TEXT,
        speaks=FLAG,
    ),
    "Entry": fields(
        id=TEXT,
        cursor=TEXT,
        at=TIME,
        received_at=TIME,
        conversation_=TEXT,
        leg_=NUMBER,
        channel_=TEXT,
        rule_=TEXT,
        reason_=TEXT,
        interaction=ref("Interaction"),
        html=TEXT,
        state_=STATE,
        agent_=TEXT,
        edited_at_=TIME,
        deleted_at_=TIME,
        reactions_=listed(TEXT),
        triage_=fields(**JUDGED),
        can_=listed({"enum": ["edit", "delete", "react"]}),
        attachments_=listed(ref("StoredAttachment")),
        by=TEXT,
        delivery_=ref("Delivery"),
    ),
    "StoredAttachment": fields(
        id=TEXT,
        state={"enum": ["pending", "stored", "expired", "refused"]},
        media_type=TEXT,
        name_=TEXT,
        size_=NUMBER,
        reason_=TEXT,
    ),
    "Delivery": fields(part=TEXT, state=STATE, reason_=TEXT, code_=TEXT, attempts=NUMBER, next_at_=TIME),
    "Unsent": fields(channel=TEXT, type=TEXT, text_=TEXT, agent_=TEXT, at=TIME, delivery=ref("Delivery")),
    "Plan": fields(
        possible=FLAG,
        leg=NUMBER,
        channel=TEXT,
        network=TEXT,
        visibility=VISIBILITY,
        parts=listed(
            fields(
                text={"type": ["string", "null"]},
                attachments=NUMBER,
                size=NUMBER,
                limit={"type": ["integer", "null"]},
                unit=TEXT,
            )
        ),
        losses=listed(ref("Loss")),
        obstacles=listed(ref("Obstacle")),
        refusals=listed(ref("Refusal")),
        approvals=listed(ref("Refusal")),
        warnings=listed(ref("Refusal")),
    ),
    "Sent": fields(key=TEXT, leg=NUMBER, parts=listed(fields(key=TEXT, id=TEXT, state=STATE)), approval_=ref("Held")),
    "Done": fields(key=TEXT, leg=NUMBER, parts=listed(fields(key=TEXT, state=STATE)), approval_=ref("Held")),
    "Held": fields(id=TEXT, state={"enum": ["waiting", "approved"]}, rules=listed(ref("Refusal"))),
    "OfferedAnswer": fields(
        id=TEXT,
        kind={"enum": ["canned", "article", "matter"]},
        title=TEXT,
        text=TEXT,
        missing=listed(TEXT),
        matched=listed(TEXT),
        why=TEXT,
        score={"type": "number"},
    ),
    "WrittenAnswer": fields(
        id=TEXT,
        name=TEXT,
        kind={"enum": ["canned", "article"]},
        title=TEXT,
        text=TEXT,
        short_=TEXT,
        on_={"type": "object"},
        keywords_=TEXT,
        language_=TEXT,
        url_=TEXT,
        source=TEXT,
        sent=NUMBER,
        edited={"type": "number"},
        stayed=NUMBER,
        came_back=NUMBER,
        score={"type": "number"},
    ),
    "Approval": fields(
        id=TEXT,
        key=TEXT,
        conversation_=TEXT,
        channel_=TEXT,
        network_=TEXT,
        leg=NUMBER,
        visibility=VISIBILITY,
        type=TEXT,
        agent=TEXT,
        state={"enum": list(get_args(ApprovalState))},
        text_=TEXT,
        subject_=TEXT,
        attachments=NUMBER,
        rules=listed(ref("Refusal")),
        asked_at=TIME,
        expires_at=TIME,
        decided_by_=TEXT,
        decided_at_=TIME,
        word_=TEXT,
        edited=FLAG,
        wrote_since=FLAG,
    ),
    "HandOff": fields(
        token_=TEXT,
        url_=TEXT,
        leg_=NUMBER,
        proves_=FLAG,
        note_=TEXT,
        handoff_=TEXT,
        to_=TEXT,
        how_=HOW,
        said_=listed(TEXT),
        unsaid_=listed(TEXT),
        expires_at_=TIME,
        to_agent_=TEXT,
        conversation_=TEXT,
    ),
    "HandOffTargets": fields(
        leg=NUMBER,
        channel=TEXT,
        visibility=VISIBILITY,
        targets=listed(
            fields(
                channel=TEXT,
                network=TEXT,
                how_=HOW,
                leg_=NUMBER,
                account_=TEXT,
                score=NUMBER,
                reasons=listed(TEXT),
                obstacles=listed(fields(rule=TEXT, reason=TEXT, remedy=TEXT)),
            )
        ),
        handoffs=listed(
            fields(
                id=TEXT,
                to_=TEXT,
                how=HOW,
                state={"enum": ["offered", "reminded", "arrived", "confirmed", "expired", "replaced"]},
                agent=TEXT,
                offered_at=TIME,
                reminded_at_=TIME,
                arrived_at_=TIME,
                expires_at=TIME,
            )
        ),
    ),
    "Challenge": fields(**CHALLENGE),
    "ChallengeMade": fields(**CHALLENGE, code=TEXT),
    "Consent": fields(state={"enum": ["in", "out"]}, at=TIME, source=TEXT),
    "Verdict": fields(verdict=TEXT, customers=listed(TEXT)),
    "Evidence": fields(**BETWEEN, rule_=TEXT, code_=TEXT, remedy_=TEXT, by_=TEXT, note_=TEXT),
    "Explanation": fields(
        customer=TEXT,
        verdict=TEXT,
        aliases=listed(TEXT),
        accounts=listed(
            fields(
                identifier=TEXT,
                since=TIME,
                name_=TEXT,
                handle_=TEXT,
                handles_=listed(fields(handle=TEXT, since=TIME, until=TIME)),
            )
        ),
        would_change=listed(TEXT),
        evidence=listed(ref("Evidence")),
        weakest={"anyOf": [ref("Evidence"), WEAK, {"type": "null"}]},
        refused=listed(ref("Evidence")),
        forbidden=listed(ref("Evidence")),
        retracted=listed(ref("Evidence")),
    ),
    "Channel": fields(
        id=TEXT,
        connector=TEXT,
        app_=TEXT,
        own_account_=TEXT,
        name_=TEXT,
        handle_=TEXT,
        state={"enum": ["active", "paused", "failing", "gap", "silent", "broken"]},
        reason_=TEXT,
        mode={"enum": ["webhook", "poll", "stream"]},
        door=TEXT,
        chat=TEXT,
        last_heard_at_=TIME,
        expect_within_=NUMBER,
        backfill_=ref("Backfill"),
    ),
    "Backfill": fields(
        state={"enum": ["running", "done", "failed"]},
        cause={"enum": ["asked", "gap"]},
        since=TIME,
        pages=NUMBER,
        payloads=NUMBER,
        reason_=TEXT,
        started_at=TIME,
        updated_at=TIME,
    ),
    "Door": fields(id=TEXT, door=TEXT),
    "Agent": fields(id=TEXT, name=TEXT, is_bot=FLAG),
    "Tenant": fields(id=TEXT, name=TEXT),
    "Token": fields(**TOKEN),
    "IssuedToken": fields(**TOKEN, token=TEXT),
    "Quarantined": fields(
        entry=NUMBER, tenant_=TEXT, channel_=TEXT, source=TEXT, received_at=TIME, reason_=TEXT, bytes=NUMBER
    ),
    "Me": fields(
        tenant=TEXT,
        agent=TEXT,
        name=TEXT,
        scopes=listed({"enum": list(SCOPES)}),
        channels=listed({"type": "object"}),
        cursor=NUMBER,
    ),
    "Event": fields(
        cursor=NUMBER,
        tenant=TEXT,
        type=TEXT,
        at=TIME,
        channel_=TEXT,
        thread_=TEXT,
        conversation_=TEXT,
        data={"type": "object"},
    ),
    "Webhook": fields(
        id=TEXT,
        url=TEXT,
        types_=listed(TEXT),
        description_=TEXT,
        state={"enum": ["active", "paused", "dead", "gone"]},
        reason_=TEXT,
        open_network_=FLAG,
        created_at=TIME,
        delivered_at_=TIME,
        cursor=NUMBER,
        waiting=NUMBER,
        secrets=NUMBER,
        held_=listed(fields(lane=TEXT, event=NUMBER, attempts=NUMBER, next_at=TIME, reason=TEXT)),
    ),
    "WebhookMade": fields(id=TEXT, secret=TEXT, cursor=NUMBER),
    "Tried": fields(delivered=FLAG, status_=NUMBER, reason_=TEXT, body_=TEXT, seconds={"type": "number"}),
    "Health": fields(
        status={"enum": ["ok", "degraded", "failing"]},
        working=FLAG,
        journal=COUNTS,
        refused=NUMBER,
        outbox=COUNTS,
        channels=COUNTS,
        failing_=listed(TEXT),
        broken_=listed(TEXT),
    ),
}
"""Every answer that is ours to shape. What pydantic already describes is beside it, in `MODELS`."""

MODELS: dict[str, Any] = {
    "Interaction": Interaction,
    "Facts": Facts,
    "Refusal": Refusal,
    "Loss": Loss,
    "Obstacle": Obstacle,
}
