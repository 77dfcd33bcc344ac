"""What must be remembered of a mail so that an answer belongs to it."""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass

from socialsupport_email.mime import Mail

MAX_CONTEXT = 4096  # characters: the core's limit
MAX_ID = 900  # characters of a Message-ID that we take as one
_ID = re.compile(r"<([^<>\s]{1,900})>")
_BARE_ID = re.compile(r"[^<>\s]{1,900}")


@dataclass(frozen=True, slots=True)
class Context:
    """Of one mail: its Message-ID, what it refers to (oldest first), its subject, where its author wants answers."""

    id: str | None = None
    references: tuple[str, ...] = ()
    subject: str | None = None
    reply_to: str | None = None

    def write(self) -> str:
        """As JSON that fits; the oldest reference and the newest ones stay, as RFC 5537 3.4.4 advises."""
        references = list(self.references)
        subject = self.subject[:500] if self.subject else None
        while len(written := self._json(references, subject)) > MAX_CONTEXT and references:
            del references[min(1, len(references) - 1)]
        return written

    def _json(self, references: list[str], subject: str | None) -> str:
        content = {"id": self.id, "references": references, "subject": subject, "reply_to": self.reply_to}
        filled = {name: value for name, value in content.items() if value}
        return json.dumps(filled, ensure_ascii=False, separators=(",", ":"))

    @classmethod
    def read(cls, written: str | None) -> "Context":
        """An empty one for what is not ours."""
        try:
            content = json.loads(written or "{}")
            return cls(**{**content, "references": tuple(content.get("references", ()))})
        except (ValueError, TypeError, AttributeError):
            return cls()


def message_id(mail: Mail) -> str | None:
    value = mail.first("message-id") or ""
    if match := _ID.search(value):
        return match[1]
    return value if _BARE_ID.fullmatch(value) else None


def ids(values: Sequence[str]) -> tuple[str, ...]:
    """The Message-IDs in a header, in their order, each once."""
    return tuple(dict.fromkeys(found for value in values for found in _ID.findall(value)))


def references(mail: Mail) -> tuple[str, ...]:
    """What the mail refers to, oldest first (RFC 5322 3.6.4)."""
    return tuple(dict.fromkeys(ids(mail.all("references")) + ids(mail.all("in-reply-to"))[:1]))
