"""Ravens that speak over a stream: what the tests of streams share."""

import asyncio
import json
import threading
from collections.abc import Callable
from typing import Any, ClassVar

import httpx

from raven.connector import Raven, RavenSettings
from raven.events import message
from raven.sky import Sky
from socialsupport_core.contract import Closed, Dial, Flow, Frame, Happening, Opened, Settings, Step, StreamState, Tick
from socialsupport_core.model import Capabilities, Credentials
from socialsupport_core.testing import Line, Refused

STREAM = "wss://api.raven.example/stream"
DEAD = "the token is dead; enter a new one"


class HeraldSettings(RavenSettings):
    stream: str = STREAM
    sse: bool = False


class HeraldState(StreamState):
    after: int = 0
    greeted: bool = False


class Herald(Raven):
    """A raven with a stream: `hello`, then numbered letters, each to be acknowledged by its own slip."""

    settings_model: ClassVar[type[Settings]] = HeraldSettings
    stream_state = HeraldState
    capabilities: ClassVar[Capabilities] = Raven.capabilities.model_copy(
        update={"receives": frozenset({"webhook", "poll", "stream"})}
    )
    settings: HeraldSettings

    @property
    def hosts(self) -> frozenset[str]:
        return frozenset({"api.raven.example", "127.0.0.1", "localhost"})

    def authorize(self, request: httpx.Request, credentials: Credentials | None, now: Any, nonce: str) -> httpx.Request:
        request.headers["authorization"] = f"Bearer {self.settings.token.get_secret_value()}"
        return request

    def dial(self, state: HeraldState) -> Flow[Dial]:
        if False:
            yield
        protocol, headers = ("sse", (("last-event-id", str(state.after)),)) if self.settings.sse else ("websocket", ())
        return Dial(self.settings.stream, protocol, headers, close_code=4000)  # type: ignore[arg-type]

    def step(self, state: HeraldState, happened: Happening) -> Step:
        match happened:
            case Opened():
                return Step(state.model_copy(update={"greeted": False}))
            case Tick():
                return Step(state, say=('{"op": "beat"}',), tick_in=0.05)
            case Closed(code=4004):
                return Step(state, stop=DEAD)
            case Closed():
                return Step(state)
            case Frame():
                return self.read_frame(state, happened)

    def read_frame(self, state: HeraldState, frame: Frame) -> Step:
        try:
            said = json.loads(frame.data)
            return getattr(self, f"on_{said['op']}")(state, said)
        except (ValueError, LookupError, TypeError, AttributeError):
            return Step(state)

    def on_hello(self, state: HeraldState, said: Any) -> Step:
        resume = json.dumps({"op": "resume", "after": state.after})
        return Step(state.model_copy(update={"greeted": True}), say=(resume,), tick_in=said.get("beat"))

    def on_letter(self, state: HeraldState, said: Any) -> Step:
        state = state.model_copy(update={"after": int(said["n"])})
        body = json.dumps([said["letter"]]).encode()
        return Step(state, keep=(body,), after=(json.dumps({"op": "ack", "n": said["n"]}),))

    def on_noise(self, state: HeraldState, said: Any) -> Step:
        return Step(state.model_copy(update={"after": int(said["n"])}))

    def on_lost(self, state: HeraldState, said: Any) -> Step:
        return Step(state.model_copy(update={"after": int(said["n"])}), gap=True)

    def on_move(self, state: HeraldState, said: Any) -> Step:
        return Step(state, redial=said["in"])

    def on_trip(self, state: HeraldState, said: Any) -> Step:
        raise ZeroDivisionError("raven-token-1")


class Choked(Herald):
    """Its `step` lets an error through."""

    def read_frame(self, state: HeraldState, frame: Frame) -> Step:
        if b"trip" in (frame.data if isinstance(frame.data, bytes) else frame.data.encode()):
            raise ZeroDivisionError("raven-token-1")
        return super().read_frame(state, frame)


def letter(n: int) -> str:
    written = json.loads(message(n, f"text {n}", at=n).to_json())
    return json.dumps({"op": "letter", "n": n, "letter": written})


class Tower(Sky):
    """The other end of the stream: it tells what was not acknowledged again."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.letters_out: dict[int, str] = {}
        self.acknowledged: list[int] = []
        self.resumed: list[int] = []
        self.handshakes: list[httpx.Request] = []
        self.refuse: list[int] = []
        self.greet: Callable[[Line], None] = lambda line: line.tell(Frame('{"op": "hello", "beat": 0.05}'))

    def dialled(self, line: Line) -> None:
        self.handshakes.append(line.request)
        if self.refuse:
            raise Refused(httpx.Response(self.refuse.pop(0)))
        self.greet(line)

    def spoken_to(self, line: Line, text: str) -> None:
        said = json.loads(text)
        if said["op"] == "resume":
            self.resumed.append(said["after"])
            line.tell(*(Frame(one) for n, one in sorted(self.letters_out.items()) if n not in self.acknowledged))
        elif said["op"] == "ack":
            self.acknowledged.append(said["n"])

    def tell(self, *numbers: int) -> None:
        for n in numbers:
            self.letters_out[n] = letter(n)
            for line in self.lines:
                line.tell(Frame(self.letters_out[n]))


class Loop:
    """An event loop in a thread, for a real server beside the hub."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self._thread.start()

    def run(self, coroutine: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result(20)

    def close(self) -> None:
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join()
        self.loop.close()
