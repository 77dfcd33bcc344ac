"""What a tenant says about answers, and what one answer is made of."""

from typing import Annotated, Literal

from pydantic import Field

from socialsupport_core.guidance.service import Section

Text = Annotated[str, Field(min_length=1, max_length=20_000)]


class Answers(Section):
    """`[tenants.TENANT.guidance.answers]`"""

    matters: bool = True
    """Whether what was answered in like matters is kept ready and shown, without private data."""
    limit: int = Field(default=5, ge=1, le=20)
    """How many are shown."""


class Answer(Section):
    """A canned reply, or an article."""

    kind: Literal["canned", "article"] = "canned"
    title: str = Field(min_length=1, max_length=200)
    text: Text
    """With blanks such as {customer}, {handle}, {greeting}, {agent}, and {order} or any other kind of the context."""
    short: Text | None = None
    """Where the text is too long for the network, and on networks of short posts."""
    on: dict[str, Text] = Field(default_factory=dict, max_length=50)
    """By channel or network: said there in place of the text."""
    keywords: str = Field(default="", max_length=1000)
    """Found by these as well, though they stand nowhere in it."""
    language: str | None = Field(default=None, pattern=r"^[a-z]{2,3}$")
    url: str | None = Field(default=None, pattern=r"^https?://\S+$", max_length=2000)
    """Where customers read the article."""

    def said_on(self, channel: str, network: str, limit: int | None) -> str:
        """The variant for this place; `limit` is the length of one message there, if it has one."""
        for place in (channel, network):
            if place in self.on:
                return self.on[place]
        if self.short is not None and limit is not None and (limit <= SHORT or len(self.text) > limit):
            return self.short
        return self.text


SHORT = 600
"""A network whose messages are no longer is one of short posts."""
