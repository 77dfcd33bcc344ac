"""The adapter: our verbs as HubSpot's tickets, activities and messages, its changes as our events."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, ClassVar

import httpx

from socialsupport_core.contract import (
    CRM,
    CaseFields,
    CaseRef,
    CaseState,
    CaseSummary,
    ConfigError,
    Contact,
    CRMEvent,
    DeliveryError,
    Flow,
    Forbidden,
    Outcome,
    Ref,
    Settings,
    SignIn,
    Unreachable,
    Unsupported,
    answered_at,
)
from socialsupport_core.model import Attachment, Blob, Credentials, Facts, Interaction, Page, Party, Payload, RateLimit
from socialsupport_core.text import file_name
from socialsupport_hubspot import api, erasing, failures, inbound, oauth, people, polling, recording, signing
from socialsupport_hubspot.settings import HubSpotSettings

PAGES = 5
"""So many pages of contacts are read for one search; who matches more is nobody in particular."""
FOLDER = "/socialsupport"
"""In the account's file manager, which wants files in a folder."""


class HubSpot(CRM[HubSpotSettings]):
    name: ClassVar[str] = "hubspot"
    settings_model: ClassVar[type[Settings]] = HubSpotSettings
    rate_limits: ClassVar[tuple[RateLimit, ...]] = (
        # https://developers.hubspot.com/docs/developer-tooling/platform/usage-guidelines (2026-11): of a free account
        RateLimit(calls=100, seconds=10),
        RateLimit(calls=5, seconds=1, of=r"POST /crm/v3/objects/[a-z]+/search"),
    )

    @property
    def hosts(self) -> frozenset[str]:
        return frozenset({api.HOST}) | api.FILE_HOSTS

    # verbs

    def find_customers(self, party: Party) -> Flow[tuple[Contact, ...]]:
        found: dict[str, Contact] = {}
        for groups in people.queries(party):
            after = "0"
            for _ in range(PAGES):
                page = (yield api.search("contacts", groups, people.PROPERTIES, after=after)).json()
                contacts = [people.contact(native) for native in page["results"]]
                found |= {one.id: one for one in contacts if people.shares(one, party)}
                after = page.get("paging", {}).get("next", {}).get("after", "")
                if not after:
                    break
        return tuple(found.values())

    def open_case(self, conversation: CaseSummary) -> Flow[CaseRef]:
        """Looked for first: writing the stage again would open a ticket that was closed meanwhile."""
        ticket = yield from self._known("tickets", conversation.key)
        if ticket is None:
            properties = {
                "subject": conversation.subject,
                "hs_pipeline": self.settings.pipeline,
                "hs_pipeline_stage": self.settings.open_stage,
            }
            ticket = yield from self._upserted("tickets", conversation.key, properties)
        if conversation.contact is not None:
            yield api.associate("tickets", ticket["id"], "contacts", conversation.contact)
        return CaseRef(id=ticket["id"], url=self._link(ticket["id"]))

    def save_interaction(self, case: CaseRef, interaction: Interaction, key: str) -> Flow[Ref]:
        """The key is the record's own, so the newest content stands; a message in the inbox stays as it was."""
        channel = self.settings.channel
        if channel is not None and interaction.direction != "internal":
            path = f"{api.CHANNELS}/{api.segment(channel.id)}/messages"
            content = recording.message(channel, case, interaction, key)
            return Ref(id=f"messages/{(yield api.request('POST', path, json=content)).json()['id']}")
        kind, properties = recording.activity(interaction)
        record = yield from self._upserted(kind, key, properties)
        yield api.associate(kind, record["id"], "tickets", case.id)
        return Ref(id=f"{kind}/{record['id']}")

    def edit_interaction(self, case: CaseRef, record: Ref, interaction: Interaction, key: str) -> Flow[Ref]:
        """A message in the inbox cannot be changed, so the new content is a further one."""
        if record.id.startswith("messages/"):
            key = f"{key}~{recording.digest(interaction)}"
        return (yield from self.save_interaction(case, interaction, key))

    def remove_interaction(self, case: CaseRef, record: Ref, key: str) -> Flow[None]:
        kind, _, name = record.id.partition("/")
        if kind not in ("notes", "communications"):
            raise Unsupported("a message in HubSpot's inbox cannot be taken back; delete its thread there")
        yield from erasing.deleted(f"{api.OBJECTS}/{kind}/{api.segment(name)}")

    def attach(self, case: CaseRef, blob: Blob, key: str) -> Flow[Ref]:
        """A note with the file. A note that has it already is not given another."""
        note = yield from self._known("notes", key, "hs_attachment_ids")
        if note is None or not note["properties"].get("hs_attachment_ids"):
            name = file_name(blob.name or "attachment")
            answer = yield _upload(case, blob, name)
            moment = answered_at(answer).isoformat().replace("+00:00", "Z")
            properties = {"hs_note_body": name, "hs_attachment_ids": str(answer.json()["id"]), "hs_timestamp": moment}
            note = yield from self._upserted("notes", key, properties)
        yield api.associate("notes", note["id"], "tickets", case.id)
        return Ref(id=f"notes/{note['id']}")

    def close_case(self, case: CaseRef, outcome: Outcome) -> Flow[None]:
        yield _changed(case, {"hs_pipeline_stage": self.settings.closed_stage})

    def reopen_case(self, case: CaseRef) -> Flow[None]:
        yield _changed(case, {"hs_pipeline_stage": self.settings.open_stage})

    def read_case(self, case: CaseRef) -> Flow[CaseState]:
        """HubSpot takes no version with a change, so none is told: the newest change stands."""
        asked = {"properties": "hs_pipeline_stage,hubspot_owner_id,subject"}
        ticket = (yield api.request("GET", f"{api.OBJECTS}/tickets/{api.segment(case.id)}", params=asked)).json()
        properties = ticket["properties"]
        return CaseState(
            status="closed" if self.settings.is_closed(str(properties["hs_pipeline_stage"])) else "open",
            assignee=properties.get("hubspot_owner_id") or "",
            subject=properties.get("subject"),
            at=ticket["updatedAt"],
        )

    def change_case(self, case: CaseRef, fields: CaseFields) -> Flow[None]:
        told = {"hubspot_owner_id": fields.assignee, "subject": fields.subject}
        yield _changed(case, {name: value for name, value in told.items() if value is not None})

    def erase(self, contact: str) -> Flow[None]:
        """For good, and HubSpot takes the address into no record again. Done as well if there is none."""
        try:
            yield api.request("POST", f"{api.OBJECTS}/contacts/gdpr-delete", json={"objectId": contact})
        except Unreachable:
            return

    def erase_case(self, case: str) -> Flow[None]:
        return erasing.case(case)

    # about the world

    def probe(self) -> Flow[Facts]:
        """Raises Forbidden if the property for our key is missing, or has no unique values."""
        account = (yield api.request("GET", api.ACCOUNT)).json()
        for kind in ("tickets", "notes", "communications"):
            yield from self._has_key(kind)
        return Facts(own_account=str(account["portalId"]), extra={"time_zone": str(account.get("timeZone", ""))})

    def fetch(self, attachment: Attachment) -> Flow[Blob]:
        signed = (yield api.request("GET", f"{api.FILES}/{api.segment(attachment.native_id or '')}/signed-url")).json()
        response: httpx.Response = yield httpx.Request("GET", signed["url"])
        media_type = response.headers.get("content-type", "application/octet-stream").split(";")[0]
        return Blob(content=response.content, media_type=media_type, name=attachment.name or signed.get("name"))

    # inbound

    def starting(self, since: datetime) -> str | None:
        return polling.starting(since)

    def poll(self, cursor: str | None) -> Flow[Page]:
        return polling.poll(cursor)

    def verify(self, payload: Payload) -> None:
        """What we have fetched ourselves needs no signature."""
        if payload.source != "poll":
            signing.verify(self.settings, payload)

    def parse(self, payload: Payload) -> Iterable[CRMEvent]:
        return inbound.events(payload, self.settings)

    # calls

    def failure(self, response: httpx.Response) -> DeliveryError | None:
        return failures.failure(response)

    def authorize_with(
        self, request: httpx.Request, credentials: Credentials | None, now: datetime, nonce: str
    ) -> httpx.Request:
        """Signed addresses of files are told no token, and the form for a token proves itself who we are."""
        if request.url.host != api.HOST or request.url.path == api.TOKEN:
            return request
        token = credentials.access_token if credentials else self.settings.access_token
        if token is None:
            raise ConfigError("HubSpot has no credentials; connect the account, or set access_token")
        request.headers["authorization"] = f"Bearer {token.get_secret_value()}"
        return request

    def connect(self, state: str, redirect: str) -> str:
        return oauth.address(self.settings, state, redirect)

    def exchange_with(self, code: str, sign_in: SignIn) -> Flow[Credentials]:
        return oauth.exchange(self.settings, code, sign_in.redirect)

    def refresh(self, credentials: Credentials) -> Flow[Credentials]:
        return oauth.refresh(self.settings, credentials)

    # inside

    def _known(self, kind: str, key: str, *properties: str) -> Flow[dict[str, Any] | None]:
        try:
            found = (yield api.by_key(kind, key, self.settings.key_property, *properties)).json()
        except Unreachable:
            return None
        return {**found, "id": str(found["id"])}

    def _upserted(self, kind: str, key: str, properties: dict[str, str]) -> Flow[dict[str, Any]]:
        request = api.upsert(kind, key, self.settings.key_property, properties)
        (record,) = (yield request).json()["results"]
        return {**record, "id": str(record["id"])}

    def _has_key(self, kind: str) -> Flow[None]:
        name = self.settings.key_property
        remedy = f"make the property {name} on {kind} in HubSpot, with unique values, as the adapter's page says"
        try:
            known = (yield api.request("GET", f"{api.PROPERTIES}/{kind}/{name}")).json()
        except Unreachable:
            raise Forbidden(remedy) from None
        if known.get("hasUniqueValue") is not True:
            raise Forbidden(f"{remedy}: the one that is there has none")

    def _link(self, ticket: str) -> str | None:
        portal = self.settings.portal_id or self.facts.own_account
        return f"https://app.hubspot.com/contacts/{portal}/record/0-5/{ticket}" if portal else None


def _changed(case: CaseRef, properties: dict[str, str]) -> httpx.Request:
    return api.request("PATCH", f"{api.OBJECTS}/tickets/{api.segment(case.id)}", json={"properties": properties})


def _upload(case: CaseRef, blob: Blob, name: str) -> httpx.Request:
    """Private: only who has signed in to HubSpot can open it."""
    return api.request(
        "POST",
        api.FILES,
        files={"file": (name, blob.content, blob.media_type)},
        data={"folderPath": f"{FOLDER}/{api.segment(case.id)}", "fileName": name, "options": '{"access":"PRIVATE"}'},
    )
