from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

SAY = {
    "type": "send.message",
    "key": "k",
    "own_account": "polly",
    "thread": {"id": "kea", "visibility": "private"},
    "text": "Hello **you**",
}


def test_what_fits_is_possible(run: Any, write: Any) -> None:
    ran = run("plan", "parrot", write("i.json", SAY), "--json")
    assert ran.status == 0
    (line,) = ran.lines
    assert line["possible"] is True
    assert [part["intent"]["text"] for part in line["parts"]] == ["Hello **you**"]
    assert (line["parts"][0]["size"], line["parts"][0]["limit"], line["parts"][0]["unit"]) == (9, 40, "characters")
    assert [loss["what"] for loss in line["losses"]] == ["markup"]
    assert line["obstacles"] == []
    assert line["also_possible"] == ["typing"]


def test_the_text_is_shown_as_it_is_counted(run: Any, write: Any, registry: Any) -> None:
    parrot = registry.connectors["parrot"]
    shouting = {"name": "shouting", "measured": lambda _, text: text.upper()}  # counts markup and all
    registry.connectors["shouting"] = type("Shouting", (parrot,), shouting)
    assert [part["counted"] for part in run("plan", "parrot", write("i.json", SAY), "--json").lines[0]["parts"]] == [
        "Hello you"
    ]
    (part,) = run("plan", "shouting", "i.json", "--json").lines[0]["parts"]
    assert (part["counted"], part["size"]) == ("HELLO **YOU**", 13)
    out = run("plan", "shouting", "i.json").out
    assert "13 of 40 characters" in out
    assert "HELLO **YOU**" in out
    assert "content, as it is counted" in out


def test_what_has_no_text_shows_what_it_has(run: Any, write: Any) -> None:
    react = {**SAY, "type": "react", "reaction": "👍"}
    out = run("plan", "parrot", write("i.json", {name: value for name, value in react.items() if name != "text"})).out
    assert "👍" in out


def test_each_intent_of_a_list_has_its_plan(run: Any, write: Any) -> None:
    ran = run("plan", "parrot", write("i.json", [SAY, {**SAY, "text": "word " * 20}]), "--json")
    assert [len(line["parts"]) for line in ran.lines] == [1, 3]


def test_a_table_shows_parts_losses_obstacles_and_ways_out(run: Any, write: Any) -> None:
    cat = {"media_type": "video/mp4", "name": "cat.mp4"}
    ran = run("plan", "parrot", write("i.json", {**SAY, "subject": "Hi", "attachments": [cat]}))
    assert ran.status == 1
    for said in ("would be sent", "9 of 40 characters", "[cat.mp4]", "would be lost", "subject", "markup", "forbidden",
                 "media_type", "possible: no; also possible here: typing"):  # fmt: skip
        assert said in ran.out


@pytest.mark.parametrize(("hours", "status"), [(23, 0), (25, 1)])
def test_the_reply_window_counts_from_the_last_inbound(run: Any, write: Any, hours: int, status: int) -> None:
    heard = (datetime.now(UTC) - timedelta(hours=hours)).isoformat()
    ran = run("plan", "parrot", write("i.json", SAY), "--last-inbound", heard, "--json")
    assert ran.status == status
    assert [one["rule"] for one in ran.lines[0]["obstacles"]] == ["reply_window"] * status


def test_settings_are_read_and_mistakes_in_them_told(run: Any, write: Any, settings: str) -> None:
    assert run("plan", "parrot", write("i.json", SAY), "--settings", settings).err == ""
    ran = run("plan", "parrot", write("i.json", SAY), "--settings", write("s.json", {"token": "1", "sekret": "abc"}))
    assert ran.err == (
        "socialsupport: s.json: sekret: there is no such key; did you mean secret?; "
        "s.json: secret: is missing; add it\n"
    )
