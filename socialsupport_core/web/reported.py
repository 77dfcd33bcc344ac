"""The shapes of the report and of the live figures."""

from typing import get_args

from socialsupport_core.insight.evidence import FIGURES
from socialsupport_core.insight.journey import Outcome
from socialsupport_core.model.interaction import Visibility
from socialsupport_core.web.shape import COUNTS, NUMBER, TEXT, TIME, Shape, fields, listed, ref

SECONDS: Shape = {"type": ["number", "null"]}
MEAN: Shape = {"type": ["number", "null"]}
AMOUNT: Shape = {"type": "number"}
MAYBE: Shape = {"type": ["string", "null"]}
AMOUNTS: Shape = {"type": "object", "additionalProperties": AMOUNT}
SHARE, SPREAD = ref("Share"), ref("Spread")
OUTCOME: Shape = {"enum": list(get_args(Outcome))}
PERIOD = fields(**{"from": TIME, "until": TIME})
BEFORE = fields(**{"from": TIME, "until": TIME, "known_from_": TIME})
PLACE = fields(channel=TEXT, visibility={"enum": list(get_args(Visibility))})
POINTER: dict[str, Shape] = {"customer": TEXT, "conversations": listed(TEXT), "began": TIME, "outcome": OUTCOME}
PEAKS = listed(fields(by={"enum": ["week", "hours"]}, name=TEXT, matters=SHARE))
GRID = listed(listed({"type": "number"}))

FIGURE: dict[str, Shape] = {
    "matters": fields(
        count=NUMBER, by_outcome=COUNTS, contacts=NUMBER, contacts_per_matter={"type": ["number", "null"]}
    ),
    "response": fields(first=SPREAD, first_in_hours=SPREAD, people=SPREAD, people_in_hours=SPREAD, bots=SPREAD),
    "resolution": fields(resolved=SHARE, time=SPREAD, time_in_hours=SPREAD, reopened=SHARE),
    "coverage": ref("Coverage"),
    "first_contact_resolution": SHARE,
    "handled_twice": SHARE,
    "channel_switches": fields(count=NUMBER, with_context=SHARE),
    "hand_offs": fields(offered=NUMBER, arrived=SHARE),
    "deflection": SHARE,
    "accuracy": fields(
        edited=SHARE,
        reopened=SHARE,
        rating=fields(count=NUMBER, mean=MEAN),
        verdicts=fields(asked=NUMBER, answered=SHARE, good=SHARE, by_value=COUNTS, mean=MEAN),
    ),
    "praise": fields(messages=SHARE, to_nobody=NUMBER, agents=listed(fields(agent=TEXT, count=NUMBER))),
    "reach": fields(public_contacts=NUMBER, people=NUMBER, answered=SHARE),
    "agents": listed(fields(agent=TEXT, contacts=NUMBER, matters=NUMBER, response=SPREAD)),
    "channels": listed(
        fields(
            channel=TEXT,
            network=TEXT,
            contacts=NUMBER,
            response=SPREAD,
            coverage=ref("Coverage"),
            failed_legs=NUMBER,
            broke_here=NUMBER,
        )
    ),
    "breakdowns": fields(share=SECONDS, count=NUMBER, of=NUMBER, by_reason=COUNTS, by_channel=COUNTS, by_leg=COUNTS),
    "cost": fields(
        currency=TEXT,
        failed_contact=fields(
            amount=AMOUNT, source=TEXT, table=listed(fields(to=TEXT, share=AMOUNT, cost=AMOUNT, product=AMOUNT))
        ),
        expected=fields(failed_legs=NUMBER, amount=AMOUNT),
        incurred=fields(
            amount=AMOUNT,
            contacts=NUMBER,
            without_a_price=NUMBER,
            by_channel=AMOUNTS,
            by_reason=AMOUNTS,
            by_week=AMOUNTS,
        ),
        avoided=fields(hand_offs=NUMBER, amount=AMOUNT),
        handled_twice=fields(matters=NUMBER, to=AMOUNT, each=listed(AMOUNT), **{"from": AMOUNT}),
    ),
}
LEG = fields(
    channel=TEXT,
    network=TEXT,
    visibility=PLACE["properties"]["visibility"],
    began=TIME,
    contacts=NUMBER,
    outcome=OUTCOME,
    reason=MAYBE,
    explanation=TEXT,
    because_of={"type": ["integer", "null"]},
)
REPORTED: dict[str, Shape] = {
    "Share": {
        **fields(share=SECONDS, count=NUMBER, of=NUMBER),
        "description": "`share` is null where there is nothing to be a share of.",
    },
    "Spread": {
        **fields(count=NUMBER, mean=SECONDS, p50=SECONDS, p75=SECONDS, p90=SECONDS),
        "description": "Seconds: the mean, and the values below which half, three quarters and nine tenths lie.",
    },
    "Coverage": fields(answered=SHARE, in_target=SHARE),
    "Report": fields(
        period=PERIOD,
        filters=fields(channel=MAYBE, network=MAYBE, visibility=MAYBE, agent=MAYBE),
        assumptions=fields(
            window_days=AMOUNT, target_seconds=AMOUNT, targets_seconds=AMOUNTS, hours={"type": "object"}
        ),
        **FIGURE,
        benchmarks=listed(
            fields(
                share=AMOUNT,
                wording=TEXT,
                source=TEXT,
                measure={"enum": ["answered", "unanswered"]},
                within_seconds=SECONDS,
                ours=SHARE,
            )
        ),
        distributions=listed(
            fields(
                channel=MAYBE,
                network=MAYBE,
                contacts=NUMBER,
                target_seconds=SECONDS,
                bins=listed(fields(within_seconds=AMOUNT, count=NUMBER, by_then=SHARE)),
                later=NUMBER,
                answered=SHARE,
                unanswered=SHARE,
            )
        ),
        weeks=listed(
            fields(
                week=TEXT,
                matters=NUMBER,
                contacts=NUMBER,
                response_p50=SECONDS,
                coverage=ref("Coverage"),
                broke=SHARE,
                incurred=AMOUNT,
                **{"from": TEXT},
            )
        ),
        arrivals=fields(zone=TEXT, contacts=GRID, answers=GRID, open=GRID, outside_hours=SHARE),
        flows=listed(fields(to=PLACE, count=NUMBER, handed_off=NUMBER, with_context=SHARE, **{"from": PLACE})),
        failures=listed(fields(reason=TEXT, channel=TEXT, leg=NUMBER, matters=NUMBER)),
        themes=listed(
            fields(
                name=TEXT,
                terms=listed(TEXT),
                matters=SHARE,
                customers=NUMBER,
                first=TIME,
                rise={"anyOf": [fields(week=TEXT, score=AMOUNT), {"type": "null"}]},
                weeks=listed(fields(week=TEXT, matters=SHARE)),
                examples=listed(fields(**POINTER)),
            )
        ),
        worst=PEAKS,
        changes=listed(
            fields(
                rank=NUMBER,
                when=PEAKS,
                reason=TEXT,
                channel=TEXT,
                matters=SHARE,
                amount=AMOUNT,
                incurred=fields(matters=NUMBER, amount=AMOUNT),
                expected=fields(matters=NUMBER, amount=AMOUNT),
                without_a_price=NUMBER,
                why=TEXT,
                do=TEXT,
                evidence=listed(fields(**POINTER, explanation=TEXT)),
            )
        ),
        evidence=fields(
            **{path: fields(matters=TEXT, count=NUMBER, newest=listed(fields(**POINTER))) for path, _, _ in FIGURES}
        ),
        previous={"anyOf": [{"type": "null"}, fields(period=BEFORE, **FIGURE)]},
        journeys=listed(fields(**POINTER, broke_at=NUMBER, explanation=TEXT, legs=listed(LEG))),
    ),
    "Live": fields(
        waiting=NUMBER,
        oldest={
            "anyOf": [
                {"type": "null"},
                fields(conversation=TEXT, channel=TEXT, since=TIME, target_seconds=AMOUNT, overdue={"type": "boolean"}),
            ]
        },
        today=fields(
            since=TIME,
            contacts=NUMBER,
            answered=SHARE,
            in_target=SHARE,
            breakdowns=fields(count=NUMBER, by_reason=COUNTS),
        ),
    ),
}
