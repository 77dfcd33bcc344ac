"""Learning from corrections: figures, judging without scikit-learn, and files that are no models."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

import socialsupport_triage_sklearn
from socialsupport_core.cli.main import main
from socialsupport_core.contract import ConfigError, Heard, Registry, Verdict
from socialsupport_core.hub import Hub
from socialsupport_core.model import Identifier, Interaction, Party, Thread
from socialsupport_triage_sklearn.learned import Learned
from socialsupport_triage_sklearn.model import Model, grams
from socialsupport_triage_sklearn.training import _learn, plain, train

THINGS = ("kettle", "lamp", "chair", "router", "jacket", "tent")
LABELS = [
    *(("complaint", f"the {thing} hums all night") for thing in THINGS),
    *(("complaint", f"my {thing} hums, is that right") for thing in THINGS),
    *(("spam", f"moon tokens for your {thing}") for thing in THINGS),
    *(("spam", f"get moon tokens, sell the {thing}") for thing in THINGS),
    *(("praise", f"chef's kiss for the {thing}") for thing in THINGS),
]


def heard(text: str, **more: Any) -> Heard:
    given = {"tenant": "acme", "network": "x", "channel": "x", "visibility": "public", "text": text}
    return Heard(**given | more)


RULES = Verdict(kind="request", reasons=("request: nothing tells otherwise",))


@pytest.fixture(scope="module")
def model() -> Model:
    return train(LABELS)


@pytest.fixture
def learned(tmp_path: Path, model: Model) -> Learned:
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "acme.json").write_text(model.model_dump_json(), "utf-8")
    return Learned(tmp_path / "models")


def test_it_learns_and_says_how_good_it_is(tmp_path: Path) -> None:
    told = Learned(tmp_path).learn("acme", LABELS)
    assert told["examples"] == 30
    assert set(told["kinds"]) == {"complaint", "spam", "praise"}
    assert all(min(pair) > 0.9 for pair in told["kinds"].values())


def test_figures_are_of_examples_it_has_not_seen() -> None:
    """Kinds that mean nothing cannot be told apart, however well they are remembered."""
    labels = [(("complaint", "praise")[number % 2], f"word{number} other{number}") for number in range(40)]
    assert all(max(pair) < 0.8 for pair in train(labels).figures.values())


def test_it_judges_what_is_new_and_gives_its_words(learned: Learned) -> None:
    found = learned.judge(heard("my sofa hums at night"), RULES)
    assert found is not None
    assert (found.kind, found.by, found.urgency) == ("complaint", "sklearn", "normal")
    assert "“hums”" in found.reasons[0]
    assert "learnt from 30 of yours" in found.reasons[0]


def test_it_is_silent_where_it_is_not_sure_agrees_or_would_hide_a_customer(learned: Learned) -> None:
    assert learned.judge(heard("qwertz uiop"), RULES) is None
    assert learned.judge(heard("it hums"), Verdict(kind="complaint")) is None
    assert learned.judge(heard("moon tokens"), RULES) is not None
    assert learned.judge(heard("moon tokens", told=("order",)), RULES) is None
    assert learned.judge(heard("it hums", tenant="rival"), RULES) is None
    assert learned.judge(heard("it hums", tenant="../acme"), RULES) is None


@pytest.mark.parametrize("labels", [LABELS, LABELS[:24]], ids=["three kinds", "two kinds"])
def test_the_plain_model_says_what_scikit_learn_says(labels: list[tuple[str, str]]) -> None:
    learnt = _learn(*zip(*labels, strict=True))
    model = plain(learnt, len(labels), {})
    for text in ("my sofa hums", "moon tokens now", "chef's kiss", "nothing of it", ""):
        kind, probability, _ = model.judge(text)
        odds = learnt.predict_proba([text])[0]
        assert probability == pytest.approx(max(odds), abs=1e-3)
        if text != "":
            assert kind == learnt.predict([text])[0]


@pytest.mark.parametrize(
    "labels", [[], LABELS[:12], [*LABELS[:10], ("praise", "x y")], [("moan", text) for _, text in LABELS]]
)
def test_too_few_examples_are_refused(labels: list[tuple[str, str]], tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="too few to learn from"):
        Learned(tmp_path).learn("acme", labels)
    assert list(tmp_path.iterdir()) == []


def test_without_a_folder_it_says_what_to_do() -> None:
    with pytest.raises(ConfigError, match="open the hub with one"):
        Learned(None).learn("acme", LABELS)
    assert Learned(None).judge(heard("it hums"), RULES) is None


def test_a_new_model_is_taken_at_the_next_message(learned: Learned) -> None:
    assert learned.judge(heard("it hums"), RULES) is not None
    learned.learn(
        "acme", [({"complaint": "praise", "praise": "complaint"}.get(kind, kind), text) for kind, text in LABELS]
    )
    found = learned.judge(heard("it hums"), RULES)
    assert found is not None
    assert found.kind == "praise"


@pytest.mark.parametrize("content", ["", "{}", "[1]", '{"format": 2}', "\x80pickle", "null"])
def test_a_file_that_is_no_model_is_left_aside(
    learned: Learned, tmp_path: Path, content: str, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "models" / "acme.json").write_text(content, "utf-8")
    assert learned.judge(heard("it hums"), RULES) is None
    assert learned.judge(heard("it hums"), RULES) is None
    assert len([one for one in caplog.records if "is left aside" in one.getMessage()]) == 1


def test_tables_that_do_not_fit_are_no_model(model: Model) -> None:
    whole = json.loads(model.model_dump_json())
    for name, value in (
        ("intercepts", whole["intercepts"][:-1]),
        ("weights", whole["weights"][:-1]),
        ("grams", {"x": len(whole["weights"])}),
        ("kinds", ["complaint", "moan", "praise"]),
        ("coefficients", [[float("nan")] * len(whole["weights"])] * 3),
    ):
        with pytest.raises(ValidationError):
            Model.model_validate(whole | {name: value})


def test_a_long_text_costs_in_proportion() -> None:
    assert len(grams("humming " * 1000)) == 1000 + 999 + 1000


def test_judging_needs_no_scikit_learn(learned: Learned, tmp_path: Path) -> None:
    code = (
        "import sys; sys.modules['sklearn'] = None\n"
        "from pathlib import Path\n"
        "from socialsupport_core.contract import Heard, Verdict\n"
        "from socialsupport_triage_sklearn import Learned\n"
        "heard = Heard(tenant='acme', network='x', channel='x', visibility='public', text='it hums')\n"
        "print(Learned(Path(sys.argv[1])).judge(heard, Verdict(kind='request')).kind)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "models")], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "complaint"


def test_from_corrections_to_verdicts(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    registry = Registry.of(socialsupport_triage_sklearn)
    hub = Hub.open(tmp_path / "support.sqlite", public_url="https://hub.example", registry=registry)
    hub.add_tenant("acme", "Acme")
    hub.add_agent("acme", "dana", "Dana")

    def say(number: int, text: str) -> str:
        who = Identifier(kind="phone", value=f"+1555010{number:04}")
        hub.record_interaction(
            "acme",
            Interaction(
                network="phone",
                native_id=f"n{number}",
                kind="message",
                direction="inbound",
                own_account="us",
                thread=Thread(id=f"t{number}", visibility="private"),
                author=Party(identifiers=(who,)),
                text=text,
                sent_at=hub.clock(),
            ),
        )
        hub.drain()
        return str(hub.customer("acme", str(who))["conversations"][0]["id"])

    with pytest.raises(ConfigError, match="too few"):
        hub.learn_triage("acme")
    for number, (kind, text) in enumerate(LABELS):
        hub.triage("acme", say(number, text), kind, agent="dana")  # type: ignore[arg-type]
    told = hub.learn_triage("acme")
    assert told["sklearn"]["examples"] == 30
    found = hub.conversation("acme", say(100, "moon tokens for you"))["triage"]
    assert (found["kind"], found["noise"], found["by"]) == ("spam", True, "sklearn")
    hub.close()
    where = ["--store", str(tmp_path / "support.sqlite"), "--tenant", "acme"]
    assert main(["learn", *where, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["sklearn"]["examples"] == 30
    assert main(["learn", *where]) == 0
    assert "precision" in capsys.readouterr().out
