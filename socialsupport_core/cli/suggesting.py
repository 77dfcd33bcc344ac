"""`socialsupport resolve FILE --suggest`: who else may be one customer, after those who are."""

# ruff: noqa: PLC0415 - imported when it is needed, so that --help is quick

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from socialsupport_core.identity.batch import Batch
    from socialsupport_core.identity.suggestions import Profile, Scorer


def tell_suggestions(lines: Sequence[bytes], batch: "Batch", model: str | None) -> None:
    """One JSON object a suggestion, the likeliest first. Raises ConfigError for a profile that cannot be read."""
    from socialsupport_core.cli.output import json_line, moving
    from socialsupport_core.identity.suggestions import merged, suggest
    from socialsupport_core.identity.suggestions.gathering import split_in

    told = [json.loads(line) for line in lines]
    with moving("comparing"):
        profiles = merged(_profiles(told), dict(batch.customers()).get)
        found = suggest(profiles, apart=split_in(told), scorer=_scorer(profiles, model))
    for one in found:
        json_line({"suggestion": one.as_json()})


def _profiles(told: Sequence[Mapping[str, Any]]) -> "list[Profile]":
    from socialsupport_core.contract import ConfigError
    from socialsupport_core.identity.suggestions.gathering import from_observations

    try:
        return from_observations(told)
    except ValueError as error:
        raise ConfigError(str(error)) from None


def _scorer(profiles: "Sequence[Profile]", model: str | None) -> "Scorer":
    """The light one; or a learnt model, which is learnt from these very profiles if there is none yet."""
    from socialsupport_core.identity.suggestions import light, splinking

    if model is None:
        return light.suggest
    file = Path(model)
    if file.exists():
        return splinking.scorer(splinking.Model.load(file))
    learnt = splinking.train(profiles)
    learnt.save(file)
    return splinking.scorer(learnt)
