"""Polling finds everything once, across pages, and agrees with the webhooks."""

import pytest

from socialsupport_core.contract import ConfigError
from socialsupport_core.model import InteractionReceived
from socialsupport_x import X, XSettings
from socialsupport_x.polling import Cursor


def round_(world, cursor):
    """Every page until there is no more."""
    events, requests = [], 0
    while True:
        page = world.run(world.connector.poll(cursor))
        requests += 1
        events += [event for payload in page.payloads for event in world.connector.parse(payload)]
        cursor = page.cursor
        if not page.more:
            return events, cursor, requests


def test_a_round_reads_mentions_and_messages_and_the_next_only_what_is_new(world):
    for number in range(7):
        world.simulator.speak("kerryf", f"mention {number}")
        world.simulator.speak("amir", f"message {number}", place="dm")
        world.move(seconds=1)
    world.simulator.page_size = 3
    events, cursor, requests = round_(world, None)
    assert requests == 7
    assert sorted(event.interaction.text for event in events) == sorted(
        [f"@acme mention {number}" for number in range(7)] + [f"message {number}" for number in range(7)]
    )
    world.simulator.speak("kerryf", "one more")
    events, cursor, requests = round_(world, cursor)
    mentions = [event for event in events if event.interaction.thread.visibility == "public"]
    assert [event.interaction.text for event in mentions] == ["@acme one more"]
    assert requests == 3
    assert len(cursor) < 140


def test_polls_and_webhooks_tell_the_same(world):
    said = world.simulator.speak("kerryf", "my router & modem are dead: https://kerry.example/?a=1&b=2")
    world.simulator.speak("kerryf", "hello <you>", place="dm")
    (mention, _) = told = world.interactions()
    ours = world.send(mention, "Which light?").native_id
    world.send(told[1], "Hello Kerry")
    world.simulator.speak("kerryf", "red", reply_to=ours)
    world.events()
    world.simulator.redeliver()
    events, _, _ = round_(world, None)
    polled = {event.id: event.interaction for event in events if isinstance(event, InteractionReceived)}
    for interaction in told:
        assert polled[interaction.native_id] == interaction
    assert said.id in polled


def test_what_came_between_two_pages_is_found_in_the_next_round(world):
    for number in range(4):
        world.simulator.speak("kerryf", f"mention {number}")
    world.simulator.page_size = 2
    first = world.run(world.connector.poll(None))
    world.simulator.speak("kerryf", "in between")
    events, cursor, _ = round_(world, first.cursor)
    found = [event.interaction.text for event in events]
    again, _, _ = round_(world, cursor)
    assert "@acme in between" in found + [event.interaction.text for event in again]


def test_an_empty_account_has_nothing(world):
    page = world.run(world.connector.poll(None))
    assert (page.payloads, page.more) == ((), True)
    page = world.run(world.connector.poll(page.cursor))
    assert (page.payloads, page.more) == ((), True)
    page = world.run(world.connector.poll(page.cursor))
    assert (page.payloads, page.more) == ((), False)


def test_a_strange_cursor_says_what_to_do():
    with pytest.raises(ConfigError, match="reset the channel's cursor"):
        X(XSettings(consumer_secret="a", account_id="1")).poll("{}x")


def test_without_an_account_there_is_nothing_to_poll():
    with pytest.raises(ConfigError, match="account_id is missing"):
        X(XSettings(consumer_secret="a")).poll(None)


def test_without_credentials_nothing_is_signed(world):
    bare = X(XSettings(consumer_secret="a", account_id="1"))
    with pytest.raises(ConfigError, match="has no credentials"):
        bare.authorize(next(bare.poll(None)), None, world.now, "0" * 32)


def test_the_cursor_is_small_json():
    assert Cursor(mentions="20", messages="30").to_json() == '{"source":"mentions","mentions":"20","messages":"30"}'


def test_a_page_that_says_nothing_new_is_not_kept(world):
    world.simulator.speak("kerryf", "hello", place="dm")
    world.simulator.speak("kerryf", "hello in public")
    _, cursor, _ = round_(world, None)
    for _ in range(3):
        page = world.run(world.connector.poll(cursor))
        assert page.payloads == ()
        cursor = page.cursor
    world.simulator.speak("kerryf", "one more", place="dm")
    events, _, _ = round_(world, cursor)
    assert "one more" in [event.interaction.text for event in events]


def test_what_we_post_is_heard_from_the_first_round_on(world):
    (said,) = (world.simulator.speak("kerryf", "my router is dead"),)
    (mention,) = world.interactions()
    world.send(mention, "before")
    events, cursor, _ = round_(world, None)
    assert "before" not in [event.interaction.text for event in events]
    ours = world.send(mention, "after").native_id
    events, cursor, _ = round_(world, cursor)
    assert [(event.id, event.interaction.direction) for event in events] == [(ours, "outbound")]
    assert said.id not in [event.id for event in events]
    assert round_(world, cursor)[0] == []
