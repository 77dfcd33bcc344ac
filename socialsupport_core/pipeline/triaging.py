"""Judging what kind of contact a message is: the rules first, then whatever plugins know better."""

import logging
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

from socialsupport_core.contract import ConfigError, Heard, LearningTriage, Triage, TriageFactory, Verdict
from socialsupport_core.conversation.conduct import Conduct
from socialsupport_core.guidance.triage import MOST, judged
from socialsupport_core.model import Interaction

logger = logging.getLogger("socialsupport")


class Triaging:
    """Costs a few tens of microseconds a message, and asks nobody anything unless a plugin is there."""

    def __init__(self, plugins: Sequence[Triage] = ()) -> None:
        self._plugins = tuple(plugins)

    def judge(
        self, tenant: str, channel: str, interaction: Interaction, told: Collection[str], conduct: Conduct
    ) -> Verdict | None:
        """None for what is ours or a machine's, and where the tenant does without."""
        section = conduct.guidance.triage
        if not section.enabled or interaction.direction != "inbound" or interaction.author.is_bot:
            return None
        text, named = _text(interaction), tuple(told)
        verdict = judged(text, interaction.language, named, section)
        if not self._plugins:
            return verdict
        heard = Heard(
            tenant=tenant,
            network=interaction.network,
            channel=channel,
            visibility=interaction.thread.visibility,
            text=text,
            language=interaction.language,
            followers=(interaction.reach.followers or 0) if interaction.reach else 0,
            told=named,
        )
        for plugin in self._plugins:
            verdict = self._better(plugin, heard, verdict)
        return verdict

    def learn(self, tenant: str, labels: Sequence[tuple[str, str]]) -> dict[str, Any]:
        """By the name of each plugin that learns, how good it is then. Raises ConfigError."""
        learning = [one for one in self._plugins if isinstance(one, LearningTriage)]
        if not learning:
            raise ConfigError("there is no plugin that learns; install one, such as socialsupport-triage-sklearn")
        return {one.name: one.learn(tenant, labels) for one in learning}

    def _better(self, plugin: Triage, heard: Heard, verdict: Verdict) -> Verdict:
        try:
            found = plugin.judge(heard, verdict)
            return verdict if found is None else Verdict.model_validate(found)
        except (Exception, SystemExit) as error:  # a plugin of somebody: the message is recorded all the same
            logger.warning("triage by %s failed: %s", getattr(plugin, "name", "a plugin"), type(error).__name__)
            return verdict


def _text(interaction: Interaction) -> str:
    text = (interaction.text or "")[:MOST]
    return f"{interaction.subject[:200]}\n{text}" if interaction.subject else text


def made(factories: Sequence[TriageFactory], folder: Path | None) -> list[Triage]:
    """Those that can be made; one that fails is logged and left out."""
    found: list[Triage] = []
    for factory in factories:
        try:
            found.append(factory(folder))
        except (Exception, SystemExit):
            logger.exception("a plugin for triage cannot be made")
    return found
