"""What stands behind a plugin: `cases/truth.json`, or `cases/NAME/truth.json` where a package holds several plugins.

{"surfaces": {"sending": [{"layer": "documentation", "what": "…", "address": "https://…", "read": "2026-11",
                           "test": "tests/test_parrot.py::TestParrot"}]},
 "limits": {"text": {"address": "https://…", "read": "2026-11"}},
 "without": {"renewal": "a token is good until it is revoked (https://…, 2026-11)"}}
"""

import sys
from collections.abc import Iterator, Mapping
from importlib import resources
from importlib.resources.abc import Traversable
from typing import Any, Literal, Self, get_args

from pydantic import Field, ValidationError, model_validator

from socialsupport_core.contract import CRM, ConfigError, Connector, FanOut
from socialsupport_core.model import Value
from socialsupport_core.testing.problems import near, problems

Layer = Literal["real", "emulator", "vectors", "specification", "documentation", "simulator"]
LAYERS: tuple[Layer, ...] = get_args(Layer)
"""The strongest first."""
LAYER_TEXTS: Mapping[Layer, str] = {
    "real": "the real counterpart: its server, database or browser, which the test starts",
    "emulator": "somebody else's imitation of it",
    "vectors": "published inputs and outputs, such as a signature with its key",
    "specification": "a published machine-readable description, with which requests or payloads were compared",
    "documentation": "samples and words of the documentation, with values of our own",
    "simulator": "our own simulator, written from the documentation",
}
OUTSIDE = frozenset(LAYERS) - {"simulator"}
"""Layers that are somebody else's, and so have an address."""
_MONTH = r"20\d\d-(0[1-9]|1[0-2])"
_TEST = r"[\w./-]+\.py::\w+(::\w+)?"


class Proof(Value):
    layer: Layer
    what: str = Field(min_length=1)
    address: str = ""
    """Of the server, the description or the documentation."""
    read: str = Field(pattern=_MONTH)
    """The month in which it was seen."""
    test: str = Field(pattern=_TEST)
    """`tests/test_parrot.py::test_a_word`, from the folder of the plugin; a class of the kit will do too."""
    lacks: str = ""
    """What of the surface it does not reach."""

    @model_validator(mode="after")
    def _has_an_address(self) -> Self:
        if self.layer in OUTSIDE and not self.address.startswith("https://"):
            raise ValueError(f"the layer {self.layer!r} is somebody else's; give its address, https://…")
        return self


class Source(Value):
    """Where a number of the network stands."""

    address: str = Field(pattern=r"https://.+")
    read: str = Field(pattern=_MONTH)


class Truth(Value):
    surfaces: dict[str, tuple[Proof, ...]] = Field(default_factory=dict)
    limits: dict[str, Source] = Field(default_factory=dict)
    without: dict[str, str] = Field(default_factory=dict)
    """A limit, `probe` or `renewal` → why there is none."""


Plugin = type[Connector[Any]] | type[CRM[Any]] | type[FanOut[Any]]


def truth_of(kind: Plugin) -> Truth | None:
    """None if the plugin does not tell. Raises ConfigError that names what is wrong."""
    file = next((one for one in _places(kind) if one.is_file()), None)
    if file is None:
        return None
    try:
        told = Truth.model_validate_json(file.read_bytes())
    except ValidationError as error:
        raise ConfigError(f"cases/truth.json: {problems(error, Truth)}") from error
    _known("surfaces", told.surfaces, surfaces(kind))
    _known("limits", told.limits, limits(kind))
    _known("without", told.without, (*limits(kind), "probe", "renewal"))
    return told


def _places(kind: Plugin) -> Iterator[Traversable]:
    for cls in kind.__mro__:
        package = getattr(sys.modules.get(cls.__module__), "__package__", None)
        if package and not package.startswith("socialsupport_core."):
            cases = resources.files(package) / "cases"
            yield from (cases / kind.name / "truth.json", cases / "truth.json")


def _known(where: str, told: Mapping[str, Any], known: tuple[str, ...]) -> None:
    for name in told:
        if name not in known:
            raise ConfigError(f"cases/truth.json: {where} has {name!r}, which this plugin has not; {near(name, known)}")


def surfaces(kind: Plugin) -> tuple[str, ...]:
    """Where a plugin touches somebody else: what it must tell the truth about."""
    if issubclass(kind, FanOut):
        return ("publishing",)
    found = {"sign_in": written(kind, "exchange") or written(kind, "exchange_with")}
    if issubclass(kind, CRM):
        ways = {"webhook": written(kind, "verify"), "poll": written(kind, "poll"), "verbs": True}
        return _names({**ways, "verification": written(kind, "verify"), **found})
    able = kind.capabilities
    ways = {way: way in able.receives for way in ("webhook", "poll", "stream", "file")}
    return _names({**ways, "verification": able.verification != "none", "sending": bool(able.intents), **found})


def limits(kind: Plugin) -> tuple[str, ...]:
    """What a network may limit, as far as the plugin uses it."""
    if issubclass(kind, FanOut):
        return ()
    if issubclass(kind, CRM):
        return ("rate_limits",)
    able = kind.capabilities
    if not able.intents:
        return ()
    used = {"media": bool(able.media), "choices": bool(able.choices), "reply_window": able.reply_window is not None}
    return _names({"text": True, **used, "rate_limits": True})


def written(kind: Plugin, method: str) -> bool:
    """Whether the plugin has written it itself."""
    base = next(one for one in (Connector, CRM, FanOut) if issubclass(kind, one))
    return getattr(kind, method, None) is not getattr(base, method, None)


def _names(held: Mapping[str, bool]) -> tuple[str, ...]:
    return tuple(name for name, is_so in held.items() if is_so)


def lacking(proofs: tuple[Proof, ...]) -> str:
    """What the strongest of them do not reach; nothing if one of them reaches everything."""
    best = [one.lacks for one in proofs if one.layer == strongest(proofs)]
    return "" if "" in best else "; ".join(best)


def strongest(proofs: tuple[Proof, ...]) -> Layer | None:
    return min((one.layer for one in proofs), key=LAYERS.index, default=None)
