"""What may be asked for: the archive works of each tradition with their lengths."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from heritage_sim.base import InputError


@dataclass(frozen=True, slots=True, eq=False)
class Shelf:
    """The archive works of one tradition.

    Parameters
    ----------
    tradition : str
        Its name.
    sources : tuple of str, length num_works
        Content hashes (hex) of the works.
    num_events : ndarray of int64, shape (num_works,)
        Lengths of the works in note events.
    """

    tradition: str
    sources: tuple[str, ...]
    num_events: npt.NDArray[np.int64]


class Shelves:
    """The shelves of a scenario.

    Parameters
    ----------
    shelves : sequence of Shelf
        One for each tradition, none of them empty.
    takes : int
        Possible pieces on each source, >= 1.
    max_events : int
        Longest piece that is made, in note events; who asks for more gets this.

    Raises
    ------
    InputError
        If a shelf is empty.
    """

    def __init__(self, shelves: Sequence[Shelf], takes: int, max_events: int) -> None:
        for shelf in shelves:
            if not shelf.sources:
                raise InputError(
                    f"tradition {shelf.tradition!r} has no archive work to build on",
                    f"traditions: {shelf.tradition}",
                    "give it archive works, or leave the tradition out",
                )
        self.shelves = tuple(shelves)
        self.takes = takes
        self.max_events = max_events
        self._length: Mapping[str, int] = {
            source: int(length)
            for shelf in shelves
            for source, length in zip(shelf.sources, shelf.num_events.tolist(), strict=True)
        }

    def weights(self, wanted: Mapping[str, float]) -> npt.NDArray[np.float64]:
        """Return each tradition's share of what is asked for, shape ``(num_traditions,)``.

        Parameters
        ----------
        wanted : mapping of str to float
            Weights by name; a tradition that is not named has weight 1.

        Returns
        -------
        ndarray of float64, shape (num_traditions,)
            Sums to 1.

        Raises
        ------
        InputError
            If a name is not that of a tradition, or all weights are 0.
        """
        names = [shelf.tradition for shelf in self.shelves]
        for name in wanted:
            if name not in names:
                raise InputError(
                    f"there is no tradition {name!r} to ask for",
                    "demand.tradition_weights",
                    f"one of: {', '.join(names)}",
                )
        weights = np.array([wanted.get(name, 1.0) for name in names], dtype=np.float64)
        if weights.sum() <= 0.0:
            raise InputError(
                "nobody asks for any tradition", "demand.tradition_weights", "give at least one a weight above 0"
            )
        return weights / weights.sum()

    def length_of(self, source: str) -> int:
        """Return the length of an archive work in note events.

        Parameters
        ----------
        source : str
            Content hash (hex).

        Returns
        -------
        int

        Raises
        ------
        InputError
            If no shelf has it.
        """
        if source not in self._length:
            raise InputError(
                f"no archive work of this scenario has the content hash {source}",
                "source",
                "give the scenario of the run that the commissions are from",
            )
        return self._length[source]
