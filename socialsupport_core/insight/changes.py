"""What to change first: what broke down, by reason and channel, the dearest first, and what to do about it."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from socialsupport_core.guidance.service import Hours
from socialsupport_core.insight import measures
from socialsupport_core.insight.costs import is_social, price_of
from socialsupport_core.insight.evidence import pointer
from socialsupport_core.insight.journey import REASONS, Journey, Reason
from socialsupport_core.insight.peaks import peaks
from socialsupport_core.insight.settings import Costs, Settings
from socialsupport_core.insight.words import counted

Shown = dict[str, Any]
EVIDENCE = 5
DO: Mapping[Reason, str] = {
    "no_answer": "Answer {channel} sooner: staff the hours in which these contacts come, let whoever waits longest"
    " come first in the queue, or say where and when somebody does answer.",
    "send_failed": "See under the health of {channel} why answers did not go out, and write again to whoever never got"
    " one: the queue marks them.",
    "asked_again": "Before asking on {channel}, look at what the customer has told already: it stands beside the"
    " conversation. Take the question out of saved replies.",
    "bounced": "Whoever is sent away from {channel} goes where it is easiest: hand off by a link or a private thread"
    " that opens with one touch, to a channel that the customer has used before.",
    "reopened": "Let the customer of {channel} say whether it is done before it is called resolved, and look at which"
    " answers come back.",
    "not_resolved": "Look at what {channel} could not solve: give whoever answers there the means, or hand the"
    " conversation on themselves instead of leaving that to the customer.",
    "gave_up": "Do not send customers of {channel} away without need: where it must be, follow up before the invitation"
    " expires, and say why.",
}


def changes(found: Sequence[Journey], settings: Settings) -> list[Shown]:
    """Ranked by what the matters cost: what followed a breakdown at the price of a contact there; where nothing
    followed that has a price, what a failed social contact is expected to cost. No matter counts twice. `when` is when
    so many more of them broke down than is usual there that chance is no likely reason."""
    legs: dict[str, list[int]] = defaultdict(list)
    for one in found:
        for step in one.steps:
            if step.outcome != "ours":
                legs[step.leg.channel].append(step.leg.at)
    groups: dict[tuple[Reason, str], list[Journey]] = defaultdict(list)
    for one in found:
        if one.broke is not None:
            step = one.steps[one.broke]
            groups[step.reason or "no_answer", step.leg.channel].append(one)
    told = [
        _change(reason, channel, mine, len(found), settings.costs)
        | {"when": peaks([one.steps[one.broke or 0].leg.at for one in mine], legs[channel], settings.hours)}
        for (reason, channel), mine in groups.items()
    ]
    told.sort(key=lambda one: (-one["amount"], -one["matters"]["count"], one["channel"], one["reason"]))
    return [{"rank": rank, **one} for rank, one in enumerate(told, 1)]


def worst(found: Sequence[Journey], hours: Hours) -> list[Shown]:
    """When most of all breaks down, of whatever channel and for whatever reason: by when a matter began."""
    return peaks([one.matter.at for one in found if one.broke is not None], [one.matter.at for one in found], hours)


def _change(reason: Reason, channel: str, mine: Sequence[Journey], all_matters: int, table: Costs) -> Shown:
    followed = [_followed(one, table) for one in mine]
    quiet = [one for one, cents in zip(mine, followed, strict=True) if not cents and _is_social(one, table)]
    incurred, expected = sum(followed) / 100, len(quiet) * table.failed_contact
    amount = round(incurred + expected, 2)
    return {
        "reason": REASONS[reason],
        "channel": channel,
        "matters": measures.share(len(mine), all_matters),
        "amount": amount,
        "incurred": {"matters": sum(bool(cents) for cents in followed), "amount": round(incurred, 2)},
        "expected": {"matters": len(quiet), "amount": round(expected, 2)},
        "without_a_price": len(mine) - len(quiet) - sum(bool(cents) for cents in followed),
        "why": f"{counted(len(mine), 'matter')} broke down on {channel}: {REASONS[reason]}",
        "do": DO[reason].format(channel=channel),
        "evidence": [pointer(one) | {"explanation": one.words} for one in mine[::-1][:EVIDENCE]],
    }


def _followed(one: Journey, table: Costs) -> int:
    """Cents."""
    later = one.steps[(one.broke or 0) + 1 :]
    return sum(round((price_of(step.leg.network, table) or 0) * len(step.leg.contacts) * 100) for step in later)


def _is_social(one: Journey, table: Costs) -> bool:
    return is_social(one.steps[one.broke or 0].leg.network, table)
