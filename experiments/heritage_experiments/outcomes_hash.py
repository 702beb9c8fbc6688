"""One hash over everything a run found out, and nothing about when, where or under which names it was run."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

Row = tuple[str, int, str, float, str, int]
"""Cell, replication, outcome name, exact value, unit, n."""


def outcomes_sha256(rows: Iterable[Row]) -> str:
    """Return the hash over every outcome's replication, name, unit, exact value and n.

    Cells count as a multiset of contents: renaming or reordering arms and cells leaves the hash as it is.
    """
    cells: dict[str, list[str]] = {}
    for cell, replication, name, value, unit, n in rows:
        cells.setdefault(cell, []).append(f"{replication}\x1f{name}\x1f{float(value).hex()}\x1f{unit}\x1f{n}")
    digests = sorted(hashlib.sha256("\x1e".join(sorted(lines)).encode()).hexdigest() for lines in cells.values())
    return hashlib.sha256("\x1e".join(digests).encode()).hexdigest()
