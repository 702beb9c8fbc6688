"""What a user watches while a run goes on: preparation, a table of cells that fills, time to go."""

from __future__ import annotations

import math
import time
from collections.abc import Iterable, Mapping, Sequence
from types import TracebackType
from typing import Protocol, Self

from rich.box import SIMPLE_HEAD
from rich.console import Console, Group
from rich.live import Live
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

SHOWN = (
    ("payout_gap_communities", "payout", "gap, pp"),
    ("payout_gini_creators", "creators", "Gini"),
    ("plays_per_session", "plays a", "session"),
    ("plays_share_generated", "generated", "% plays"),
    ("settlement_days_withdrawable_median", "settled", "days"),
)
"""Outcomes shown while a run goes on, with the two lines of their column's head; the report has all of them."""

UNDEFINED = {
    "payout_gap_communities": "nobody was paid",
    "payout_gini_creators": "no creator was paid",
    "plays_per_session": "there was no session",
    "plays_share_generated": "nothing was played",
    "settlement_days_withdrawable_median": "less than half of the money was withdrawable when observation ended",
}
"""Why an outcome that is shown has no value."""

STAGES = {"train": "Training the generator", "pool": "Composing the pool of pieces"}
"""Stages that the generator names, for people."""


class Display(Protocol):
    """Told what happens; shows it or does not."""

    def preparing(self, what: str, done: int, total: int) -> None:
        """Say how far a step of the preparation is."""
        ...

    def note(self, text: str) -> None:
        """Say something that stays."""
        ...

    def finished(self, cell: str, outcomes: Mapping[str, float]) -> None:
        """Take in one finished replication."""
        ...


class SilentDisplay:
    """Shows nothing: for ``--json``, and for tests."""

    def preparing(self, what: str, done: int, total: int) -> None:
        """Show nothing."""

    def note(self, text: str) -> None:
        """Show nothing."""

    def finished(self, cell: str, outcomes: Mapping[str, float]) -> None:
        """Show nothing."""


LINES_OFF_A_TERMINAL = 10
"""Lines over the whole run in which a log file is told how far it is."""


class RunDisplay:
    """A live table on a terminal; off a terminal, a line a stage and every tenth of the way, and the final table.

    Parameters
    ----------
    console : Console
        Where to show it.
    cells : mapping of str to int
        Replications of each cell.
    already : mapping of str to int
        Replications that were done before (resume).
    """

    def __init__(self, console: Console, cells: Mapping[str, int], already: Mapping[str, int]) -> None:
        self._console = console
        self._planned = dict(cells)
        self._done = {cell: already.get(cell, 0) for cell in cells}
        self._values: dict[str, dict[str, list[float]]] = {cell: {} for cell in cells}
        self._progress = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(bar_width=32),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("{task.fields[left]}"),
            console=console,
        )
        self._live: Live | None = None
        self._step = None
        self._runs = None
        self._began = 0.0
        self._finished_here = 0

    def __enter__(self) -> Self:
        """Begin to show."""
        if self._console.is_terminal:
            self._live = Live(self._progress, console=self._console, refresh_per_second=4, transient=True)
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Leave the table as it stands at the end."""
        if self._live is not None:
            self._live.stop()
        if any(self._values.values()):
            self._console.print(self._table())

    def preparing(self, what: str, done: int, total: int) -> None:
        """Show a step of the preparation."""
        what = STAGES.get(what, what)
        if self._step is None or self._progress.tasks[self._step].description != what:
            if self._step is not None:
                self._progress.update(self._step, visible=False)
            if not self._console.is_terminal:
                self._console.print(f"{what} ...")
            self._step = self._progress.add_task(what, total=max(total, 1), left="")
        self._progress.update(self._step, completed=done, total=max(total, 1))

    def note(self, text: str) -> None:
        """Print a line that stays."""
        self._console.print(text, markup=False)

    def finished(self, cell: str, outcomes: Mapping[str, float]) -> None:
        """Fill the table."""
        if self._step is not None:
            self._progress.update(self._step, visible=False)
            self._step = None
        if self._runs is None:
            self._began = time.monotonic()
            self._runs = self._progress.add_task("replications", total=sum(self._planned.values()), left="")
        self._done[cell] += 1
        self._finished_here += 1
        for name, *_ in SHOWN:
            if name in outcomes:
                self._values[cell].setdefault(name, []).append(outcomes[name])
        total, done = sum(self._planned.values()), sum(self._done.values())
        self._progress.update(self._runs, completed=done, left=self._time_left(total - done))
        if self._live is not None:
            self._live.update(Group(self._table(), self._progress))
        elif done * LINES_OFF_A_TERMINAL // total > (done - 1) * LINES_OFF_A_TERMINAL // total:
            left = self._time_left(total - done)
            self._console.print(f"{done} of {total} replications" + (f", {left}" if left else ""), highlight=False)

    def _time_left(self, left: int) -> str:
        elapsed = time.monotonic() - self._began
        if self._finished_here < 4 or not left:
            return ""
        # The first replication was over before the clock of the others began.
        return f"about {show_duration(elapsed / (self._finished_here - 1) * left)} to go"

    def _table(self) -> Table:
        # No more than a space between columns: a long cell name then stays on one line of 80 characters.
        table = Table(
            title="Means over finished replications",
            title_justify="left",
            box=SIMPLE_HEAD,
            padding=0,
            pad_edge=False,
            show_edge=False,
        )
        table.add_column("cell", overflow="fold")
        table.add_column("done", justify="right", no_wrap=True)
        shown = [column for column in SHOWN if any(column[0] in v for v in self._values.values())]
        for _, head, unit in shown:
            table.add_column(f"{head}\n{unit}", justify="right", no_wrap=True)
        for cell, planned in self._planned.items():
            values = self._values[cell]
            row = [_mean(values.get(name, ())) for name, *_ in shown]
            table.add_row(cell, f"{self._done[cell]}/{planned}", *row)
        # A column none of whose replications is finite, in a cell that has some, is not defined there.
        missing = [
            f"{' '.join(head)}: {UNDEFINED[name]}"
            for name, *head in shown
            if any(name in v and not any(map(math.isfinite, v[name])) for v in self._values.values())
        ]
        if missing:
            table.caption = f"-: not defined ({'; '.join(missing)})"
            table.caption_justify = "left"
        return table


def show_duration(seconds: float) -> str:
    """Return a duration for people: ``48 s``, ``3 min``, ``2.5 h``."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def _mean(values: Iterable[float]) -> str:
    finite = [v for v in values if not math.isnan(v)]
    return f"{math.fsum(finite) / len(finite):.2f}" if finite else "-"


def show_answer(console: Console, lines: Sequence[str]) -> None:
    """Print the answer in words, a paragraph a comparison, each under its title."""
    for line in lines:
        title, _, said = line.partition(". ")
        console.print()
        console.print(title, style="bold", markup=False, highlight=False)
        console.print(said, markup=False, highlight=False)
    console.print()
