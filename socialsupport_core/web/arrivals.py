"""The page to which a hand-off link leads, in the customer's language. It shows nothing of its address."""

import html
from collections.abc import Mapping, Sequence
from typing import NamedTuple
from urllib.parse import unquote


class Words(NamedTuple):
    title: str
    heading: str
    lead: str
    code: str
    over: str
    again: str


WORDS: Mapping[str, Words] = {
    "en": Words(
        "Go on with us",
        "Go on where we left off",
        "Choose how.",
        "We may then ask you for a code, so that nobody else can speak for you.",
        "This link does not work any more",
        "Ask us for a new one.",
    ),
    "de": Words(
        "Hier geht es weiter",
        "Weiter, wo wir aufgehört haben",
        "Wählen Sie, wie.",
        "Vielleicht fragen wir Sie dann nach einem Code, damit niemand anderes für Sie sprechen kann.",
        "Dieser Link gilt nicht mehr",
        "Bitten Sie uns um einen neuen.",
    ),
    "fr": Words(
        "Continuons ici",
        "Reprenons là où nous en étions",
        "Choisissez comment.",
        "Nous vous demanderons peut-être un code, pour que personne ne parle à votre place.",
        "Ce lien n'est plus valable",
        "Demandez-nous-en un nouveau.",
    ),
    "es": Words(
        "Sigamos aquí",
        "Sigamos donde lo dejamos",
        "Elija cómo.",
        "Quizá le pidamos un código, para que nadie más pueda hablar por usted.",
        "Este enlace ya no es válido",
        "Pídanos uno nuevo.",
    ),
}


def wanted(accept: str) -> str:
    """The first language of the browser's that there are words in; English if there is none (RFC 9110 12.5.4)."""
    asked = [one.partition(";")[0].strip().partition("-")[0].lower() for one in accept[:500].split(",")]
    return next((one for one in asked if one in WORDS), "en")


def page(language: str, ways: Sequence[Mapping[str, str]]) -> str:
    words = WORDS.get(language, WORDS["en"])
    items = "".join(
        f'<li><a href="{html.escape(way["url"], quote=True)}" rel="noreferrer">{html.escape(way["label"])}</a>'
        f"{_address(way['url'])}</li>"
        for way in ways
    )
    said = f"<h1>{_text(words.heading)}</h1><p>{_text(words.lead)}</p><ul>{items}</ul><p>{_text(words.code)}</p>"
    return _page(language, said)


def over(language: str) -> str:
    words = WORDS[language]
    return _page(language, f"<h1>{_text(words.over)}</h1><p>{_text(words.again)}</p>")


def _address(url: str) -> str:
    """Where to write to: a machine without a mail program makes nothing of the link alone."""
    scheme, _, rest = url.partition(":")
    return f"<small>{_text(unquote(rest.partition('?')[0]))}</small>" if scheme == "mailto" else ""


def _text(words: str) -> str:
    return html.escape(words, quote=False)


def _page(language: str, body: str) -> str:
    spoken = language if language in WORDS else "en"
    return (
        f'<!doctype html><html lang="{spoken}"><meta charset="utf-8"><meta name="viewport"'
        f' content="width=device-width, initial-scale=1"><title>{_text(WORDS[spoken].title)}</title>'
        '<link rel="icon" href="static/icon.svg" type="image/svg+xml"><link rel="stylesheet" href="static/page.css">'
        f"<main>{body}</main></html>"
    )
