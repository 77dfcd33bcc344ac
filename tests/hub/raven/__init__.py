"""Ravens: a network whose payloads are our own events as JSON, so that a test says exactly what happens."""

from raven.connector import ACCOUNT, SECRET, Raven, RavenSettings, Scrolls, settling
from raven.court import Castle, Court, Courtier, Forgetful
from raven.events import bird, deleted, delivered, edited, message, reacted, thread_id
from raven.parrot import Parrot
from raven.roost import Clock, Roost
from raven.sky import Sky

__all__ = [
    "ACCOUNT",
    "SECRET",
    "Castle",
    "Clock",
    "Court",
    "Courtier",
    "Forgetful",
    "Parrot",
    "Raven",
    "RavenSettings",
    "Roost",
    "Scrolls",
    "Sky",
    "bird",
    "deleted",
    "delivered",
    "edited",
    "message",
    "reacted",
    "settling",
    "thread_id",
]
