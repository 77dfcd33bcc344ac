"""Answers beside the reply box: found on both stores, filled in, redacted, followed up, erased."""

from pathlib import Path
from typing import Any

import pytest
from raven import Raven, Roost, message

from socialsupport_core.cli.answers import read
from socialsupport_core.contract import Asked, ConfigError, Registry
from socialsupport_core.hub import NoSuchAnswer

LATE = {"title": "A parcel is late", "text": "{greeting}, your order {order} is on its way. {agent}"}
MANUAL = {"kind": "article", "title": "Reset the lamp", "text": "Hold the button.", "url": "https://acme.example/lamp"}


@pytest.fixture
def asked(roost: Roost) -> Roost:
    roost.hub.put_answer("acme", "late", LATE)
    roost.hub.put_answer("acme", "lamp", MANUAL)
    roost.hear(message(1, "My parcel is late! It is order 4711."))
    return roost


def offered(roost: Roost, name: str = "kerry", **how: Any) -> list[dict[str, Any]]:
    return roost.hub.answers("acme", roost.conversation(name), agent="dana", **how)


def test_it_is_found_filled_and_says_why(asked: Roost) -> None:
    (one,) = offered(asked)
    assert one["text"] == "Hi Kerry, your order 4711 is on its way. Dana"
    assert (one["kind"], one["title"], one["missing"]) == ("canned", "A parcel is late", [])
    assert one["why"] == "it has the words parcel, late, order; not used yet"


def test_in_public_what_is_private_stays_blank_and_the_guard_is_not_needed(asked: Roost) -> None:
    asked.hear(message(2, "late parcel, order 9915", "finn", visibility="public"))
    (one,) = offered(asked, "finn")
    assert "9915" not in one["text"]
    assert "order" in one["missing"]
    assert [
        each["rule"]
        for each in asked.hub.plan("acme", asked.conversation("finn"), one["text"], agent="dana")["refusals"]
    ] == ["no_blank_left"]


def test_an_article_comes_with_its_address(asked: Roost) -> None:
    asked.hear(message(2, "how can I reset my lamp?", "finn"))
    (one,) = offered(asked, "finn")
    assert one["text"] == "Hold the button.\nhttps://acme.example/lamp"


def test_a_tenants_texts_are_the_tenants(asked: Roost) -> None:
    asked.hear(message(1, "my parcel is late"), tenant="rival")
    con = asked.conversation(tenant="rival")
    assert asked.hub.answers("rival", con, agent="dana") == []
    assert asked.hub.written_answers("rival") == []


def test_one_of_the_same_name_takes_its_place(asked: Roost) -> None:
    asked.hub.put_answer("acme", "late", {"title": "Patience", "text": "Soon."})
    assert offered(asked) == []
    asked.hub.put_answer("acme", "late", {"kind": "article", "title": "Parcels", "text": "Soon."})
    assert [one["name"] for one in asked.hub.written_answers("acme")] == ["lamp", "late"]
    assert offered(asked)[0]["kind"] == "article"
    asked.hub.remove_answer("acme", "late")
    assert offered(asked) == []
    with pytest.raises(NoSuchAnswer):
        asked.hub.remove_answer("acme", "late")
    with pytest.raises(ConfigError, match=r"late\.txt"):
        asked.hub.put_answer("acme", "late", {"title": "x", "txt": "x"})


def answer(roost: Roost, name: str, number: int, said: str, **how: Any) -> None:
    roost.hear(message(number, "my parcel is late", name, at=roost.clock.now))
    roost.clock.forward(minutes=1)
    roost.reply(said, name, **how)
    roost.hub.drain()
    roost.hub.resolve("acme", roost.conversation(name), agent="dana")


def test_what_helped_rises(asked: Roost) -> None:
    asked.hub.put_answer("acme", "other", {"title": "Late parcel order", "text": "Please wait."})
    first = offered(asked)
    assert first[0]["title"] == "Late parcel order"
    good = next(one for one in first if one["title"] == "A parcel is late")
    for n in range(4):
        answer(
            asked,
            f"bird{n}",
            100 + n,
            f"Hi Bird{n}, your order {{order}} is on its way. Dana".replace("{order}", "1"),
            answer=good["id"],
        )
    answer(asked, "crow", 200, "Please wait.", answer=first[0]["id"])
    asked.hub.reopen("acme", asked.conversation("crow"), agent="dana")
    again = [one for one in offered(asked) if one["kind"] == "canned"]
    assert [one["title"] for one in again] == ["A parcel is late", "Late parcel order"]
    assert "sent 4 times, 4 stayed resolved, 0 came back" in again[0]["why"]
    assert "sent once, 0 stayed resolved, 1 came back, 0% changed" in again[1]["why"]
    kept = {one["name"]: one for one in asked.hub.written_answers("acme")}
    assert (kept["late"]["sent"], kept["other"]["came_back"]) == (4, 1)


def test_a_reply_told_twice_is_one_use_and_an_unknown_answer_none(asked: Roost) -> None:
    (one,) = offered(asked)
    for _ in range(2):
        asked.reply(one["text"], key="once", answer=one["id"])
    asked.reply("another", answer="999999")
    asked.reply("more", answer="x")
    kept = {each["name"]: each for each in asked.hub.written_answers("acme")}
    assert (kept["late"]["sent"], kept["late"]["edited"]) == (1, 0)


SECRET = "Dear Wren, your order 778899 went to wren@mail.example; the late parcel comes on Monday."


def test_what_a_hand_off_says_answers_nothing(asked: Roost) -> None:
    """It stands under an agent's name, and nobody wrote it."""
    asked.hear(message("o-1", "My parcel is late", "owl", visibility="public", at=asked.clock.now))
    owls = asked.conversation("owl")
    asked.hub.hand_off("acme", owls, agent="dana", to="tower")
    asked.hub.drain()
    assert len(asked.sky.texts()) == 2
    asked.hub.resolve("acme", owls, agent="dana")
    asked.hub.drain()
    assert [each for each in offered(asked) if each["kind"] == "matter"] == []


def test_a_like_matter_shows_what_we_said_without_whose_it_was(asked: Roost) -> None:
    asked.hear(message(50, "My parcel is late, order 778899, wren@mail.example", "wren", at=asked.clock.now))
    asked.reply(SECRET, "wren")
    asked.hub.drain()
    assert [one["kind"] for one in offered(asked)] == ["canned"]
    asked.hub.resolve("acme", asked.conversation("wren"), agent="dana")
    (one,) = [each for each in offered(asked) if each["kind"] == "matter"]
    assert one["text"] == "Dear …, your order … went to …; the late parcel comes on Monday."
    assert [each["kind"] for each in offered(asked, "wren")] == ["canned"]
    asked.hub.set_guidance("acme", {"answers": {"matters": False}})
    assert [each["kind"] for each in offered(asked)] == ["canned"]


def test_what_was_deleted_since_is_not_shown(asked: Roost) -> None:
    asked.hear(message(50, "My parcel is late", "wren", at=asked.clock.now))
    asked.reply("It comes on Monday.", "wren")
    asked.hub.drain()
    asked.hub.resolve("acme", asked.conversation("wren"), agent="dana")
    assert len(offered(asked)) == 2
    asked.hub.erase("acme", "raven.ring:wren", agent="dana")
    assert len(offered(asked)) == 1


def test_who_is_erased_is_found_by_nothing(asked: Roost) -> None:
    asked.hear(message(50, "My zebulonlamp flickers", "wren", at=asked.clock.now))
    asked.reply("Hold the button.", "wren")
    asked.hub.drain()
    asked.hub.resolve("acme", asked.conversation("wren"), agent="dana")
    assert "zebulonlamp" in asked.dump()
    asked.hub.erase("acme", "raven.ring:wren", agent="dana")
    assert "zebulonlamp" not in asked.dump()
    for path in asked.path.parent.glob("support.sqlite*"):
        assert not path.is_file() or b"zebulonlamp" not in path.read_bytes()


def test_a_plugin_knows_better_and_its_failure_loses_nothing(tmp_path: Path, store: str | Path) -> None:
    heard: list[Asked] = []

    def ranker(asked: Asked) -> list[float]:
        heard.append(asked)
        return [0.99 if "lamp" in text else 0.0 for text in asked.texts]

    def broken(asked: Asked) -> list[float]:
        raise RuntimeError("no model")

    def short(asked: Asked) -> list[float]:
        return []

    def silent(asked: Asked) -> None:
        return None

    roost = Roost(tmp_path, store=store, registry=Registry.of(_with(ranker, broken, short, silent)))
    for name, title in (("one", "Parcel late order"), ("two", "The lamp and a parcel")):
        roost.hub.put_answer("acme", name, {"title": title, "text": "Text."})
    roost.hear(message(1, "my parcel is late, an order", at=roost.clock.now))
    first, second = offered(roost)
    assert first["title"] == "The lamp and a parcel"
    assert "alike in meaning" in first["why"]
    assert second["title"] == "Parcel late order"
    assert heard[0].question.strip() == "my parcel is late, an order"
    roost.hub.close()


def _with(*rankers: Any) -> Any:
    from socialsupport_core.contract import hookimpl

    class Plugin:
        __name__ = "ravens"

        @hookimpl
        def socialsupport_connectors(self) -> Any:
            return (Raven,)

        @hookimpl
        def socialsupport_rankers(self) -> Any:
            return rankers

    return Plugin()


def test_a_folder_is_brought_in_whole(asked: Roost, tmp_path: Path) -> None:
    folder = tmp_path / "answers"
    (folder / "lamps").mkdir(parents=True)
    (folder / "lamps" / "reset.md").write_text(
        "---\nurl: https://acme.example/r\nlanguage: en\n---\n# Reset a lamp\n\nHold it.\n"
    )
    (folder / "no-title.md").write_text("Just text.\n")
    (folder / "canned.toml").write_text('[hours]\ntitle = "Hours"\ntext = "9 to 5"\n[hours.on]\nx = "9-5"\n')
    given = read(folder)
    assert given["lamps/reset"] == {
        "kind": "article",
        "title": "Reset a lamp",
        "text": "Hold it.",
        "url": "https://acme.example/r",
        "language": "en",
    }
    assert given["no-title"]["title"] == "No title"
    assert asked.hub.import_answers("acme", given, source="folder answers") == {"kept": 3, "removed": 0}
    del given["hours"]
    assert asked.hub.import_answers("acme", given, source="folder answers") == {"kept": 2, "removed": 1}
    names = {one["name"] for one in asked.hub.written_answers("acme")}
    assert names == {"lamps/reset", "no-title", "late", "lamp"}
    with pytest.raises(ConfigError):
        asked.hub.import_answers("acme", {"x": {"title": "no text"}}, source="folder answers")
    assert {one["name"] for one in asked.hub.written_answers("acme")} == names


@pytest.mark.parametrize(
    ("name", "text", "problem"), [("a.toml", "x = 1", "outside of any answer"), ("a.toml", "[", "a.toml")]
)
def test_what_cannot_be_read_names_its_file(tmp_path: Path, name: str, text: str, problem: str) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(ConfigError, match=problem):
        read(tmp_path)
    with pytest.raises(ConfigError, match="no such folder"):
        read(tmp_path / "nowhere")
