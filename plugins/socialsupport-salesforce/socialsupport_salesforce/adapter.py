"""The adapter: our verbs as Salesforce's cases, activities and files, its changes as our events."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any, ClassVar

import httpx

from socialsupport_core.contract import (
    CRM,
    CaseFields,
    CaseRef,
    CaseState,
    CaseSummary,
    ConfigError,
    Conflict,
    Contact,
    CRMEvent,
    DeliveryError,
    Flow,
    Outcome,
    Ref,
    Settings,
    SignIn,
    Unreachable,
    Unsupported,
)
from socialsupport_core.model import Blob, Credentials, Facts, Interaction, Page, Party, Payload
from socialsupport_core.text import file_name
from socialsupport_salesforce import erasing, failures, inbound, oauth, people, polling, recording
from socialsupport_salesforce.api import API, TOKEN, quoted, select
from socialsupport_salesforce.settings import SalesforceSettings


class Salesforce(CRM[SalesforceSettings]):
    name: ClassVar[str] = "salesforce"
    settings_model: ClassVar[type[Settings]] = SalesforceSettings
    pause: ClassVar[float] = 60.0
    """A look is one call of those that an org has in a day."""

    def __init__(self, settings: SalesforceSettings, facts: Facts | None = None) -> None:
        super().__init__(settings, facts)
        self.api = API(settings)

    @property
    def hosts(self) -> frozenset[str]:
        return frozenset({self.settings.host})

    # verbs

    def find_customers(self, party: Party) -> Flow[tuple[Contact, ...]]:
        soql = people.query(party)
        if soql is None:
            return ()
        page = (yield self.api.query(soql)).json()
        contacts = [people.contact(native, self.settings.region) for native in page["records"]]
        return tuple(one for one in contacts if people.shares(one, party))

    def open_case(self, conversation: CaseSummary) -> Flow[CaseRef]:
        """Looked for first: writing it again would undo what agents have changed."""
        try:
            known = (yield self.api.by_key("Case", conversation.key, "Id")).json()["Id"]
        except Unreachable:
            fields = recording.case_fields(conversation) | {"Status": self.settings.open_status}
            if self.settings.origin:
                fields["Origin"] = self.settings.origin
            known = (yield self.api.upsert("Case", conversation.key, fields)).json()["id"]
        return CaseRef(id=known, url=f"{self.settings.instance_url}/lightning/r/Case/{known}/view")

    def save_interaction(self, case: CaseRef, interaction: Interaction, key: str) -> Flow[Ref]:
        """A task with our key: the newest content stands."""
        saved = (yield self.api.upsert("Task", key, recording.task(case, interaction))).json()
        return Ref(id=f"Task/{saved['id']}")

    def remove_interaction(self, case: CaseRef, record: Ref, key: str) -> Flow[None]:
        kind, _, name = record.id.partition("/")
        if kind != "Task":
            raise Unsupported(f"{record.id} is no record that was saved from here")
        yield from erasing.deleted(self.api, kind, name)

    def attach(self, case: CaseRef, blob: Blob, key: str) -> Flow[Ref]:
        """A file of the case. It is looked for first: the content of a version never changes."""
        soql = select(["Id"], "ContentVersion", f"{self.api.key} = {quoted(key)}", 1)
        known = (yield self.api.query(soql)).json()["records"]
        name = known[0]["Id"] if known else (yield self._upload(case, blob, key)).json()["id"]
        return Ref(id=f"ContentVersion/{name}")

    def close_case(self, case: CaseRef, outcome: Outcome) -> Flow[None]:
        yield from self._written(case, {"Status": self.settings.closed_status})

    def reopen_case(self, case: CaseRef) -> Flow[None]:
        yield from self._written(case, {"Status": self.settings.open_status})

    def read_case(self, case: CaseRef) -> Flow[CaseState]:
        asked = {"fields": "Subject,IsClosed,OwnerId,SystemModstamp"}
        native = (yield self.api.record("GET", "Case", case.id, params=asked)).json()
        return CaseState(
            status="closed" if native["IsClosed"] else "open",
            assignee=native.get("OwnerId"),
            subject=native.get("Subject") or "",
            version=native["SystemModstamp"],
            at=native["SystemModstamp"],
        )

    def change_case(self, case: CaseRef, fields: CaseFields) -> Flow[None]:
        if fields.assignee == "":
            raise Unsupported("a case in Salesforce always has an owner; name a user or a queue")
        told = {"OwnerId": fields.assignee, "Subject": fields.subject}
        yield from self._written(case, {name: value for name, value in told.items() if value is not None})

    def erase(self, contact: str) -> Flow[None]:
        return erasing.contact(self.api, contact)

    def erase_case(self, case: str) -> Flow[None]:
        return erasing.case(self.api, case)

    # about the world

    def probe(self) -> Flow[Facts]:
        """Raises Forbidden with INVALID_FIELD if the field for our key is missing on one of the three objects."""
        who = (yield self.api.request("GET", "/services/oauth2/userinfo")).json()
        for kind in ("Case", "Task", "ContentVersion"):
            yield self.api.query(select([self.api.key], kind, None, 1))
        limits = (yield self.api.request("GET", f"{self.api.root}/limits")).json()
        return Facts(
            own_account=who["user_id"],
            name=who.get("name"),
            limits={"daily_api_requests": limits["DailyApiRequests"]["Max"]},
            extra={"organization": str(who["organization_id"])},
        )

    # inbound

    def starting(self, since: datetime) -> str | None:
        return polling.starting(since)

    def poll(self, cursor: str | None) -> Flow[Page]:
        return polling.poll(self.api, cursor)

    def parse(self, payload: Payload) -> Iterable[CRMEvent]:
        user = self.settings.user_id or self.facts.own_account
        return inbound.events(payload.body, inbound.Own(user=user, region=self.settings.region))

    # calls

    def failure(self, response: httpx.Response) -> DeliveryError | None:
        return failures.failure(response)

    def authorize_with(
        self, request: httpx.Request, credentials: Credentials | None, now: datetime, nonce: str
    ) -> httpx.Request:
        if request.url.path == TOKEN:
            return oauth.asserted(request, self.settings, now)
        if credentials is None:
            raise ConfigError("Salesforce has no credentials; connect the org")
        request.headers["authorization"] = f"Bearer {credentials.access_token.get_secret_value()}"
        return request

    @property
    def grants_itself(self) -> bool:
        return self.settings.signs_in_by_itself

    def connect_with(self, sign_in: SignIn) -> str:
        return oauth.address(self.settings, sign_in)

    def exchange_with(self, code: str, sign_in: SignIn) -> Flow[Credentials]:
        return oauth.exchange(self.settings, code, sign_in)

    def refresh(self, credentials: Credentials) -> Flow[Credentials]:
        return oauth.refresh(self.settings, credentials)

    # inside

    def _written(self, case: CaseRef, fields: dict[str, Any]) -> Flow[None]:
        """With a version: unless somebody has changed the case since. The header alone would know whole seconds."""
        headers = {}
        if case.version is not None:
            asked = {"fields": "SystemModstamp"}
            native = (yield self.api.record("GET", "Case", case.id, params=asked)).json()
            if native["SystemModstamp"] != case.version:
                raise Conflict("somebody has changed the case since it was read", code="SystemModstamp")
            headers["if-unmodified-since"] = _second_after(case.version)
        yield self.api.record("PATCH", "Case", case.id, json=fields, headers=headers)

    def _upload(self, case: CaseRef, blob: Blob, key: str) -> httpx.Request:
        """The part with the fields comes first. Up to 2 GB:
        https://developer.salesforce.com/docs/platform/api-rest/guide/dome-sobject-insert-update-blob.html (2026-11)"""
        name = file_name(blob.name or "attachment")
        fields = {"Title": name[:255], "PathOnClient": name, "FirstPublishLocationId": case.id, self.api.key: key}
        encoded = httpx.Response(200, json=fields).content
        files = [
            ("entity_content", (None, encoded, "application/json")),
            ("VersionData", (name, blob.content, blob.media_type)),
        ]
        return self.api.request("POST", f"{self.api.root}/sobjects/ContentVersion", files=files)


def _second_after(version: str) -> str:
    read = datetime.fromisoformat(version).astimezone(UTC)
    whole = read.replace(microsecond=0)
    return format_datetime(whole if whole == read else whole + timedelta(seconds=1), usegmt=True)
