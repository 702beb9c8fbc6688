"""Minutes per room: after the tests, how long each of ``tests/<kind>/<room>`` took. Loaded by ``conftest.py``."""

from __future__ import annotations

from collections import Counter
from pathlib import PurePosixPath


class RoomMinutes:
    """Adds up the durations of set-up, call and tear-down by room."""

    def __init__(self) -> None:
        self.seconds: Counter[str] = Counter()
        self.tests: Counter[str] = Counter()

    def pytest_runtest_logreport(self, report) -> None:
        """Take one phase of one test."""
        room = room_of(report.nodeid)
        self.seconds[room] += report.duration
        self.tests[room] += report.when == "call"

    def pytest_terminal_summary(self, terminalreporter) -> None:
        """Print the table, the slowest room first."""
        if not self.seconds:
            return
        terminalreporter.section("minutes per room")
        for room, seconds in self.seconds.most_common():
            terminalreporter.write_line(f"{seconds / 60:6.2f} min  {self.tests[room]:5d} tests  {room}")
        terminalreporter.write_line(
            f"{sum(self.seconds.values()) / 60:6.2f} min  {sum(self.tests.values()):5d} tests  all"
        )


def room_of(nodeid: str) -> str:
    """Return ``kind/room`` of a test: its folder below ``tests``, or for a file right in a kind the file's subject."""
    parts = PurePosixPath(nodeid.split("::")[0]).parts
    below = parts[parts.index("tests") + 1 :] if "tests" in parts else parts
    if len(below) < 2:
        return "/".join(below)
    return f"{below[0]}/{below[1].removeprefix('test_').removesuffix('.py')}"
