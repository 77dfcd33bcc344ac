"""What judges by a tenant's own model, if there is one."""

import logging
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from socialsupport_core.contract import ConfigError, Heard, Verdict
from socialsupport_triage_sklearn.model import MOST, Model
from socialsupport_triage_sklearn.training import train

logger = logging.getLogger("socialsupport")
SURE = 0.6  # the probability from which on it speaks
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}", re.ASCII)


class Learned:
    """One model a tenant, read again when its file is another."""

    name = "sklearn"

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder
        self._known: dict[str, tuple[tuple[int, int], Model | None]] = {}

    def judge(self, heard: Heard, verdict: Verdict) -> Verdict | None:
        """None without a model, where it is not sure, or where it agrees."""
        model = self._model(heard.tenant)
        if model is None:
            return None
        kind, probability, words = model.judge(heard.text)
        if probability < SURE or kind == verdict.kind or (heard.told and kind in {"promotion", "spam"}):
            return None
        of = ", ".join(f"“{word}”" for word in words) or "no single word"
        reason = f"{kind}: {of}, {round(probability * 100)} % sure, learnt from {model.examples} of yours"
        urgency = "low" if kind in {"promotion", "spam", "praise", "opinion"} else verdict.urgency
        urgency = "normal" if urgency == "low" and kind in {"complaint", "request", "question"} else urgency
        return Verdict(kind=kind, urgency=urgency, language=verdict.language, reasons=(reason,), by=self.name)

    def learn(self, tenant: str, labels: Sequence[tuple[str, str]]) -> dict[str, Any]:
        """Trains the tenant's model and keeps it: the figures. Raises ConfigError."""
        where = self._file(tenant)
        if where is None:
            raise ConfigError(
                "there is no folder for models: open the hub with one (`folder`, or a store that is a file)"
            )
        model = train(labels)
        where.parent.mkdir(parents=True, exist_ok=True)
        fresh = where.with_suffix(".new")
        fresh.write_text(model.model_dump_json(), "utf-8")
        fresh.replace(where)  # whoever reads finds the old one or the new one
        return {"examples": model.examples, "kinds": {kind: list(pair) for kind, pair in model.figures.items()}}

    def _file(self, tenant: str) -> Path | None:
        """None for a name that is no file's."""
        return self._folder / f"{tenant}.json" if self._folder and NAME.fullmatch(tenant) else None

    def _model(self, tenant: str) -> Model | None:
        where = self._file(tenant)
        try:
            found = where.stat() if where else None
        except OSError:
            found = None
        if where is None or found is None:
            return None
        stamp = found.st_mtime_ns, found.st_size
        known = self._known.get(tenant)
        if known is None or known[0] != stamp:
            self._known[tenant] = known = stamp, _read(where, found.st_size)
        return known[1]


def _read(where: Path, size: int) -> Model | None:
    """None, and a word in the log, if it is none."""
    if size <= MOST:
        try:
            return Model.model_validate_json(where.read_bytes())
        except (OSError, ValidationError) as error:
            told = f"{error.error_count()} mistakes" if isinstance(error, ValidationError) else str(error)
    else:
        told = f"it has {size} bytes, more than {MOST}"
    logger.warning("the model %s is left aside: %s; train it anew", where.name, told)
    return None
