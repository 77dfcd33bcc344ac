"""The whole way: people speak on the simulated X, webhooks come, we answer, people hear it."""

import httpx
import pytest

from socialsupport_core.contract import (
    AuthExpired,
    ContentRejected,
    RateLimited,
    Unavailable,
    Uncertain,
    Unreachable,
    drive,
)
from socialsupport_core.model import (
    Attachment,
    Blob,
    DeleteMessage,
    InteractionDeleted,
    InteractionEdited,
    React,
    ReactionAdded,
)
from socialsupport_core.testing import Network
from socialsupport_x import X
from socialsupport_x.simulated import File


def test_a_mention_is_answered_in_public(either):
    said = either.simulator.speak("kerryf", "my router & modem are dead: https://kerry.example/log?a=1&b=2")
    (mention,) = either.interactions()
    assert mention.kind == "mention"
    assert mention.text == "@acme my router & modem are dead: https://kerry.example/log?a=1&b=2"
    assert mention.author.handle == "kerryf"
    receipt = either.send(mention, "Sorry, Kerry! See https://acme.example/help")
    heard = either.simulator.heard("kerryf")
    assert [(one.author, one.text) for one in heard] == [
        ("kerryf", said.text),
        ("us", "@kerryf Sorry, Kerry! See https://acme.example/help"),
    ]
    (echo,) = either.interactions()
    assert echo.native_id == receipt.native_id
    assert (echo.direction, echo.author.is_self, echo.kind) == ("outbound", True, "comment")
    assert echo.counterpart is not None
    assert echo.counterpart.account == mention.author.account
    assert echo.thread == mention.thread


def test_a_reply_to_our_reply_is_a_comment_in_the_same_conversation(world):
    world.simulator.speak("kerryf", "my router is dead")
    (mention,) = world.interactions()
    ours = world.send(mention, "Which light is on?").native_id
    world.events()
    world.simulator.speak("kerryf", "the red one", reply_to=ours)
    (answer,) = world.interactions()
    assert (answer.kind, answer.in_reply_to, answer.thread) == ("comment", ours, mention.thread)


def test_without_conversation_ids_the_thread_is_the_post_answered(make_world):
    world = make_world(subscription="account_activity")
    world.simulator.speak("kerryf", "my router is dead")
    (mention,) = world.interactions()
    ours = world.send(mention, "Which light is on?").native_id
    (echo,) = world.interactions()
    world.simulator.speak("kerryf", "the red one", reply_to=ours)
    (answer,) = world.interactions()
    assert echo.thread == mention.thread
    assert (answer.in_reply_to, answer.thread.id) == (ours, ours)


def test_a_direct_message_is_answered(either):
    either.simulator.speak("kerryf", "hello <you>", place="dm")
    (message,) = either.interactions()
    assert (message.text, message.thread.visibility) == ("hello <you>", "private")
    receipt = either.send(message, "Hello *Kerry*")
    (echo,) = either.interactions()
    assert (echo.native_id, echo.text, echo.thread) == (receipt.native_id, "Hello Kerry", message.thread)
    assert [one.text for one in either.simulator.heard("kerryf")] == ["hello <you>", "Hello Kerry"]


def test_nobody_hears_another_persons_direct_messages(world):
    world.simulator.speak("kerryf", "a secret", place="dm")
    world.simulator.speak("amir", "in public")
    assert [one.text for one in world.simulator.heard("amir")] == ["@acme in public"]


def test_a_private_thread_is_opened_from_a_mention(either):
    either.simulator.speak("kerryf", "help")
    (mention,) = either.interactions()
    receipt = either.run(either.connector.send(either.opening(mention, "Let us go on here.")))
    (echo,) = either.interactions()
    assert receipt.thread == echo.thread
    assert (receipt.native_id, echo.text) == (receipt.native_id, "Let us go on here.")
    assert either.simulator.heard("kerryf")[-1].place == "dm"


def test_who_takes_no_messages_is_unreachable(world):
    world.simulator.speak("kerryf", "help")
    (mention,) = world.interactions()
    world.simulator.person("kerryf").takes_messages = False
    with pytest.raises(Unreachable) as refused:
        world.run(world.connector.send(world.opening(mention, "Let us go on here.")))
    assert refused.value.code == "349"


def test_the_same_reply_again_is_refused_as_a_repetition(world):
    world.simulator.speak("kerryf", "help")
    (mention,) = world.interactions()
    world.send(mention, "We are on it.")
    with pytest.raises(ContentRejected) as refused:
        world.send(mention, "We are on it.")
    assert refused.value.code == "187"
    assert len(world.simulator.heard("kerryf")) == 2


@pytest.mark.parametrize(
    ("text", "fits"), [("a" * 280, True), ("a" * 281, False), ("界" * 140, True), ("界" * 141, False)]
)
def test_a_public_text_is_counted_in_weights(world, text, fits):
    world.simulator.speak("kerryf", "help")
    (mention,) = world.interactions()
    if fits:
        assert world.send(mention, text).native_id
        return
    with pytest.raises(ContentRejected) as refused:
        world.send(mention, text)
    assert refused.value.code == "186"


def test_a_long_direct_message_is_refused_beyond_ten_thousand_characters(world):
    world.simulator.speak("kerryf", "help", place="dm")
    (message,) = world.interactions()
    assert world.send(message, "a" * 10_000).native_id
    with pytest.raises(ContentRejected) as refused:
        world.send(message, "a" * 10_001)
    assert refused.value.code == "354"


def test_a_reply_to_a_post_that_is_gone_is_unreachable(world):
    said = world.simulator.speak("kerryf", "help")
    (mention,) = world.interactions()
    world.simulator.delete(said.id)
    with pytest.raises(Unreachable) as refused:
        world.send(mention, "We are on it.")
    assert refused.value.code == "385"
    assert world.simulator.heard("kerryf")[0].deleted


def test_edits_and_deletions_fall_on_the_first_version(either):
    said = either.simulator.speak("kerryf", "dead since nine")
    (mention,) = either.interactions()
    either.move(minutes=1)
    newest = either.simulator.edit("kerryf", said.id, "@acme dead since ten")
    (edited,) = either.events()
    assert isinstance(edited, InteractionEdited)
    assert (edited.id, edited.interaction.native_id, edited.interaction.text) == (
        newest,
        said.id,
        "@acme dead since ten",
    )
    assert edited.interaction.thread == mention.thread
    assert abs((edited.interaction.sent_at - mention.sent_at).total_seconds()) < 0.001
    either.send(edited.interaction, "We see it.")
    sent = either.simulator.calls[-1].read()
    assert newest.encode() in sent
    either.events()
    either.simulator.delete(newest)
    gone = either.events()
    assert all(isinstance(event, InteractionDeleted) for event in gone)
    assert {event.native_id for event in gone} == {said.id, newest}


def test_only_the_author_edits(world):
    said = world.simulator.speak("kerryf", "dead since nine")
    with pytest.raises(ValueError, match="amir has not written"):
        world.simulator.edit("amir", said.id, "no")


def test_likes_go_both_ways(either):
    either.simulator.speak("kerryf", "help")
    (mention,) = either.interactions()
    like = React(key="k", own_account="2244994945", thread=mention.thread, target=mention, reaction="❤")
    either.run(either.connector.send(like))
    (ours,) = either.events()
    assert isinstance(ours, ReactionAdded)
    assert (ours.native_id, ours.author.is_self, ours.reaction) == (mention.native_id, True, "❤")
    reply = either.send(mention, "We are on it.").native_id
    either.events()
    either.simulator.like("kerryf", reply)
    (theirs,) = either.events()
    assert isinstance(theirs, ReactionAdded)
    assert (theirs.native_id, theirs.author.handle) == (reply, "kerryf")
    either.run(either.connector.send(like.model_copy(update={"reaction": ""})))
    assert either.simulator.brand not in either.simulator.tweets[mention.native_id].likers


def test_our_post_is_deleted(world):
    world.simulator.speak("kerryf", "help")
    (mention,) = world.interactions()
    world.send(mention, "Nonsense")
    (echo,) = world.interactions()
    delete = DeleteMessage(key="k", own_account="2244994945", thread=echo.thread, target=echo)
    world.run(world.connector.send(delete))
    (gone,) = world.events()
    assert (gone.type, gone.native_id) == ("interaction.deleted", echo.native_id)
    assert world.simulator.heard("kerryf")[-1].deleted
    assert world.run(world.connector.lookup(delete, world.now)).native_id == echo.native_id


def test_typing_and_reading_are_told(either):
    either.simulator.speak("kerryf", "hello", place="dm")
    (message,) = either.interactions()
    either.send(message, "Hello")
    either.events()
    either.simulator.type_message("kerryf")
    either.simulator.read_messages("kerryf")
    typing, read = either.events()
    assert (typing.type, typing.thread) == ("typing.started", message.thread)
    assert (read.type, read.state, read.thread) == ("delivery.updated", "read", message.thread)


@pytest.mark.parametrize(
    ("media_type", "size", "kind"),
    [("image/png", 100, "image"), ("image/gif", 5_000_000, "gif"), ("video/mp4", 9_000_000, "video")],
)
@pytest.mark.parametrize(("place", "prefix"), [("post", "tweet"), ("dm", "dm")])
def test_files_are_uploaded_whole(world, media_type, size, kind, place, prefix):
    world.simulator.speak("kerryf", "how?", place=place)
    (question,) = world.interactions()
    content = bytes(range(256)) * (size // 256) + b"\r\n--end"
    world.blobs["a" * 64] = Blob(content=content, media_type=media_type, name="how-to")
    world.send(question, "So:", attachments=(Attachment(media_type=media_type, blob="a" * 64),))
    (file,) = world.simulator.files.values()
    assert file.content == content
    assert file.category == f"{prefix}_{kind}"


def test_a_file_of_a_direct_message_is_fetched(world):
    simulator = world.simulator
    photo = simulator.files["77"] = File("77", "dm_image", "image/jpeg", b"photo", 5)
    simulator.activity = False
    simulator.write(simulator.person("kerryf"), simulator.brand, "look", [photo])
    (message,) = world.interactions()
    blob = world.run(world.connector.fetch(message.attachments[0]))
    assert (blob.content, blob.media_type) == (b"photo", "image/jpeg")
    assert simulator.calls[-1].headers["authorization"].startswith("OAuth ")


def test_a_cut_connection_is_settled_by_looking_up(world):
    for place in ("post", "dm"):
        world.simulator.speak("kerryf", "help", place=place)
        (question,) = world.interactions()
        world.simulator.faults.drop = 1
        with pytest.raises(Uncertain):
            world.send(question, "See https://acme.example/help & wait")
        found = world.run(
            world.connector.lookup(world.intent(question, "See https://acme.example/help & wait"), world.now)
        )
        (echo,) = world.interactions()
        assert found.native_id == echo.native_id
        assert world.run(world.connector.lookup(world.intent(question, "Something else"), world.now)) is None


def test_trouble_has_xs_own_form(world):
    world.simulator.speak("kerryf", "help")
    (mention,) = world.interactions()
    faults = world.simulator.faults
    faults.rate_limit = 1
    with pytest.raises(RateLimited) as limited:
        world.send(mention, "a")
    assert limited.value.retry_after == 1
    faults.expire = 1
    with pytest.raises(AuthExpired):
        world.send(mention, "a")
    faults.unavailable = 1
    with pytest.raises(Unavailable):
        world.send(mention, "a")
    assert world.send(mention, "a").native_id


def test_sixteen_direct_messages_in_a_quarter_of_an_hour_are_too_many(world):
    world.simulator.speak("kerryf", "help", place="dm")
    (message,) = world.interactions()
    for number in range(15):
        world.send(message, f"message {number}")
    world.move(seconds=100)
    with pytest.raises(RateLimited) as limited:
        world.send(message, "one too many")
    assert limited.value.retry_after == 800
    world.move(seconds=800)
    assert world.send(message, "now").native_id


def test_lost_and_doubled_webhooks_bring_the_same_events(world):
    world.simulator.faults.lose = 1
    world.simulator.speak("kerryf", "first")
    world.simulator.faults.duplicate = 1
    world.simulator.speak("kerryf", "second")
    world.simulator.redeliver()
    texts = [(event.id, event.interaction.text) for event in world.events()]
    assert [text for _, text in texts] == ["@acme second", "@acme second", "@acme first"]
    assert texts[0] == texts[1]


@pytest.mark.parametrize("secret", ["consumer_key", "consumer_secret", "access_token", "access_token_secret"])
def test_wrong_credentials_are_refused(world, make_world, secret):
    stranger = make_world(**{secret: "another"})
    with pytest.raises(AuthExpired):
        drive(
            stranger.connector.probe(),
            lambda ask: world.simulator.handle(stranger.connector.authorize(ask, None, world.now, "0" * 32)),
            stranger.connector.failure,
        )


def test_a_changed_request_breaks_the_signature(world):
    request = httpx.Request("GET", "https://api.x.com/2/users/me", params={"user.fields": "id"})
    world.connector.authorize(request, None, world.now, "0" * 32)
    assert world.simulator.handle(request).status_code == 200
    request.url = request.url.copy_with(params={"user.fields": "name"})
    assert world.simulator.handle(request).status_code == 401


def test_a_bearer_token_opens_too(make_world):
    world = make_world(oauth2_token="user-bearer")
    assert world.run(world.connector.probe()).own_account == "2244994945"
    assert world.simulator.calls[-1].headers["authorization"] == "Bearer user-bearer"


@pytest.mark.parametrize(
    ("method", "path", "body", "fault"),
    [
        ("POST", "/2/tweets", {"text": "a", "in_reply_to": "1"}, "unknown field in_reply_to"),
        ("POST", "/2/tweets", {"text": "a", "reply": {}}, "lacks in_reply_to_tweet_id"),
        ("POST", "/2/tweets", {"text": "a", "reply": {"in_reply_to_tweet_id": 1}}, "has not the form"),
        ("POST", "/2/tweets", {"text": "a", "media": {"media_ids": []}}, "not a list of 1 to 4"),
        ("POST", "/2/tweets", [], "is not an object"),
        ("POST", "/2/tweets", {}, "needs a text"),
        ("POST", "/2/webhooks", {"url": "https://hub.example:8443/x"}, "has not the form"),
        ("POST", "/2/media/upload/initialize", {"total_bytes": -1}, "is not a number"),
        ("GET", "/2/users/2244994945/mentions?post.fields=author_id", None, "does not know author_id"),
        ("GET", "/2/dm_events?since_id=1", None, "unknown field since_id"),
        ("GET", "/2/nothing", None, "has no GET /2/nothing"),
    ],
)
def test_calls_of_another_form_are_refused(world, method, path, body, fault):
    request = httpx.Request(method, f"https://api.x.com{path}", json=body)
    response = world.simulator.handle(world.connector.authorize(request, None, world.now, "0" * 32))
    assert response.status_code in {400, 404}
    assert fault in response.json()["detail"]


def test_subscribing_answers_the_challenge_and_orders_each_event_once(world):
    world.simulator.deliver = world.connector.handshake
    for _ in range(2):
        world.run(world.connector.subscribe("https://hub.example/hooks/app/x"))
    kinds = [one["event_type"] for one in world.simulator.subscriptions]
    assert len(kinds) == len(set(kinds)) == 10
    assert {"post.mention.create", "dm.received"} <= set(kinds)


def test_subscribing_to_account_activity(make_world):
    world = make_world(subscription="account_activity")
    world.simulator.deliver = world.connector.handshake
    for _ in range(2):
        world.run(world.connector.subscribe("https://hub.example/hooks/app/x"))
    assert len(world.simulator.subscriptions) == 1


def test_a_door_with_another_secret_is_not_registered(world, make_world):
    world.simulator.deliver = X(make_world(client_secret="another").settings).handshake
    with pytest.raises(ContentRejected, match="was invalid"):
        world.run(world.connector.subscribe("https://hub.example/hooks/app/x"))
    assert not world.simulator.webhooks


def test_it_is_played_over_http(world):
    client = httpx.Client(transport=Network([world.simulator]).transport())
    request = world.connector.authorize(httpx.Request("GET", "https://api.x.com/2/users/me"), None, world.now, "0" * 32)
    response = client.send(request)
    assert response.json()["data"]["username"] == "acme"
    assert response.headers["x-rate-limit-remaining"] == "74"
