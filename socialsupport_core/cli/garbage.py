"""How Python looks for garbage in a process that serves for long."""

import gc

YOUNG = 10_000
"""New objects until those are looked through. Python's own 700 are a few messages, most of which are under way."""


def settle() -> None:
    """What is there at the start stays, so nobody looks through it again: each look would hold everything up."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG, *gc.get_threshold()[1:])
