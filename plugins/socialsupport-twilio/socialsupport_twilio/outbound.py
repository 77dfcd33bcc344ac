"""From intents to calls of the Messages resource.

https://www.twilio.com/docs/messaging/api/message-resource (2026-11)
"""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import quote

import httpx

from socialsupport_core.contract import ContentRejected, Flow, Uncertain, Unreachable, Unsupported
from socialsupport_core.model import Intent, Receipt, SendMessage
from socialsupport_core.text import plain
from socialsupport_twilio.inbound import KEY
from socialsupport_twilio.numbers import E164
from socialsupport_twilio.settings import TwilioSettings

API = "https://api.twilio.com/2010-04-01/Accounts"
PAGE, PAGES = 1000, 3
"""How many messages are looked through: all of a page, which is the most that Twilio gives at once."""
SKEW = timedelta(minutes=2)
"""Between Twilio's clock and ours."""


def send(intent: Intent, settings: TwilioSettings) -> Flow[Receipt]:
    """One call, one message; Twilio cuts it into segments itself."""
    if not isinstance(intent, SendMessage):
        raise Unsupported(f"a telephone network cannot carry out {intent.type}")
    if intent.attachments:
        raise ContentRejected("Twilio fetches files from public addresses only, and ours are not; send a link instead")
    asked = {"To": addressee(intent), "From": intent.own_account, "Body": words(intent)}
    if settings.callback_url:
        asked["StatusCallback"] = f"{settings.callback_url}?{KEY}={quote(intent.key, safe='')}"
    response: httpx.Response = yield httpx.Request("POST", messages(settings), data=asked)
    return _receipt(response.json())


def words(intent: SendMessage) -> str:
    text = plain(intent.text or "")
    if not text.strip():
        raise ContentRejected("the message says nothing; write a text")
    return text


def addressee(intent: Intent) -> str:
    to = intent.thread.id
    if intent.thread.visibility != "private" or not E164.fullmatch(to):
        raise Unreachable("there is no number to write to: they withheld theirs, or write under a name")
    return to


def messages(settings: TwilioSettings) -> str:
    return f"{API}/{settings.account_sid}/Messages.json"


def find(intent: Intent, since: datetime, settings: TwilioSettings) -> Flow[Receipt | None]:
    """The message with these words.

    Neither filtered by DateSent nor ended at the first old one: what still waits has none, and would be overlooked.
    """
    if not isinstance(intent, SendMessage):
        raise Unsupported(f"a telephone network cannot carry out {intent.type}")
    asked = {"To": addressee(intent), "From": intent.own_account, "PageSize": str(PAGE)}
    url, since = httpx.URL(messages(settings), params=asked), since - SKEW
    for _ in range(PAGES):
        page = (yield httpx.Request("GET", url)).json()
        for one, at in _messages(page):
            if at >= since and _says(one, words(intent)):
                return _receipt(one)
        following = page.get("next_page_uri")
        if not following:
            return None
        url = httpx.URL(messages(settings)).join(str(following))
    raise Uncertain(f"more than {PAGE * PAGES} messages to this number; look for it in Twilio's log")


def _messages(page: Mapping[str, Any]) -> Iterator[tuple[Mapping[str, Any], datetime]]:
    """Raises for what is no list of messages: that none was sent has to be sure."""
    for one in page["messages"]:
        if str(one["direction"]).startswith("outbound"):
            yield one, parsedate_to_datetime(one["date_created"])


def _says(message: Mapping[str, Any], text: str) -> bool:
    return str(message["body"] or "").split() == text.split()


def _receipt(message: Mapping[str, Any]) -> Receipt:
    """Twilio has accepted it; what becomes of it is told later."""
    sid = message["sid"]
    if not isinstance(sid, str) or not sid:
        raise ValueError("sid is missing")
    failed = message.get("status") in ("failed", "undelivered", "canceled")
    return Receipt(native_id=sid, state="failed" if failed else "sent")
