"""The process in which a fault is tried: one thread, so that it may fork; its own, so that it may be broken.

    python -m socialsupport_core.testing.torture.worker '{"fault": "order", "seed": 1, "tries": 1}'

One JSON line a try.
"""

import dataclasses
import importlib
import importlib.util
import json
import logging
import os
import random
import sys
import tempfile
import time
import warnings
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from socialsupport_core.testing.torture.fault import CannotRun, Fault, Tried
from socialsupport_core.testing.torture.faults import FAULTS
from socialsupport_core.testing.torture.grounds import ground
from socialsupport_core.testing.torture.site import Options

MEMORY = Path("/dev/shm")  # noqa: S108 - kills and simulated power cuts need no disk, only a file system


def main(order: dict[str, Any]) -> None:
    logging.disable()  # what is hurt complains, as it should
    random.seed(0)
    options = set_up(order.get("setup"))
    with tempfile.TemporaryDirectory(prefix="torture-", dir=_fast()) as folder:
        here = ground(order.get("store"), Path(folder))
        name, _, part = order["fault"].partition(":")
        cls = FAULTS[name]
        if here.kind not in cls.stores:
            raise CannotRun(f"it is not for {here.kind}")
        with ExitStack() as after:
            after.callback(here.remove_all)
            fault = cls(here, options, part)
            after.callback(fault.close)
            _run(fault, order)


def _run(fault: Fault, order: dict[str, Any]) -> None:
    began, seed = time.monotonic(), int(order["seed"])
    seconds, tries = order.get("seconds"), order.get("tries")
    while True:
        tried = fault.attempt(seed)
        _tell(tried)
        seed += 1
        if order.get("until_found") in {one.kind for one in tried.findings}:
            return
        if tries is not None and seed - order["seed"] >= tries:
            return
        if seconds is not None and time.monotonic() - began >= seconds:
            return


def _tell(tried: Tried) -> None:
    print(json.dumps(dataclasses.asdict(tried)), flush=True)


def set_up(where: str | None) -> Options:
    """Calls `module:function` or `path.py:function`; what it returns are options for `Hub.open`."""
    if not where:
        return {}
    module, _, function = where.rpartition(":")
    found = getattr(_file(Path(module)) if module.endswith(".py") else importlib.import_module(module), function)
    options: Options | None = found()
    return options or {}


def _file(path: Path) -> Any:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    if spec is None or spec.loader is None:
        raise CannotRun(f"{path} cannot be imported")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _fast() -> Path | None:
    return MEMORY if os.access(MEMORY, os.W_OK) else None


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    try:
        main(json.loads(sys.argv[1]))
    except CannotRun as reason:
        print(json.dumps({"cannot": str(reason)}), flush=True)
