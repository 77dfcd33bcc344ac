"""Mastodon (https://docs.joinmastodon.org, 2026-11): mentions and direct posts of one account on one instance."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any, ClassVar, Literal

import httpx

from socialsupport_core.contract import (
    ConfigError,
    Connector,
    DeliveryError,
    Dial,
    Flow,
    Happening,
    SignIn,
    Step,
    StreamState,
    Unsupported,
)
from socialsupport_core.contract.lax import Json, object_of, text_of, whole_of
from socialsupport_core.model import (
    Attachment,
    Blob,
    Capabilities,
    Credentials,
    Event,
    Facts,
    Identifier,
    Intent,
    Page,
    Party,
    Payload,
    RateLimit,
    Receipt,
    TextLimit,
    Thread,
)
from socialsupport_mastodon import api, failures, inbound, media, outbound, places, receiving, signing_in, wording
from socialsupport_mastodon.settings import MastodonSettings

CHARACTERS = 500
"""https://docs.joinmastodon.org/user/posting/#text (2026-11): where the instance does not say otherwise."""
CAPABILITIES = Capabilities(
    receives=frozenset({"stream", "poll"}),
    events=frozenset(
        {
            "interaction.received",
            "interaction.edited",
            "interaction.deleted",
            "reaction.added",
            "identity.claimed",
            "unrecognised",
        }
    ),
    intents=frozenset({"send.message", "edit.message", "delete.message", "react", "open.private"}),
    unsupported=frozenset({"reaction.removed", "delivery.updated", "typing.started", "typing", "erasure.requested"}),
    sends=frozenset({"public", "private"}),
    # The most that any instance may allow here; `capabilities_in` has what this one does.
    text=TextLimit(limit=100_000, unit="graphemes"),
    subject=True,
    media=media.limits(),
    attachments=4,  # https://docs.joinmastodon.org/user/posting/#attachments (2026-11)
    settles="lookup",
    history=timedelta(days=30),  # the documentation names no end
)
# https://docs.joinmastodon.org/api/rate-limits/ (2026-11), per account
RATE_LIMITS = (
    RateLimit(calls=300, seconds=300),
    RateLimit(calls=30, seconds=1800, of="POST /api/v2/media"),
    RateLimit(calls=30, seconds=1800, of="DELETE /api/v1/statuses/[^/]+"),
)


class Mastodon(Connector[MastodonSettings]):
    name = "mastodon"
    settings_model = MastodonSettings
    stream_state: ClassVar[type[StreamState]] = receiving.Listening
    capabilities = CAPABILITIES
    rate_limits = RATE_LIMITS

    @property
    def hosts(self) -> frozenset[str]:
        return frozenset({self.settings.instance, self._stream}) | self._media

    @property
    def way_in(self) -> Literal["webhook", "poll", "stream"]:
        return self.settings.way_in

    def capabilities_in(self, thread: Thread) -> Capabilities:
        told = self.facts.limits
        longest = min(told.get("max_characters", CHARACTERS), 100_000) - wording.MENTION
        return self.capabilities.model_copy(
            update={
                "text": TextLimit(limit=max(1, longest), unit="graphemes"),
                "attachments": max(1, min(4, told.get("max_media_attachments", 4))),
                "media": media.limits(
                    told.get("image_size_limit") or media.IMAGE, told.get("video_size_limit") or media.VIDEO
                ),
            }
        )

    # inbound: pure

    def parse(self, payload: Payload) -> Iterable[Event]:
        return inbound.translated(payload, self._us)

    def poll(self, cursor: str | None) -> Flow[Page]:
        return receiving.poll(self._tested().host, cursor)

    def history(self, since: datetime, cursor: str | None) -> Flow[Page]:
        return receiving.history(self._tested().host, since, cursor)

    def dial(self, state: Any) -> Flow[Dial]:
        self._tested()
        return receiving.dial(self._stream)

    def step(self, state: Any, happened: Happening) -> Step:
        return receiving.step(state, happened, self._us)

    # outbound

    def measured(self, text: str) -> str:
        return wording.counted(text, self.facts.limits.get("characters_reserved_per_url", wording.URL_LENGTH))

    def send(self, intent: Intent) -> Flow[Receipt]:
        return outbound.send(intent, self._us)

    def lookup(self, intent: Intent, since: datetime) -> Flow[Receipt | None]:
        return outbound.lookup(intent, self._us, since)

    def failure(self, response: httpx.Response) -> DeliveryError | None:
        return failures.failure(response, self.settings.secrets())

    # credentials

    def authorize(
        self, request: httpx.Request, credentials: Credentials | None, now: datetime, nonce: str
    ) -> httpx.Request:
        """Files lie on other hosts, which are told no token."""
        token = credentials.access_token if credentials else self.settings.access_token
        if token and request.url.host in {self.settings.instance, self._stream} and "/api/" in request.url.path:
            request.headers["authorization"] = f"Bearer {token.get_secret_value()}"
        return request

    def connect_with(self, sign_in: SignIn) -> str:
        return signing_in.address(self.settings, sign_in)

    def exchange_with(self, code: str, sign_in: SignIn) -> Flow[Credentials]:
        return signing_in.exchange(self.settings, code, sign_in)

    # about the world

    def probe(self) -> Flow[Facts]:
        """https://docs.joinmastodon.org/methods/accounts/#verify_credentials,
        https://docs.joinmastodon.org/entities/Instance/ (2026-11)"""
        response: httpx.Response = yield api.get(api.at(self.settings.instance, "v1", "accounts", "verify_credentials"))
        us = response.json()
        response = yield api.get(api.at(self.settings.instance, "v2", "instance"))
        found = object_of(response.json(), "configuration")
        return Facts(
            own_account=str(us["id"]),
            name=text_of(us, "display_name") or text_of(us, "username"),
            handle=text_of(us, "acct"),
            limits=_limits(found),
            extra=_addresses(us, found),
        )

    def profile(self, identifier: Identifier) -> Flow[Party]:
        """https://docs.joinmastodon.org/methods/accounts/#get (2026-11)"""
        if (identifier.kind, identifier.scope) != (places.USER, self.settings.instance):
            raise Unsupported(f"{self.settings.instance} cannot tell who {identifier.kind}@{identifier.scope} is")
        response: httpx.Response = yield api.get(api.at(self.settings.instance, "v1", "accounts", identifier.value))
        told = places.party(response.json(), self.settings.instance, self._us.account)
        return told.model_copy(update={"identifiers": (identifier, *told.identifiers[1:])})

    def fetch(self, attachment: Attachment) -> Flow[Blob]:
        return media.fetch(attachment, self.hosts)

    # inside

    @property
    def _us(self) -> inbound.Us:
        return inbound.Us(self.facts.own_account or self.settings.instance, self.settings.instance)

    def _tested(self) -> inbound.Us:
        if self.facts.own_account is None:
            raise ConfigError("run the connection test once: only it tells which account is ours")
        return self._us

    @property
    def _stream(self) -> str:
        return self.facts.extra.get("streaming") or self.settings.instance

    @property
    def _media(self) -> frozenset[str]:
        learnt = self.facts.extra.get("media")
        return frozenset({*self.settings.media_hosts, *([learnt] if learnt else [])})


def _limits(configuration: Json) -> dict[str, int]:
    statuses, files = object_of(configuration, "statuses"), object_of(configuration, "media_attachments")
    told = {name: whole_of(statuses, name) for name in _STATUSES} | {name: whole_of(files, name) for name in _FILES}
    return {name: value for name, value in told.items() if value}


_STATUSES = ("max_characters", "max_media_attachments", "characters_reserved_per_url")
_FILES = ("image_size_limit", "video_size_limit")


def _addresses(us: Json, configuration: Json) -> dict[str, str]:
    """Where the stream is, and where files lie: as a rule our own picture lies there too."""
    told = {"streaming": text_of(object_of(configuration, "urls"), "streaming"), "media": text_of(us, "avatar")}
    return {name: host for name, address in told.items() if (host := _host(address))}


def _host(address: str | None) -> str | None:
    try:
        url = httpx.URL(address or "")
    except (httpx.InvalidURL, UnicodeError):
        return None
    return url.host if url.scheme in {"https", "wss"} and url.port is None else None
