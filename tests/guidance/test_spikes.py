"""When many are more than usual, and what they have in common."""

import pytest

from socialsupport_core.guidance.spikes import Spikes, causes, unusual, words

SETTINGS = Spikes(enabled=True)


@pytest.mark.parametrize(
    ("count", "before", "limit"),
    [
        (9, [2, 2, 2], None),  # below the least
        (10, [2, 2, 2], 10),
        (19, [10, 10, 10, 10], None),  # not twice the usual
        (20, [10, 10, 10, 10], 20),
        (20, [10, 10, 10, 1000], 20),  # one wild week spoils nothing
        (21, [5, 10, 15, 20], None),  # median 12.5, deviation 5: 34.74
        (35, [5, 10, 15, 20], pytest.approx(12.5 + 3 * 1.4826 * 5)),
        (1000, [1, 1], None),  # two weeks tell nothing
        (12, [0, 0, 0], 10),
    ],
)
def test_what_is_unusual(count: int, before: list[int], limit: float | None) -> None:
    found = unusual(count, before, SETTINGS)
    assert (found.limit if found else None) == limit


def test_the_reason_names_both_numbers() -> None:
    found = unusual(42, [6, 6, 7], SETTINGS)
    assert found is not None
    assert found.reason == "42 new conversations this hour; at this hour of the week it is usually 6"


def test_what_many_say_and_few_said_before() -> None:
    now = {f"con_{n}": "My router shows a red light, please help" for n in range(8)}
    now |= {f"con_x{n}": f"please help, order number {n}" for n in range(4)}
    before = ["please help with my order", "please call me", "help please", "thanks for the help"] * 5
    found = causes(now, before, {one: one for one in now}, SETTINGS)
    assert found[0].words[:2] == ("light", "red")
    assert (found[0].count, len(found[0].conversations)) == (8, 5)
    assert not any(word in one.words for one in found for word in ("please", "help"))


def test_one_who_writes_often_is_not_many() -> None:
    now = {f"con_{n}": "zebra" for n in range(10)}
    assert causes(now, [], dict.fromkeys(now, "the same"), SETTINGS) == []
    assert causes(now, [], {one: f"cus_{n % 5}" for n, one in enumerate(now)}, SETTINGS)[0].words == ("zebra",)


def test_two_causes_are_two() -> None:
    now = {f"a{n}": "invoice twice" for n in range(6)} | {f"b{n}": "login broken" for n in range(5)}
    found = causes(now, ["hello there"] * 10, {}, SETTINGS)
    assert [(one.words, one.count) for one in found] == [(("invoice", "twice"), 6), (("broken", "login"), 5)]


def test_words_are_long_enough_to_mean_something() -> None:
    assert words("Der Router ist aus, 4711 am 2026-11-02 a_b") == {"router"}


def test_what_any_text_has_is_no_cause() -> None:
    """Of the words that themes leave out, none is named here either."""
    now = {f"con{n}": "Hello, why is my order not here? The parcel yesterday..." for n in range(9)}
    (told,) = causes(now, [], {one: one for one in now}, Spikes())
    assert told.words == ("parcel",)
