"""Albums and forum topics, at a Telegram that checks the calls."""

from datetime import UTC, datetime
from typing import Any

import pytest

from socialsupport_core.contract import ContentRejected, ReadBlob, drive
from socialsupport_core.model import (
    Attachment,
    Blob,
    Choice,
    DeleteMessage,
    EditMessage,
    Interaction,
    Receipt,
    SendMessage,
    Thread,
)
from socialsupport_telegram import Telegram, TelegramSettings
from socialsupport_telegram.address import Address
from socialsupport_telegram.album import kinds
from socialsupport_telegram.simulator import GROUP, TelegramSimulator

DM = Thread(id="1000", visibility="private")
PHOTO, FILM, BILL = "image/jpeg", "video/mp4", "application/pdf"


class Desk:
    def __init__(self) -> None:
        settings = TelegramSettings(token="123456:ABC", secret_token="s3cret")
        self.telegram = Telegram(settings)
        self.now = datetime(2026, 1, 1, tzinfo=UTC)
        self.sim = TelegramSimulator(settings, clock=lambda: self.now)
        self.sim.speak("kerry", "Hello")

    def respond(self, ask: Any) -> Any:
        if isinstance(ask, ReadBlob):
            return Blob(content=f"content of {ask.digest}".encode(), name=ask.digest)
        return self.sim.handle(ask)

    def run(self, intent: Any) -> Receipt:
        receipt: Receipt = drive(self.telegram.send(intent), self.respond, self.telegram.failure)
        return receipt

    def send(self, *types: str, text: str | None = "Your photos", thread: Thread = DM, **more: Any) -> Receipt:
        files = tuple(Attachment(media_type=kind, blob=f"blob{at}") for at, kind in enumerate(types))
        return self.run(SendMessage(key="k", own_account="123456", thread=thread, text=text, attachments=files, **more))

    def sent(self) -> list[dict[str, Any]]:
        return [one for one in self.sim.messages.values() if one["from"] is self.sim.bot]


@pytest.fixture
def desk() -> Desk:
    return Desk()


def ours(receipt: Receipt, **more: Any) -> Interaction:
    said = {"network": "telegram", "kind": "message", "direction": "outbound", "own_account": "123456", "thread": DM}
    told = {"author": {"is_self": True}, "sent_at": datetime(2026, 1, 1, tzinfo=UTC)}
    return Interaction.model_validate(said | told | {"native_id": receipt.native_id, "context": receipt.context} | more)


def test_several_files_are_one_album_with_one_text(desk: Desk) -> None:
    receipt = desk.send(PHOTO, FILM, PHOTO)
    first, *others = sent = desk.sent()
    assert [next(kind for kind in ("photo", "video") if kind in one) for one in sent] == ["photo", "video", "photo"]
    assert len({one["media_group_id"] for one in sent}) == 1
    assert first["caption"] == "Your photos"
    assert not any("caption" in one for one in others)
    assert receipt.native_id == str(first["message_id"])
    assert set(desk.sim.files.values()) == {b"content of blob0", b"content of blob1", b"content of blob2"}


@pytest.mark.parametrize(
    ("alone", "together"),
    [
        (["photo", "video"], ["photo", "video"]),
        (["audio", "audio"], ["audio", "audio"]),
        (["photo", "document"], ["document", "document"]),
        (["audio", "photo"], ["document", "document"]),
        (["voice", "voice"], ["document", "document"]),
        (["animation", "photo"], ["document", "document"]),
    ],
)
def test_what_cannot_be_mixed_goes_as_documents(alone: list[str], together: list[str]) -> None:
    assert kinds(alone) == together


def test_every_mixture_is_taken(desk: Desk) -> None:
    for types in ((PHOTO, BILL), ("audio/mpeg", "audio/mpeg"), ("audio/ogg", PHOTO), ("image/gif", FILM)):
        assert desk.send(*types).native_id


def test_an_album_is_deleted_whole_and_edited_under_its_first(desk: Desk) -> None:
    receipt = desk.send(PHOTO, PHOTO)
    mine = ours(receipt, attachments=({"media_type": PHOTO},))
    common: dict[str, Any] = {"key": "k2", "own_account": "123456", "thread": DM, "target": mine}
    desk.run(EditMessage(text="mended", **common))
    assert desk.sent()[0]["caption"] == "mended"
    desk.run(DeleteMessage(**common))
    assert desk.sent() == []


def test_one_file_is_no_album_and_its_deletion_is_plain(desk: Desk) -> None:
    receipt = desk.send(PHOTO)
    assert receipt.context is None
    desk.run(DeleteMessage(key="k2", own_account="123456", thread=DM, target=ours(receipt)))
    assert desk.sim.calls[-1].url.path.endswith("/deleteMessage")


def test_what_no_album_can_have_is_refused(desk: Desk) -> None:
    with pytest.raises(ContentRejected, match="buttons"):
        desk.send(PHOTO, PHOTO, choices=(Choice(title="Yes", value="y"),))
    with pytest.raises(ContentRejected, match="at most 10"):
        desk.send(*[PHOTO] * 11)
    with pytest.raises(ContentRejected, match="neither a blob nor an address"):
        desk.run(SendMessage(key="k", own_account="1", thread=DM, attachments=(Attachment(), Attachment())))
    assert desk.sent() == []


def test_a_topic_is_answered_in_the_topic(desk: Desk) -> None:
    desk.sim.topics.add(7)
    desk.sim.speak("kerry", "In here", "group", message_thread_id=7, is_topic_message=True)
    heard = list(desk.telegram.parse(desk.sim.due()[-1]))[-1].interaction  # type: ignore[union-attr]
    assert heard.thread.id == f"{GROUP}:7"
    desk.run(SendMessage(key="k", own_account="123456", thread=heard.thread, text="Here", target=heard))
    assert desk.sent()[-1]["message_thread_id"] == 7


@pytest.mark.parametrize("written", [f"{GROUP}", f"{GROUP}:1"])
def test_the_general_topic_is_the_chat_itself(desk: Desk, written: str) -> None:
    assert Address.read(written).fields() == {"chat_id": GROUP}
    thread = Thread(id=written, visibility="public")
    assert desk.run(SendMessage(key="k", own_account="123456", thread=thread, text="Hello")).native_id
    desk.sim.speak("kerry", "general", "group", message_thread_id=1, is_topic_message=True)
    heard = list(desk.telegram.parse(desk.sim.due()[-1]))[-1].interaction  # type: ignore[union-attr]
    assert heard.thread.id == f"{GROUP}"
