"""What is said to who types a one-time code."""

from socialsupport_core.guidance.service import Section


class Codes(Section):
    """Whoever types a code in private is told in one sentence whether it was right, and what to do if it was not."""

    answer: bool = True
