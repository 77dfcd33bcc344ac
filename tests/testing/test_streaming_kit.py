"""The kit's own view of streams: a good one passes, and a case that cannot be is told in words."""

import json
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from pigeon.heron import Heron

from socialsupport_core.contract import ConfigError
from socialsupport_core.testing import load_cases
from socialsupport_core.testing.check import check


def test_a_good_stream_passes() -> None:
    report = check(Heron)
    assert report.failed == ()
    proven = {result.name for result in report.results if result.outcome == "passed"}
    assert {"stream_cases", "steps_are_pure", "steps_are_total", "what_is_told_again_is_the_same"} <= proven


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"steps": [], "dial": None}, "a stream case has steps, or a dial or error"),
        ({"error": {"type": "Unavailable"}}, "dialling ends in a dial or in an error"),
        ({"steps": [{"on": "noon"}]}, "steps"),
        ({"steps": [{"on": {"opened": 1}}]}, "steps"),
    ],
)
def test_a_case_that_cannot_be_is_refused(
    changes: dict[str, Any], told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / f"bad_{abs(hash(told + str(changes)))}"
    (package / "cases").mkdir(parents=True)
    (package / "__init__.py").write_text("from pigeon.heron import Heron\n\n\nclass Bad(Heron):\n    pass\n")
    [case, _] = json.loads(Path(__file__).with_name("pigeon").joinpath("cases/heron/reeds.json").read_text())
    case = {name: value for name, value in (case | changes).items() if value is not None}
    (package / "cases/settings.json").write_text('{"password": "a-fake-password"}')
    (package / "cases/stream.json").write_text(json.dumps(case))
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ConfigError, match=told):
        load_cases(import_module(package.name).Bad)
