"""What kind of contact a message is: by our own corpus, with reasons, within bounds."""

import time
from collections import Counter
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from socialsupport_core.contract import NOISE, Heard, Verdict
from socialsupport_core.guidance.triage import GRAVE, MOST, TriageSection, judge

CORPUS = Path(__file__).with_name("corpus") / "contacts.txt"
PAGE = Path(__file__).parents[2] / "docs" / "operate" / "guidance.md"


class Text(NamedTuple):
    part: str
    kind: str
    language: str
    text: str


def heard(text: str, **more: Any) -> Heard:
    return Heard(**{"tenant": "acme", "network": "x", "channel": "x", "visibility": "public", "text": text} | more)


def said(text: str, section: TriageSection | None = None, **more: Any) -> Verdict:
    return judge(heard(text, **more), section)


def corpus() -> list[Text]:
    found, part = [], ""
    for line in CORPUS.read_text("utf-8").splitlines():
        if line.startswith("["):
            part = line.strip("[]")
        elif line and not line.startswith("#"):
            found.append(Text(part, *line.split("|", 2)))
    return found


def figures(part: str) -> dict[str, tuple[float, float]]:
    """By kind: precision and recall; `noise` is everything that is kept out of the queue."""
    pairs = [(one.kind, said(one.text).kind) for one in corpus() if one.part == part]
    groups: dict[str, set[str]] = {kind: {kind} for kind in GRAVE} | {"noise": set(NOISE)}
    found = {}
    for name, kinds in groups.items():
        right = sum(is_ in kinds and told in kinds for is_, told in pairs)
        claimed, there = sum(told in kinds for _, told in pairs), sum(is_ in kinds for is_, _ in pairs)
        found[name] = round(right / max(1, claimed), 2), round(right / there, 2)
    return found


def test_the_corpus_is_large_and_even() -> None:
    counted = Counter((one.kind, one.language) for one in corpus())
    assert len(corpus()) > 200
    assert len(counted) == 7 * 4
    assert min(counted.values()) >= 7
    assert len({one.text for one in corpus()}) == len(corpus())


def test_the_page_tells_the_figures_of_texts_that_the_rules_were_not_made_from() -> None:
    """Run with the rules changed, this says what the page has to say."""
    held_out = figures("held-out")
    rows = "\n".join(f"| {kind} | {p:.2f} | {r:.2f} |" for kind, (p, r) in held_out.items())
    assert rows in PAGE.read_text("utf-8"), f"the table of {PAGE.name} should be\n{rows}"


def test_hardly_anybody_in_need_is_taken_for_marketing() -> None:
    for part in ("tuning", "held-out"):
        precision, recall = figures(part)["noise"]
        assert precision >= 0.97, part
        assert recall >= 0.8, part


def test_languages_are_told() -> None:
    right = [said(one.text).language == one.language for one in corpus()]
    assert sum(right) / len(right) > 0.85


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Где мой заказ?", "ru"),
        ("注文が届きません", "ja"),
        ("我的订单在哪里", "zh"),
        ("주문이 안 왔어요", "ko"),
        ("أين طلبي", "ar"),
        ("Dov'è il mio ordine? Non è arrivato", "it"),
        ("waar is mijn bestelling en hoe lang nog", "nl"),
        ("ok", None),
        ("🙏", None),
        ("", None),
    ],
)
def test_scripts_and_neighbours(text: str, language: str | None) -> None:
    assert said(text).language == language


def test_what_the_network_says_of_the_language_counts() -> None:
    assert said("ok", language="tr").language == "tr"


def test_each_verdict_has_its_reasons() -> None:
    verdict = said("URGENT: my order is broken, and nobody answers!!!")
    assert (verdict.kind, verdict.urgency, verdict.by) == ("complaint", "high", "rules")
    assert verdict.reasons == ("complaint: “broken”, “nobody answers”", "urgent: “urgent”, “!!!”")


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("not happy with this", "complaint"),
        ("I am not impressed", "complaint"),
        ("no estoy contenta", "complaint"),
        ("Thanks, but where is my parcel?", "question"),
        ("Can you help me please? Thanks", "request"),
        ("", "request"),
        ("👍", "request"),
        ("1234", "request"),
    ],
)
def test_courtesy_is_no_praise_and_negated_praise_is_none(text: str, kind: str) -> None:
    assert said(text).kind == kind


def test_whoever_tells_an_order_is_no_marketing() -> None:
    text = "my voucher code does nothing for order 4711"
    assert said(text).is_noise
    verdict = said(text, told=("order",))
    assert (verdict.kind, verdict.is_noise) == ("request", False)
    assert "order" in verdict.reasons[0]


@pytest.mark.parametrize(
    ("text", "urgency"),
    [
        ("My card was stolen", "high"),
        ("PLEASE ANSWER ME NOW", "high"),
        ("Necesito ayuda cuanto antes", "high"),
        ("Could you send me the invoice", "normal"),
        ("I love it", "low"),
    ],
)
def test_urgency(text: str, urgency: str) -> None:
    assert said(text).urgency == urgency


# a tenant's own words


def test_a_tenant_adds_words_and_takes_some_away() -> None:
    section = TriageSection(words={"complaint": ("flickers",), "spam": ("Wunderpill*",)}, without=("Super",))
    assert said("my lamp flickers", section).reasons == ("complaint: “flickers”",)
    assert said("Try the wunderpille", section).kind == "spam"
    assert said("super").kind == "praise"
    assert said("super", section).kind == "request"
    assert said("my lamp flickers").kind == "request"


def test_words_that_make_no_sense_are_refused() -> None:
    for written in ({"words": {"moan": ("x",)}}, {"words": {"spam": ("x",)}}, {"without": ["x" * 61]}):
        with pytest.raises(ValidationError):
            TriageSection.model_validate(written)


# bounds


@settings(max_examples=60)
@given(st.text(max_size=300))
def test_any_text_has_a_verdict(text: str) -> None:
    verdict = said(text)
    assert verdict.kind in GRAVE
    assert verdict.reasons
    assert said(text) == verdict


@pytest.mark.parametrize("piece", ["not ", "please ", "a", "?", "ich möchte ", "x " * 10, "#", "ﷺ", "http://"])
def test_a_long_text_costs_no_more_than_what_is_read(piece: str) -> None:
    begin = time.perf_counter()
    judge(heard((piece * 200_000)[:200_000]))
    assert time.perf_counter() - begin < 0.5


def test_what_comes_after_the_bound_does_not_count() -> None:
    assert said("x" * MOST + " broken").kind == "request"
