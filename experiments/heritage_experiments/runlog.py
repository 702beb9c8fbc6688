"""One JSON-lines log per run and worker: what began, what finished, what failed, with the time it took."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any


class RunLog:
    """Appends events to a JSON-lines file.

    Parameters
    ----------
    path : Path
        The log; made at the first event.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def event(self, event: str, **facts: Any) -> None:
        """Append one event; a log that cannot be written never ends a run."""
        line = json.dumps({"time_s": round(time.time(), 3), "event": event, **facts}, default=str)
        try:
            with self.path.open("a", encoding="utf-8") as log:
                log.write(line + "\n")
        except OSError:
            pass


def read_events(folder: Path) -> list[dict[str, Any]]:
    """Return the events of all logs of a run, in order of time; a line cut off by a kill is left out."""
    events = []
    for path in sorted(folder.glob("log*.jsonl")):
        for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
            try:
                events.append(json.loads(line))
            except ValueError:
                continue
    return sorted(events, key=lambda e: e.get("time_s", 0.0))
