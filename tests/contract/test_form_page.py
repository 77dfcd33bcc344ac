"""Forms as pages: what a screen reader hears, and nothing of what was typed as markup."""

import re
from html.parser import HTMLParser
from typing import Any

import pytest

from socialsupport_core.contract.form_page import STYLE, Control, hidden, page, theme, trouble

EVIL = "\"><script>alert('1')</script>&"


class Read(HTMLParser):
    """Elements with their attributes; void ones are not waited for."""

    def __init__(self, written: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, Any]]] = []
        self.open: list[str] = []
        self.feed(written)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))
        if tag not in {"input", "meta", "link"}:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def one(self, tag: str) -> dict[str, Any]:
        (attributes,) = [attributes for name, attributes in self.found if name == tag]
        return attributes


def test_a_field_is_named_described_and_marked() -> None:
    control = Control(
        "email",
        "E-mail",
        "email",
        "k@",
        hint="We answer here.",
        problem="This is no address.",
        required=True,
        most=320,
        autocomplete="email",
    )
    read = Read(control.html())
    assert read.one("label")["for"] == "email"
    field = read.one("input")
    assert field["aria-describedby"] == "email-problem email-hint"
    assert (field["aria-invalid"], field["type"], field["maxlength"]) == ("true", "email", "320")
    assert "required" in field
    assert {attributes.get("id") for _, attributes in read.found} >= {"email-problem", "email-hint"}
    calm = Read(Control("email", "E-mail").html()).one("input")
    assert not calm.keys() & {"aria-invalid", "aria-describedby", "required", "maxlength"}


@pytest.mark.parametrize("kind", ["text", "textarea", "select"])
def test_what_was_typed_is_text_and_comes_back_as_it_was(kind: str) -> None:
    control = Control("a", EVIL, kind, EVIL, EVIL, EVIL, EVIL, choices=(("", "none"), (EVIL, EVIL)))
    written = control.html() + trouble(EVIL, EVIL, [control]) + hidden({"token": EVIL})
    read = Read(page(EVIL, written))
    assert [tag for tag, _ in read.found if tag == "script"] == []
    assert read.open == []
    if kind == "text":
        values = {attributes.get("id"): attributes["value"] for tag, attributes in read.found if "value" in attributes}
        assert values["a"] == EVIL
    if kind == "select":
        assert [one["value"] for tag, one in read.found if tag == "option" and "selected" in one] == [EVIL]


def test_a_text_area_keeps_its_first_line_break() -> None:
    """A browser drops one that follows the tag."""
    assert ">\n\nHello</textarea>" in Control("a", "A", "textarea", "\nHello").html()


def test_a_file_that_was_chosen_is_not_written_into_the_page() -> None:
    assert "value" not in Read(Control("f", "F", "file", "bill.pdf").html()).one("input")


def test_troubles_lead_to_their_fields() -> None:
    controls = [Control("a", "A", problem="This is missing."), Control("b", "B")]
    read = Read(trouble("Not sent", "Try again.", controls))
    assert (read.one("div")["role"], read.one("a")["href"]) == ("alert", "#a")
    assert trouble("Not sent", "", [Control("b", "B")]) == ""


def test_the_page_names_its_language_scripts_and_styles() -> None:
    read = Read(page("Hello", "", language="de", scripts=("form.js",), data='data-origins="x"'))
    assert read.one("html") == {"lang": "de", "data-origins": "x"}
    assert read.one("script")["src"] == "form.js"
    assert {one["href"] for tag, one in read.found if tag == "link"} == {"data:,", "theme.css", "form.css"}


def test_the_style_knows_both_lights_and_loads_nothing() -> None:
    assert "color-scheme: light dark" in STYLE
    assert not re.search(r"url\(|@import", STYLE)
    assert theme("#ffd500") == ":root { --accent: #ffd500; --on-accent: #000000; }\n"
