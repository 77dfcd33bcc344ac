"""Why and when support fails: measures over what was said, as pure functions of a history.

`history.py` reads one from the store; everything else knows no store, no clock and no tenant.
"""

from socialsupport_core.insight.filters import Filters
from socialsupport_core.insight.history import Handed, History, Touch, Turn
from socialsupport_core.insight.journey import Journey, Step, journey
from socialsupport_core.insight.matters import Contact, Leg, Matter, matters
from socialsupport_core.insight.report import report
from socialsupport_core.insight.settings import Costs, Settings, settings_of

__all__ = [
    "Contact",
    "Costs",
    "Filters",
    "Handed",
    "History",
    "Journey",
    "Leg",
    "Matter",
    "Settings",
    "Step",
    "Touch",
    "Turn",
    "journey",
    "matters",
    "report",
    "settings_of",
]
