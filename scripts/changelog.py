"""Folds the news fragments in `changes/` into CHANGELOG.md.

python scripts/changelog.py --check          every fragment is well formed
python scripts/changelog.py 0.2.0            fold them under that version, and remove them
"""

import argparse
import difflib
import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

HOUSE = Path(__file__).resolve().parents[1]
LONGEST = 300
"""Characters: news is one sentence, at most two."""

_FRAGMENT = re.compile(r"\*\*(?P<about>[a-z0-9_-]+)\*\*: (?P<news>\S.*[.!])")
_FILE = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*\.md")
_VERSION = re.compile(r"\d+\.\d+\.\d+([ab]\d+|rc\d+)?")


class Malformed(ValueError):
    """Names the file, what is wrong with it and what to write instead."""


@dataclass(frozen=True, order=True)
class Fragment:
    about: str
    news: str
    file: Path

    def __str__(self) -> str:
        return f"- **{self.about}**: {self.news}"


def subjects(house: Path) -> frozenset[str]:
    """What news can be about: a plugin, a part of the core, the core as a whole, or the documentation."""
    plugins = {folder.name.removeprefix("socialsupport-") for folder in house.glob("plugins/socialsupport-*")}
    parts = {part.parent.name for part in house.glob("socialsupport_core/*/__init__.py")}
    modules = {part.stem for part in house.glob("socialsupport_core/[a-z]*.py")}
    return frozenset(plugins | parts | modules | {"core", "docs"})


def fragment(file: Path, known: frozenset[str]) -> Fragment:
    """Raises Malformed."""
    if _FILE.fullmatch(file.name) is None:
        raise Malformed(f"changes/{file.name}: name it after the change, such as calls-without-a-number.md")
    try:
        text = file.read_text(encoding="utf-8").strip()
    except UnicodeDecodeError as error:
        raise Malformed(f"changes/{file.name}: not UTF-8") from error
    match = _FRAGMENT.fullmatch(text)
    if match is None:
        raise Malformed(f"changes/{file.name}: write one line, '**phone**: What became true.', with its full stop")
    if len(text) > LONGEST:
        raise Malformed(f"changes/{file.name}: {len(text)} characters; {LONGEST} are enough for news")
    if match["about"] not in known:
        raise Malformed(f"changes/{file.name}: there is no {match['about']!r} here; {_advice(match['about'], known)}")
    return Fragment(match["about"], match["news"], file)


def _advice(name: str, known: frozenset[str]) -> str:
    near = difflib.get_close_matches(name, known, n=1)
    return f"did you mean {near[0]}?" if near else f"write one of {', '.join(sorted(known))}"


def fragments(house: Path) -> Iterator[Fragment | Malformed]:
    """In alphabetical order of the files, the malformed ones too."""
    known = subjects(house)
    for file in sorted((house / "changes").iterdir()):
        if file.name == "README.md":
            continue
        try:
            yield fragment(file, known)
        except Malformed as error:
            yield error


def folded(changelog: str, version: str, day: str, news: Sequence[Fragment]) -> str:
    """The changelog with a new section on top of the others. Raises ValueError."""
    if _VERSION.fullmatch(version) is None:
        raise ValueError(f"{version!r} is not a version such as 0.2.0 or 0.2.0a1")
    if re.search(rf"^## {re.escape(version)}\b", changelog, re.MULTILINE):
        raise ValueError(f"CHANGELOG.md has a section {version} already")
    if not news:
        raise ValueError("there is no news in changes/")
    lines = "\n".join(str(one) for one in sorted(news))
    before, heading, after = changelog.partition("\n## ")
    return f"{before.rstrip()}\n\n## {version} ({day})\n\n{lines}\n{heading}{after}"


def main(arguments: Sequence[str], house: Path = HOUSE) -> int:
    parser = argparse.ArgumentParser(description="Folds the news fragments in changes/ into CHANGELOG.md.")
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--check", action="store_true", help="only say which fragments are malformed")
    what.add_argument("version", nargs="?", help="the version that is being released")
    parser.add_argument("--date", default=f"{datetime.now(UTC):%Y-%m-%d}", help="the day of the release")
    given = parser.parse_args(arguments)
    found = list(fragments(house))
    news = [one for one in found if isinstance(one, Fragment)]
    if errors := [one for one in found if isinstance(one, Malformed)]:
        return _complain(*errors)
    try:
        return 0 if given.check else _fold(house, given.version, given.date, news)
    except ValueError as error:
        return _complain(error)


def _fold(house: Path, version: str, day: str, news: Sequence[Fragment]) -> int:
    changelog = house / "CHANGELOG.md"
    changelog.write_text(folded(changelog.read_text("utf-8"), version, day, news), encoding="utf-8")
    for one in news:
        one.file.unlink()
    return 0


def _complain(*errors: ValueError) -> int:
    for error in errors:
        print(error, file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
