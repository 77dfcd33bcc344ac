"""The hub: what a helpdesk embeds.

    hub = Hub.open("support.sqlite", public_url="https://support.example")
    hub.add_tenant("acme", "Acme")
    hub.add_agent("acme", "dana", "Dana")
    hub.add_channel("acme", "bot", "telegram", {"token": "…", "secret_token": "…"})
    hub.start()
    hub.timeline("acme", "telegram.user:42")
    hub.reply("acme", "con_…", "On its way.", agent="dana", key="order-17")

Every method is synchronous and safe to call from any thread: a Django view calls it as it is, an asynchronous
application through `asyncio.to_thread`. Results are plain values in the form in which the HTTP API shows them.
"""

from socialsupport_core.contract import AgentNoted, AgentReplied, CaseChanged, CaseFields, CRMEvent
from socialsupport_core.hub.answering import Answering, NoSuchAnswer
from socialsupport_core.hub.approving import Approving
from socialsupport_core.hub.base import NoSuchChannel, NoSuchConversation
from socialsupport_core.hub.configuring import Configuring
from socialsupport_core.hub.conversing import Conversing, NothingTold
from socialsupport_core.hub.doing import Doing, NoSuchInteraction
from socialsupport_core.hub.drafting import Drafting, NoSuchDraft
from socialsupport_core.hub.erasing import Erasing
from socialsupport_core.hub.exporting import Exporting
from socialsupport_core.hub.handing import Handing, NoSuchHandoff
from socialsupport_core.hub.living import Living
from socialsupport_core.hub.proving import Proving
from socialsupport_core.hub.queueing import Queueing
from socialsupport_core.hub.reading import CursorAhead, Reading
from socialsupport_core.hub.receiving import Receiving
from socialsupport_core.hub.removing import Removing
from socialsupport_core.hub.reviewing import Reviewing
from socialsupport_core.hub.routing import Routing
from socialsupport_core.hub.staffing import Staffing
from socialsupport_core.hub.telling import NoSuchWebhook, Telling
from socialsupport_core.model import Attachment
from socialsupport_core.pipeline.approving import ApprovalRefused, NoSuchApproval
from socialsupport_core.pipeline.channels import DoorClosed, NoSuchDoor
from socialsupport_core.pipeline.replying import KeyReused, ReplyRefused
from socialsupport_core.store.crm import Connected

__all__ = [
    "ApprovalRefused",
    "CursorAhead",
    "DoorClosed",
    "Hub",
    "KeyReused",
    "NoSuchAnswer",
    "NoSuchApproval",
    "NoSuchChannel",
    "NoSuchConversation",
    "NoSuchDoor",
    "NoSuchDraft",
    "NoSuchHandoff",
    "NoSuchInteraction",
    "NoSuchWebhook",
    "NothingTold",
    "ReplyRefused",
]


class Hub(
    Configuring,
    Receiving,
    Reading,
    Living,
    Queueing,
    Doing,
    Approving,
    Answering,
    Conversing,
    Reviewing,
    Handing,
    Proving,
    Telling,
    Erasing,
    Removing,
    Drafting,
    Routing,
    Staffing,
    Exporting,
):
    """One store, its channels and its workers."""

    def _act_for_crm(self, crm: Connected, conversation: str, event: CRMEvent, files: tuple[Attachment, ...]) -> None:
        """An agent wrote something in the CRM, or changed the case."""
        tenant, name = crm.tenant, f"crm.{crm.id}"
        if isinstance(event, AgentReplied | AgentNoted):
            agent = self.add_agent(tenant, f"{name}.{event.agent}", event.agent_name or event.agent).id
            key = f"{name}.{event.id}"
            if isinstance(event, AgentReplied):
                attachments = [file.model_dump(exclude_none=True) for file in files]
                self.reply(tenant, conversation, event.text or None, agent=agent, key=key, attachments=attachments)
            else:
                self.note(tenant, conversation, event.text, agent=agent, key=key)
        elif isinstance(event, CaseChanged):
            self._change_for_crm(tenant, conversation, event.fields, name)

    def _change_for_crm(self, tenant: str, conversation: str, fields: CaseFields, agent: str) -> None:
        if fields.status is not None:
            self.add_agent(tenant, agent, agent.removeprefix("crm."), is_bot=True)
            (self.resolve if fields.status == "closed" else self.reopen)(tenant, conversation, agent=agent)
        if fields.assignee is not None:
            assignee = f"{agent}.{fields.assignee}" if fields.assignee else None
            if assignee and assignee not in {one["id"] for one in self.agents(tenant)}:
                self.add_agent(tenant, assignee, fields.assignee)
            self.assign(tenant, conversation, assignee, agent=agent)

    def _note_for_crm(self, tenant: str, conversation: str, text: str, agent: str, key: str) -> None:
        self.add_agent(tenant, agent, agent.removeprefix("crm."), is_bot=True)
        self.note(tenant, conversation, text, agent=agent, key=key)

    def _write_note(self, tenant: str, conversation: str, text: str, agent: str) -> None:
        self.note(tenant, conversation, text, agent=agent)
