"""Themes: which matters are about the same thing, week by week, and which of them rise.

A term is a word or a pair of words in what customers said. It rises in a week if so many more of that week's matters
have it than of all other weeks' that chance is no likely reason: the log-odds ratio with an informative Dirichlet prior
(Monroe, Colaresi and Quinn 2008, "Fightin' Words", Political Analysis 16:372-403), of matters and not of words, so that
nobody counts more by saying it often. Terms that the same matters have are one theme, called by the strongest of them.

Pure: the same matters give the same themes under the same names, in whatever order they came.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from math import log, sqrt
from typing import Any

from socialsupport_core.insight.costs import week_of
from socialsupport_core.insight.evidence import moment, pointer
from socialsupport_core.insight.journey import Journey
from socialsupport_core.insight.measures import share

Shown = dict[str, Any]
CUSTOMERS = 3
"""So many must say it before it is named: what fewer say could tell who they are."""
LIKELY = 1.96
"""Standard deviations: by chance one term in forty goes that far upwards, so the steepest are told, and few."""
PRIOR = 10.0
"""How many matters the background is worth to a week of which little is known."""
TOGETHER = 0.5
"""Terms whose matters overlap by so much are one theme."""
WEIGHED = 500
"""Terms that are looked at for what they have in common, the steepest first."""
SHOWN = 10
EXAMPLES = 5
NAMED = 3  # terms in a name


@dataclass(frozen=True, slots=True)
class Rise:
    """`score`: standard deviations above the background."""

    week: str
    score: float


def themes(mine: Sequence[Journey], every: Sequence[Journey]) -> list[Shown]:
    """Of the matters of a period, against all that are known; the steepest rise first. While there is but one week,
    nothing is known to rise, and the most frequent are told."""
    said = {one.matter.id: _terms(one) for one in (*every, *mine)}
    places = _places(mine, said)
    background = _Weeks(every, said, places)
    rises = {term: _rise(term, those, mine, background) for term, those in places.items()}
    alone = len(background.matters) < 2
    telling = {term: those for term, those in places.items() if alone or rises[term].score >= LIKELY}
    ranked = sorted(telling, key=lambda term: (-rises[term].score, -len(telling[term]), " " not in term, term))
    groups = _grouped(ranked[:WEIGHED], telling)
    return [_shown(group, telling, rises[group[0]], mine, background, alone=alone) for group in groups[:SHOWN]]


class _Weeks:
    """How many matters there were, and how many of them have one of the terms, by week."""

    def __init__(self, every: Sequence[Journey], said: Mapping[str, set[str]], terms: Collection[str]) -> None:
        self.of = {one.matter.id: week_of(one.matter.at) for one in every}
        self.matters = Counter(self.of.values())
        self.with_term: dict[str, Counter[str]] = {term: Counter() for term in terms}
        for one in every:
            week = self.of[one.matter.id]
            for term in said[one.matter.id] & self.with_term.keys():
                self.with_term[term][week] += 1
        self.total = self.matters.total()

    def score(self, term: str, week: str) -> float:
        """The z-score of the log-odds ratio."""
        here, all_weeks = self.with_term[term][week], self.with_term[term].total()
        mine, others = self.matters[week], self.total - self.matters[week]
        prior = PRIOR * all_weeks / self.total
        elsewhere = all_weeks - here + prior
        now = here + prior
        odds = log(now / (mine + PRIOR - now + 0.5)) - log(elsewhere / (others + PRIOR - elsewhere + 0.5))
        return odds / sqrt(1 / now + 1 / elsewhere)


def _terms(one: Journey) -> set[str]:
    return {term for leg in one.matter.legs for touch in leg.touches for term in touch.terms}


def _places(mine: Sequence[Journey], said: Mapping[str, set[str]]) -> dict[str, frozenset[int]]:
    """By term that enough customers say: the numbers of its matters."""
    counted = Counter(term for one in mine for term in said[one.matter.id])
    often = {term for term, count in counted.items() if count >= CUSTOMERS}
    found: dict[str, set[int]] = defaultdict(set)
    for number, one in enumerate(mine):
        for term in said[one.matter.id] & often:
            found[term].add(number)
    return {
        term: frozenset(those)
        for term, those in found.items()
        if len({mine[number].matter.customer for number in those}) >= CUSTOMERS
    }


def _rise(term: str, those: Collection[int], mine: Sequence[Journey], background: _Weeks) -> Rise:
    """The steepest, of the weeks in which enough customers say it; of two alike the later."""
    customers: dict[str, set[str]] = defaultdict(set)
    for number in those:
        customers[background.of[mine[number].matter.id]].add(mine[number].matter.customer)
    weeks = [week for week, said in customers.items() if len(said) >= CUSTOMERS]
    scored = [(round(background.score(term, week), 2), week) for week in weeks]
    score, week = max(scored, default=(0.0, ""))
    return Rise(week, score)


def _grouped(ranked: Sequence[str], telling: Mapping[str, frozenset[int]]) -> list[list[str]]:
    """Each term joins the first theme whose leading term has the same matters."""
    groups: list[list[str]] = []
    for term in ranked:
        mine = telling[term]
        for group in groups:
            theirs = telling[group[0]]
            if len(mine & theirs) >= TOGETHER * len(mine | theirs):
                group.append(term)
                break
        else:
            groups.append([term])
    return groups


def _shown(
    group: Sequence[str],
    telling: Mapping[str, frozenset[int]],
    rise: Rise,
    mine: Sequence[Journey],
    background: _Weeks,
    *,
    alone: bool,
) -> Shown:
    those = [mine[number] for number in sorted(telling[group[0]])]
    by_week = Counter(background.of[one.matter.id] for one in those)
    risen = [one for one in those if background.of[one.matter.id] == rise.week] or those
    newest = sorted(risen, key=lambda one: (one.matter.at, one.matter.id), reverse=True)
    weeks = [week for week in sorted(background.matters) if min(by_week) <= week <= max(by_week)]
    return {
        "name": ", ".join(_name(group)),
        "terms": list(group[:SHOWN]),
        "matters": share(len(those), len(mine)),
        "customers": len({one.matter.customer for one in those}),
        "first": moment(min(one.matter.at for one in those)),
        "rise": None if alone else {"week": rise.week, "score": rise.score},
        "weeks": [{"week": week, "matters": share(by_week[week], background.matters[week])} for week in weeks],
        "examples": [pointer(one) for one in newest[:EXAMPLES]],
    }


def _name(group: Sequence[str]) -> list[str]:
    """The strongest terms, and no word of a pair that is among them."""
    pairs = {word for term in group for word in term.split() if " " in term}
    return [term for term in group if " " in term or term not in pairs][:NAMED] or list(group[:1])
