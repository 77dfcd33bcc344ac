"""Building markup: whatever is not markup already goes in as text."""

from html import escape

VOID = frozenset({"rect", "line", "path", "circle"})


class Html(str):
    """Markup."""

    __slots__ = ()


def raw(markup: str) -> Html:
    """Only for what is written here, never for what came from anywhere."""
    return Html(markup)


def h(tag: str, *children: object, **attributes: object) -> Html:
    """An element. `class_` is class, `aria_label` aria-label; None leaves an attribute or a child out."""
    written = "".join(
        f' {name.rstrip("_").replace("_", "-")}="{escape(str(value), quote=True)}"'
        for name, value in attributes.items()
        if value is not None
    )
    if tag in VOID and not children:
        return Html(f"<{tag}{written}/>")
    inside = "".join(one if isinstance(one, Html) else escape(str(one)) for one in children if one is not None)
    return Html(f"<{tag}{written}>{inside}</{tag}>")
