"""`socialsupport report --staffing`: how many agents it takes, hour by hour of the week."""

# ruff: noqa: PLC0415 - imported when it is needed, so that --help is quick

from typing import Any


def show(found: dict[str, Any]) -> None:
    from socialsupport_core.cli.output import line, table

    given, period = found["assumptions"], found["period"]
    line(
        f"{period['from'][:16]} to {period['until'][:16]} UTC; {given['share']:.0%} within the target;"
        f" {given['handling_seconds']:g} seconds for each ({given['handling']})\n"
    )
    for queue in found["queues"]:
        rows = [
            (f"{one['day']} {one['hour']:02}", one["arrivals"], one["agents"], f"{one['within_target']:.0%}")
            for one in queue["hours"]
        ]
        title = f"{', '.join(queue['channels'])}: {queue['target_seconds']:g} seconds"
        table((f"hour ({given['zone']})", "contacts", "agents", "within"), rows, title=title)
    together = [(f"{one['day']} {one['hour']:02}", one["agents"], one["rostered"]) for one in found["hours"]]
    table(("hour", "agents", f"on the roster, {given['shrinkage']:.0%} elsewhere"), together, title="together")
