"""Who else may be one person? Answers for a review queue; they join nothing and never run on the way of a message."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any

from socialsupport_core.identity.partition import is_exclusive
from socialsupport_core.identity.suggestions import light
from socialsupport_core.identity.suggestions.gathering import from_observations, split_in
from socialsupport_core.identity.suggestions.light import Together
from socialsupport_core.identity.suggestions.profiles import Profile, merged, name_of, profile
from socialsupport_core.identity.suggestions.result import Step, Suggestion
from socialsupport_core.model import Identifier

__all__ = ["Profile", "Scorer", "Step", "Suggestion", "merged", "name_of", "profile", "suggest", "suggest_for"]

Scorer = Callable[[Sequence[Profile], float, Together], Iterable[Suggestion]]
"""Finds the pairs that are at least so probable; asks whether two could be made one at all."""
Apart = Collection[frozenset[Identifier]]
"""Pairs of accounts of which a person has said that they are two."""


def suggest(
    profiles: Sequence[Profile], *, at_least: float = 0.9, apart: Apart = (), scorer: Scorer = light.suggest
) -> list[Suggestion]:
    """Pairs that may be one person, the likeliest first; the same for every order of the profiles."""
    forbidden = frozenset(apart)

    def together(a: Profile, b: Profile) -> bool:
        return not _anchors_differ(a, b) and not (forbidden and _parted(a, b, forbidden))

    found = scorer(sorted(profiles, key=lambda one: str(one.subject)), at_least, together)
    return sorted(found, key=lambda one: (-one.weight, tuple(map(str, one.pair))))


def suggest_for(
    observations: Iterable[Mapping[str, Any]],
    customers: Mapping[Identifier, str | None],
    *,
    at_least: float = 0.9,
    scorer: Scorer = light.suggest,
) -> list[Suggestion]:
    """The same for observations, and the customers that were found in them: `socialsupport resolve FILE --suggest`."""
    told = list(observations)
    profiles = merged(from_observations(told), customers.get)
    return suggest(profiles, at_least=at_least, apart=split_in(told), scorer=scorer)


def _anchors_differ(a: Profile, b: Profile) -> bool:
    """Each has an account of a kind of which a customer has one."""
    kinds = {(one.kind, one.scope) for one in a.accounts if is_exclusive(one.kind)}
    return any((one.kind, one.scope) in kinds for one in b.accounts)


def _parted(a: Profile, b: Profile, forbidden: frozenset[frozenset[Identifier]]) -> bool:
    return any(frozenset((one, other)) in forbidden for one in a.accounts for other in b.accounts)
