"""Answers that are there already: canned replies, articles, and what we said in like matters."""

from socialsupport_core.guidance.answers.filling import Blanks, Filled, fill
from socialsupport_core.guidance.answers.outcome import Outcome
from socialsupport_core.guidance.answers.settings import Answer, Answers
from socialsupport_core.guidance.answers.words import matching, tokens

__all__ = ["Answer", "Answers", "Blanks", "Filled", "Outcome", "fill", "matching", "tokens"]
