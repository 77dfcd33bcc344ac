"""All benchmarks by one command; it prints a table of ratios, each of one run of both sides.

uv run --group benchmarks python benchmarks/run.py [--quick | --full] [--only PIECE …] [--json] [--save FILE]
"""

import sys
from pathlib import Path

sys.path[0] = str(Path(__file__).resolve().parents[1])  # so that the pieces find each other wherever this is called

from benchmarks.suite import main  # noqa: E402 - the path comes first

if __name__ == "__main__":
    main()
