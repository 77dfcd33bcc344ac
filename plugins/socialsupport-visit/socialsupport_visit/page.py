"""What the staff see: the sign-in, and the form."""

from collections.abc import Iterator, Mapping
from html import escape

from socialsupport_core.contract import form_page
from socialsupport_core.contract.form_page import Control
from socialsupport_visit.settings import VisitSettings

TROUBLE = "This is not kept yet"
FIELDS: Mapping[str, tuple[str, str, int, str]] = {
    "about": ("What was it about?", "textarea", 10_000, ""),
    "outcome": ("Outcome", "select", 100, ""),
    "card": ("Loyalty card", "text", 100, "Of card, e-mail and telephone write down what you know."),
    "email": ("Customer's e-mail", "email", 320, ""),
    "phone": ("Customer's telephone", "tel", 40, ""),
    "name": ("Customer's name", "text", 200, ""),
    "order": ("Order number", "text", 100, ""),
    "minutes": ("How long, in minutes", "number", 10, ""),
    "at": ("When, if not just now", "datetime-local", 40, ""),
    "staff": ("Your name", "text", 200, ""),
}
"""Label, kind, longest and hint of each field."""


class Page:
    def __init__(self, settings: VisitSettings) -> None:
        self.settings = settings

    def files(self) -> Mapping[str, tuple[str, str]]:
        """Content and media type of all that stands beside the page."""
        return {
            "form.css": (form_page.STYLE, "text/css"),
            "theme.css": (form_page.theme(self.settings.accent), "text/css"),
        }

    def sign_in(self, token: str, branch: str = "", trouble: str = "") -> str:
        known = [(id_, one.name) for id_, one in self.settings.branches.items() if one.secret]
        controls = (
            Control("branch", "Branch", "select", branch, choices=known),
            Control("secret", "Secret of the branch", "password", required=True, autocomplete="current-password"),
        )
        return form_page.page(
            self.settings.title,
            form_page.trouble("You are not signed in", trouble, controls)
            + f'<form method="post" action="sign-in">{form_page.hidden({"token": token})}'
            + "".join(one.html() for one in controls)
            + '<button type="submit">Sign in</button></form>',
        )

    def form(
        self,
        branch: str,
        token: str,
        values: Mapping[str, str],
        problems: Mapping[str, str] | None = None,
        trouble: str = "",
        *,
        kept: bool = False,
    ) -> str:
        controls = list(self._controls(values, problems or {}))
        where = escape(self.settings.branches[branch].name)
        told = (
            '<p role="status"><strong>The visit is kept.</strong> You can write down the next one.</p>' if kept else ""
        )
        return form_page.page(
            f"{self.settings.title}: {self.settings.branches[branch].name}",
            told
            + form_page.trouble(TROUBLE, trouble, controls)
            + f'<form method="post" action="./" novalidate>{form_page.hidden({"token": token})}'
            + "".join(one.html() for one in controls)
            + '<button type="submit">Keep</button></form>'
            + f'<form method="post" action="sign-out" class="after"><p>Signed in for {where}. '
            + f'{form_page.hidden({"token": token})}<button type="submit" class="plain">Sign out</button></p></form>',
        )

    def _controls(self, values: Mapping[str, str], problems: Mapping[str, str]) -> Iterator[Control]:
        outcomes = [("", "–"), *((one, one) for one in self.settings.outcomes)]
        for name, (label, kind, most, hint) in FIELDS.items():
            yield Control(
                name,
                label,
                kind,
                values.get(name, ""),
                hint=hint,
                problem=problems.get(name, ""),
                mark="" if name == "about" else "optional",
                required=name == "about",
                most=most if kind in ("text", "textarea", "email", "tel") else None,
                choices=outcomes if kind == "select" else (),
                more='min="0" max="1440" step="any"' if kind == "number" else "",
            )
