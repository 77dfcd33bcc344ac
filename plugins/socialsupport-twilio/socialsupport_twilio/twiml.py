"""What we answer to a call or a message (https://www.twilio.com/docs/voice/twiml, 2026-11)."""

from html import escape

from socialsupport_core.model import Reply
from socialsupport_twilio.settings import TwilioSettings

HEAD = '<?xml version="1.0" encoding="UTF-8"?>'


def nothing() -> Reply:
    """No message goes back; a call is hung up."""
    return _reply("<Response/>")


def voicemail(settings: TwilioSettings, url: str) -> Reply:
    """Greets, then records. What comes of it is told to `url`.

    https://www.twilio.com/docs/voice/twiml/record (2026-11)
    """
    where = escape(url)
    more = f' transcribe="true" transcribeCallback="{where}"' if settings.transcribe else ""
    said = f'<Say language="{settings.greeting_language}">{escape(settings.greeting)}</Say>'
    record = f'<Record action="{where}" maxLength="{settings.voicemail_seconds}" playBeep="true"{more}/>'
    return _reply(f"<Response>{said}{record}</Response>")


def _reply(content: str) -> Reply:
    return Reply.of_text(f"{HEAD}{content}", media_type="text/xml")
