"""What a text is about: its words and pairs of words, without those that any text has."""

import re
from collections.abc import Iterator, Mapping
from functools import cache
from sys import intern

from socialsupport_core.guidance import lexicon
from socialsupport_core.guidance.triage import fold, language_of

LONGEST = 2_000  # characters that are looked at
MOST = 60  # terms of one text
_NO_WORDS = re.compile(r"https?://\S+|www\.\S+|\S+@\S+|[#@]\w+|\w*\d\w*")
"""Addresses, handles, numbers: they say who or which, and not about what."""
_SENTENCE = re.compile(r"[^.!?;:,()\n\"…]+")
_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)?")
SHORTEST = 3
MORE: Mapping[str, str] = {
    "en": (
        "about after again all also always am anyone anything because before being could day days dear did didn't"
        " doesn't don't down each even ever every first good got great help her here hey him his hour hours i'd i've"
        " into know last like look make many me more most much need never new no nobody nothing now off one only or"
        " order orders other out over own question really regards same say says see send she should since some"
        " something sorry tell than thank that's their them then there's these they're thing think those time today"
        " told too two until up us very want way week weeks well were which while who why won't yes yesterday yet"
        " you're your"
    ),
    "de": (
        "alle allem allen aller alles als also am andere ans auf aus beim bestellung bin bis bitten brauche da"
        " dann dass dazu daß dein deine der dich dies diese dieser dieses dir doch dort du durch eben einem einer"
        " eines einfach erst etwas frage freundliche gar gegen gehen geht gerade gerne gestern grüße gut hab haben"
        " hallo heute hier hilfe ihm ihn ihnen ihren ins ja jetzt kein keine keinen können könnt leider mal man"
        " mehr mein meiner muss müssen na nein nichts nie niemand nun ob ohne schon sehr sein seine sich soll"
        " sondern tage tagen um uns unser unter viel vielen vom vor warum was weil weiß welche wenn werden wieder"
        " will woche wochen worden würde zwei"
    ),
    "es": (
        "ahora algo alguien antes aquí así aun ayer ayuda aún cada casi cual cualquier cuál dar decir donde dos"
        " día días ella ellos entre era eres eso estar estoy están fueron hasta hoy ir luego mejor menos mientras"
        " mismo mucha mucho nada nadie ni nos nosotros nuestro nunca os otra otro para pedido pero poco porqué"
        " pregunta puede pueden puedo quien quiero saber saludos según semana semanas siempre sobre solo soy sólo"
        " también tan tanto tiene tienen unas unos usted ustedes va vez"
    ),
    "fr": (
        "aide alors après aucun aujourd'hui aussi autre autres avant avoir bon c'était car ces chez commande comme"
        " comment contre cordialement d'un d'une dans deux dire dois donc dont déjà elle elles entre est-ce eux"
        " faire fait faut fois hier ici ils j'ai j'avais jamais jour jours jusqu l'ai leur leurs lui moi moins même"
        " n'a n'ai n'est nos notre on ont ou où par parce personne peu peut peux plusieurs pourquoi puis qu'il"
        " quand quel quelle question qui quoi rien sa sans semaine semaines ses si soit son sous ta tes toi ton"
        " tous toute toutes trop tu va vers veux voir votre était être"
    ),
}
"""Beside the commonest words, by which the language is told: what says nothing of the matter either."""


def terms_of(text: str | None, language: str | None = None) -> tuple[str, ...]:
    """Sorted. Pairs stand beside each other in one sentence; of a language that is unknown the words of all are left
    out."""
    if not text:
        return ()
    bare = _NO_WORDS.sub(" , ", text[:LONGEST].casefold().replace("’", "'"))
    common = _common(language or language_of(bare, _WORD.findall(fold(bare))[:200]))
    found: dict[str, None] = {}
    for sentence in _SENTENCE.findall(bare):
        found |= dict.fromkeys(_terms(_WORD.findall(sentence), common))
        if len(found) >= MOST:
            break
    return tuple(sorted(map(intern, list(found)[:MOST])))


def _terms(words: list[str], common: frozenset[str]) -> Iterator[str]:
    before = ""
    for word in words:
        tells = len(word) >= SHORTEST and fold(word) not in common
        if tells:
            yield word
            if before:
                yield f"{before} {word}"
        before = word if tells else ""


@cache
def _common(language: str | None) -> frozenset[str]:
    plain = (language or "").partition("-")[0].lower()
    spoken = [plain] if plain in lexicon.COMMON else list(lexicon.COMMON)
    found: set[str] = set()
    for one in spoken:
        found |= {word.strip() for word in lexicon.COMMON[one].split(",")} | set(map(fold, MORE.get(one, "").split()))
    return frozenset(found)
