"""Which pairs are worth a comparison: those that share a key, unless too many do."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import combinations, product

from socialsupport_core.identity.suggestions.profiles import Profile

CROWD = 64
"""Profiles that may share a key. A family shares one, a small office too; a whole city tells nothing, and its pairs
grow with the square."""
MANY = 8
"""Values of one attribute that make keys."""

RECIPES: tuple[tuple[str, ...], ...] = (
    ("email",),
    ("local",),
    ("phone",),
    ("national_id",),
    ("handle",),
    ("birth_date",),
    ("word", "word"),
    ("word", "birth_month"),
    ("word", "city"),
    ("word", "postcode"),
    ("word", "street"),
    ("sound", "birth_year"),
    ("sound", "postcode"),
    ("sound", "city"),
    ("sound", "sound"),
    ("postcode", "street_number"),
    ("street", "street_number"),
)
"""A key is one value of each of these."""


def candidates(profiles: Sequence[Profile]) -> Iterator[tuple[int, int]]:
    """Pairs of places, the smaller first, each once."""
    holders: dict[str, list[int]] = {}
    for place, one in enumerate(profiles):
        for key in keys(one):
            holders.setdefault(key, []).append(place)
    seen: set[tuple[int, int]] = set()
    for places in holders.values():
        if 1 < len(places) <= CROWD:
            seen.update(combinations(places, 2))
    yield from sorted(seen)


def keys(one: Profile) -> set[str]:
    parts = {part: sorted(set(_parts(one, part)))[:MANY] for recipe in RECIPES for part in recipe}
    return {
        f"{'+'.join(recipe)} {' '.join(chosen)}"
        for recipe in RECIPES
        for chosen in product(*(parts[part] for part in recipe))
        if len(set(chosen)) == len(chosen) and list(chosen) == _once(recipe, chosen)
    }


def _once(recipe: tuple[str, ...], chosen: tuple[str, ...]) -> list[str]:
    """Two words in one order only."""
    return sorted(chosen) if len(set(recipe)) == 1 else list(chosen)


def _parts(one: Profile, part: str) -> Iterable[str]:
    values = one.values.get
    if part == "word":
        return (word for name in values("name", ()) for word in name.split()[:4] if len(word) > 1)
    if part == "sound":
        return (sound(word) for name in values("name", ()) for word in name.split()[:4] if len(word) > 1)
    if part == "local":
        return (local for value in values("email", ()) if len(local := value.partition("@")[0].partition("+")[0]) > 4)
    if part == "birth_month":
        return (value[:6] for value in values("birth_date", ()))
    if part == "birth_year":
        return (value[:4] for value in values("birth_date", ()))
    return values(part, ())


def sound(word: str) -> str:
    """Its first consonants in alphabetical order: letters that changed places, and most vowels, do not matter."""
    return "".join(sorted(set(word) - set("aeiouy")))[:4] or word[:1]
