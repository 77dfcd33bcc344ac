"""A simulator that may refuse in the middle of an answer, and says when it answered."""

from datetime import UTC, timedelta
from email.utils import format_datetime
from typing import ClassVar

import httpx

from socialsupport_core.testing.simulator import Simulator


class Answered(Exception):
    """Ends an answer, as a refusal does. A subclass writes the network's own form."""

    response: httpx.Response


class AnsweringSimulator(Simulator):
    ahead: ClassVar[timedelta] = timedelta(0)
    """By so much the network's clock is before ours."""

    def respond(self, request: httpx.Request) -> httpx.Response:
        try:
            response = self.answer(request)
        except Answered as ended:
            response = ended.response
        response.headers["date"] = format_datetime((self.clock() + self.ahead).astimezone(UTC), usegmt=True)
        return response

    def answer(self, request: httpx.Request) -> httpx.Response:
        """As the real API would, checked as it would be; what was asked for has then happened. Raises Answered."""
        raise NotImplementedError
