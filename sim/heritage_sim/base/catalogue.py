"""The catalogue: every published work as rows of arrays."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Any

import numpy as np
import numpy.typing as npt

MAX_PARENTS = 4
NO_ONE = -1


@dataclass(frozen=True, slots=True, eq=False)
class WorkBatch:
    """Works to be added to the catalogue; arrays share the first axis ``(num_works,)``.

    Parameters
    ----------
    vectors : ndarray of float32, shape (num_works, dim)
        Encoded from the notes alone.
    tradition, community : ndarray of int32
        Indices into the scenario's traditions and communities.
    creator : ndarray of int32
        Creator id, or ``NO_ONE`` for the community's own archive.
    origin : ndarray of int8
        `Origin` codes.
    synthetic : ndarray of bool
        Whether the notes are synthetic.
    consistency : ndarray of float32
        Measured fidelity in [0, 1].
    duration_s : ndarray of float32
        Length in seconds.
    day : ndarray of int32
        Day of publication; archive works are there on day 0.
    parents : ndarray of int32, shape (num_works, MAX_PARENTS)
        Work ids it derives from, older than itself, padded with ``NO_ONE``.
    content_sha256 : ndarray of uint8, shape (num_works, 32)
        Content hash of the notes.
    """

    vectors: npt.NDArray[np.float32]
    tradition: npt.NDArray[np.int32]
    community: npt.NDArray[np.int32]
    creator: npt.NDArray[np.int32]
    origin: npt.NDArray[np.int8]
    synthetic: npt.NDArray[np.bool_]
    consistency: npt.NDArray[np.float32]
    duration_s: npt.NDArray[np.float32]
    day: npt.NDArray[np.int32]
    parents: npt.NDArray[np.int32]
    content_sha256: npt.NDArray[np.uint8]

    @property
    def num_works(self) -> int:
        """Return the number of works."""
        return int(self.tradition.shape[0])


@dataclass(slots=True, eq=False)
class Catalogue:
    """All published works; a work's id is its row, rows are only ever appended.

    Arrays grow by doubling; the properties of the same names as `WorkBatch` show the filled part.
    """

    dim: int
    num_works: int = 0
    _store: dict[str, npt.NDArray[Any]] = field(default_factory=dict[str, npt.NDArray[Any]], repr=False)

    def append(self, batch: WorkBatch) -> npt.NDArray[np.int32]:
        """Add works and return their ids.

        Parameters
        ----------
        batch : WorkBatch
            The works; their parents are ids of works that are there already.

        Returns
        -------
        ndarray of int32, shape (batch.num_works,)
            Their ids, consecutive from the number of works that were there.

        Raises
        ------
        ValueError
            If the vectors have another width, or a parent is not older than its child.
        """
        n = batch.num_works
        ids = np.arange(self.num_works, self.num_works + n, dtype=np.int32)
        if batch.vectors.shape != (n, self.dim):
            raise ValueError(f"vectors must have shape ({n}, {self.dim}), not {batch.vectors.shape}")
        if n and (batch.parents >= ids[:, None]).any():
            raise ValueError("a parent must be older than its child")
        for f in fields(WorkBatch):
            rows = np.asarray(getattr(batch, f.name))
            self._grown(f.name, rows)[self.num_works : self.num_works + n] = rows
        self.num_works += n
        return ids

    def _grown(self, name: str, like: npt.NDArray[Any]) -> npt.NDArray[Any]:
        need = self.num_works + like.shape[0]
        held = self._store.get(name)
        if held is None or held.shape[0] < need:
            grown = np.zeros((max(64, 2 * need), *like.shape[1:]), dtype=like.dtype)
            if held is not None:
                grown[: self.num_works] = held[: self.num_works]
            self._store[name] = held = grown
        return held

    def column(self, name: str) -> npt.NDArray[Any]:
        """Return one column of `WorkBatch` for all works (a view)."""
        return self._store[name][: self.num_works]

    @property
    def vectors(self) -> npt.NDArray[np.float32]:
        """Work vectors, shape ``(num_works, dim)``."""
        return self.column("vectors")

    @property
    def tradition(self) -> npt.NDArray[np.int32]:
        """Tradition index of each work."""
        return self.column("tradition")

    @property
    def community(self) -> npt.NDArray[np.int32]:
        """Community index of each work."""
        return self.column("community")

    @property
    def creator(self) -> npt.NDArray[np.int32]:
        """Creator id of each work, or ``NO_ONE``."""
        return self.column("creator")

    @property
    def origin(self) -> npt.NDArray[np.int8]:
        """`Origin` code of each work."""
        return self.column("origin")

    @property
    def consistency(self) -> npt.NDArray[np.float32]:
        """Measured fidelity of each work in [0, 1]."""
        return self.column("consistency")

    @property
    def parents(self) -> npt.NDArray[np.int32]:
        """Parents of each work, shape ``(num_works, MAX_PARENTS)``."""
        return self.column("parents")

    @property
    def content_sha256(self) -> npt.NDArray[np.uint8]:
        """Content hash of each work, shape ``(num_works, 32)``."""
        return self.column("content_sha256")

    def snapshot(self) -> dict[str, Any]:
        """Return the state as plain arrays and numbers."""
        return {
            "dim": self.dim,
            "num_works": self.num_works,
            "columns": {k: v[: self.num_works].copy() for k, v in self._store.items()},
        }

    @classmethod
    def restore(cls, state: dict[str, Any]) -> Catalogue:
        """Return the catalogue that `snapshot` put down."""
        made = cls(dim=int(state["dim"]))
        made.num_works = int(state["num_works"])
        made._store = {k: np.array(v) for k, v in state["columns"].items()}
        return made
