"""Names of reactions, https://docs.slack.dev/reference/methods/reactions.add (2026-11): those that agents use."""

from collections.abc import Mapping

NAMES: Mapping[str, str] = {
    "👍": "+1",
    "👎": "-1",
    "❤️": "heart",
    "😂": "joy",
    "😀": "grinning",
    "🙂": "slightly_smiling_face",
    "😊": "blush",
    "😢": "cry",
    "😡": "rage",
    "😮": "open_mouth",
    "🎉": "tada",
    "🙏": "pray",
    "👏": "clap",
    "👀": "eyes",
    "✅": "white_check_mark",
    "❌": "x",
    "🔥": "fire",
    "🚀": "rocket",
    "💯": "100",
    "👋": "wave",
    "🤔": "thinking_face",
    "⏳": "hourglass_flowing_sand",
}
_SIGNS: Mapping[str, str] = {name: sign for sign, name in NAMES.items()} | {"thumbsup": "👍", "thumbsdown": "👎"}


SKINS: Mapping[str, str] = {f"skin-tone-{number}": chr(0x1F3F9 + number) for number in range(2, 7)}
"""Behind a name, `+1::skin-tone-3`."""


def sign(name: str) -> str:
    """As people see it; `:name:` for what is not listed, custom ones among them."""
    bare, _, skin = name.partition("::")
    if bare in _SIGNS and skin in SKINS:
        return _SIGNS[bare] + SKINS[skin]
    return _SIGNS.get(name, f":{name}:")


def name(reaction: str) -> str | None:
    """None if nobody knows how Slack calls it."""
    known = NAMES.get(reaction) or NAMES.get(f"{reaction}\ufe0f")
    if known:
        return known
    bare = reaction.strip(":")
    return bare if bare and bare.isascii() and not bare.isspace() else None
