"""Reports as servers of all ages write them, and who counts as a robot."""

from datetime import UTC, datetime

import pytest
from pydantic import SecretStr

from socialsupport_core.model import DeliveryUpdated, Event, InteractionReceived, Payload
from socialsupport_email import Email, EmailSettings

NOW = datetime(2026, 10, 1, 12, 0, tzinfo=UTC)
EMAIL = Email(EmailSettings(address="support@acme.example", token_secret=SecretStr("secret-of-sixteen")))
ROBOT = "Mail Delivery System <MAILER-DAEMON@mx.example>"
GROUP = (
    "Final-Recipient: rfc822; kerry@mail.example\nAction: {action}\nStatus: 5.1.1\nDiagnostic-Code: smtp; 550 nobody\n"
)
ORIGINAL = "Message-ID: <ours@acme.example>\nSubject: Hi\n"


def parse(raw: str) -> list[Event]:
    return list(EMAIL.parse(Payload(source="poll", method="", body=raw.encode(), received_at=NOW)))


def bounce(
    *,
    author: str = ROBOT,
    kind: str = "report; report-type=delivery-status",
    action: str = "failed",
    blank: str = "",
    original: str = f"Content-Type: text/rfc822-headers\n\n{ORIGINAL}",
    more: str = "",
) -> list[Event]:
    status = f"Reporting-MTA: dns; mx.example\n{blank}\n{GROUP.format(action=action)}"
    parts = ["Content-Type: text/plain\n\nNobody lives there.\n", f"Content-Type: message/delivery-status\n\n{status}"]
    body = "".join(f"--b\n{part}\n" for part in [*parts, original])
    head = f"From: {author}\nMessage-ID: <b@mx.example>\nSubject: Undelivered\n{more}"
    return parse(f'{head}Content-Type: multipart/{kind}; boundary="b"\n\n{body}--b--\n')


@pytest.mark.parametrize(
    "odd",
    [
        {},
        {"kind": "mixed"},  # a filter on the way has wrapped it anew
        {"kind": "mixed", "author": "postmaster@mx.example"},
        {"blank": " \t"},  # a blank in the line between the groups
        {"action": "failure"},
        {"action": "error"},
        {"original": f"Content-Type: message/rfc822-headers\n\n{ORIGINAL}"},
        {"original": "Content-Type: text/plain\n\ncut off", "more": "In-Reply-To: <ours@acme.example>\n"},
    ],
)
def test_a_bounce_of_any_form_says_what_became_of_which_mail(odd: dict[str, str]) -> None:
    (told,) = bounce(**odd)
    assert isinstance(told, DeliveryUpdated)
    assert (told.state, told.native_id, told.code) == ("failed", "ours@acme.example", "5.1.1")
    assert (told.reason, told.gone) == ("550 nobody", True)


def test_a_wrapped_report_is_nothing_that_a_person_could_write() -> None:
    (said,) = bounce(kind="mixed", author="Kerry <kerry@mail.example>")
    assert isinstance(said, InteractionReceived)
    assert not said.interaction.author.is_bot


def test_a_report_about_an_unknown_mail_is_a_mail_of_a_robot() -> None:
    (said,) = bounce(original="Content-Type: text/plain\n\ncut off", author="Kerry <kerry@mail.example>")
    assert isinstance(said, InteractionReceived)
    assert said.interaction.author.is_bot


@pytest.mark.parametrize(("feedback", "count"), [("abuse", 1), ("not-spam", 0)])
def test_a_complaint_is_told_of_the_mail_that_comes_back(feedback: str, count: int) -> None:
    found = parse(
        "From: fbl@provider.example\nMessage-ID: <c@provider.example>\n"
        'Content-Type: multipart/report; report-type=feedback-report; boundary="b"\n\n'
        "--b\nContent-Type: text/plain\n\nThis is a complaint.\n"
        f"--b\nContent-Type: message/feedback-report\n\nFeedback-Type: {feedback}\nVersion: 1\n\n"
        f"--b\nContent-Type: message/rfc822\n\n{ORIGINAL}\nHello\n--b--\n"
    )
    complaints = [one for one in found if isinstance(one, DeliveryUpdated)]
    assert [(one.state, one.code, one.native_id) for one in complaints] == [
        ("failed", "complaint", "ours@acme.example")
    ] * count


@pytest.mark.parametrize("author", ["postmaster@mx.example", "MDaemon@mx.example", "Mailer-Daemon@mx.example"])
def test_a_robot_is_known_by_its_name(author: str) -> None:
    (said,) = parse(f"From: {author}\nSubject: Delivery failed\n\nSorry.\n")
    assert isinstance(said, InteractionReceived)
    assert said.interaction.author.is_bot
