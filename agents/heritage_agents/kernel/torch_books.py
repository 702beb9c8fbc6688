"""What a day lived in torch comes to: gathered on the device, and written down once, in the compiled step's order."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from heritage_agents.kernel.sheets import ABANDONMENTS, FULL_PLAYS, PLAYS, SECONDS, SESSIONS, SLATES, Books
from heritage_agents.kernel.torch_arithmetic import Tensor


class DayBooks:
    """What a day's listeners do, gathered on the device and written to the books once, in the compiled step's order."""

    def __init__(self, books: Books, device: str) -> None:
        self._books = books
        self._counts, self._plays_by_work, self._exposures_by_work = (
            torch.zeros(table.shape, dtype=torch.int64, device=device)
            for table in (books.counts, books.plays_by_work, books.exposures_by_work)
        )
        self._log: list[tuple[Any, ...]] = []
        self._noted_plays: list[tuple[Any, ...]] = []
        self._noted_sessions: list[tuple[Any, ...]] = []

    def count(self, tally: int, number: Tensor) -> None:
        """Add a whole number to a tally."""
        self._counts[tally] += number

    def show(self, works: Tensor, filled: Tensor) -> None:
        """Take down what was shown."""
        self._exposures_by_work.index_put_((works,), filled.long(), accumulate=True)

    def play(
        self,
        rows: Tensor,
        sampled: Tensor,
        counted: Tensor,
        work: Tensor,
        dwell: Tensor,
        length: Tensor,
        place: Tensor,
        score: Tensor,
        session: int,
        seen: int,
    ) -> None:
        """Take down plays of the listeners in these rows of the shard."""
        seconds = dwell.long()
        self._counts[SECONDS] += seconds.sum()
        self._counts[FULL_PLAYS] += counted.sum()
        self._plays_by_work.index_put_((work,), torch.ones_like(work), accumulate=True)
        self._log.append(_where(counted, rows, session, seen, work, seconds))
        if self._books.sessions.size:
            self._noted_plays.append(_where(sampled, rows, session, seen, place, work, dwell, length, score))

    def end_session(
        self,
        rows: Tensor,
        sampled: Tensor,
        session: int,
        earlier: Tensor,
        earlier_mean_s: Tensor,
        slates: Tensor,
        plays: Tensor,
        abandoned: Tensor,
        length_s: Tensor,
    ) -> None:
        """Take down sessions of the listeners in these rows of the shard."""
        self._counts[SESSIONS] += rows.numel()
        for tally, number in ((SLATES, slates), (PLAYS, plays), (ABANDONMENTS, abandoned)):
            self._counts[tally] += number.sum()
        if self._books.sessions.size:
            self._noted_sessions.append(
                _where(sampled, rows, session, 0, earlier, earlier_mean_s, slates, plays, length_s, abandoned)
            )

    def write(self, day: int, ids: npt.NDArray[np.int64]) -> tuple[int, int, int]:
        """Write the books; return the rows of the log, of the sessions and of the plays."""
        books = self._books
        books.counts[:] += self._counts.cpu().numpy()
        books.plays_by_work[:] += self._plays_by_work.cpu().numpy()
        books.exposures_by_work[:] += self._exposures_by_work.cpu().numpy()
        rows, _, _, works, seconds = _joined(self._log, 5)
        logged = rows.size
        books.log_rows[:logged], books.log_works[:logged], books.log_seconds[:logged] = rows, works, seconds
        names = ("listener", "session", "slate", "place", "work", "dwell_s", "duration_s", "score")
        num_plays = _noted(books.plays, _joined(self._noted_plays, len(names)), names, day, ids)
        names = ("listener", "session", "", "prior_sessions", "prior_mean_s", "slates", "plays", "seconds", "abandoned")
        num_sessions = _noted(books.sessions, _joined(self._noted_sessions, len(names)), names, day, ids)
        return logged, num_sessions, num_plays


def _where(mask: Tensor, *columns: Tensor | int) -> tuple[Tensor, ...]:
    """Return the columns where a condition holds; a number stands for a column of it."""
    which = torch.nonzero(mask)[:, 0]
    return tuple(
        column[which] if isinstance(column, torch.Tensor) else torch.full_like(which, column) for column in columns
    )


def _joined(parts: list[tuple[Any, ...]], num_columns: int) -> list[npt.NDArray[Any]]:
    """Return the columns of all parts, by listener, session and slate, which are the first three."""
    if not parts:
        return [np.zeros(0, dtype=np.int64)] * num_columns
    columns = [torch.cat(column).cpu().numpy() for column in zip(*parts, strict=True)]
    order = np.lexsort((columns[2], columns[1], columns[0]))
    return [column[order] for column in columns]


def _noted(table: Any, columns: list[npt.NDArray[Any]], names: tuple[str, ...], day: int, ids: Any) -> int:
    """Write columns to a table of notes under these names, the listener by id; return how many rows."""
    num = columns[0].size
    for name, column in zip(names, columns, strict=True):
        if name:
            table[name][:num] = ids[column] if name == "listener" else column
    table["day"][:num] = day
    return num
