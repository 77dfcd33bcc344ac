"""Text between networks: markup, units, splitting, X's entities and safe display."""

from .entities import Entity, cashtags, entities, hashtags, mentions, reply_to, urls
from .markup import Span, Style, escape, from_spans, plain, to_spans
from .quiet import BREAK, quiet
from .safe import file_name, to_html, visible
from .sheet import Sheet
from .split import Measure, fits, split
from .units import Unit, count, is_gsm7
from .validity import is_hashtag, is_list, is_post, is_url, is_username
from .weight import V1, V2, V3, Weighed, Weights, weigh

__all__ = [
    "BREAK",
    "V1",
    "V2",
    "V3",
    "Entity",
    "Measure",
    "Sheet",
    "Span",
    "Style",
    "Unit",
    "Weighed",
    "Weights",
    "cashtags",
    "count",
    "entities",
    "escape",
    "file_name",
    "fits",
    "from_spans",
    "hashtags",
    "is_gsm7",
    "is_hashtag",
    "is_list",
    "is_post",
    "is_url",
    "is_username",
    "mentions",
    "plain",
    "quiet",
    "reply_to",
    "split",
    "to_html",
    "to_spans",
    "urls",
    "visible",
    "weigh",
]
