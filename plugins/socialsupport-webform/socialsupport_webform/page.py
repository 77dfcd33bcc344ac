"""What the form says, field by field."""

from collections.abc import Iterator, Mapping
from html import escape
from importlib.resources import files

from socialsupport_core.contract import form_page
from socialsupport_core.contract.form_page import Control
from socialsupport_webform.protocol import LENGTHS, MAX_FILE_BYTES, MAX_FILES
from socialsupport_webform.settings import WebformSettings
from socialsupport_webform.words import WORDS

STATIC = files("socialsupport_webform") / "static"
SCRIPTS = ("form.js", "embed.js")
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

    def files(self) -> Mapping[str, tuple[str, str]]:
        """Content and media type of all that stands beside the page."""
        found = {name: ((STATIC / name).read_text("utf-8"), "text/javascript") for name in SCRIPTS}
        return found | {
            "form.css": (form_page.STYLE, "text/css"),
            "theme.css": (form_page.theme(self.settings.accent), "text/css"),
        }

    def form(
        self, token: str, values: Mapping[str, str], problems: Mapping[str, str] | None = None, trouble: str = ""
    ) -> str:
        """`problems`: words by field; `trouble`: what is wrong with all of it."""
        controls = list(self._controls(values, problems or {}))
        paragraphs = [one.strip() for one in self.settings.introduction.split("\n\n") if one.strip()]
        return self._page(
            "".join(f"<p>{escape(one)}</p>" for one in paragraphs)
            + form_page.trouble(self.words["trouble"], trouble, controls)
            + '<form method="post" action="./" enctype="multipart/form-data" novalidate>'
            + form_page.hidden({"token": token})
            + "".join(one.html() for one in controls)
            + f'{_TRAP}<button type="submit">{self._word("send")}</button></form>'
        )

    def thanks(self) -> str:
        return self._page(
            f'<div class="thanks" role="status"><h2>{self._word("thanks")}</h2><p>{self._word("thanks_more")}</p>'
            f'<p><a href="./">{self._word("again")}</a></p></div>'
        )

    def problem(self, word: str, **fills: str) -> str:
        return _filled(self.words[word], fills)

    def _controls(self, values: Mapping[str, str], problems: Mapping[str, str]) -> Iterator[Control]:
        for name in (*self.settings.fields, "text"):
            kind, autocomplete = KINDS.get(name, ("textarea", "off"))
            required = name == "text" or name in self.settings.required
            yield Control(
                name,
                self.words[name],
                kind,
                values.get(name, ""),
                hint=self.words["answer_hint"] if name == "email" else "",
                problem=problems.get(name, ""),
                mark="" if required else self.words["optional"],
                autocomplete=autocomplete,
                required=required,
                most=LENGTHS[name],
            )
        if self.settings.files:
            hint, problem = self.words["files_hint"], problems.get("files", "")
            mark = self.words["optional"]
            yield Control("files", self.words["files"], "file", hint=hint, problem=problem, mark=mark, more="multiple")

    def _page(self, content: str) -> str:
        origins = f'data-origins="{escape(" ".join(self.settings.allowed_origins))}"'
        title, language = self.settings.title, self.settings.language
        return form_page.page(title, content, language=language, scripts=("form.js",), data=origins)

    def _word(self, key: str) -> str:
        return escape(self.words[key])


_TRAP = (
    f'<div class="aside" aria-hidden="true"><label>Website <input name="{TRAP}" tabindex="-1" autocomplete="off">'
    "</label></div>"
)


def _filled(text: str, fills: Mapping[str, str]) -> str:
    for name, value in fills.items():
        text = text.replace(f"{{{name}}}", value)
    return text
