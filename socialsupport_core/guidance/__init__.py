"""Guidance for whoever answers: pure functions over settings that a tenant keeps."""

from socialsupport_core.guidance.service import Hours, Service
from socialsupport_core.guidance.settings import Guidance

__all__ = ["Guidance", "Hours", "Service"]
