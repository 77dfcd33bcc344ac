from raven import Roost, message

def test_a(roost: Roost) -> None:
    roost.hear(message(1, "hello"))
    roost.reply("hi")
    roost.hub.drain()
    print(roost.timeline())
    assert roost.texts() == ["hello", "hi"]
    assert roost.states() == ["sent"]
