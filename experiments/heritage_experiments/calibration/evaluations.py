"""Points that were simulated, each once: moments by (values, draw), kept in a log that a stopped fit goes on from.

The log is JSON lines, only ever added to: a head that says what it is a log of, then one line per simulation. A fit is
a deterministic function of its input, so given the same command again it asks for the same points in the same order
and finds those that were finished. A last line that was cut short is simulated again.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from heritage_experiments.calibration.listening import Window, listening_only, simulate
from heritage_experiments.calibration.moments import Moment
from heritage_experiments.calibration.space import Point, Space
from heritage_experiments.code_version import code_sha256
from heritage_experiments.scenario import scenario_sha256
from heritage_sim.base import InputError, StorageError

Rows = npt.NDArray[np.float64]
LOG = "evaluations.jsonl"


class Evaluations:
    """Simulates moments at points, or reads them from the log.

    Parameters
    ----------
    space : Space
        Parameters of the points; its scenario's listeners are those simulated.
    moments : sequence of Moment
        What is computed.
    window : Window
        Days.
    cache_dir : Path
        Where corpora are kept.
    log : Path, optional
        Log file; without one nothing is kept.
    told : callable, optional
        Called with the number of simulations after each.

    Raises
    ------
    InputError
        If the log is that of another calibration.
    StorageError
        If it cannot be read or written.
    """

    def __init__(
        self,
        space: Space,
        moments: Sequence[Moment],
        window: Window,
        cache_dir: Path,
        log: Path | None = None,
        told: Callable[[int], None] | None = None,
    ) -> None:
        self.space = space
        self._moments, self._window, self._cache_dir, self._told = tuple(moments), window, cache_dir, told
        self._known: dict[tuple[tuple[float, ...], int], list[float]] = {}
        self._log = log
        self.num_simulated = self.num_reused = 0
        self._asked: set[tuple[tuple[float, ...], int]] = set()
        if log is not None:
            self._open(log)

    def __call__(self, point: Point, draws: Sequence[int]) -> Rows:
        """Return the moments of each draw at a point, shape ``(num_draws, num_moments)``; NaN where undefined."""
        values = self.space.values(point)
        return np.array([self._of(values, draw) for draw in draws])

    def mean(self, point: Point, draws: Sequence[int]) -> Rows:
        """Return the mean moments over the draws, shape ``(num_moments,)``."""
        return self(point, draws).mean(axis=0)

    def _of(self, values: tuple[float, ...], draw: int) -> list[float]:
        at = (values, draw)
        if at not in self._known:
            scenario = self.space.scenario_at(values)
            heard = simulate(scenario, draw, self._window, self._cache_dir)
            self._known[at] = [moment.of(heard) for moment in self._moments]
            self.num_simulated += 1
            self._write({"values": list(values), "draw": draw, "moments": self._known[at]})
        elif at not in self._asked:
            self.num_reused += 1
        self._asked.add(at)
        if self._told:
            self._told(len(self._asked))
        return self._known[at]

    def _open(self, log: Path) -> None:
        scenario = listening_only(self.space.scenario, self.space.scenario.listeners.num_listeners)
        head = {
            "log_of": "heritage calibrate",
            "scenario_sha256": scenario_sha256(scenario),
            "code_sha256": code_sha256(),
            "days": self._window.days,
            "warm_up_days": self._window.warm_up_days,
            "parameters": [p.key for p in self.space.parameters],
            "moments": [m.name for m in self._moments],
        }
        try:
            lines = log.read_text(encoding="utf-8").splitlines(keepends=True) if log.exists() else []
        except OSError as error:
            raise StorageError(f"the log cannot be read: {error.strerror}", str(log), "name another --out") from error
        if lines and (differing := _differing(_read(lines[0]), head)):
            raise InputError(
                f"the folder holds another calibration: {differing} differs",
                str(log),
                "name another --out, or delete this log",
            )
        for line in lines[1:]:
            entry = _read(line)
            if entry is not None and line.endswith("\n"):
                values = tuple(float(x) for x in entry["values"])
                self._known[values, int(entry["draw"])] = [float("nan") if x is None else x for x in entry["moments"]]
        if not lines:
            self._write(head)
        elif not lines[-1].endswith("\n"):
            self._append("\n")

    def _write(self, entry: dict[str, Any]) -> None:
        clean = {k: [None if x != x else x for x in v] if k == "moments" else v for k, v in entry.items()}
        self._append(json.dumps(clean) + "\n")

    def _append(self, text: str) -> None:
        if self._log is None:
            return
        try:
            self._log.parent.mkdir(parents=True, exist_ok=True)
            with self._log.open("a", encoding="utf-8") as file:
                file.write(text)
        except OSError as error:
            raise StorageError(
                f"the log cannot be written: {error.strerror}", str(self._log), "name a folder that can be written to"
            ) from error


def _read(line: str) -> dict[str, Any] | None:
    """Return a line of the log; None where it was cut short."""
    try:
        entry = json.loads(line)
    except json.JSONDecodeError:
        return None
    return entry if isinstance(entry, dict) else None


def _differing(found: dict[str, Any] | None, head: dict[str, Any]) -> str:
    """Return the keys in which a log's head is not the wanted one."""
    if found is None or found.get("log_of") != head["log_of"]:
        return "its kind"
    return ", ".join(key.replace("_sha256", "") for key in head if found.get(key) != head[key])
