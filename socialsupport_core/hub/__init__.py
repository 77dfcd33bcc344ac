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

from socialsupport_core.contract import AgentReplied, CaseClosed, CRMEvent
from socialsupport_core.hub.base import NoSuchChannel, NoSuchConversation
from socialsupport_core.hub.configuring import Configuring
from socialsupport_core.hub.conversing import Conversing, NothingTold
from socialsupport_core.hub.doing import Doing, NoSuchInteraction
from socialsupport_core.hub.erasing import Erasing
from socialsupport_core.hub.handing import Handing
from socialsupport_core.hub.proving import Proving
from socialsupport_core.hub.reading import CursorAhead, Reading
from socialsupport_core.hub.receiving import Receiving
from socialsupport_core.hub.reviewing import Reviewing
from socialsupport_core.hub.telling import NoSuchWebhook, Telling
from socialsupport_core.pipeline.channels import DoorClosed, NoSuchDoor
from socialsupport_core.pipeline.replying import ReplyRefused
from socialsupport_core.store.crm import Connected

__all__ = [
    "CursorAhead",
    "DoorClosed",
    "Hub",
    "NoSuchChannel",
    "NoSuchConversation",
    "NoSuchDoor",
    "NoSuchInteraction",
    "NoSuchWebhook",
    "NothingTold",
    "ReplyRefused",
]


class Hub(Configuring, Receiving, Reading, Doing, Conversing, Reviewing, Handing, Proving, Telling, Erasing):
    """One store, its channels and its workers."""

    def _act_for_crm(self, crm: Connected, conversation: str, event: CRMEvent) -> None:
        """An agent answered or closed the case in the CRM."""
        agent = f"crm.{crm.id}"
        if isinstance(event, AgentReplied):
            speaker = self.add_agent(crm.tenant, f"{agent}.{event.agent}", event.agent)
            self.reply(crm.tenant, conversation, event.text, agent=speaker.id, key=f"{agent}.{event.id}"[:120])
        elif isinstance(event, CaseClosed):
            self.resolve(crm.tenant, conversation, agent=agent)

    def _write_note(self, tenant: str, conversation: str, text: str, agent: str) -> None:
        self.note(tenant, conversation, text, agent=agent)
