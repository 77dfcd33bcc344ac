"""A history that somebody brings: files of lines, in place of a store.

`rows.py` reads the files; `lines.py` is the form of a line that somebody writes, and `spoken.py` what such lines tell;
`log.py` and `given.py` read our own events; `gathered.py` makes one history of all of it.
"""

from socialsupport_core.insight.brought.gathered import Brought, Unreadable, bring

__all__ = ["Brought", "Unreadable", "bring"]
