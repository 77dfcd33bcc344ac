"""CommonMark to plain text with spans, and back.

Every network has its own way to say "bold": offsets (Telegram, Signal), its own markup (Slack, Discord) or
nothing (SMS). Connectors translate between that and *plain text with spans*; this module translates between
plain text with spans and the CommonMark that is stored and that agents write.

What does not come back as it went in:

* line ends become newlines, NUL and lone surrogates become U+FFFD;
* a heading becomes a bold line, a list its items with "• " or "1. ", an image a link on its alternative text;
* `underline` and `spoiler` have no CommonMark and are dropped, as are links to `javascript:` and its like;
* emphasis gives up the white space at its edges, and punctuation there if CommonMark cannot express it;
* a link whose text is its own http address is written bare, as people write it;
* a quote takes whole lines and is set off by a blank line; `pre` that is not whole lines becomes `code`.
"""

from .reading import plain, to_spans
from .spans import Span, Style
from .writing import escape, from_spans

__all__ = ["Span", "Style", "escape", "from_spans", "plain", "to_spans"]
