"""What payloads say, whatever their form."""

import json
from datetime import UTC, datetime

import pytest

from socialsupport_core.contract import MalformedPayload
from socialsupport_core.contract.lax import Unreadable
from socialsupport_core.model import Facts, Payload
from socialsupport_core.testing.loading import load_cases
from socialsupport_x import X, XSettings
from socialsupport_x.messages import conversation_of, counterpart, token_in

OWN = "2244994945"
AT = datetime(2026, 7, 24, 21, 30, tzinfo=UTC)
CASES = {case.name: case for case in load_cases(X).inbound}
X_CONNECTOR = X(XSettings(consumer_secret="secret", account_id=OWN))


def parse(content, **more):
    body = content if isinstance(content, bytes) else json.dumps(content).encode()
    return list(X_CONNECTOR.parse(Payload(body=body, received_at=AT, **more)))


def content_of(name):
    return json.loads(CASES[name].payload.payload.body)


@pytest.mark.parametrize(
    ("older", "newer"),
    [
        ("a direct message", "activity: a direct message"),
        ("our own direct message, an echo", "activity: our own direct message"),
        ("a repost of our post", "activity: a repost"),
        ("an edited mention", "activity: an edited mention"),
        ("a mention, with links and escapes", "activity: a mention"),
    ],
)
def test_both_products_give_one_event_the_same_id_and_thread(older, newer):
    (one,), (other,) = parse(content_of(older)), parse(content_of(newer))
    assert (one.type, one.id) == (other.type, other.id)
    threads = [getattr(event, "interaction", event).thread for event in (one, other)]
    assert threads[0] == threads[1]


def test_an_app_door_names_the_account_in_each_payload():
    connector = X(XSettings(consumer_secret="secret"))
    for account in ("111", "222"):
        content = {**content_of("a mention, with links and escapes"), "for_user_id": account}
        (event,) = connector.parse(Payload(body=json.dumps(content).encode(), received_at=AT))
        assert event.own_account == account


def test_two_subscribed_accounts_see_one_message_from_both_sides():
    content = content_of("a direct message")
    seen = [parse({**content, "for_user_id": account})[0].interaction for account in (OWN, "3001969357")]
    assert [(one.direction, one.author.is_self) for one in seen] == [("inbound", False), ("outbound", True)]
    assert seen[0].thread == seen[1].thread


def test_a_polled_page_needs_to_know_whose_it_is():
    page = {"data": [{"id": "1", "text": "hi", "author_id": "2"}], "meta": {}}
    body = json.dumps(page).encode()
    with pytest.raises(MalformedPayload, match="set account_id"):
        X(XSettings(consumer_secret="secret")).parse(Payload(source="poll", body=body, received_at=AT))
    probed = X(XSettings(consumer_secret="secret"), Facts(own_account=OWN))
    (event,) = probed.parse(Payload(source="poll", body=body, received_at=AT))
    assert event.own_account == OWN


def test_names_of_both_generations_are_read():
    (new,) = parse({"data": [v2_post("post")], "meta": {}})
    (old,) = parse({"data": [v2_post("tweet")], "meta": {}})
    assert new == old
    assert new.interaction.reach.shares == 5
    assert new.interaction.in_reply_to == "7"


def v2_post(word):
    shares = {"post": "repost_count", "tweet": "retweet_count"}[word]
    return {
        "id": "9",
        "author_id": "2",
        "text": "short",
        f"note_{word}": {"text": "long"},
        f"referenced_{word}s": [{"type": "replied_to", "id": "7"}],
        f"edit_history_{word}_ids": ["9"],
        "public_metrics": {shares: 3, "quote_count": 2},
    }


def test_the_author_answered_is_found_in_the_included_post():
    """`in_reply_to_user_id` may be missing where the post itself is included."""
    post = {"id": "9", "author_id": "2", "referenced_posts": [{"type": "replied_to", "id": "7"}]}
    page = {"data": [post], "includes": {"posts": [{"id": "7", "author_id": OWN}]}, "meta": {}}
    (event,) = parse(page)
    assert event.interaction.kind == "comment"


def test_a_reply_to_somebody_else_that_names_us_is_a_mention():
    post = {
        "id": "9",
        "author_id": "2",
        "in_reply_to_user_id": "3",
        "referenced_posts": [{"type": "replied_to", "id": "7"}],
    }
    (event,) = parse({"data": [post], "meta": {}})
    assert (event.interaction.kind, event.interaction.in_reply_to) == ("mention", "7")


def test_nobody_follows_is_not_no_followers():
    user = {"id": "2", "public_metrics": {"followers_count": 0}}
    (event,) = parse({"data": [{"id": "9", "author_id": "2"}], "includes": {"users": [user]}, "meta": {}})
    assert event.interaction.reach.followers == 0
    (event,) = parse({"data": [{"id": "9", "author_id": "2"}], "meta": {}})
    assert event.interaction.reach is None


def test_a_like_by_somebody_unnamed_is_set_aside():
    content = content_of("activity: a like of our post")
    content["data"]["includes"]["users"].pop()
    with pytest.raises(MalformedPayload, match="does not say who liked"):
        parse(content)


def test_one_unreadable_event_among_ten_is_set_aside_alone():
    content = content_of("a direct message")
    event = content["direct_message_events"][0]
    for broken in range(10):
        events = [{**event, "id": str(1000 + number)} for number in range(10)]
        events[broken]["message_create"] = None
        found = parse({**content, "direct_message_events": events})
        assert [one.type for one in found] == [
            "unrecognised" if number == broken else "interaction.received" for number in range(10)
        ]


@pytest.mark.parametrize(
    "content",
    [
        [],
        "hello",
        None,
        5,
        {},
        {"for_user_id": ""},
        {"for_user_id": OWN, "tweet_create_events": [{}]},
        {"for_user_id": OWN, "tweet_create_events": [{"id_str": "1"}]},
        {"for_user_id": OWN, "direct_message_events": [{"type": "other", "id": "1"}]},
        {"for_user_id": OWN, "direct_message_mark_read_events": [{"sender_id": OWN, "last_read_event_id": "1"}]},
        {"data": [{"event_type": "Unknown", "id": "1"}]},
        {
            "data": {
                "event_type": "post.create",
                "filter": {"user_id": OWN},
                "payload": {"id": "\ud800", "author_id": "1"},
            }
        },
        b"[" * 200_000,
        b'{"a":' * 200_000,
        b"\xff\xfe",
        b'{"for_user_id": NaN}',
    ],
)
def test_what_cannot_be_read_is_malformed(content):
    with pytest.raises(MalformedPayload):
        parse(content)


@pytest.mark.parametrize("value", [None, 5, "text", [], {}, [[]], ["text"], [None]])
def test_strange_lists_hold_nothing_that_we_know(value):
    try:
        events = parse({"for_user_id": OWN, "tweet_create_events": value, "something_new": value})
    except MalformedPayload:
        return
    assert {event.type for event in events} <= {"unrecognised"}


def test_what_is_new_is_kept():
    (event,) = parse({"for_user_id": OWN, "hologram_events": [{"id": "1"}]})
    assert (event.type, event.native_type, event.own_account) == ("unrecognised", "hologram_events", OWN)
    (event,) = parse({"data": {"event_type": "hologram.new", "filter": {"user_id": OWN}, "event_uuid": "1"}})
    assert (event.type, event.native_type, event.own_account) == ("unrecognised", "hologram.new", OWN)


TOKEN = "abcdefghijklmnopqrstuvw234"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (TOKEN, True),
        (f" {TOKEN}\n", True),
        (f"here: {TOKEN}.", True),
        (f"https://hub.example/h/{TOKEN}", True),
        (f"see https://hub.example/h/{TOKEN}, thanks", True),
        (f"https://hub.example/h/{TOKEN}/", True),
        (TOKEN + "5", False),
        (TOKEN[:-1], False),
        (TOKEN.upper(), False),
        (TOKEN[:-1] + "1", False),
        (f"x{TOKEN}", False),
        (f"https://hub.example/x/{TOKEN}", False),
        (f"{TOKEN}@example.com", False),
    ],
)
def test_hand_off_tokens(text, found):
    assert token_in(text) == (TOKEN if found else None)


def test_our_own_message_with_a_token_claims_nothing():
    content = content_of("our own direct message, an echo")
    content["direct_message_events"][0]["message_create"]["message_data"]["text"] = TOKEN
    assert [event.type for event in parse(content)] == ["interaction.received"]


def test_conversations_begin_with_the_smaller_id():
    assert conversation_of("99", "100") == conversation_of("100", "99") == "99-100"
    with pytest.raises(Unreadable, match="not a number"):
        conversation_of("a", "1")


@pytest.mark.parametrize(
    ("conversation", "other"), [("1-2", "2"), ("2-1", "2"), ("2-3", None), ("1578398451921985538", None), ("a-1", None)]
)
def test_the_counterpart(conversation, other):
    assert counterpart(conversation, "1") == other


@pytest.mark.parametrize("depth", range(880, 1000, 4))
def test_whatever_the_nesting_nothing_but_malformed_is_raised(depth):
    """JSON that can just be read may still be too deep to be written again."""
    body = b'{"for_user_id":"1","something_new":' + b"[" * depth + b"]" * depth + b"}"
    try:
        events = parse(body)
    except MalformedPayload:
        return
    assert {event.type for event in events} == {"unrecognised"}
