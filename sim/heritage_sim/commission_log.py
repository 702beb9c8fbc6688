"""What was commissioned, and what became of it: one line for each request of a creator."""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum

import numpy as np
import numpy.typing as npt

from heritage_sim.base import NO_ONE, Intent, State
from heritage_sim.day.commissioning import Answer, Request


class Fate(IntEnum):
    """How far a request came."""

    REFUSED_CONSENT = 0
    """The source's community does not consent; nothing was made."""
    WITHHELD = 1
    """Made, but the community of the work it was actually made from does not consent."""
    REFUSED_TERMS = 2
    """Made, but not published under the community's terms."""
    PUBLISHED = 3


_COLUMNS = ("day", "creator", "tradition", "source_work", "root_work", "take", "intent", "fate")


class CommissionLog:
    """Lines in the order of asking, as whole numbers.

    Parameters
    ----------
    traditions : sequence of str
        Names of the traditions, in index order.
    """

    def __init__(self, traditions: Sequence[str]) -> None:
        self._index = {name: i for i, name in enumerate(traditions)}
        self._rows: list[list[int]] = []
        self._today: dict[str, list[int]] = {}

    def asked(self, day: int, requests: Sequence[Request]) -> None:
        """Take down a day's requests; until more is heard of them they were refused."""
        self._today = {}
        for r in requests:
            c = r.commission
            where = self._index[c.tradition]
            root = r.source_work if r.root_work == NO_ONE else r.root_work
            row = [day, r.creator, where, r.source_work, root, c.take, int(c.intent), int(Fate.REFUSED_CONSENT)]
            self._rows.append(row)
            self._today[c.request_id] = row

    def reached(self, fate: Fate, answers: Sequence[Answer]) -> None:
        """Take down how far the requests behind today's answers have come."""
        for answer in answers:
            self._today[answer.request.commission.request_id][-1] = int(fate)

    def table(self, content_sha256: npt.NDArray[np.uint8]) -> dict[str, npt.NDArray[np.generic]]:
        """Return one row for each request.

        Parameters
        ----------
        content_sha256 : ndarray of uint8, shape (num_works, 32)
            Content hashes of the catalogue's works.

        Returns
        -------
        dict of str to ndarray
            ``day``, ``creator``, ``tradition``, ``source_work``, ``source_sha256`` (hex; of the archive work that the
            piece is asked on, which is the root of the source's line), ``take``, ``intent`` (``record`` or ``derive``)
            and ``fate`` (a name of `Fate`, in small letters).
        """
        rows = self._matrix()
        names = np.array(list(self._index), dtype=np.str_)
        intents = np.array([intent.name.lower() for intent in Intent])
        fates = np.array([fate.name.lower() for fate in Fate])
        day, creator, tradition, source, root, take, intent, fate = rows.T
        hashes = [content_sha256[work].tobytes().hex() for work in root.tolist()]
        return {
            "day": day.astype(np.int32),
            "creator": creator.astype(np.int32),
            "tradition": names[tradition],
            "source_work": source.astype(np.int32),
            "source_sha256": np.array(hashes, dtype=np.str_),
            "take": take.astype(np.int32),
            "intent": intents[intent],
            "fate": fates[fate],
        }

    def snapshot(self) -> State:
        """Return all lines."""
        return {"rows": self._matrix()}

    def restore(self, state: State) -> None:
        """Take up what `snapshot` put down."""
        self._rows = state["rows"].tolist()

    def _matrix(self) -> npt.NDArray[np.int64]:
        return np.array(self._rows, dtype=np.int64).reshape(-1, len(_COLUMNS))
