"""Profiles as rows of one table: what Splink's SQL reads, made here so that every database reads the same."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from socialsupport_core.identity.suggestions.blocking import CROWD, sound
from socialsupport_core.identity.suggestions.profiles import Profile

Row = dict[str, str | None]

VARIANTS = 4
"""Rows of one profile, if it has several values of anything: the first row has the first of each, and so on."""
PLAIN = (
    "handle", "email", "phone", "birth_date", "national_id", "street", "street_number", "district", "city",
    "postcode", "region",
)  # fmt: skip
"""Attributes that are columns as they are. A name is two: its first word and its last."""
KEYS: tuple[tuple[str, ...], ...] = (
    ("email",),
    ("local",),
    ("phone",),
    ("national_id",),
    ("handle",),
    ("birth_date",),
    ("words",),
    ("first_word", "birth_month"),
    ("last_word", "birth_month"),
    ("first_word", "city"),
    ("last_word", "city"),
    ("first_sound", "birth_year"),
    ("last_sound", "birth_year"),
    ("first_sound", "postcode"),
    ("last_sound", "postcode"),
    ("postcode", "street_number"),
    ("street", "street_number"),
)
"""What is compared must agree in one of these. A key that too many share is left empty."""
COLUMNS = ("unique_id", "first_word", "last_word", "local", *PLAIN, *(f"key_{number}" for number in range(len(KEYS))))


def rows(profiles: Sequence[Profile], variants: int = VARIANTS) -> list[Row]:
    """In the order of the profiles; `unique_id` is a profile's place and the variant."""
    made = [row for place, one in enumerate(profiles) for row in _variants(place, one, variants)]
    held = Counter(value for row in made for value in _keys(row))
    for row in made:
        for number in range(len(KEYS)):
            value = row[f"key_{number}"]
            if value is not None and held[f"{number} {value}"] > CROWD:
                row[f"key_{number}"] = None
    return made


def place_of(unique_id: str) -> int:
    return int(unique_id.partition(".")[0])


def _variants(place: int, one: Profile, most: int) -> Iterator[Row]:
    """The number has leading zeros, so that every database orders the rows in the same way."""
    count = min(most, max((len(values) for values in one.values.values()), default=1))
    for variant in range(count):
        chosen = {name: values[variant % len(values)] for name, values in one.values.items()}
        yield _row(f"{place:012}.{variant}", chosen)


def _row(unique_id: str, chosen: dict[str, str]) -> Row:
    words = chosen.get("name", "").split()
    row: Row = {"unique_id": unique_id, **{name: chosen.get(name) for name in PLAIN}}
    row["first_word"] = words[0] if words else None
    row["last_word"] = words[-1] if len(words) > 1 else None
    row["local"] = chosen.get("email", "").partition("@")[0].partition("+")[0] or None
    parts = row | _parts(words, chosen)
    for number, recipe in enumerate(KEYS):
        values = [parts[part] for part in recipe]
        row[f"key_{number}"] = " ".join(map(str, values)) if None not in values else None
    return row


def _parts(words: Sequence[str], chosen: dict[str, str]) -> Row:
    """What only keys are made of."""
    born = chosen.get("birth_date", "")
    return {
        "words": " ".join(sorted((words[0], words[-1]))) if len(words) > 1 else None,
        "first_sound": sound(words[0]) if words else None,
        "last_sound": sound(words[-1]) if len(words) > 1 else None,
        "birth_month": born[:6] or None,
        "birth_year": born[:4] or None,
    }


def _keys(row: Row) -> Iterable[str]:
    return (f"{number} {row[f'key_{number}']}" for number in range(len(KEYS)) if row[f"key_{number}"] is not None)
