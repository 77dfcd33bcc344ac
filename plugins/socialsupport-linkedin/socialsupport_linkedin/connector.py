"""LinkedIn pages, through the Community Management API
(https://learn.microsoft.com/en-us/linkedin/marketing/community-management/community-management-overview, 2026-07)."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from urllib.parse import quote, urlencode

import httpx

from socialsupport_core.contract import (
    AuthExpired,
    ConfigError,
    Connector,
    DeliveryError,
    Flow,
    Forbidden,
    SignIn,
    Unsupported,
)
from socialsupport_core.contract.answered import answered_at
from socialsupport_core.contract.lax import Json, objects_of, text_of
from socialsupport_core.model import (
    Attachment,
    Blob,
    Capabilities,
    Credentials,
    DeleteMessage,
    EditMessage,
    Event,
    Facts,
    Intent,
    Page,
    Payload,
    React,
    Receipt,
    Reply,
    SendMessage,
    TextLimit,
)
from socialsupport_linkedin import api, commenting, door, polling, reading
from socialsupport_linkedin.settings import LinkedInSettings

MEDIA = "*.licdn.com"
"""Where pictures in comments lie, at addresses that are signed and expire."""
SIGN_IN = "https://www.linkedin.com/oauth/v2/authorization"
SCOPES = ("r_organization_social_feed", "w_organization_social_feed", "rw_organization_admin")
"""…/community-management/shares/comments-api and …/organizations/organization-social-action-notifications (2026-07)"""
EVENT = "ORGANIZATION_SOCIAL_ACTION_NOTIFICATIONS"
CAPABILITIES = Capabilities(
    receives=frozenset({"webhook", "poll"}),
    verification="signature",
    events=frozenset({"interaction.received", "interaction.edited", "interaction.deleted", "unrecognised"}),
    intents=frozenset({"send.message", "edit.message", "delete.message", "react"}),
    unsupported=frozenset(
        {
            "delivery.updated",
            "identity.claimed",
            "typing.started",
            "erasure.requested",
            "open.private",
            "mark.read",
            "typing",
        }
    ),
    sends=frozenset({"public"}),
    # LinkedIn's own pages name no number; what publishes there says 1,250:
    # https://glama.ai/mcp/connectors/com.publora/mcp-server/tools/linkedin_create_comment (2026-11)
    text=TextLimit(limit=1250, unit="utf16"),
    settles="lookup",
    # …/organizations/organization-social-action-notifications (2026-07)
    history=timedelta(days=60),
)


class LinkedIn(Connector[LinkedInSettings]):
    """Comments and mentions of one page."""

    name = "linkedin"
    settings_model = LinkedInSettings
    capabilities = CAPABILITIES

    def __init__(self, settings: LinkedInSettings, facts: Facts | None = None) -> None:
        super().__init__(settings, facts)
        self._rest = api.Rest(settings.version)

    @property
    def hosts(self) -> frozenset[str]:
        return frozenset({api.HOST, "www.linkedin.com", MEDIA})

    @property
    def own_account(self) -> str | None:
        return self.settings.organization or self.facts.own_account

    # inbound: pure

    def handshake(self, payload: Payload) -> Reply | None:
        return door.answer(payload, self.settings.client_secret)

    def verify(self, payload: Payload) -> None:
        door.verify(payload, self.settings.signing)

    def parse(self, payload: Payload) -> Iterable[Event]:
        return reading.translated(payload, self.own_account, self.settings.client_id)

    def poll(self, cursor: str | None) -> Flow[Page]:
        return polling.poll(self._rest, self._page, cursor)

    # outbound

    def send(self, intent: Intent) -> Flow[Receipt]:
        match intent:
            case SendMessage(template=None):
                return self._writer.send(intent)
            case EditMessage():
                return self._writer.edit(intent)
            case DeleteMessage():
                return self._writer.delete(intent)
            case React():
                return self._writer.react(intent)
            case _:
                raise Unsupported(f"LinkedIn cannot carry out {intent.type}")

    def lookup(self, intent: Intent, since: datetime) -> Flow[Receipt | None]:
        return self._writer.found(intent, since)

    def failure(self, response: httpx.Response) -> DeliveryError | None:
        return api.failure(response)

    # credentials

    def authorize(
        self, request: httpx.Request, credentials: Credentials | None, now: datetime, nonce: str
    ) -> httpx.Request:
        """Neither the token endpoint nor the CDN is told a token."""
        token = credentials.access_token if credentials else self.settings.access_token
        if request.url.host == api.HOST:
            if token is None:
                raise ConfigError("LinkedIn has no credentials; connect the channel, or set access_token")
            request.headers["authorization"] = f"Bearer {token.get_secret_value()}"
        return request

    def connect(self, state: str, redirect: str) -> str:
        """https://learn.microsoft.com/en-us/linkedin/shared/authentication/authorization-code-flow (2025-11)"""
        asked = {
            "response_type": "code",
            "client_id": self.settings.client_id,
            "redirect_uri": redirect,
            "state": state,
            "scope": " ".join(SCOPES),
        }
        return f"{SIGN_IN}?{urlencode(asked, quote_via=quote)}"

    def exchange_with(self, code: str, sign_in: SignIn) -> Flow[Credentials]:
        return self._granted(grant_type="authorization_code", code=code, redirect_uri=sign_in.redirect)

    def refresh(self, credentials: Credentials) -> Flow[Credentials]:
        """https://learn.microsoft.com/en-us/linkedin/shared/authentication/programmatic-refresh-tokens (2026-11):
        the refresh token ends a year after signing in, however often it is used."""
        given = credentials.refresh_token
        if given is None:
            raise AuthExpired("LinkedIn gave this app no refresh token: connect the channel again")
        fresh = yield from self._granted(grant_type="refresh_token", refresh_token=given.get_secret_value())
        kept = {"refresh_token": fresh.refresh_token or given, "scopes": fresh.scopes or credentials.scopes}
        return fresh.model_copy(update=kept)

    def _granted(self, **form: str) -> Flow[Credentials]:
        settings = self.settings
        ours = {"client_id": settings.client_id, "client_secret": settings.client_secret.get_secret_value()}
        response: httpx.Response = yield httpx.Request("POST", api.TOKEN, data={**form, **ours})
        token = response.json()
        return Credentials(
            access_token=token["access_token"],
            refresh_token=token.get("refresh_token"),
            expires_at=answered_at(response) + timedelta(seconds=int(token["expires_in"])),
            scopes=frozenset(str(token.get("scope") or "").replace(",", " ").split()),
        )

    # about the world

    def probe(self) -> Flow[Facts]:
        """https://learn.microsoft.com/en-us/linkedin/marketing/community-management/organizations/organization-access-control-by-role
        (2026-11)"""
        role = yield from self._role()
        own = _organization(role).rpartition(":")[2]
        response: httpx.Response = yield self._rest.call("GET", f"organizations/{own}")
        page = response.json()
        name, handle = text_of(page, "localizedName"), text_of(page, "vanityName")
        return Facts(own_account=own, name=name, handle=handle, extra={"member": str(role["roleAssignee"])})

    def subscribe(self, public_url: str) -> Flow[None]:
        """…/organizations/organization-social-action-notifications (2026-07): for the member who has signed in."""
        if self.settings.application_id is None:
            raise ConfigError("application_id is missing: the number in the address of the app's page in the portal")
        role = yield from self._role()
        key = {
            "developerApplication": f"urn:li:developerApplication:{self.settings.application_id}",
            "user": str(role["roleAssignee"]),
            "entity": _organization(role),
            "eventType": EVENT,
        }
        written = ",".join(f"{name}:{api.encoded(value)}" for name, value in key.items())
        yield self._rest.call("PUT", f"eventSubscriptions/({written})", json={"webhook": public_url})

    def fetch(self, attachment: Attachment) -> Flow[Blob]:
        if attachment.url is None:
            raise Unsupported("a picture without an address cannot be fetched")
        response: httpx.Response = yield httpx.Request("GET", attachment.url)
        return Blob(content=response.content, media_type=response.headers.get("content-type", attachment.media_type))

    # inside

    @property
    def _page(self) -> str:
        if self.own_account is None:
            raise ConfigError("organization is missing; enter the page's number, or run the connection test once")
        return self.own_account

    @property
    def _writer(self) -> commenting.Writer:
        return commenting.Writer(self._rest, self._page)

    def _role(self) -> Flow[Json]:
        """What makes us the page's administrator."""
        query = "q=roleAssignee&role=ADMINISTRATOR&state=APPROVED"
        response: httpx.Response = yield self._rest.call("GET", "organizationAcls", query)
        ours = objects_of(response.json(), "elements")
        wanted = self.settings.organization
        found = [one for one in ours if wanted is None or _organization(one) == f"urn:li:organization:{wanted}"]
        if len(found) == 1:
            return found[0]
        pages = ", ".join(sorted(_organization(one).rpartition(":")[2] for one in ours)) or "none"
        raise Forbidden(f"enter one of the pages that this account administers as organization; they are: {pages}")


def _organization(role: Json) -> str:
    return text_of(role, "organization", "organizationalTarget") or ""
