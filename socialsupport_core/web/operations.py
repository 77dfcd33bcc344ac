"""Every path of the API: what it is for, what it takes, and what it answers."""

from socialsupport_core.model import Interaction
from socialsupport_core.web import (
    admin,
    answers,
    api,
    approving,
    channels,
    conversing,
    doing,
    drafting,
    handing,
    queueing,
    reporting,
    routing,
    webhooks,
)
from socialsupport_core.web.operation import BINARY, GUIDANCE, Operation
from socialsupport_core.web.shape import EMPTY, TEXT, TIME, fields, listed, ref

OPERATIONS: dict[tuple[str, str], Operation] = {
    ("GET", "/api/me"): Operation("Who the token speaks for.", "read", ref("Me")),
    ("GET", "/api/agents"): Operation("The tenant's agents.", "read", fields(agents=listed(ref("Agent")))),
    ("POST", "/api/agents"): Operation(
        "Add an agent, or change the name of one.", "operate", ref("Agent"), admin.AgentBody, status=201
    ),
    ("GET", "/api/tenants"): Operation("All tenants.", "operate", fields(tenants=listed(ref("Tenant")))),
    ("POST", "/api/tenants"): Operation("Add a tenant.", "operate", ref("Tenant"), admin.TenantBody, status=201),
    ("GET", "/api/tokens"): Operation(
        "Who may call: every token of the API, without the token itself.",
        "operate",
        fields(tokens=listed(ref("Token"))),
        query=("tenant",),
    ),
    ("POST", "/api/tokens"): Operation(
        "Issue a token. It is told here and never again.", "operate", ref("IssuedToken"), admin.TokenBody, status=201
    ),
    ("DELETE", "/api/tokens/{id}"): Operation("Revoke a token; it is refused at once.", "operate", EMPTY),
    ("GET", "/api/quarantine"): Operation(
        "What was genuine and could not be read, the newest first, and why.",
        "operate",
        fields(entries=listed(ref("Quarantined"))),
        query=("tenant", "limit"),
    ),
    ("GET", "/api/quarantine/{entry}"): Operation(
        "The payload's body as it came, as a download.", "operate", BINARY, media_type="application/octet-stream"
    ),
    ("POST", "/api/quarantine/replay"): Operation(
        "Run it again: one entry, all of a tenant, or all. What was recorded before is not recorded twice.",
        "operate",
        fields(replayed={"type": "integer"}),
        admin.ReplayBody,
        status=202,
    ),
    ("GET", "/api/customers"): Operation(
        "Find customers.", "read", fields(customers=listed(ref("Customer"))), query=("q", "limit")
    ),
    ("GET", "/api/customers/{id}"): Operation(
        "One customer. An old id answers with the current one.", "read", ref("Customer")
    ),
    ("GET", "/api/customers/{id}/timeline"): Operation(
        "The continuous conversation, oldest first; `before` leads to what is older.",
        "read",
        fields(entries=listed(ref("Entry")), before={"type": ["string", "null"]}),
        query=("before", "limit"),
    ),
    ("GET", "/api/customers/{id}/explain"): Operation(
        "Why these accounts are one customer.", "read", ref("Explanation")
    ),
    ("POST", "/api/customers/{id}/link"): Operation("These two are one.", "link", ref("Verdict"), api.LinkBody),
    ("POST", "/api/customers/{id}/split"): Operation(
        "These accounts are somebody else.", "link", ref("Verdict"), api.SplitBody
    ),
    ("POST", "/api/customers/{id}/undo"): Operation("Take a verdict back.", "link", ref("Verdict"), api.UndoBody),
    ("DELETE", "/api/customers/{id}"): Operation(
        "Erase the customer for good: what was removed where, and what may still hold something. Cut off, the same"
        " call finishes it. From then on the id, and every id that the customer ever had, is 410.",
        "erase",
        ref("Erasure"),
    ),
    ("GET", "/api/erasures"): Operation(
        "What was erased, the newest first, and the demands of networks that wait for an agent.",
        "erase",
        fields(erasures=listed(ref("Erasure")), requests=listed(ref("ErasureRequest"))),
        query=("limit",),
    ),
    ("POST", "/api/erasures/{id}/dismiss"): Operation(
        "An agent decides that a network's demand is not to be met.", "erase", EMPTY
    ),
    ("GET", "/api/conversations"): Operation(
        "The queue, whoever has waited longest first, or whoever to answer `next`, with the reasons.",
        "read",
        fields(conversations=listed(ref("ConversationSummary"))),
        query=api.QUEUE,
    ),
    ("POST", "/api/conversations/{id}/triage"): Operation(
        "Of what kind it is, by your word: out of the queue, or back into it. It is learnt from.",
        "reply",
        ref("Standing"),
        queueing.TriageBody,
    ),
    ("GET", "/api/guidance"): Operation("Targets, hours, triage and the queue's weights.", "configure", GUIDANCE),
    ("PUT", "/api/guidance"): Operation(
        "All of it anew; what is left out is as it is shipped. Who waits is reckoned anew.",
        "configure",
        GUIDANCE,
        queueing.GuidanceBody,
    ),
    ("GET", "/api/conversations/{id}"): Operation("One conversation with its legs.", "read", ref("Conversation")),
    ("POST", "/api/conversations/{id}/plan"): Operation(
        "What would be sent, in how many parts, what is lost and what forbids it.", "read", ref("Plan"), api.ReplyBody
    ),
    ("POST", "/api/conversations/{id}/reply"): Operation(
        "Answer. The same `Idempotency-Key` sends once.", "reply", ref("Sent"), api.ReplyBody, status=202
    ),
    ("GET", "/api/answers"): Operation(
        "All canned replies and articles, and what came of them.",
        "read",
        fields(answers=listed(ref("WrittenAnswer"))),
    ),
    ("PUT", "/api/answers/{id}"): Operation(
        "A canned reply or an article, new or in place of the one of this name.", "configure", EMPTY, answers.AnswerBody
    ),
    ("DELETE", "/api/answers/{id}"): Operation("Take it away.", "configure", EMPTY),
    ("GET", "/api/conversations/{id}/answers"): Operation(
        "What may answer the customer here, the best first: canned replies with their blanks filled, articles, and what"
        " we said in like matters, without what is private.",
        "read",
        fields(answers=listed(ref("OfferedAnswer"))),
        query=("leg",),
    ),
    ("GET", "/api/approvals"): Operation(
        "Replies that wait for a second person, the longest first; or those `decided` in the last 30 days.",
        "read",
        fields(approvals=listed(ref("Approval"))),
        query=("state", "limit"),
    ),
    ("POST", "/api/approvals/{id}/approve"): Operation(
        "It goes out as it was written, or with another text. 409: it is one's own, was decided, or the customer has"
        " written since. 422: it cannot go out any more, and goes on waiting.",
        "approve",
        ref("Sent"),
        approving.ApproveBody,
    ),
    ("POST", "/api/approvals/{id}/refuse"): Operation(
        "It does not go out; its author reads why.", "approve", EMPTY, approving.RefuseBody
    ),
    ("POST", "/api/approvals/{id}/withdraw"): Operation("Its author takes it back.", "reply", EMPTY),
    ("POST", "/api/conversations/{id}/typing"): Operation(
        "Show the customer that somebody types, for some seconds.", "reply", ref("Done"), doing.TypingBody, status=202
    ),
    ("PATCH", "/api/interactions/{id}"): Operation(
        "Another text in place of what we said. 422 names the channel that cannot, or what the guard forbids.",
        "reply",
        ref("Done"),
        doing.EditBody,
        status=202,
    ),
    ("DELETE", "/api/interactions/{id}"): Operation("Take back what we said.", "reply", ref("Done"), status=202),
    ("POST", "/api/interactions/{id}/reaction"): Operation(
        "React to a message with an emoji.", "reply", ref("Done"), doing.ReactBody, status=202
    ),
    ("GET", "/api/conversations/{id}/hand-off"): Operation(
        "The channels to which it may be handed off, the most suitable first, each with its reasons or with what closes"
        " it; and the hand-offs so far.",
        "read",
        ref("HandOffTargets"),
        query=("leg",),
    ),
    ("POST", "/api/conversations/{id}/hand-off"): Operation(
        "Hand it on: `to` a channel, `to_agent`, or with neither a link that brings its bearer here, once.",
        "reply",
        ref("HandOff"),
        handing.HandoffBody,
    ),
    ("DELETE", "/api/hand-off/{id}"): Operation(
        "Take a hand-off back before anybody has come: its link and its codes are good for nothing from now on.",
        "reply",
        ref("HandOffMade"),
    ),
    ("GET", "/api/conversations/{id}/challenge"): Operation(
        "The one-time codes that were asked for, how each stands, and the accounts between which one can be asked for.",
        "read",
        fields(challenges=listed(ref("Challenge")), ends=listed(ref("CodeEnd"))),
    ),
    ("POST", "/api/conversations/{id}/challenge"): Operation(
        "A one-time code: told to one account, by us with `send`, to be said by another. A message with it redeems it.",
        "reply",
        ref("ChallengeMade"),
        handing.ChallengeBody,
        status=201,
    ),
    ("POST", "/api/challenges/{id}/hear"): Operation(
        "The code that the customer has said by telephone; a wrong one counts as a try.",
        "reply",
        ref("Challenge"),
        handing.HearBody,
    ),
    ("POST", "/api/identities/nonce"): Operation(
        "A nonce with which your portal signs in whoever is at this account.",
        "link",
        fields(nonce=TEXT, expires_at=TIME),
        handing.NonceBody,
        status=201,
    ),
    ("POST", "/api/identities"): Operation(
        "The ID token that came of it: verified evidence of who is at the account.",
        "link",
        fields(customer=TEXT, proof=TEXT, claims=listed(TEXT)),
        handing.SignedInBody,
    ),
    ("GET", "/api/identities/issuers"): Operation(
        "Whose ID tokens are believed.",
        "configure",
        fields(issuers=listed(fields(issuer=TEXT, audience=TEXT, algorithms=listed(TEXT)))),
    ),
    ("POST", "/api/identities/issuers"): Operation(
        "Believe the ID tokens of an issuer. Its public keys are read where it publishes them, unless they come along.",
        "configure",
        EMPTY,
        handing.IssuerBody,
        status=201,
    ),
    ("DELETE", "/api/identities/issuers/{id}"): Operation("Believe them no more.", "configure", EMPTY),
    ("GET", "/api/customers/{id}/consents"): Operation(
        "By channel the customer's last word on being written to there.",
        "read",
        fields(consents={"type": "object", "additionalProperties": ref("Consent")}),
    ),
    ("POST", "/api/customers/{id}/consents"): Operation(
        "The customer agreed, or refused, to be written to on a channel.", "reply", EMPTY, handing.ConsentBody
    ),
    ("GET", "/api/hand-off/templates"): Operation(
        "The words of hand-offs, by language and name.",
        "read",
        fields(
            templates={
                "type": "object",
                "additionalProperties": {"type": "object", "additionalProperties": TEXT},
            }
        ),
    ),
    ("PUT", "/api/hand-off/templates"): Operation(
        "The tenant's own words, as TOML, in place of those it had.", "configure", EMPTY, handing.WordsBody
    ),
    ("POST", "/api/conversations/{id}/note"): Operation(
        "An internal note. The same `Idempotency-Key` keeps one.", "reply", EMPTY, api.NoteBody
    ),
    ("GET", "/api/conversations/{id}/drafts"): Operation(
        "Answers that wait for a person to send them.", "read", fields(drafts=listed(ref("Draft"))), query=("ended",)
    ),
    ("POST", "/api/conversations/{id}/drafts"): Operation(
        "Draft an answer. Nothing is sent.", "draft", ref("Draft"), drafting.DraftBody, status=201
    ),
    ("POST", "/api/drafts/{id}/send"): Operation(
        "A person sends a draft, changed or as it is; once.", "reply", ref("Sent"), drafting.SendBody, status=202
    ),
    ("POST", "/api/drafts/{id}/discard"): Operation("Nobody will send it.", "reply", EMPTY),
    ("GET", "/api/team"): Operation(
        "The agents to whom routing may give something, as things stand.", "read", fields(team=listed(ref("AtWork")))
    ),
    ("GET", "/api/spikes"): Operation(
        "Hours of the last day in which more conversations began than usual.",
        "read",
        fields(spikes=listed(ref("Spike"))),
    ),
    ("POST", "/api/duty"): Operation(
        "Sign off, and get nothing from routing; or on again.", "reply", EMPTY, routing.DutyBody
    ),
    ("GET", "/api/conversations/{id}/routing"): Operation(
        "What routing decided of it last, and why.",
        "read",
        fields(routing={"anyOf": [ref("Routed"), {"type": "null"}]}),
    ),
    ("POST", "/api/conversations/{id}/presence"): Operation(
        "A sign of life from whoever is answering; the others come back.",
        "reply",
        fields(answering=listed(TEXT)),
        api.PresenceBody,
    ),
    ("POST", "/api/conversations/{id}/assign"): Operation(
        "Give it to an agent, or to nobody.", "reply", EMPTY, api.AssignBody
    ),
    ("POST", "/api/conversations/{id}/resolve"): Operation("The matter is done.", "reply", EMPTY),
    ("POST", "/api/conversations/{id}/reopen"): Operation("It is not.", "reply", EMPTY),
    ("POST", "/api/conversations/{id}/merge"): Operation(
        "All of it goes on in another conversation of the same customer, where its id leads from then on.",
        "link",
        ref("Moved"),
        conversing.MergeBody,
    ),
    ("POST", "/api/conversations/{id}/split"): Operation(
        "Some legs, or a thread from the interaction `since` on, become a conversation of their own: the last that is"
        " answered.",
        "link",
        ref("Moved"),
        conversing.PartBody,
    ),
    ("POST", "/api/conversations/{id}/move"): Operation(
        "Some legs, or a thread from the interaction `since` on, go on in another conversation of the customer.",
        "link",
        ref("Moved"),
        conversing.MoveBody,
    ),
    ("POST", "/api/conversations/{id}/undo"): Operation(
        "Take a merge, split or move back: the last one, unless `move` names another.",
        "link",
        ref("Moved"),
        conversing.UndoMoveBody,
    ),
    ("POST", "/api/conversations/{id}/context"): Operation(
        "Correct what the customer has told, remove it, or `restore` it; the context as it is then.",
        "reply",
        fields(context=listed(ref("Told"))),
        conversing.ContextBody,
    ),
    ("GET", "/api/report"): Operation(
        "How fast, how many, how well, what it cost, and where it broke; `Accept: text/html` gives the page.",
        "read",
        ref("Report"),
        query=reporting.QUERY,
    ),
    ("GET", "/api/report.html"): Operation(
        "The same as one page with charts.", "read", TEXT, query=reporting.QUERY, media_type="text/html"
    ),
    ("GET", "/api/live"): Operation(
        "How it goes right now: who waits, and what became of the contacts that began today. Cheap enough to be asked"
        " again after each event.",
        "read",
        ref("Live"),
    ),
    ("GET", "/api/reviews"): Operation(
        "What the machine may not decide about who is who, with its reasons: `open` unless `state` says `later`; what"
        " was `decided` comes under that name.",
        "read",
        fields(reviews_=listed(ref("Review")), decided_=listed(ref("Decided"))),
        query=("state", "limit"),
    ),
    ("POST", "/api/reviews/{id}"): Operation(
        "Decide: `link`, `apart` (they are not the same), `later`, or `undo` what was decided.",
        "link",
        fields(customers=listed(TEXT), verdict_=TEXT),
        conversing.DecisionBody,
    ),
    ("POST", "/api/outbox/{part}/settle"): Operation(
        "A person has looked whether an uncertain part was sent.", "reply", EMPTY, api.SettleBody
    ),
    ("POST", "/api/interactions"): Operation(
        "What no webhook tells: a call, a visit, a form. `entry` is its number in the journal.",
        "reply",
        fields(entry={"type": "integer"}),
        Interaction,
        status=202,
    ),
    ("POST", "/api/attachments"): Operation(
        "Upload a file; its bytes are the body, at most 25 MiB. What is answered goes into `attachments` of a reply.",
        "reply",
        ref("Attachment"),
        query=("name",),
        status=201,
        takes="application/octet-stream",
    ),
    ("GET", "/api/attachments/{id}"): Operation(
        "A stored file, as a download.", "read", BINARY, media_type="application/octet-stream"
    ),
    ("GET", "/api/events"): Operation(
        "Everything that happened since a cursor: a page, or with `Accept: text/event-stream` a stream.",
        "read",
        fields(events=listed(ref("Event")), after={"type": "integer"}),
        query=("after", "limit", "presence"),
    ),
    ("GET", "/api/channels"): Operation(
        "The tenant's channels, without their settings.", "configure", fields(channels=listed(ref("Channel")))
    ),
    ("POST", "/api/channels"): Operation(
        "Add a channel, live at once.", "configure", ref("Door"), channels.ChannelBody, status=201
    ),
    ("PATCH", "/api/channels/{id}"): Operation(
        "Change it: `settings` are merged in depth into those that it has, null takes a key away, the rest stays.",
        "configure",
        ref("Door"),
        channels.ChannelPatch,
    ),
    ("DELETE", "/api/channels/{id}"): Operation("Remove it; what came through it stays.", "configure", EMPTY),
    ("POST", "/api/channels/{id}/pause"): Operation("Neither receive nor send.", "configure", EMPTY),
    ("POST", "/api/channels/{id}/resume"): Operation(
        "Go on. What was wrong is acknowledged, and the channel is watched from now on.", "configure", EMPTY
    ),
    ("POST", "/api/channels/{id}/backfill"): Operation(
        "Read back what the network still has since a moment. What is there already is not recorded twice; the channel"
        " tells how far it is.",
        "configure",
        ref("Backfill"),
        channels.BackfillBody,
        status=202,
    ),
    ("POST", "/api/channels/{id}/test"): Operation("The connection test: who are we there?", "configure", ref("Facts")),
    ("POST", "/api/channels/{id}/subscribe"): Operation("Tell the network where our door is.", "configure", EMPTY),
    ("GET", "/api/webhooks"): Operation(
        "Who is told what happens, without the secrets.", "configure", fields(webhooks=listed(ref("Webhook")))
    ),
    ("POST", "/api/webhooks"): Operation(
        "Tell an endpoint every event from now on, or from a cursor. Its secret is told here and never again.",
        "configure",
        ref("WebhookMade"),
        webhooks.WebhookBody,
        status=201,
    ),
    ("GET", "/api/webhooks/{id}"): Operation("One endpoint, and what it holds up.", "configure", ref("Webhook")),
    ("PATCH", "/api/webhooks/{id}"): Operation(
        "Change its address, types or description.", "configure", ref("Webhook"), webhooks.WebhookPatch
    ),
    ("DELETE", "/api/webhooks/{id}"): Operation("Tell it nothing any more, and forget it.", "configure", EMPTY),
    ("POST", "/api/webhooks/{id}/pause"): Operation("Tell it nothing until it is resumed.", "configure", EMPTY),
    ("POST", "/api/webhooks/{id}/resume"): Operation("Go on where it stopped.", "configure", EMPTY),
    ("POST", "/api/webhooks/{id}/replay"): Operation(
        "Tell it everything after a cursor, again.", "configure", EMPTY, webhooks.WebhookReplay
    ),
    ("POST", "/api/webhooks/{id}/secret"): Operation(
        "A new secret, valid beside the old one. It is told here and never again.",
        "configure",
        fields(secret=TEXT),
        status=201,
    ),
    ("POST", "/api/webhooks/{id}/secret/retire"): Operation("Only the new secret is valid.", "configure", EMPTY),
    ("POST", "/api/webhooks/{id}/test"): Operation("Send a ping and tell what came back.", "configure", ref("Tried")),
    ("GET", "/api/connect/{connector}"): Operation(
        "The address at which an operator grants access (OAuth); valid for ten minutes and once.",
        "configure",
        fields(url=TEXT),
        query=("channel", "crm", "return_to", "redirect"),
    ),
    ("GET", "/connect/callback"): Operation(
        "Where the network sends the operator back to: the channel is connected and tested.",
        None,
        TEXT,
        query=("state", "code", "error", "error_description"),
        media_type="text/html",
    ),
    ("GET", "/health"): Operation(
        "Is this process at work, and is all accounted for? 503 if not. `degraded`, with 200, while a channel is not"
        " well; a token with `operate` is told which.",
        None,
        ref("Health"),
    ),
    ("GET", "/metrics"): Operation(
        "The same for Prometheus. A token of the scope `operate` is told each channel and breaker, too.",
        None,
        TEXT,
        media_type="text/plain",
    ),
    ("GET", "/hooks/{door}"): Operation("A network's challenge.", None, BINARY, media_type="*/*"),
    ("POST", "/hooks/{door}"): Operation(
        "A network calls; the answer follows the commit.", None, BINARY, media_type="*/*"
    ),
    ("GET", "/hooks/app/{door}"): Operation(
        "The same for an app that many channels share.", None, BINARY, media_type="*/*"
    ),
    ("POST", "/hooks/app/{door}"): Operation(
        "The same for an app that many channels share.", None, BINARY, media_type="*/*"
    ),
    ("PUT", "/hooks/{door}"): Operation("The same for a network that puts.", None, BINARY, media_type="*/*"),
    ("PUT", "/hooks/app/{door}"): Operation("The same for a network that puts.", None, BINARY, media_type="*/*"),
    ("GET", "/h/{token}"): Operation("The page to which a hand-off link leads.", None, TEXT, media_type="text/html"),
    ("GET", "/chat/{door}/{page}"): Operation(
        "The pages that a plugin brings, such as the web chat.", None, BINARY, media_type="*/*"
    ),
}
