"""A Salesforce org played on this machine: contacts, cases, activities, comments and files, and people who work there.

What a record must and may have is restated from the object reference
(https://developer.salesforce.com/docs/platform/object-reference, 2026-11).
"""

import email.policy
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from email.parser import BytesParser
from email.utils import format_datetime, parsedate_to_datetime
from typing import Any, ClassVar
from urllib.parse import parse_qs, unquote, urlsplit

import httpx

from socialsupport_core.contract import Settings
from socialsupport_core.testing.oauth import SignInPages, Token
from socialsupport_core.testing.simulator import Said, Simulator
from socialsupport_salesforce.api import SUBREQUESTS
from socialsupport_salesforce.assertions import checked
from socialsupport_salesforce.settings import SalesforceSettings
from socialsupport_salesforce.soql import MalformedQuery, Parser, Query, value_of

SYSTEM = frozenset({"Id", "IsDeleted", "SystemModstamp", "CreatedById", "CreatedDate", "LastModifiedById", "CreatedBy"})
PREFIXES = {"Case": "500", "Contact": "003", "Task": "00T", "CaseComment": "00a", "ContentVersion": "068",
            "ContentDocument": "069", "ContentDocumentLink": "06A"}  # fmt: skip
_ADDRESS = frozenset({"Street", "City", "State", "PostalCode", "Country"})
KNOWN: Mapping[str, frozenset[str]] = {
    "Case": frozenset(
        {"Subject", "Status", "Origin", "ContactId", "OwnerId", "SuppliedName", "SuppliedEmail", "SuppliedPhone",
         "IsClosed", "ClosedDate", "MasterRecordId"}
    ),
    "Contact": frozenset(
        {"LastName", "FirstName", "Name", "Email", "Phone", "MobilePhone", "HomePhone", "OtherPhone", "AssistantPhone",
         "Fax", "Title", "Department", "Birthdate", "Description", "AssistantName", "Account", "MasterRecordId"}
        | {f"{kind}{part}" for kind in ("Mailing", "Other") for part in _ADDRESS}
    ),
    "Task": frozenset({"WhatId", "Subject", "Description", "Status", "ActivityDate"}),
    "CaseComment": frozenset({"ParentId", "CommentBody", "IsPublished", "Parent"}),
    "ContentVersion": frozenset(
        {"Title", "PathOnClient", "FirstPublishLocationId", "ContentDocumentId", "VersionData"}
    ),
    "ContentDocument": frozenset(),
    "ContentDocumentLink": frozenset({"ContentDocumentId", "LinkedEntityId"}),
}  # fmt: skip
KEYED = frozenset({"Case", "Task", "ContentVersion"})
"""What an operator has made the field for our key on."""
READ_ONLY = frozenset({"IsClosed", "ClosedDate", "MasterRecordId", "Name", "ContentDocumentId"})
LONGEST = {"Subject": 255, "Title": 255, "Description": 32_000, "SuppliedName": 80, "SuppliedPhone": 40}
"""Characters, as Java counts them."""
US, DANA = "005000000000001AAA", "005000000000002AAA"
"""The user as whom we work, and an agent."""
MAX_CALLS = 15_000
FIRST_TOKEN = "fake-access-token-1"  # noqa: S105 - of a fake org
"""The org has been connected before: whoever has this token works there as we do."""

Answer = tuple[int, Any]


class Refused(Exception):
    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.answer: Answer = (status, [{"errorCode": code, "message": message}])


@dataclass(frozen=True)
class Call:
    """A request, or a part of a composite one."""

    method: str
    path: str
    query: Mapping[str, str]
    body: Any
    headers: Mapping[str, str]


Handler = Callable[["SalesforceServer", Call, tuple[str, ...]], Answer]


class SalesforceServer(Simulator):
    network: ClassVar[str] = "salesforce"
    hosts: ClassVar[frozenset[str]] = frozenset({"acme.my.salesforce.com"})

    def __init__(self, settings: Settings, **more: Any) -> None:
        super().__init__(settings, **more)
        self.own = SalesforceSettings.model_validate(settings, from_attributes=True)
        self.user = self.own.user_id or US
        self.records: dict[str, dict[str, dict[str, Any]]] = {kind: {} for kind in KNOWN}
        self.keyed = set(KEYED)
        secret = self.own.client_secret
        self.pages = SignInPages(
            self.clock, self.random, self.own.client_id, lifetime=timedelta(hours=2), single_use=False
        )
        self.pages.tokens[FIRST_TOKEN] = Token(datetime.max.replace(tzinfo=UTC), "api refresh_token")
        self._secret = secret.get_secret_value() if secret else None
        self._last = 0
        self._moment = datetime.fromtimestamp(0, UTC)

    # what people in Salesforce do

    def add_contact(self, last_name: str, **fields: Any) -> str:
        return self._make("Contact", {"LastName": last_name, "Name": last_name, **fields}, DANA)

    def change(self, kind: str, record: str, by: str = DANA, **fields: Any) -> None:
        self._write(self.records[kind][record], fields, by)

    def delete(self, kind: str, record: str, into: str | None = None) -> None:
        self._write(self.records[kind][record], {"IsDeleted": True, "MasterRecordId": into}, DANA)

    def close(self, case: str) -> None:
        self.change("Case", case, Status=self.own.closed_status)

    def reply(self, case: str, agent: str, text: str, *, public: bool = True) -> Said:
        fields = {"ParentId": case, "CommentBody": text, "IsPublished": public}
        name = self._make("CaseComment", fields, DANA, CreatedBy={"Name": agent})
        said = Said(name, case, case, agent, text, self.clock())
        self.said.append(said)
        return said

    def speak(self, person: str, text: str, place: str = "", **more: Any) -> Said:
        """An agent (`person`) comments on a case (`place`), by default the newest, for the customer to see."""
        return self.reply(place or next(reversed(self.records["Case"])), person, text)

    def standing(self, kind: str) -> dict[str, dict[str, Any]]:
        """What is not deleted."""
        return {name: one for name, one in self.records[kind].items() if not one["IsDeleted"]}

    def everything(self) -> str:
        """All that is stored, the recycle bin included, as text."""
        return json.dumps(self.records, default=str)

    # its REST interface

    def respond(self, request: httpx.Request) -> httpx.Response:
        status, content = self._answered(request)
        headers = {
            "date": format_datetime(self.clock().astimezone(UTC), usegmt=True),
            "sforce-limit-info": f"api-usage={len(self.calls)}/{MAX_CALLS}",
        }
        if isinstance(content, httpx.Response):
            content.headers.update(headers)
            return content
        return (
            httpx.Response(status, headers=headers, json=content)
            if content is not None
            else httpx.Response(status, headers=headers)
        )

    def rate_limited(self, request: httpx.Request) -> httpx.Response:
        told = [{"errorCode": "REQUEST_LIMIT_EXCEEDED", "message": "TotalRequests Limit exceeded."}]
        return httpx.Response(403, json=told, headers={"sforce-limit-info": f"api-usage={MAX_CALLS}/{MAX_CALLS}"})

    def expired(self, request: httpx.Request) -> httpx.Response:
        return httpx.Response(401, json=[{"errorCode": "INVALID_SESSION_ID", "message": "Session expired or invalid"}])

    def _answered(self, request: httpx.Request) -> Answer:
        if request.url.path == "/services/oauth2/authorize":
            return 0, self.pages.page(request)
        if request.url.path == "/services/oauth2/token":
            return 0, self._token(request)
        if not self.pages.accepts(request):
            return 0, self.expired(request)
        try:
            return self._handled(_call(request))
        except Refused as refused:
            return refused.answer

    def _handled(self, call: Call) -> Answer:
        root = f"/services/data/v{self.own.api_version}"
        path = call.path.removeprefix(root)
        for (method, pattern), handler in ROUTES.items():
            if method == call.method and (match := re.fullmatch(pattern, path)):
                return handler(self, call, tuple(unquote(part) for part in match.groups()))
        raise Refused(404, "NOT_FOUND", f"{call.method} {call.path}")

    def _token(self, request: httpx.Request) -> httpx.Response:
        form = {name: values[0] for name, values in parse_qs(request.read().decode()).items()}
        if form.get("grant_type", "").endswith("jwt-bearer"):
            fault = checked(form.get("assertion", ""), self.own, self.clock())
            granted = self.pages.grant("api") if fault is None else _refused("invalid_grant", fault)
        elif form.get("client_id") != self.own.client_id or form.get("client_secret") != self._secret:
            return _refused("invalid_client_id", "client identifier invalid")
        elif form.get("grant_type") == "client_credentials":
            granted = self.pages.grant("api")
        else:
            granted = self.pages.token(request)
        if granted.status_code != 200:
            return granted
        token = granted.json()
        token.pop("expires_in")
        if form["grant_type"] != "authorization_code":
            token.pop("refresh_token")
        issued = str(int(self.clock().timestamp() * 1000))
        return httpx.Response(200, json={**token, "instance_url": self.own.instance_url, "issued_at": issued})

    def _whoami(self, _: Call, path: tuple[str, ...]) -> Answer:
        return 200, {"user_id": self.user, "organization_id": "00D000000000001AAA", "name": "socialsupport"}

    def _limits(self, _: Call, path: tuple[str, ...]) -> Answer:
        return 200, {"DailyApiRequests": {"Max": MAX_CALLS, "Remaining": MAX_CALLS - len(self.calls)}}

    def _query(self, call: Call, path: tuple[str, ...]) -> Answer:
        query = self._understood(call.query.get("q", ""))
        rows = [self._joined(query.kind, one) for one in self.records[query.kind].values()]
        found = [row for row in rows if query.fits(row) and (path[0] == "queryAll" or not row["IsDeleted"])]
        found.sort(key=lambda row: tuple(value_of(row, name) for name in query.order))
        records = [self._shown(query, row) for row in found[: query.limit]]
        return 200, {"totalSize": len(records), "done": True, "records": records}

    def _understood(self, soql: str) -> Query:
        try:
            query = Parser(soql).query()
        except MalformedQuery as error:
            raise Refused(400, "MALFORMED_QUERY", str(error)) from None
        for name in query.fields if query.kind in KNOWN else ():
            self._check_field(query.kind, name)
        if query.kind not in KNOWN:
            raise Refused(400, "INVALID_TYPE", f"sObject type '{query.kind}' is not supported")
        return query

    def _check_field(self, kind: str, name: str) -> None:
        first, _, rest = name.partition(".")
        if first == "Parent":
            return self._check_field("Case", rest)
        if first not in KNOWN[kind] | SYSTEM and not (first == self.own.key_field and kind in self.keyed):
            raise Refused(400, "INVALID_FIELD", f"No such column '{name}' on entity '{kind}'")
        return None

    def _joined(self, kind: str, record: dict[str, Any]) -> dict[str, Any]:
        return (
            {**record, "Parent": self.records["Case"].get(record.get("ParentId", ""))}
            if kind == "CaseComment"
            else record
        )

    def _shown(self, query: Query, row: dict[str, Any]) -> dict[str, Any]:
        url = f"/services/data/v{self.own.api_version}/sobjects/{query.kind}/{row['Id']}"
        values = {
            name.partition(".")[0]: row.get(name.partition(".")[0]) for name in query.fields if "Parent." not in name
        }
        written = {name: _written(value) if isinstance(value, datetime) else value for name, value in values.items()}
        return {"attributes": {"type": query.kind, "url": url}, **written}

    def _get(self, call: Call, path: tuple[str, ...]) -> Answer:
        record = self._found(*path)
        names = ["Id", *call.query.get("fields", "").split(",")]
        shown = {
            name: _written(value) if isinstance((value := record.get(name)), datetime) else value
            for name in names
            if name
        }
        return 200, {"attributes": {"type": path[0]}, **shown}

    def _get_by_key(self, call: Call, path: tuple[str, ...]) -> Answer:
        kind, field, key = path
        found = self._keys(kind, field, key)
        if not found:
            raise Refused(404, "NOT_FOUND", "The requested resource does not exist")
        return self._get(call, (kind, found[0]["Id"]))

    def _upsert(self, call: Call, path: tuple[str, ...]) -> Answer:
        kind, field, key = path
        found = self._keys(kind, field, key)
        if len(found) > 1:
            return 300, [f"/services/data/v66.0/sobjects/{kind}/{one['Id']}" for one in found]
        if found:
            self._check(kind, call.body)
            self._write(found[0], call.body, self.user)
            return 200, {"id": found[0]["Id"], "success": True, "errors": [], "created": False}
        return 201, self._created(kind, {**call.body, field: key})

    def _create(self, call: Call, path: tuple[str, ...]) -> Answer:
        if path[0] == "ContentVersion" and not {"PathOnClient", "VersionData"} <= call.body.keys():
            raise Refused(400, "REQUIRED_FIELD_MISSING", "PathOnClient, VersionData")
        answer = self._created(path[0], call.body)
        if path[0] == "ContentVersion":
            self._published(self.records["ContentVersion"][answer["id"]])
        return 201, answer

    def _created(self, kind: str, fields: dict[str, Any]) -> dict[str, Any]:
        self._check(kind, fields)
        key = fields.get(self.own.key_field)
        if key is not None and self._keys(kind, self.own.key_field, key):
            raise Refused(400, "DUPLICATE_VALUE", f"duplicate value found: {self.own.key_field}")
        name = self._make(kind, fields, self.user)
        return {"id": name, "success": True, "errors": [], "created": True}

    def _published(self, version: dict[str, Any]) -> None:
        """The first version makes the document, and shares it with the record."""
        document = self._make("ContentDocument", {}, self.user)
        version["ContentDocumentId"] = document
        link = {"ContentDocumentId": document, "LinkedEntityId": version["FirstPublishLocationId"]}
        self._make("ContentDocumentLink", link, self.user)

    def _patch(self, call: Call, path: tuple[str, ...]) -> Answer:
        record = self._found(*path)
        unmodified = call.headers.get("if-unmodified-since")
        if unmodified and record["SystemModstamp"] > parsedate_to_datetime(unmodified):
            raise Refused(412, "PRECONDITION_FAILED", "the record was modified")
        self._check(path[0], call.body)
        self._write(record, call.body, self.user)
        return 204, None

    def _delete(self, call: Call, path: tuple[str, ...]) -> Answer:
        self._remove(path[0], self._found(*path))
        return 204, None

    def _delete_several(self, call: Call, path: tuple[str, ...]) -> Answer:
        kinds = {prefix: kind for kind, prefix in PREFIXES.items()}
        ids = call.query["ids"].split(",")
        for name in ids:
            self._remove(kinds[name[:3]], self._found(kinds[name[:3]], name))
        return 200, [{"id": name, "success": True, "errors": []} for name in ids]

    def _remove(self, kind: str, record: dict[str, Any]) -> None:
        """A case takes its tasks and comments along, a document its versions and links."""
        if kind == "Contact" and any(one.get("ContactId") == record["Id"] for one in self.standing("Case").values()):
            raise Refused(400, "DELETE_FAILED", "the contact is associated with cases")
        self._write(record, {"IsDeleted": True}, self.user)
        for other, field in CHILDREN.get(kind, ()):
            for child in self.standing(other).values():
                if child.get(field) == record["Id"]:
                    self._write(child, {"IsDeleted": True}, self.user)

    def _composite(self, call: Call, path: tuple[str, ...]) -> Answer:
        parts = call.body["compositeRequest"]
        if len(parts) > SUBREQUESTS or sum("/query" in one["url"] for one in parts) > 5:
            raise Refused(400, "LIMIT_EXCEEDED", "at most 25 parts, five of them queries")
        before = {kind: {name: dict(one) for name, one in records.items()} for kind, records in self.records.items()}
        answers = [self._part(one) for one in parts]
        if call.body.get("allOrNone") and any(status >= 300 for status, _ in answers):
            self.records = before
            halted = [{"errorCode": "PROCESSING_HALTED", "message": "rolled back"}]
            answers = [(status, body) if status >= 300 else (400, halted) for status, body in answers]
        told = [
            {"body": body, "httpHeaders": {}, "httpStatusCode": status, "referenceId": part["referenceId"]}
            for part, (status, body) in zip(parts, answers, strict=True)
        ]
        return 200, {"compositeResponse": told}

    def _part(self, part: dict[str, Any]) -> Answer:
        split = urlsplit(part["url"])
        query = {name: values[0] for name, values in parse_qs(split.query).items()}
        try:
            return self._handled(Call(part["method"], split.path, query, part.get("body"), part.get("httpHeaders", {})))
        except Refused as refused:
            return refused.answer

    # inside

    def _found(self, kind: str, name: str) -> dict[str, Any]:
        record = self.records.get(kind, {}).get(name)
        if record is None or record["IsDeleted"]:
            raise Refused(404, "ENTITY_IS_DELETED" if record else "NOT_FOUND", "entity is deleted")
        return record

    def _keys(self, kind: str, field: str, key: str) -> list[dict[str, Any]]:
        if field != self.own.key_field or kind not in self.keyed:
            raise Refused(400, "INVALID_FIELD", f"Provided external ID field does not exist: {field}")
        return [one for one in self.standing(kind).values() if str(one.get(field, "")).casefold() == key.casefold()]

    def _check(self, kind: str, fields: dict[str, Any]) -> None:
        for name, value in fields.items():
            if name in READ_ONLY | SYSTEM:
                raise Refused(400, "INVALID_FIELD_FOR_INSERT_UPDATE", f"Unable to create/update fields: {name}")
            self._check_field(kind, name)
            if isinstance(value, str) and len(value.encode("utf-16-le")) // 2 > LONGEST.get(name, 131_072):
                raise Refused(400, "STRING_TOO_LONG", f"{name}: data value too large")
        for name in ("WhatId", "ContactId", "FirstPublishLocationId"):
            owner = "Contact" if name == "ContactId" else "Case"
            if fields.get(name) and fields[name] not in self.standing(owner):
                raise Refused(400, "INVALID_CROSS_REFERENCE_KEY", f"invalid cross reference id: {name}")
        if "LastName" in fields and not fields["LastName"]:
            raise Refused(400, "REQUIRED_FIELD_MISSING", "Required fields are missing: [LastName]")

    def _make(self, kind: str, fields: dict[str, Any], by: str, **more: Any) -> str:
        self._last += 1
        name = f"{PREFIXES[kind]}{self._last:012}AAA"
        record = {
            "Id": name,
            "IsDeleted": False,
            "CreatedById": by,
            "CreatedDate": self._now(),
            "CreatedBy": {"Name": by},
        }
        self.records[kind][name] = record | more
        if kind == "Case":
            fields = {"Status": "New", "OwnerId": self.user, "IsClosed": False, "ClosedDate": None, **fields}
        self._write(self.records[kind][name], fields, by)
        return name

    def _write(self, record: dict[str, Any], fields: dict[str, Any], by: str) -> None:
        record.update(fields)
        at = self._now()
        if "Status" in fields and record["Id"].startswith("500"):
            closed = fields["Status"] == self.own.closed_status
            record["ClosedDate"] = (record.get("ClosedDate") or at) if closed else None
            record["IsClosed"] = closed
        record["SystemModstamp"], record["LastModifiedById"] = at, by

    def _now(self) -> datetime:
        """Of two changes the later one has the later moment."""
        now = self.clock().astimezone(UTC)
        self._moment = max(now, self._moment + timedelta(milliseconds=1))
        return self._moment


CHILDREN: Mapping[str, tuple[tuple[str, str], ...]] = {
    "Case": (("Task", "WhatId"), ("CaseComment", "ParentId"), ("ContentDocumentLink", "LinkedEntityId")),
    "ContentDocument": (("ContentVersion", "ContentDocumentId"), ("ContentDocumentLink", "ContentDocumentId")),
}
ROUTES: Mapping[tuple[str, str], Handler] = {
    ("GET", "/services/oauth2/userinfo"): SalesforceServer._whoami,
    ("GET", "/limits"): SalesforceServer._limits,
    ("GET", "/(query|queryAll)"): SalesforceServer._query,
    ("POST", "/composite"): SalesforceServer._composite,
    ("DELETE", "/composite/sobjects"): SalesforceServer._delete_several,
    ("GET", "/sobjects/([A-Za-z]+)/([0-9A-Za-z]{15,18})"): SalesforceServer._get,
    ("PATCH", "/sobjects/([A-Za-z]+)/([0-9A-Za-z]{15,18})"): SalesforceServer._patch,
    ("DELETE", "/sobjects/([A-Za-z]+)/([0-9A-Za-z]{15,18})"): SalesforceServer._delete,
    ("POST", "/sobjects/([A-Za-z]+)"): SalesforceServer._create,
    ("GET", "/sobjects/([A-Za-z]+)/([A-Za-z_]+__c)/([^/]+)"): SalesforceServer._get_by_key,
    ("PATCH", "/sobjects/([A-Za-z]+)/([A-Za-z_]+__c)/([^/]+)"): SalesforceServer._upsert,
}


def _call(request: httpx.Request) -> Call:
    return Call(
        request.method,
        request.url.raw_path.decode().partition("?")[0],
        dict(request.url.params),
        _body(request),
        request.headers,
    )


def _body(request: httpx.Request) -> Any:
    kind, content = request.headers.get("content-type", ""), request.read()
    if kind.startswith("multipart/"):
        message = BytesParser(EmailMessage, policy=email.policy.HTTP).parsebytes(
            f"content-type: {kind}\r\n\r\n".encode() + content
        )
        parts = {str(one.get_param("name", header="content-disposition")): one for one in message.iter_parts()}
        if (
            list(parts) != ["entity_content", "VersionData"]
            or parts["entity_content"].get_content_type() != "application/json"
        ):
            raise Refused(400, "INVALID_MULTIPART_REQUEST", "the fields come first, as JSON, then the content")
        fields = json.loads(bytes(parts["entity_content"].get_payload(decode=True)))
        return {**fields, "VersionData": parts["VersionData"].get_payload(decode=True)}
    try:
        return json.loads(content) if content else None
    except ValueError:
        raise Refused(400, "JSON_PARSER_ERROR", "the body is not JSON") from None


def _refused(error: str, description: str) -> httpx.Response:
    return httpx.Response(400, json={"error": error, "error_description": description})


def _written(at: datetime) -> str:
    """As Salesforce writes a moment."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "+0000")
