import itertools
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from socialsupport_core.contract import Connector, Settings
from socialsupport_core.model import (
    INTENT,
    Attachment,
    Capabilities,
    Choice,
    DeleteMessage,
    EditMessage,
    Event,
    Intent,
    Interaction,
    MarkRead,
    MediaLimit,
    OpenPrivate,
    Party,
    Payload,
    React,
    SendMessage,
    TextLimit,
    Thread,
    Typing,
)
from socialsupport_core.pipeline.plan import CORE_LIMIT, MAX_PARTS, Plan, also_possible, make_plan, part_key
from socialsupport_core.text import count, plain, to_spans

NOW = datetime(2026, 1, 30, 12, tzinfo=UTC)
DM = Thread(id="kea", visibility="private")
POST = Thread(id="post", visibility="public")
ALL = frozenset({"send.message", "edit.message", "delete.message", "react", "open.private", "mark.read", "typing"})
ABLE = Capabilities(
    intents=ALL,
    sends=frozenset({"public", "private"}),
    text=TextLimit(limit=100, unit="characters"),
    markup=True,
    subject=True,
    media=(
        MediaLimit(media_type="image/*", max_bytes=100),
        MediaLimit(media_type="image/gif", max_bytes=500),
    ),
    choices=3,
)
THEIRS = Interaction(
    network="parrot",
    native_id="1",
    kind="message",
    direction="inbound",
    own_account="polly",
    thread=DM,
    author=Party(),
    sent_at=NOW,
)


def parrot(**changes: Any) -> Connector[Any]:
    """A connector of these capabilities."""

    class Parrot(Connector[Settings]):
        name = "parrot"
        settings_model = Settings
        capabilities = ABLE.model_copy(update=changes)

        def parse(self, payload: Payload) -> Iterable[Event]:
            return ()

    return Parrot(Settings())


def say(text: str | None = "Hello", *, thread: Thread = DM, key: str = "k", **more: Any) -> SendMessage:
    return SendMessage(key=key, own_account="polly", thread=thread, text=text, **more)


def of(kind: type[Any], *, thread: Thread = DM, target: Interaction | None = THEIRS, **more: Any) -> Any:
    return kind(key="k", own_account="polly", thread=thread, target=target, **more)


def rules(plan: Plan) -> list[str]:
    return [obstacle.rule for obstacle in plan.obstacles]


def said(plan: Plan) -> list[str | None]:
    return [getattr(part.intent, "text", None) for part in plan.parts]


def image(**more: Any) -> Attachment:
    return Attachment(media_type="image/png", **more)


# what fits goes out as it is


EVERY_KIND = [
    say(),
    of(EditMessage, text="Hello"),
    of(DeleteMessage),
    of(React, reaction="👍"),
    of(OpenPrivate, thread=POST, text="Hello"),
    of(MarkRead),
    of(Typing),
]


@pytest.mark.parametrize("intent", EVERY_KIND, ids=lambda intent: intent.type)
def test_an_intent_that_fits_is_its_own_only_part(intent: Intent) -> None:
    plan = make_plan(parrot(), intent)
    assert plan.possible
    assert [part.intent for part in plan.parts] == [intent]
    assert plan.losses == ()


def test_a_part_tells_its_size_in_the_unit_of_the_network() -> None:
    part = make_plan(parrot(text=TextLimit(limit=20, unit="utf8_bytes")), say("**né**")).parts[0]
    assert (part.size, part.limit, part.unit) == (3, 20, "utf8_bytes")


def test_without_a_limit_of_the_network_the_core_has_one() -> None:
    part = make_plan(parrot(text=None), say("x" * 5000)).parts[0]
    assert (part.size, part.limit, part.unit) == (5000, CORE_LIMIT.limit, CORE_LIMIT.unit)


def test_what_has_no_text_has_no_limit() -> None:
    part = make_plan(parrot(), of(MarkRead)).parts[0]
    assert (part.size, part.limit) == (0, None)


# parts


def test_a_long_text_becomes_numbered_parts() -> None:
    sentences = [f"This is sentence number {number:02} of the whole story." for number in range(6)]
    plan = make_plan(parrot(), say(" ".join(sentences)))
    assert [part.intent.key for part in plan.parts] == [f"k/{number}" for number in range(1, len(plan.parts) + 1)]
    assert len(plan.parts) == 3
    assert " ".join(text or "" for text in said(plan)) == " ".join(sentences)


def test_the_network_decides_what_is_measured() -> None:
    class Shouting(type(parrot())):  # type: ignore[misc]
        def measured(self, text: str) -> str:
            return f"{text}{text}"

    plan = make_plan(Shouting(Settings()), say("word " * 15))
    assert len(plan.parts) == 2
    assert all(part.size <= 100 for part in plan.parts)


@pytest.mark.parametrize("number", [1, 9, 10, 50])
def test_a_part_key_is_readable_or_cut_but_always_its_own(number: int) -> None:
    assert part_key("k", number) == f"k/{number}"
    long = ["a" * 128, "a" * 127 + "b", "a" * 126]
    keys = {part_key(key, number) for key in long}
    assert len(keys) == 3
    assert all(len(key) <= 128 and key.endswith(f"/{number}") for key in keys)


def test_the_longest_key_that_has_room_is_kept() -> None:
    assert part_key("a" * 126, 1) == "a" * 126 + "/1"
    assert "~" in part_key("a" * 127, 1)


@pytest.mark.parametrize(
    ("texts", "files", "most", "expected"),
    [
        (1, 1, 1, ["T+1"]),
        (1, 3, 1, ["T+1", "+1", "+1"]),
        (1, 3, 2, ["T+2", "+1"]),
        (1, 4, 10, ["T+4"]),
        (0, 3, 2, ["+2", "+1"]),
        (2, 3, 1, ["T+1", "T+0", "+1", "+1"]),
    ],
)
def test_attachments_go_with_the_first_text_and_then_alone(
    texts: int, files: int, most: int, expected: list[str]
) -> None:
    text = " ".join(["A sentence of sixty characters that fills more than a half."] * texts) or None
    attachments = tuple(image(name=str(number)) for number in range(files))
    plan = make_plan(parrot(attachments=most), say(text, attachments=attachments))
    assert plan.possible
    intents: Any = [part.intent for part in plan.parts]
    assert [f"{'T' if one.text else ''}+{len(one.attachments)}" for one in intents] == expected
    assert tuple(itertools.chain(*(one.attachments for one in intents))) == attachments


# choices

YES_NO = tuple(Choice(title=title, value=title) for title in ("Yes", "No"))


def test_choices_go_with_the_last_text_not_with_the_files_after_it() -> None:
    text = " ".join(["A sentence of sixty characters that fills more than a half."] * 2)
    plan = make_plan(parrot(), say(text, choices=YES_NO, attachments=(image(), image())))
    intents: Any = [part.intent for part in plan.parts]
    assert [len(one.choices) for one in intents] == [0, 2, 0]
    assert plan.losses == ()


@pytest.mark.parametrize("most", range(4))
def test_choices_are_buttons_if_all_of_them_fit_else_a_list(most: int) -> None:
    plan = make_plan(parrot(choices=most), say("Well?", choices=YES_NO))
    sent: Any = plan.parts[0].intent
    if most >= 2:
        assert (sent.text, sent.choices, plan.losses) == ("Well?", YES_NO, ())
    else:
        assert (plain(sent.text), sent.choices) == ("Well?\n\n1. Yes\n2. No", ())
        assert [loss.what for loss in plan.losses] == ["choices"]
        has = "shows 1 buttons at most, not 2" if most else "has no buttons"
        assert plan.losses[0].why == f"parrot {has}; the choices become a numbered list"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (None, "1. Yes\n2. No"),
        ("  ", "1. Yes\n2. No"),
        ("Well?\n\n", "Well?\n\n1. Yes\n2. No"),
        ("```\ncode", "code\n\n1. Yes\n2. No"),
        ("```", "1. Yes\n2. No"),
        ("7. seven", "7. seven\n\n1. Yes\n2. No"),
        ("> they said", "they said\n\n1. Yes\n2. No"),
    ],
)
def test_the_list_stands_on_its_own(text: str | None, expected: str) -> None:
    sent: Any = make_plan(parrot(choices=0), say(text, choices=YES_NO)).parts[0].intent
    visible, spans = to_spans(sent.text)
    assert visible == expected
    assert all(span.end <= visible.index("1. Yes") for span in spans)


def test_a_choice_is_listed_as_it_reads() -> None:
    odd = (Choice(title="*Yes*\n[x](y)", value="y"),)
    sent: Any = make_plan(parrot(choices=0), say("Well?", choices=odd)).parts[0].intent
    assert plain(sent.text) == "Well?\n\n1. *Yes* [x](y)"


def test_a_list_that_does_not_fit_is_split_like_any_text() -> None:
    many = tuple(Choice(title=f"Choice number {number}", value=str(number)) for number in range(10))
    plan = make_plan(parrot(), say("Well?", choices=many))
    assert plan.possible
    assert len(plan.parts) > 1
    assert all(choice.title in "\n".join(map(str, said(plan))) for choice in many)


# what is lost


@pytest.mark.parametrize(("has", "lost"), [(True, []), (False, ["subject"])])
def test_a_subject_is_lost_where_there_are_none(has: bool, lost: list[str]) -> None:
    plan = make_plan(parrot(subject=has), say(subject="Order 5"))
    assert [loss.what for loss in plan.losses] == lost
    assert plan.parts[0].intent == say(subject="Order 5" if has else None)


@pytest.mark.parametrize(
    ("text", "markup", "lost"),
    [
        ("**bold**", True, []),
        ("**bold**", False, ["markup"]),
        ("plain *", False, []),
        ("[here](https://acme.example)", False, ["markup"]),
    ],
)
@pytest.mark.parametrize("make", [say, lambda text: of(EditMessage, text=text)])
def test_markup_is_lost_only_if_there_is_some(make: Any, text: str, markup: bool, lost: list[str]) -> None:
    assert [loss.what for loss in make_plan(parrot(markup=markup), make(text)).losses] == lost


# what forbids it


@pytest.mark.parametrize("intent", EVERY_KIND, ids=lambda intent: intent.type)
def test_what_is_not_claimed_is_forbidden_with_the_reason_why(intent: Intent) -> None:
    others = ALL - {intent.type}
    cannot = make_plan(parrot(intents=others, unsupported=frozenset({intent.type})), intent)
    not_yet = make_plan(parrot(intents=others), intent)
    assert (rules(cannot), rules(not_yet)) == (["unsupported"], ["not_implemented"])
    assert not cannot.possible
    assert intent.type in cannot.obstacles[0].reason


@pytest.mark.parametrize("thread", [DM, POST], ids=lambda thread: thread.visibility)
@pytest.mark.parametrize("sends", [set(), {"public"}, {"private"}, {"public", "private"}], ids=sorted)
@pytest.mark.parametrize("intent", EVERY_KIND, ids=lambda intent: intent.type)
def test_a_thread_that_cannot_be_sent_to_forbids_what_would_be_seen(
    thread: Thread, sends: set[str], intent: Intent
) -> None:
    plan = make_plan(parrot(sends=frozenset(sends)), intent.model_copy(update={"thread": thread}))
    wanted = "private" if intent.type == "open.private" else thread.visibility
    seen = intent.type in {"send.message", "edit.message", "react", "open.private"}
    assert rules(plan) == (["visibility"] if seen and wanted not in sends else [])


def test_a_public_dead_end_points_to_the_private_way() -> None:
    connector = parrot(sends=frozenset({"private"}))
    assert make_plan(connector, say(thread=POST)).obstacles[0].remedy == "answer in private with open.private"


@pytest.mark.parametrize("intent", EVERY_KIND, ids=lambda intent: intent.type)
def test_only_what_concerns_a_message_needs_one(intent: Intent) -> None:
    plan = make_plan(parrot(), intent.model_copy(update={"target": None}))
    needs = intent.type in {"edit.message", "delete.message", "react"}
    assert rules(plan) == (["target"] if needs else [])


@pytest.mark.parametrize(
    ("window", "silence", "closed"),
    [
        (24, timedelta(hours=24), False),
        (24, timedelta(hours=24, seconds=1), True),
        (24, timedelta(hours=-1), False),
        (24, None, False),
        (None, timedelta(days=900), False),
    ],
)
def test_the_reply_window_closes(window: int | None, silence: timedelta | None, closed: bool) -> None:
    connector = parrot(reply_window=timedelta(hours=window) if window else None)
    heard = NOW - silence if silence else None
    assert rules(make_plan(connector, say(), now=NOW, last_inbound=heard)) == (["reply_window"] if closed else [])
    assert rules(make_plan(connector, say(), last_inbound=heard)) == []
    assert rules(make_plan(connector, of(MarkRead), now=NOW, last_inbound=heard)) == []


def test_a_closed_window_tells_by_how_much() -> None:
    late = NOW - timedelta(hours=24, minutes=10)
    plan = make_plan(parrot(reply_window=timedelta(hours=24)), say(), now=NOW, last_inbound=late)
    assert "for 24 h after" in plan.obstacles[0].reason
    assert "24 h 10 min ago" in plan.obstacles[0].reason


@pytest.mark.parametrize(
    ("person", "hours", "closed"),
    [(True, 24, False), (True, 25, False), (True, 169, True), (False, 24, False), (False, 25, True)],
)
def test_a_person_may_have_longer_than_a_bot(person: bool, hours: int, closed: bool) -> None:
    connector = parrot(reply_window=timedelta(hours=24), person_window=timedelta(days=7))
    plan = make_plan(connector, say(by_person=person), now=NOW, last_inbound=NOW - timedelta(hours=hours))
    assert rules(plan) == (["reply_window"] if closed else [])


def test_a_template_goes_at_any_time_and_alone() -> None:
    connector = parrot(reply_window=timedelta(hours=24), templates=True)
    late = NOW - timedelta(days=30)
    template = {"name": "parcel_update", "language": "en_US", "parameters": ["A-17"]}
    (part,) = make_plan(connector, say(None, template=template), now=NOW, last_inbound=late).parts
    assert part.intent.template.parameters == ("A-17",)
    assert rules(make_plan(connector, say(None, template=template), now=NOW, last_inbound=late)) == []
    assert rules(make_plan(parrot(), say(None, template=template))) == ["not_implemented"]
    refused = make_plan(connector, say(), now=NOW, last_inbound=late)
    assert "send a template" in refused.obstacles[0].remedy


@pytest.mark.parametrize("text", [None, "", " \n", "**", "****", "[](https://acme.example)"])
def test_a_message_must_say_something(text: str | None) -> None:
    nothing = to_spans(text or "")[0].strip() == ""
    for choices in ((), YES_NO):
        plan = make_plan(parrot(), say(text, choices=choices))
        assert rules(plan) == (["empty"] if nothing else [])
        assert bool(plan.parts) is not nothing
    shown: Any = make_plan(parrot(), say(text, attachments=(image(),))).parts[0].intent
    assert shown.text == (None if nothing else text)


@pytest.mark.parametrize("intent", [of(EditMessage, text=" "), of(OpenPrivate, thread=POST, text="")])
def test_no_edit_and_no_opening_is_empty(intent: Intent) -> None:
    assert rules(make_plan(parrot(), intent)) == ["empty"]


@pytest.mark.parametrize("length", [100, 101])
@pytest.mark.parametrize("kind", [EditMessage, OpenPrivate])
def test_only_messages_are_split(kind: type[Any], length: int) -> None:
    plan = make_plan(parrot(), of(kind, thread=POST, text="x" * length))
    assert rules(plan) == (["too_long"] if length > 100 else [])
    if length > 100:
        assert plan.obstacles[0].reason == "it has 101 characters where 100 fit"
        assert "is never split" in plan.obstacles[0].remedy


def test_an_opening_answers_to_the_private_threads_limits() -> None:
    class Narrow(type(parrot())):  # type: ignore[misc]
        def capabilities_in(self, thread: Thread) -> Capabilities:
            if thread.visibility == "public":
                changes = {"text": TextLimit(limit=10, unit="characters"), "sends": frozenset({"public"})}
            else:
                changes = {"intents": ALL - {"open.private"}}
            return ABLE.model_copy(update=changes)

    connector = Narrow(Settings())
    assert make_plan(connector, of(OpenPrivate, thread=POST, text="x" * 100)).possible
    assert rules(make_plan(connector, of(OpenPrivate, thread=DM, text="x"))) == ["not_implemented"]
    assert len(make_plan(connector, say("word " * 5, thread=POST)).parts) == 3


@pytest.mark.parametrize("extra", [0, 1])
def test_the_core_reads_no_endless_text(extra: int) -> None:
    text = "x" * (CORE_LIMIT.limit + extra)
    plan = make_plan(parrot(text=None), say(text))
    assert rules(plan) == (["too_long"] if extra else [])
    assert len(plan.parts) == 1 - extra
    assert make_plan(parrot(text=None, choices=0), say(text, choices=YES_NO)).possible is False


@pytest.mark.parametrize("extra", [0, 1])
def test_a_flood_of_parts_is_forbidden(extra: int) -> None:
    text = "\n".join(["x" * 100] * (MAX_PARTS + extra))
    plan = make_plan(parrot(), say(text))
    assert rules(plan) == (["too_many_parts"] if extra else [])
    cut = "\n".join(["x" * 51] * (MAX_PARTS + extra))
    assert rules(make_plan(parrot(), say(cut))) == (["too_many_parts"] if extra else [])
    files = tuple(image() for _ in range(MAX_PARTS + extra))
    assert rules(make_plan(parrot(), say(None, attachments=files))) == (["too_many_parts"] if extra else [])


def test_one_character_longer_than_the_limit_cannot_be_split() -> None:
    family = "👩‍👩‍👧‍👦"
    plan = make_plan(parrot(text=TextLimit(limit=5, unit="utf8_bytes")), say(family))
    assert rules(plan) == ["too_long"]
    assert plan.parts == ()


@pytest.mark.parametrize(
    ("media_type", "size", "rule"),
    [
        ("image/png", 100, None),
        ("image/png", 101, "media_size"),
        ("image/png", None, None),
        ("IMAGE/GIF; q=1", 500, None),
        ("image/gif", 501, "media_size"),
        ("imagery/png", 1, "media_type"),
        ("text/plain", 1, "media_type"),
    ],
)
def test_attachments_must_be_of_a_type_and_size(media_type: str, size: int | None, rule: str | None) -> None:
    file = Attachment(media_type=media_type, size=size, name="cat")
    plan = make_plan(parrot(), say(attachments=(file,)))
    assert rules(plan) == ([rule] if rule else [])
    assert all("cat" in obstacle.reason for obstacle in plan.obstacles)


@pytest.mark.parametrize("pattern", ["*/*", "*", "image/*", "IMAGE/PNG"])
def test_media_patterns(pattern: str) -> None:
    connector = parrot(media=(MediaLimit(media_type=pattern, max_bytes=9),))
    assert make_plan(connector, say(attachments=(image(size=9),))).possible


def test_a_network_without_attachments_says_so_once() -> None:
    assert rules(make_plan(parrot(media=()), say(attachments=(image(), image())))) == ["attachments"]


def test_obstacles_add_up_and_the_parts_are_shown_all_the_same() -> None:
    connector = parrot(sends=frozenset(), media=(), reply_window=timedelta(hours=1))
    late = NOW - timedelta(hours=2)
    plan = make_plan(connector, say(attachments=(image(),)), now=NOW, last_inbound=late)
    assert rules(plan) == ["visibility", "reply_window", "attachments"]
    assert said(plan) == ["Hello"]


# what else is possible


def test_other_intents_are_named_and_private_is_opened_from_public_only() -> None:
    assert also_possible(parrot(), say(thread=POST)) == (
        "delete.message",
        "edit.message",
        "mark.read",
        "open.private",
        "react",
        "typing",
    )
    assert "open.private" not in also_possible(parrot(), say(thread=DM))


# for every text, limit and unit

PIECES = st.sampled_from(
    [
        "word",
        " ",
        "\n",
        "\n\n",
        "**bold** ",
        "*it* ",
        "`code`",
        "[a](https://acme.example/x)",
        "é",
        "木",
        "🦜",
        "```\n",
        "~",
        "1. ",
    ]
)
TEXTS = st.one_of(st.text(max_size=300), st.lists(PIECES, max_size=80).map("".join))
UNITS = st.sampled_from(["characters", "utf16", "graphemes", "utf8_bytes", "x_weighted"])


@given(TEXTS, st.integers(60, 300), UNITS, st.integers(0, 4), st.integers(0, 5), st.integers(1, 3))
def test_every_part_fits_and_nothing_is_lost(
    text: str, limit: int, unit: Any, choices: int, files: int, most: int
) -> None:
    connector = parrot(text=TextLimit(limit=limit, unit=unit), attachments=most)
    buttons = tuple(Choice(title=f"t{number}", value=f"v{number}") for number in range(choices))
    attachments = tuple(image(name=str(number)) for number in range(files))
    plan = make_plan(connector, say(text, choices=buttons, attachments=attachments))
    sent: Any = [part.intent for part in plan.parts]
    assert set(rules(plan)) <= {"empty", "too_long"}
    if not plan.possible:
        return
    assert all(count(connector.measured(one.text or ""), unit) <= limit for one in sent)
    assert all(one.text or one.attachments for one in sent)
    assert tuple(itertools.chain(*(one.attachments for one in sent))) == attachments
    assert all(len(one.attachments) <= most for one in sent)
    assert sum((one.choices for one in sent), ()) == (buttons if choices <= 3 else ())
    listed = "".join(f"{number + 1}.t{number}" for number in range(choices)) if choices > 3 else ""
    assert letters("".join(plain(one.text or "") for one in sent)) == letters(plain(text) + listed)


def letters(text: str) -> str:
    """What must survive a cut: white space and the marks of code blocks may move."""
    return "".join(text.replace("\ufffd", "").split())


@given(TEXTS, st.integers(60, 300))
def test_planning_is_deterministic_and_its_parts_need_no_more_planning(text: str, limit: int) -> None:
    connector = parrot(text=TextLimit(limit=limit, unit="characters"))
    plan = make_plan(connector, say(text))
    assert make_plan(connector, say(text)) == plan
    for part in plan.parts:
        assert INTENT.validate_json(part.intent.to_json()) == part.intent
        assert [one.intent for one in make_plan(connector, part.intent).parts] == [part.intent]
    assert len({part.intent.key for part in plan.parts}) == len(plan.parts)


@pytest.mark.parametrize(("text", "alone"), [("ten chars.", False), ("eleven char", True)])
def test_a_text_too_long_for_a_caption_goes_ahead_of_its_attachment(text: str, alone: bool) -> None:
    planner = parrot(caption=TextLimit(limit=10, unit="characters"))
    parts = [part.intent for part in make_plan(planner, say(text, attachments=(image(),))).parts]
    assert [(one.text, len(one.attachments)) for one in parts if isinstance(one, SendMessage)] == (
        [(text, 0), (None, 1)] if alone else [(text, 1)]
    )
