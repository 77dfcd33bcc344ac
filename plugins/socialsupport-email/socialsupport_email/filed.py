"""Pages of a Maildir. A mail is moved out of `new` only when the page that brought it has been committed.

The cursor is committed with the page and names its files; the next ask hands the names back, and only then are
they moved. Whatever is cut short in between is read again, and nothing twice since ids of events are stable.
"""

import json
from datetime import datetime

from socialsupport_core.contract import Flow
from socialsupport_core.model import Page, Payload
from socialsupport_email.asks import Fetched, FetchMaildir, Filed, ReadMaildir
from socialsupport_email.settings import Maildir


def poll(maildir: Maildir, cursor: str | None) -> Flow[Page]:
    done = _names(cursor)
    found: Filed = yield FetchMaildir(maildir.path, done, "S" if maildir.mark_seen else "")
    return Page(
        payloads=tuple(map(payload, found.mails)),
        cursor=json.dumps({"done": found.names}, separators=(",", ":")),
        more=found.more,
    )


def history(maildir: Maildir, since: datetime, cursor: str | None) -> Flow[Page]:
    """Folder by folder, the inbox first."""
    folders = ("", *maildir.history)
    number, after = _position(cursor)
    if number >= len(folders):
        return Page(cursor=cursor)
    found: Filed = yield ReadMaildir(maildir.path, folders[number], after, since.timestamp())
    here = found.more
    position = [number, found.names[-1]] if here else [number + 1, ""]
    return Page(
        payloads=tuple(map(payload, found.mails)),
        cursor=json.dumps(position, separators=(",", ":")),
        more=here or number + 1 < len(folders),
    )


def payload(mail: Fetched) -> Payload:
    cut = (("x-size", str(mail.size)),) if mail.size > len(mail.message) else ()
    return Payload(source="poll", method="", headers=cut, body=mail.message, received_at=mail.at)


def _names(cursor: str | None) -> tuple[str, ...]:
    """None for a cursor that is not ours, since event ids make that harmless."""
    try:
        found = json.loads(cursor or "{}")["done"]
    except (ValueError, KeyError, TypeError):
        return ()
    return tuple(name for name in found if isinstance(name, str)) if isinstance(found, list) else ()


def _position(cursor: str | None) -> tuple[int, str]:
    try:
        number, after = json.loads(cursor or '[0,""]')
        return max(int(number), 0), str(after)
    except (ValueError, TypeError):
        return 0, ""
