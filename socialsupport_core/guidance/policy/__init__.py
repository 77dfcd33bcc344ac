"""Rules for what goes out: where each applies, on what condition, and what follows."""

from socialsupport_core.guidance.policy.judging import Situation, judge
from socialsupport_core.guidance.policy.settings import Rule, Rules, shipped
from socialsupport_core.guidance.policy.words import beside, complains, is_angry

__all__ = ["Rule", "Rules", "Situation", "beside", "complains", "is_angry", "judge", "shipped"]
