"""Where mutants are registered: each breaks one thing, and one property of the kit must find it."""

from collections.abc import Callable
from typing import Any

from pigeon.connector import Pigeon

from socialsupport_core.model import Capabilities

MUTANTS: list[tuple[str, type[Any]]] = []


def killed_by(name: str) -> Callable[[type[Any]], type[Any]]:
    def register(mutant: type[Any]) -> type[Any]:
        MUTANTS.append((name, mutant))
        return mutant

    return register


def claiming(cls: type[Any] = Pigeon, **claims: Any) -> Capabilities:
    return Capabilities.model_validate({**cls.capabilities.model_dump(), **claims})
