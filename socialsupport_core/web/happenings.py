"""What each event of the log tells, as JSON Schema."""

from socialsupport_core.web.guided import SPIKE
from socialsupport_core.web.shape import NUMBER, STATE, TEXT, TIME, Shape, fields, listed, ref

_DONE = fields(
    id_=TEXT,
    native_id_=TEXT,
    key_=TEXT,
    intent_=TEXT,
    state_=STATE,
    code_={"type": ["string", "null"]},
    reason_=TEXT,
    agent_=TEXT,
)
_TOUCH = fields(
    interaction=ref("Interaction"), id=TEXT, customer_=TEXT, agent_=TEXT, state_=STATE, settled_={"const": True}
)
_AGENT = fields(agent_=TEXT, by_=TEXT)
_MOVED = fields(**{"from": TEXT, "to": TEXT, "move": TEXT, "legs": listed(NUMBER), "agent_": TEXT})
_APPROVAL = fields(
    approval=TEXT,
    state={"enum": ["waiting", "approved", "refused", "withdrawn", "expired"]},
    agent=TEXT,
    by=TEXT,
    rules=TEXT,
)
_TARGET = fields(waiting_since=TIME, due_at=TIME, target=NUMBER, urgency=TEXT, kind_=TEXT, assignee_=TEXT)
_NATIVE: Shape = {"type": "object", "description": "The event as the connector gave it, without its type."}

STEP: Shape = {"enum": ["planned", "offered", "reminded", "opened", "arrived", "confirmed", "expired", "withdrawn"]}
EVENTS: dict[str, tuple[str, Shape]] = {
    "approval.asked": ("A reply waits for a second person, and which rules ask for it.", _APPROVAL),
    "approval.decided": ("It was approved, refused or withdrawn, or nobody decided in time.", _APPROVAL),
    "interaction.received": ("A touch was recorded, in either direction, a note included.", _TOUCH),
    "interaction.edited": ("The touch as it reads now.", _TOUCH),
    "interaction.deleted": ("A touch was taken back.", fields(id=TEXT, native_id=TEXT)),
    "reaction.added": ("Somebody reacted.", fields(id=TEXT, native_id=TEXT, reaction=TEXT)),
    "reaction.removed": ("A reaction was taken back.", fields(id=TEXT, native_id=TEXT, reaction=TEXT)),
    "delivery.updated": (
        "What became of something that we send: an interaction, by its `id`, or else an `intent` such as `react`;"
        " `agent` if a person has settled it.",
        _DONE,
    ),
    "intent.uncertain": ("It may have been sent. A person looks, or the network's echo settles it.", _DONE),
    "conversation.opened": (
        "A new matter, on a `network`, or what was split `from` another conversation.",
        fields(**{"customer": TEXT, "network_": TEXT, "from_": TEXT}),
    ),
    "conversation.assigned": (
        "To whom; an empty `assignee` is nobody. By routing (`agent`), and then with its `reason`, or by an agent.",
        fields(assignee=TEXT, agent=TEXT, reason_=TEXT),
    ),
    "conversation.escalated": (
        "It has waited for too long, so another group (`to`) has it next.",
        fields(to=TEXT, reason=TEXT, step=NUMBER),
    ),
    "conversation.unrouted": ("Routing has found nobody for it, so it stays in the queue.", fields(reason=TEXT)),
    "conversation.handed_off": (
        "A hand-off goes from step to step, from one channel (or agent) to another.",
        fields(
            **{"from": TEXT, "to": TEXT, "agent": TEXT, "step": STEP, "handoff_": TEXT, "how_": TEXT},
            reasons_=TEXT,
            tier_=TEXT,
        ),
    ),
    "conversation.merged": (
        "An agent has merged them, or two customers turned out to be one: `from` goes on in `to`.",
        _MOVED,
    ),
    "conversation.split": (
        "An agent, or the division of its customer, has made some legs of `from` a conversation `to` of their own.",
        _MOVED,
    ),
    "conversation.moved": (
        "An agent, or a hand-off link that came late, has moved some legs of `from` to the conversation `to`.",
        _MOVED,
    ),
    "conversation.restored": ("A merge, split or move was taken back: its legs are in `to` again.", _MOVED),
    "conversation.context": (
        "An agent has corrected or removed what the customer told, or taken that back (`told`).",
        fields(kind=TEXT, state={"enum": ["told", "corrected", "removed"]}, agent=TEXT),
    ),
    "conversation.triaged": (
        "It was kept out of the queue as `noise`, or is back in it: by the rules, a plugin or an agent (`by`).",
        fields(kind=TEXT, noise={"type": "boolean"}, reasons=listed(TEXT), by=TEXT, agent_=TEXT),
    ),
    "service.warning": ("A contact still waits, and its target (in seconds) runs out soon. Once.", _TARGET),
    "service.breached": ("A contact still waits, and its target has run out. Once.", _TARGET),
    "conversation.rated": (
        "The customer says how it went, from 1 to 5, in an `interaction`; the `agent` is who had resolved it.",
        fields(value=NUMBER, interaction=TEXT, agent=TEXT),
    ),
    "conversation.resolved": ("An agent, or the CRM, has closed it.", _AGENT),
    "conversation.reopened": (
        "An agent has reopened it, the customer wrote again, an answer failed, or something open was merged into it"
        " (`by`).",
        _AGENT,
    ),
    "customer.changed": (
        "Accounts have moved from one customer id to another, and the old id keeps resolving; or, with the cause"
        " `erased`, the customer `old` is gone for ever: forget what you keep under it, its `aliases` and"
        " `conversations`.",
        fields(
            old=TEXT,
            new_=TEXT,
            accounts=listed(TEXT),
            cause={"enum": ["merged", "split", "erased"]},
            aliases_=listed(TEXT),
            conversations_=listed(TEXT),
            erasure_=TEXT,
            proof_=TEXT,
            tier_=TEXT,
            agent_=TEXT,
        ),
    ),
    "channel.changed": ("A channel has turned, or is well again.", fields(channel=TEXT, state=TEXT, reason=TEXT)),
    "draft.changed": (
        "An answer was drafted (`open`) for a person to send, or a person has sent or discarded it. Its text is asked"
        " for separately.",
        fields(draft=TEXT, state={"enum": ["open", "sent", "discarded"]}, agent=TEXT),
    ),
    "handoff.refused": ("A token that was not accepted, and why.", fields(account=TEXT, reason=TEXT, proof_=TEXT)),
    "challenge.started": (
        "A one-time code was told to `told`, and is expected from `account`.",
        fields(challenge=TEXT, proof=TEXT, told=TEXT, account=TEXT, agent=TEXT),
    ),
    "challenge.proven": (
        "The code came back: the two accounts are one person's.",
        fields(challenge=TEXT, proof=TEXT, told=TEXT, account=TEXT),
    ),
    "proof.refused": (
        "Something that was to prove who it is proves nothing, and why.",
        fields(proof=TEXT, account=TEXT, reason=TEXT, challenge_=TEXT),
    ),
    "attachment.stored": ("A file has been fetched.", fields(id=TEXT, state=TEXT, reason=TEXT)),
    "attachment.refused": ("A file could not be had.", fields(id=TEXT, state=TEXT, reason=TEXT)),
    "webhook.paused": (
        "An endpoint is told nothing any more: it is `dead` after the last attempt, or `gone` by its own word.",
        fields(webhook=TEXT, state={"enum": ["dead", "gone"]}, reason=TEXT),
    ),
    "webhook.failing": (
        "An endpoint takes other events, but for three days not this one; it is tried once a day.",
        fields(webhook=TEXT, event=NUMBER, reason=TEXT),
    ),
    "webhook.resumed": (
        "An agent has resumed an endpoint, or begun again `after` a cursor.",
        fields(webhook=TEXT, after_=NUMBER),
    ),
    "crm.failed": ("The CRM could not be told, or asked.", fields(crm=TEXT, event_=NUMBER, reason=TEXT)),
    "crm.conflict": (
        "A field of a case was changed here and in the CRM; the rule decided whose value is kept.",
        fields(crm=TEXT, case=TEXT, field=TEXT, ours=TEXT, theirs=TEXT, kept=TEXT, rule=TEXT),
    ),
    "volume.spike": (
        "More conversations have begun in this hour than is usual for it; what many of them say, and some of them."
        " `hour` is when it began, in seconds since 1970.",
        SPIKE,
    ),
    "thread.updated": ("Members, title, closed: something about a thread.", _NATIVE),
    "typing.started": ("Somebody is typing.", _NATIVE),
    "erasure.requested": ("The network, or the person through it, demands erasure.", _NATIVE),
    "unrecognised": ("Something native that its connector does not know. It is kept and counted.", _NATIVE),
}
"""Every type of the event log, what it means, and the shape of its `data`."""
