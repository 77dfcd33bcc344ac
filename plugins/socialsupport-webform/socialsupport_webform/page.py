"""The page: plain HTML that works without a script, by keyboard and with a screen reader."""

from collections.abc import Iterable, Mapping
from html import escape
from importlib.resources import files
from string import Template

from socialsupport_core.contract.pages import readable_on
from socialsupport_webform.protocol import LENGTHS, MAX_FILE_BYTES, MAX_FILES
from socialsupport_webform.settings import WebformSettings
from socialsupport_webform.words import WORDS

STATIC = files("socialsupport_webform") / "static"
MEDIA_TYPES = {"form.css": "text/css", "form.js": "text/javascript", "embed.js": "text/javascript"}
TRAP = "website"
"""The name of the field that people do not see, and machines fill in."""
KINDS: Mapping[str, tuple[str, str]] = {
    "name": ("text", "name"),
    "email": ("email", "email"),
    "phone": ("tel", "tel"),
    "order": ("text", "off"),
    "subject": ("text", "off"),
}
"""`type` and `autocomplete`:
https://html.spec.whatwg.org/multipage/form-control-infrastructure.html#autofill (2026-11)."""


class Page:
    def __init__(self, settings: WebformSettings) -> None:
        self.settings = settings
        size = f"{MAX_FILE_BYTES / 1_000_000:g}"
        words = {**WORDS[settings.language], **settings.words}
        self.words = {key: _filled(text, {"count": str(MAX_FILES), "size": size}) for key, text in words.items()}
        self._template = Template(static("form.html"))

    def theme(self) -> str:
        accent = self.settings.accent
        return f":root {{ --accent: {accent}; --on-accent: {readable_on(accent)}; }}\n"

    def form(
        self, token: str, values: Mapping[str, str], problems: Mapping[str, str] | None = None, trouble: str = ""
    ) -> str:
        """`problems`: words by field; `trouble`: what is wrong with all of it."""
        found = dict(problems or {})
        inner = "".join(self._field(name, values.get(name, ""), found.get(name)) for name in self.settings.fields)
        inner += self._message(values.get("text", ""), found.get("text"))
        inner += self._files(found.get("files")) if self.settings.files else ""
        return self._page(
            f"{self._introduction()}{self._summary(found, trouble)}"
            f'<form method="post" action="./" enctype="multipart/form-data" novalidate>'
            f'<input type="hidden" name="token" value="{escape(token)}">{inner}{_TRAP}'
            f'<button type="submit">{self._word("send")}</button></form>'
        )

    def thanks(self) -> str:
        return self._page(
            f'<div class="thanks" role="status"><h2>{self._word("thanks")}</h2><p>{self._word("thanks_more")}</p>'
            f'<p><a href="./">{self._word("again")}</a></p></div>'
        )

    def problem(self, word: str, **fills: str) -> str:
        return _filled(self.words[word], fills)

    def _page(self, content: str) -> str:
        title = escape(self.settings.title)
        return self._template.substitute(
            language=self.settings.language, title=title, content=content, origins=escape(" ".join(self._origins()))
        )

    def _origins(self) -> Iterable[str]:
        return self.settings.allowed_origins

    def _introduction(self) -> str:
        paragraphs = [one.strip() for one in self.settings.introduction.split("\n\n") if one.strip()]
        return "".join(f"<p>{escape(one)}</p>" for one in paragraphs)

    def _summary(self, problems: Mapping[str, str], trouble: str) -> str:
        if not (problems or trouble):
            return ""
        items = "".join(
            f'<li><a href="#{name}">{self._word(name)}</a>: {escape(told)}</li>' for name, told in problems.items()
        )
        said = f"<p>{escape(trouble)}</p>" if trouble else ""
        return (
            f'<div class="trouble" role="alert" tabindex="-1" id="trouble"><h2>{self._word("trouble")}</h2>'
            f"{said}{f'<ul>{items}</ul>' if items else ''}</div>"
        )

    def _field(self, name: str, value: str, problem: str | None) -> str:
        kind, autocomplete = KINDS[name]
        hint = self._word("answer_hint") if name == "email" else ""
        control = (
            f'<input id="{name}" name="{name}" type="{kind}" autocomplete="{autocomplete}"'
            f' maxlength="{LENGTHS[name]}" value="{escape(value)}"{_described(name, hint, problem)}'
            f"{' required' if name in self.settings.required else ''}>"
        )
        return self._labelled(name, control, hint, problem, optional=name not in self.settings.required)

    def _message(self, value: str, problem: str | None) -> str:
        control = (
            f'<textarea id="text" name="text" rows="8" maxlength="{LENGTHS["text"]}" required'
            f"{_described('text', '', problem)}>\n{escape(value)}</textarea>"
        )
        return self._labelled("text", control, "", problem)

    def _files(self, problem: str | None) -> str:
        hint = self._word("files_hint")
        control = f'<input id="files" name="files" type="file" multiple{_described("files", hint, problem)}>'
        return self._labelled("files", control, hint, problem, optional=True)

    def _labelled(self, name: str, control: str, hint: str, problem: str | None, *, optional: bool = False) -> str:
        mark = f' <span class="optional">({self._word("optional")})</span>' if optional else ""
        told = f'<p class="problem" id="{name}-problem">{escape(problem)}</p>' if problem else ""
        said = f'<p class="hint" id="{name}-hint">{hint}</p>' if hint else ""
        return f'<div class="field"><label for="{name}">{self._word(name)}{mark}</label>{told}{control}{said}</div>'

    def _word(self, key: str) -> str:
        return escape(self.words[key])


_TRAP = (
    f'<div class="aside" aria-hidden="true"><label>Website <input name="{TRAP}" tabindex="-1" autocomplete="off">'
    "</label></div>"
)


def _described(name: str, hint: str, problem: str | None) -> str:
    parts = [f"{name}-problem"] * bool(problem) + [f"{name}-hint"] * bool(hint)
    described = f' aria-describedby="{" ".join(parts)}"' if parts else ""
    return f"{described}{' aria-invalid=' + chr(34) + 'true' + chr(34) if problem else ''}"


def _filled(text: str, fills: Mapping[str, str]) -> str:
    for name, value in fills.items():
        text = text.replace(f"{{{name}}}", value)
    return text


def static(name: str) -> str:
    return (STATIC / name).read_text("utf-8")
