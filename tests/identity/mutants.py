"""Do the tests notice a broken rule? Breaks one after another in a copy, and runs the tests of identities on it.

python tests/identity/mutants.py [which file's]
"""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).parents[2]
COPIED = ("conftest.py", "pyproject.toml", "socialsupport_core", "tests/conftest.py", "tests/identity")
TESTS = ("guards", "partition", "canonical", "batch_agrees", "incremental", "properties")
IDENTITY, STORE = "socialsupport_core/identity/", "socialsupport_core/store/"
MUTANTS: Sequence[tuple[str, str, str]] = (
    (IDENTITY + "groups.py", "if clash := both & self._slots.exclusive:", "if (clash := 0):"),
    (IDENTITY + "groups.py", "if rank >= ASSERTED and (over", "if False and (over"),
    (IDENTITY + "groups.py", "if rule := self._disputed.get(one) or", "if rule :="),
    (IDENTITY + "groups.py", "None if is_alone else self._told_apart(one, (left, right))", "None"),
    (IDENTITY + "groups.py", "any(mine.isdisjoint(others)", "any(False and mine.isdisjoint(others)"),
    (IDENTITY + "groups.py", "if len(others) >= CROWD:", "if False:"),
    (IDENTITY + "groups.py", "CROWD = 3", "CROWD = 2"),
    (IDENTITY + "groups.py", "if self._rest(vertex, others) >= REST else None", ""),
    (IDENTITY + "groups.py", "if self._rest(vertex, others) >= REST else None", "if False else None"),
    (IDENTITY + "groups.py", "self._rest(vertex, others) >= REST", "self._rest(vertex, others) > REST"),
    (IDENTITY + "groups.py", "self._rest(vertex, others) >= YEAR", "False"),
    (IDENTITY + "groups.py", "self._rest(vertex, others) >= YEAR", "self._rest(vertex, others) > YEAR"),
    (IDENTITY + "groups.py", "sorted((min(seen), max(seen))", "sorted((min(seen), min(seen))"),
    (IDENTITY + "groups.py", "max(longest, since - until), max(until, last)", "since - until, max(until, last)"),
    (IDENTITY + "groups.py", "max(longest, since - until), max(until, last)", "max(longest, since - until), last"),
    (IDENTITY + "groups.py", "*([visits] if visits else [])", ""),
    (IDENTITY + "groups.py", "return not self._size[root] and bool(", "return bool("),
    (IDENTITY + "groups.py", "if len(times) < len(roots):", "if False:"),
    (IDENTITY + "settling.py", "    yield from _long_known(batch)\n", ""),
    (IDENTITY + "settling.py", "if last - since[one] >= YEAR)", "if last - since[one] > YEAR)"),
    (
        IDENTITY + "sharing.py",
        "and not policy.is_exclusive(kind_of(tie.slot)):\n            yield",
        ":\n            yield",
    ),
    (IDENTITY + "sharing.py", "for at in _times(tie) if mine.epoch(at) == epoch)", "for at in _times(tie))"),
    (IDENTITY + "groups.py", "CROWD = 3", "CROWD = 4"),
    (
        IDENTITY + "groups.py",
        "        if self._size[left] + self._size[right] + 2 > self._policy.cap:",
        "        if False:",
    ),
    (IDENTITY + "groups.py", "if both & APART and self._are_apart(left, right)", "if False"),
    (IDENTITY + "groups.py", "            self._disputed.pop(one, None)\n", ""),
    (IDENTITY + "sharing.py", "late and rank > HUMAN", "False"),
    (IDENTITY + "sharing.py", "        if proven > proof_limit:", "        if False:"),
    (IDENTITY + "sharing.py", "        if near > limit and found is OPEN:", "        if False:"),
    (IDENTITY + "sharing.py", "    if policy.is_role(identifier):", "    if False:"),
    (IDENTITY + "sharing.py", "    if policy.is_blocked(identifier):", "    if False:"),
    (IDENTITY + "sharing.py", "policy.is_nobodys(identifier.kind, identifier.value):", "False:"),
    (IDENTITY + "sharing.py", "    if found.rank > ASSERTED and", "    if"),
    (IDENTITY + "batch.py", " or policy.is_nobodys(kind, value):", ":"),
    (IDENTITY + "nobodys.py", "return any(part in words and part not in ALONE", "return any(False"),
    (IDENTITY + "nobodys.py", "part in words and part not in ALONE", "part in words"),
    (IDENTITY + "nobodys.py", "return len(local) <= 3 and local ==", "return local =="),
    (IDENTITY + "nobodys.py", " or digits[-RUN:] in _RUNS", ""),
    (IDENTITY + "namesakes.py", "(name_in(identifier.value), key[1]) if identifier", "key if False and identifier"),
    (IDENTITY + "namesakes.py", "if len(words) > 1 and all(len(word) > 1 for word in words):", "if words:"),
    (IDENTITY + "namesakes.py", "(name_in(identifier.value), key[1])", "(name_in(identifier.value), 0)"),
    (IDENTITY + "sharing.py", "    if hood.hub:", "    if False:"),
    (IDENTITY + "sharing.py", "if tie.joins and not tie.apart]", "if tie.joins]"),
    (
        IDENTITY + "sharing.py",
        "stops.append(CONTESTED if found != hood.closed and stop is OPEN else stop)",
        "stops.append(stop)",
    ),
    (IDENTITY + "sharing.py", "return gap is not None and last + gap <= at", "return False"),
    (IDENTITY + "sharing.py", "    return last < at\n", "    return False\n"),
    (
        IDENTITY + "components.py",
        "return first, self.policy.is_contact(node.identifier.kind), str(node.identifier)",
        "return 0, False, str(node.identifier)",
    ),
    (IDENTITY + "components.py", "if edge.rank > self.policy.weakest:", "if False:"),
    (IDENTITY + "components.py", "            if edge.rank >= stop.rank:", "            if edge.rank > stop.rank:"),
    (IDENTITY + "components.py", "() if self._slots.told_apart[number] else", ""),
    (IDENTITY + "components.py", "if edge.rank <= rank else ():", "if True else ():"),
    (IDENTITY + "resolving.py", "        if now.view(number) != then.view(number):", "        if False:"),
    (IDENTITY + "resolving.py", "            waiting += _were_small(now, then, seed)", "            pass"),
    (
        IDENTITY + "resolving.py",
        "epochs.change_hands(tx, tenant, nodes.by_number(tx, number), now.view(number).cuts)",
        "pass",
    ),
    (STORE + "evidence.py", 'said["cannot"] >= said["human"])', 'said["cannot"] > said["human"])'),
    (STORE + "evidence.py", 'tx.run(f"UPDATE ties SET other = -other WHERE {where}", *mine)', "pass"),
    (STORE + "evidence.py", "at = evidence.at if before is None else min(before[0], evidence.at)", "at = evidence.at"),
    (STORE + "nodes.py", "if at is None or not since or since <= at), None)", "if True), None)"),
    (IDENTITY + "folding.py", "(degree > HUB or self._has_rivals(number))", "self._has_rivals(number)"),
    (
        IDENTITY + "folding.py",
        "yield from run if len(run) < 2 else sorted(run, key=lambda one: self._names(one, late))",
        "yield from run",
    ),
    (IDENTITY + "folding.py", "if strength and (told_apart[slot[left]] or told_apart[slot[right]]):", "if False:"),
    (IDENTITY + "folding.py", "        if batch.slots.told_apart[slot[number]]:\n", "        if False:\n"),
    (
        IDENTITY + "canonical.py",
        'without_tag(written) if policy.plus_tags == "drop" and kind == "email" else written',
        "written",
    ),
    (IDENTITY + "phones.py", 'return f"{national[:2]}9{national[2:]}" if old else national', "return national"),
    (IDENTITY + "disclosing.py", "edge.rank <= VERIFIED))", "edge.rank <= 2))"),
)


def copy(where: Path) -> None:
    for name in COPIED:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, where / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            (where / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(source, where / name)


def outcome(where: Path) -> str:
    """What the tests say of the copy as it stands."""
    paths = [f"tests/identity/test_{name}.py" for name in TESTS]
    command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", *paths]
    given = os.environ | {"PYTHONPATH": str(where), "IDENTITY_EXAMPLES": "6", "IDENTITY_STEPS": "14"}
    done = subprocess.run(command, cwd=where, env=given, capture_output=True, text=True, check=False)
    failed = next((line for line in done.stdout.splitlines() if line.startswith("FAILED")), "")
    told = {0: "SURVIVED", 1: "killed"}.get(done.returncode, f"cannot run ({done.returncode})")
    return f"{told} {failed.removeprefix('FAILED tests/identity/')[:90]}".strip()


def main(arguments: Sequence[str]) -> int:
    wanted = [one for one in MUTANTS if not arguments or any(name in one[0] for name in arguments)]
    survived = 0
    with tempfile.TemporaryDirectory() as directory:
        where = Path(directory)
        copy(where)
        if (told := outcome(where)) != "SURVIVED":
            sys.exit(f"the tests do not pass as the rules stand, so they can tell nothing: {told}")
        for name, right, wrong in wanted:
            file = where / name
            kept = file.read_text("utf-8")
            if right not in kept:
                sys.exit(f"{name} has no {right!r} any more; say in MUTANTS what stands there now")
            file.write_text(kept.replace(right, wrong), "utf-8")
            told = outcome(where)
            file.write_text(kept, "utf-8")
            survived += not told.startswith("killed")
            print(f"{told:30} {Path(name).name}: {right.strip()[:60]}", flush=True)
    print(f"{len(wanted)} mutants, {survived} not killed")
    return 1 if survived else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
