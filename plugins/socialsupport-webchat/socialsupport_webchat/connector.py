"""Web chat payloads into events. Nothing goes out: the visitor reads what the hub has recorded."""

import hashlib
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Annotated, ClassVar

from pydantic import Field, SecretStr, StringConstraints

from socialsupport_core.contract import (
    Connector,
    ContentRejected,
    Flow,
    Forbidden,
    MalformedPayload,
    Settings,
    SignatureError,
    Unsupported,
)
from socialsupport_core.model import (
    Capabilities,
    DeleteMessage,
    DeliveryUpdated,
    EditMessage,
    Event,
    Facts,
    Identifier,
    IdentityClaimed,
    Intent,
    Interaction,
    InteractionReceived,
    Party,
    Payload,
    ProfileUpdated,
    Receipt,
    SendMessage,
    Thread,
    Typing,
    TypingStarted,
    Unrecognised,
)
from socialsupport_webchat import protocol
from socialsupport_webchat.protocol import Identity

Secret = Annotated[SecretStr, Field(min_length=16)]
Origin = Annotated[str, StringConstraints(pattern=r"^https?://[A-Za-z0-9.-]+(:[0-9]{1,5})?$")]


class WebchatSettings(Settings):
    own_account: Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9._-]{0,63}$")]
    """The name of this chat in identifiers, for instance `acme-web`. Changing it makes every visitor a new one."""
    secret: Secret
    """Signs visitors' tokens and payloads. `openssl rand -hex 32` makes a good one."""
    previous_secret: Secret | None = None
    identity_secret: Secret | None = None
    """Shared with the host page's server, which signs who is logged in. Without it no identity is verified."""
    previous_identity_secret: Secret | None = None
    title: Annotated[str, StringConstraints(min_length=1, max_length=80)] = "Chat with us"
    greeting: Annotated[str, StringConstraints(max_length=500)] = "Hello! How can we help?"
    accent: Annotated[str, StringConstraints(pattern=r"^#[0-9a-fA-F]{6}$")] = "#3f51b5"
    ask_email: bool = False
    """Offers visitors a form for their name and e-mail address."""
    allowed_origins: tuple[Origin, ...] = ()
    """Sites that may embed the chat, for instance `https://www.acme.example`."""


class IdentityRefused(ValueError):
    """Why a signed identity is not believed."""


class Webchat(Connector[WebchatSettings]):
    name = "webchat"
    settings_model = WebchatSettings
    capabilities: ClassVar[Capabilities] = Capabilities(
        receives=frozenset({"webhook"}),
        verification="signature",
        events=frozenset(
            {
                "interaction.received",
                "delivery.updated",
                "identity.claimed",
                "profile.updated",
                "typing.started",
                "unrecognised",
            }
        ),
        intents=frozenset({"send.message", "edit.message", "delete.message", "typing"}),
        unsupported=frozenset(
            {
                "interaction.edited",  # visitors cannot take back what they wrote
                "interaction.deleted",
                "reaction.added",
                "reaction.removed",
                "react",
                "thread.updated",
                "open.private",  # every thread is private
                "mark.read",
            }
        ),
        sends=frozenset({"private"}),
        markup=True,
        choices=10,
        receipts=frozenset({"read"}),
        settles="native_key",
    )

    @property
    def secrets(self) -> tuple[SecretStr, ...]:
        return _present(self.settings.secret, self.settings.previous_secret)

    # inbound

    def verify(self, payload: Payload) -> None:
        signature = payload.header(protocol.SIGNATURE_HEADER)
        if signature is None:
            raise SignatureError(f"the header {protocol.SIGNATURE_HEADER} is missing")
        if not protocol.is_signed(payload.body, signature, self.secrets):
            raise SignatureError(f"{protocol.SIGNATURE_HEADER} does not fit the body; check `secret`")

    def parse(self, payload: Payload) -> Iterable[Event]:
        envelope = protocol.read(protocol.Envelope, payload.body)
        model = protocol.SAID.get(envelope.type)
        if model is None:
            # What every type so far has; a later one without them is told apart by its bytes.
            named = isinstance(envelope.visitor, str) and isinstance(envelope.id, str)
            content = f"{envelope.visitor}\n{envelope.id}".encode() if named else payload.body
            return [self._unrecognised(content, envelope.type, "the web chat's protocol has no such type")]
        return list(self._events(protocol.read(model, payload.body), payload.received_at))

    def _events(self, said: protocol.Said, now: datetime) -> Iterator[Event]:
        match said:
            case protocol.Message():
                yield from self._handed_off(said.visitor, said.handoff, now)
                yield self._interaction(said, now)
            case protocol.Identify():
                yield from self._handed_off(said.visitor, said.handoff, now)
                yield from self._identified(said, now)
            case protocol.Typing():
                yield self._typing(said, now)
            case protocol.Read():
                yield from (self._read(said.visitor, message, now) for message in dict.fromkeys(said.messages))

    def _interaction(self, said: protocol.Message, now: datetime) -> InteractionReceived:
        return InteractionReceived(
            id=f"{said.visitor}:{said.id}",
            interaction=Interaction(
                network=self.name,
                native_id=said.id,
                kind="message",
                direction="inbound",
                own_account=self.settings.own_account,
                thread=_thread(said.visitor),
                author=self._party(said.visitor),
                in_reply_to=said.reply_to,
                text=said.text,
                choice=said.choice,
                sent_at=_believed(said.at, now),
            ),
        )

    def _handed_off(self, visitor: str, token: str | None, now: datetime) -> Iterator[Event]:
        if token is None:
            return
        if not protocol.HANDOFF.fullmatch(token):
            yield self._unrecognised(f"{visitor}\n{token}".encode(), "handoff", "this is not a hand-off token")
            return
        yield IdentityClaimed(
            id=f"{visitor}:handoff:{token}",
            own_account=self.settings.own_account,
            subject=self._visitor(visitor),
            proof="handoff_token",
            token=token,
            thread=_thread(visitor),
            at=now,
        )

    def _identified(self, said: protocol.Identify, now: datetime) -> Iterator[Event]:
        try:
            identity = self.identity(said.identity, said.signature, now)
        except IdentityRefused as error:
            yield self._unrecognised(_bytes(said), "identify", str(error))
            return
        digest = hashlib.sha256(_bytes(said)).hexdigest()[:32]
        claims = self._claims(identity)
        if claims:
            yield IdentityClaimed(
                id=f"{said.visitor}:identity:{digest}",
                own_account=self.settings.own_account,
                subject=self._visitor(said.visitor),
                claims=claims,
                tier="verified" if said.signature is not None else "claimed",
                proof="signed_identity" if said.signature is not None else "typed",
                thread=_thread(said.visitor),
                at=now,
            )
        if identity.name is not None:
            yield ProfileUpdated(
                id=f"{said.visitor}:profile:{digest}",
                own_account=self.settings.own_account,
                party=self._party(said.visitor, identity.name),
                at=now,
            )

    def identity(self, text: str, signature: str | None, now: datetime) -> Identity:
        """What a signed or typed identity says. Raises IdentityRefused."""
        if signature is not None:
            self._check_identity_signature(text, signature)
        try:
            identity = protocol.read(Identity, text)
        except MalformedPayload as error:
            raise IdentityRefused(f"the identity cannot be read: {error}") from None
        if signature is not None:
            _check_signed(identity, now)
        return identity

    def _check_identity_signature(self, text: str, signature: str) -> None:
        secrets = _present(self.settings.identity_secret, self.settings.previous_identity_secret)
        if not secrets:
            raise IdentityRefused("the identity is signed but the channel has no `identity_secret`")
        if not protocol.is_signed(text.encode(), signature, secrets):
            raise IdentityRefused("the signature does not fit the identity; sign exactly the text that is sent")

    def _claims(self, identity: Identity) -> tuple[Identifier, ...]:
        own_account = self.settings.own_account
        named = (("webchat.user", own_account, identity.user), ("email", None, identity.email))
        found = (*named, ("phone", None, identity.phone))
        return tuple(Identifier(kind=kind, scope=scope, value=value) for kind, scope, value in found if value)

    def _typing(self, said: protocol.Typing, now: datetime) -> TypingStarted:
        return TypingStarted(
            id=f"{said.visitor}:typing:{said.id}",
            own_account=self.settings.own_account,
            thread=_thread(said.visitor),
            author=self._party(said.visitor),
            at=now,
        )

    def _read(self, visitor: str, message: str, now: datetime) -> DeliveryUpdated:
        return DeliveryUpdated(
            id=f"{visitor}:read:{message}",
            own_account=self.settings.own_account,
            state="read",
            native_id=message,
            thread=_thread(visitor),
            at=now,
        )

    def _unrecognised(self, content: bytes, kind: str, reason: str) -> Unrecognised:
        return Unrecognised(
            id=f"unrecognised:{hashlib.sha256(kind.encode() + content).hexdigest()[:32]}",
            own_account=self.settings.own_account,
            native_type=kind,
            reason=reason,
        )

    def _visitor(self, visitor: str) -> Identifier:
        return Identifier(kind="webchat.visitor", scope=self.settings.own_account, value=visitor)

    def _party(self, visitor: str, name: str | None = None) -> Party:
        return Party(identifiers=(self._visitor(visitor),), name=name)

    # outbound

    def send(self, intent: Intent) -> Flow[Receipt]:
        yield from ()  # nobody is asked: recording it is sending it
        match intent:
            case SendMessage(attachments=()):
                return Receipt(native_id=intent.key)  # the id under which it is already recorded
            case EditMessage() | DeleteMessage():
                return Receipt(native_id=_own_message(intent))
            case Typing():
                return Receipt()
        raise Unsupported(f"the web chat cannot carry out {intent.type} with what it holds")

    # about the world

    def probe(self) -> Flow[Facts]:
        yield from ()
        return Facts(own_account=self.settings.own_account, name=self.settings.title)


def _present(*secrets: SecretStr | None) -> tuple[SecretStr, ...]:
    return tuple(secret for secret in secrets if secret is not None)


def _thread(visitor: str) -> Thread:
    return Thread(id=visitor, visibility="private")


def _bytes(said: protocol.Identify) -> bytes:
    return f"{said.visitor}\n{said.signature}\n{said.identity}".encode()


def _believed(at: datetime | None, now: datetime) -> datetime:
    """A browser's clock, unless it is wrong: a message may have waited offline, but not come from the future."""
    if at is None or at > now or now - at > protocol.MAX_WAIT:
        return now
    return at.astimezone(UTC)


def _check_signed(identity: Identity, now: datetime) -> None:
    if identity.user is None or identity.expires is None:
        raise IdentityRefused("a signed identity needs `user` and `expires`")
    left = identity.expires - now.timestamp()
    if left <= 0:
        raise IdentityRefused("the identity has expired; let the page be signed anew")
    if left > protocol.MAX_IDENTITY_LIFETIME.total_seconds():
        raise IdentityRefused("the identity `expires` more than a day ahead; sign it for less")


def _own_message(intent: EditMessage | DeleteMessage) -> str:
    if intent.target is None:
        raise ContentRejected(f"{intent.type} needs the message as its `target`")
    if intent.target.direction != "outbound":
        raise Forbidden(f"{intent.type} is for our own messages; this one is the visitor's")
    return intent.target.native_id
