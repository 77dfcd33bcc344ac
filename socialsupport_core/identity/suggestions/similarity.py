"""How alike two spellings are. Our own small code, so that a weight is the same on every machine."""

from functools import lru_cache

PREFIX = 4
"""Letters at the beginning that count extra, and by how much each: W. E. Winkler, String Comparator Metrics, 1990."""
BOOST = 0.1


@lru_cache(maxsize=100_000)
def jaro_winkler(a: str, b: str) -> float:
    """From 0 (nothing in common) to 1 (the same)."""
    alike = _jaro(a, b)
    shared = 0
    for left, right in zip(a[:PREFIX], b[:PREFIX], strict=False):
        if left != right:
            break
        shared += 1
    return alike + shared * BOOST * (1 - alike)


def _jaro(a: str, b: str) -> float:
    if a == b:
        return 1.0
    left, right = _common(a, b)
    if not left:
        return 0.0
    moved = sum(x != y for x, y in zip(left, right, strict=True)) // 2
    return (len(left) / len(a) + len(left) / len(b) + (len(left) - moved) / len(left)) / 3


def _common(a: str, b: str) -> tuple[list[str], list[str]]:
    """The letters of each that the other has nearby, in their own order."""
    reach = max(len(a), len(b)) // 2 - 1
    taken = [False] * len(b)
    left = []
    for place, letter in enumerate(a):
        for other in range(max(0, place - reach), min(len(b), place + reach + 1)):
            if not taken[other] and b[other] == letter:
                taken[other] = True
                left.append(letter)
                break
    return left, [letter for letter, used in zip(b, taken, strict=True) if used]


@lru_cache(maxsize=100_000)
def edits(a: str, b: str) -> int:
    """Letters to insert, drop, replace, or swap with their neighbour, to come from one to the other."""
    before: list[int] = []
    last = list(range(len(b) + 1))
    for row, letter in enumerate(a, 1):
        line = [row]
        for column, other in enumerate(b, 1):
            cost = min(last[column] + 1, line[column - 1] + 1, last[column - 1] + (letter != other))
            if row > 1 and column > 1 and letter == b[column - 2] and a[row - 2] == other:
                cost = min(cost, before[column - 2] + 1)
            line.append(cost)
        before, last = last, line
    return last[-1]
