"""The house: imports run downwards, every public name exists, and the core is quick to import."""

import importlib
import pkgutil
import subprocess
import sys
from pathlib import Path

import pytest

import socialsupport_core

ROOT = Path(__file__).parents[2]
MODULES = sorted(
    one.name
    for one in pkgutil.walk_packages(socialsupport_core.__path__, "socialsupport_core.")
    if not one.name.endswith("__main__")
)


def test_imports_run_downwards() -> None:
    command = [Path(sys.executable).with_name("lint-imports"), "--no-cache"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-3000:]


@pytest.mark.parametrize("name", MODULES)
def test_every_public_name_exists(name: str) -> None:
    module = importlib.import_module(name)
    names = getattr(module, "__all__", [])
    assert len(names) == len(set(names))
    assert [one for one in names if not hasattr(module, one)] == []


def test_what_a_plugin_author_imports_brings_no_server_along() -> None:
    heavy = "{'starlette', 'uvicorn', 'typer', 'pytest', 'hypothesis'}"
    code = f"import sys, socialsupport_core.contract, socialsupport_core.hub; print(sorted({heavy} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
