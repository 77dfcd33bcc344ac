"""The page of a form, as surfaces show it: plain HTML that works without a script, by keyboard and by screen reader.

A surface serves `STYLE` as `form.css` and `theme()` as `theme.css` beside the page.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from importlib.resources import files

from socialsupport_core.contract.pages import readable_on

STYLE = (files("socialsupport_core.contract") / "static" / "form.css").read_text("utf-8")


@dataclass(frozen=True, slots=True)
class Control:
    """One field with its label. All texts are plain."""

    name: str
    label: str
    kind: str = "text"
    """The `type` of an input; `textarea` or `select`."""
    value: str = ""
    hint: str = ""
    problem: str = ""
    mark: str = ""
    """Behind the label, such as "optional"."""
    autocomplete: str = "off"
    required: bool = False
    most: int | None = None
    """Characters."""
    choices: Sequence[tuple[str, str]] = ()
    """Value and words of each choice of a `select`."""
    more: str = ""
    """Attributes, as HTML."""

    def html(self) -> str:
        name, mark = self.name, f' <span class="optional">({escape(self.mark)})</span>' if self.mark else ""
        told = f'<p class="problem" id="{name}-problem">{escape(self.problem)}</p>' if self.problem else ""
        said = f'<p class="hint" id="{name}-hint">{escape(self.hint)}</p>' if self.hint else ""
        label = f'<label for="{name}">{escape(self.label)}{mark}</label>'
        return f'<div class="field">{label}{told}{self._input()}{said}</div>'

    def _input(self) -> str:
        about = f'id="{self.name}" name="{self.name}"{self._described()}{self.more and " " + self.more}'
        about += " required" if self.required else ""
        most = f' maxlength="{self.most}"' if self.most else ""
        if self.kind == "textarea":
            return f'<textarea {about}{most} rows="8">\n{escape(self.value)}</textarea>'
        if self.kind == "select":
            return f"<select {about}>{''.join(map(self._choice, self.choices))}</select>"
        value = f' value="{escape(self.value)}"' if self.kind != "file" and self.value else ""
        return f'<input {about}{most} type="{self.kind}" autocomplete="{self.autocomplete}"{value}>'

    def _choice(self, choice: tuple[str, str]) -> str:
        value, words = choice
        chosen = " selected" if value == self.value else ""
        return f'<option value="{escape(value)}"{chosen}>{escape(words)}</option>'

    def _described(self) -> str:
        parts = [f"{self.name}-problem"] * bool(self.problem) + [f"{self.name}-hint"] * bool(self.hint)
        described = f' aria-describedby="{" ".join(parts)}"' if parts else ""
        return described + (' aria-invalid="true"' if self.problem else "")


def trouble(heading: str, said: str, controls: Sequence[Control]) -> str:
    """A box above the form: what is wrong with all of it, and a link to each field with a problem."""
    items = "".join(
        f'<li><a href="#{one.name}">{escape(one.label)}</a>: {escape(one.problem)}</li>'
        for one in controls
        if one.problem
    )
    if not (said or items):
        return ""
    about = f"<p>{escape(said)}</p>" if said else ""
    listed = f"<ul>{items}</ul>" if items else ""
    box = f"<h2>{escape(heading)}</h2>{about}{listed}"
    return f'<div class="trouble" role="alert" tabindex="-1" id="trouble">{box}</div>'


def page(title: str, content: str, *, language: str = "en", scripts: Sequence[str] = (), data: str = "") -> str:
    """`content` is HTML; `data` is for the scripts, as attributes of the root."""
    loaded = "".join(f'\n  <script type="module" src="{one}"></script>' for one in scripts)
    return f"""<!doctype html>
<html lang="{language}"{data and " " + data}>
<head>
  <meta charset="utf-8">
  <meta name="viewport" content="width=device-width, initial-scale=1">
  <meta name="color-scheme" content="light dark">
  <meta name="robots" content="noindex">
  <title>{escape(title)}</title>
  <link rel="icon" href="data:,">
  <link rel="stylesheet" href="theme.css">
  <link rel="stylesheet" href="form.css">{loaded}
</head>
<body>
  <main>
    <h1>{escape(title)}</h1>
    {content}
  </main>
</body>
</html>
"""


def theme(accent: str) -> str:
    return f":root {{ --accent: {accent}; --on-accent: {readable_on(accent)}; }}\n"


def hidden(values: Mapping[str, str]) -> str:
    return "".join(f'<input type="hidden" name="{name}" value="{escape(value)}">' for name, value in values.items())
