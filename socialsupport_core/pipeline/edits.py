"""Whether what a network tells again is something else."""

from socialsupport_core.model import Interaction, InteractionEdited
from socialsupport_core.text import plain


def says_the_same(one: Interaction, other: Interaction) -> bool:
    return (one.author.account, one.text, one.subject) == (other.author.account, other.text, other.subject)


def is_no_edit(known: Interaction, event: InteractionEdited) -> bool:
    """Some networks show a touch as it is now and never say whether it was edited, and ours without its markup."""
    now = event.interaction
    if known.direction == "outbound":
        return plain(known.text or "") == plain(now.text or "")
    is_same = says_the_same(known, now) and (known.rating, known.attachments) == (now.rating, now.attachments)
    return is_same and event.edited_at <= known.sent_at
