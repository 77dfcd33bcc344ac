"""`socialsupport report --history`: what somebody brings is measured, with no store."""

import json
from pathlib import Path
from typing import Any

import pytest

PAPER = Path(__file__).parents[1] / "insight/paper/facebook_twitter_call.csv"
UNTIL = ("--until", "2026-12-01")


@pytest.fixture(autouse=True)
def nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where there is no store."""
    monkeypatch.chdir(tmp_path)


def test_the_journey_is_told_leg_by_leg_and_what_it_costs(run: Any, tmp_path: Path) -> None:
    ran = run("report", "--history", str(PAPER), *UNTIL)
    assert ran.status == 0
    told = " ".join(ran.out.split())
    assert "it broke down on facebook: no answer in time" in told
    assert "facebook: 3 contacts, none answered; 7 hours after the last, the customer turned to twitter" in told
    assert "twitter: answered, but the customer turned to call all the same" in told
    assert "phone 40% 15.00 6.0000" in told
    assert "a failed social contact 7.7225" in told
    assert "6 lines: 6 touches of 1 customer and 1 agent on call (as phone), facebook, twitter" in ran.err
    assert list(tmp_path.iterdir()) == []


def test_the_page_and_the_document_are_made_of_it(run: Any, tmp_path: Path) -> None:
    file = tmp_path / "page.html"
    ran = run("report", "--history", str(PAPER), *UNTIL, "--since", "2026-11-01", "--html", str(file), "--json")
    told = json.loads(ran.out)
    assert told["journeys"][0]["customer"] == "Kerry"
    page = file.read_text("utf-8")
    assert "7.7225" in page
    assert "before: from 2026-10-02 00:00, of which nothing is known." in page
    assert "do not add them" in page
    again = run("report", "--history", str(PAPER), *UNTIL, "--since", "2026-11-03", "--html", str(file))
    assert again.status == 0
    assert (
        "of which nothing is known until 2026-11-02 09:00: compare its shares, and not its counts" in file.read_text()
    )


def test_filters_and_staffing_work_on_it(run: Any) -> None:
    assert run("report", "--history", str(PAPER), *UNTIL, "--channel", "twitter").status == 0
    ran = run("report", "--history", str(PAPER), *UNTIL, "--channel", "twiter")
    assert "there is no channel 'twiter' to report on; did you mean twitter?" in ran.err
    needed = json.loads(run("report", "--history", str(PAPER), *UNTIL, "--staffing", "--json").out)
    assert needed["period"]["until"].startswith("2026-12-01")


def test_what_cannot_be_read_is_told_line_by_line_and_nothing_is_reported(run: Any, tmp_path: Path) -> None:
    file = tmp_path / "wrong.jsonl"
    file.write_text('{"at": "2026-11-02T09:00:00Z"}\n' * 25)
    ran = run("report", "--history", str(file))
    assert (ran.status, ran.out) == (1, "")
    assert f"{file}, line 20: customer: is missing; add it; channel: is missing; add it" in ran.err
    assert "line 21:" not in ran.err
    assert "and 5 lines more" in ran.err
    assert "25 of 25 lines cannot be read" in ran.err


def test_times_without_a_zone_take_that_of_the_command(run: Any, tmp_path: Path) -> None:
    file = tmp_path / "h.csv"
    file.write_text("at,customer,channel,direction\n2026-07-01 09:00,k,x,inbound\n2026-12-24 09:00,k,x,inbound\n")
    ran = run("report", "--history", str(file), *UNTIL, "--zone", "Europe/Berlin", "--json")
    assert json.loads(ran.out)["period"]["from"] == "2026-07-01T07:00:00Z"
    assert "1 line at --until or later did not count" in ran.err
    assert "'Berlin' is no time zone" in run("report", "--history", str(file), "--zone", "Berlin").err


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (("--history", str(PAPER), "--from", "exported"), "made --from an export or of a --history; leave one of them"),
        (("--zone", "UTC"), "--zone is for the times of a --history"),
        (("--history", "nowhere.csv"), "nowhere.csv cannot be read: No such file or directory"),
    ],
)
def test_what_does_not_go_together(run: Any, given: tuple[str, ...], said: str) -> None:
    ran = run("report", *given)
    assert ran.status == 1
    assert said in ran.err


def test_an_import_of_lines_says_which_way_they_go(run: Any) -> None:
    assert (
        "a history that is only to be measured needs no import: report --history FILE" in run("import", "h.jsonl").err
    )
