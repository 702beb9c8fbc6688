"""The pieces a run keeps to be heard: ``pieces/<number>-<tradition>.json``, notes with the tuning they sound in."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from heritage_experiments.store import RunStore
from heritage_serving.codec import piece_from_plain, piece_to_plain
from heritage_sim.base import Piece

if TYPE_CHECKING:
    from heritage_models.traditions.tradition import Corpus

FOLDER = "pieces"


@dataclass(frozen=True, slots=True, eq=False)
class KeptPiece:
    """A piece with what is needed to draw and credit it.

    Parameters
    ----------
    piece : Piece
        The piece.
    tradition_title : str
        Name of the tradition for people.
    tuning_name, tuning_source : str
        The tuning, and where it was measured or stated.
    tuning_measured : bool
        Whether an instrument or performance was measured.
    lines : tuple of (float, int)
        Cents above the finalis and degree, of every pitch on the tradition's lattice.
    ornaments : tuple of str
        Names of the ornament classes; class 0 is plain.
    synthetic_archive : bool
        Whether the archive the piece was learnt from is synthetic.
    credit : str
        Sources and communities named with every use.
    """

    piece: Piece
    tradition_title: str
    tuning_name: str
    tuning_source: str
    tuning_measured: bool
    lines: tuple[tuple[float, int], ...]
    ornaments: tuple[str, ...]
    synthetic_archive: bool
    credit: str


def save_pieces(run_dir: Path, pieces: Sequence[Piece], corpora: Mapping[str, Corpus]) -> list[Path]:
    """Write pieces into a run's folder, in the order in which the report is to show them.

    Parameters
    ----------
    run_dir : Path
        Folder of the run.
    pieces : sequence of Piece
        Generated pieces, usually one of each tradition.
    corpora : mapping
        Corpus of each tradition, by name.

    Returns
    -------
    list of Path
        Files written.
    """
    store = RunStore(run_dir)
    written = []
    for i, piece in enumerate(pieces):
        tradition = corpora[piece.tradition].tradition
        tuning = tradition.tuning
        cents = tuning.sounding(tradition.position_degree, tradition.position_period)
        plain = {
            "piece": piece_to_plain(piece),
            "tradition_title": tradition.title,
            "tuning": {"name": tuning.name, "source": tuning.source, "measured": bool(tuning.measured)},
            "lines": [[float(c), int(d)] for c, d in zip(cents, tradition.position_degree, strict=True)],
            "ornaments": list(tradition.ornaments),
            "synthetic_archive": bool(tradition.synthetic),
            "credit": tradition.credit,
        }
        name = f"{FOLDER}/{i:02d}-{piece.tradition}.json"
        store.write_text(name, json.dumps(plain, indent=1, allow_nan=False) + "\n")
        written.append(run_dir / name)
    return written


def load_pieces(run_dir: Path) -> list[KeptPiece]:
    """Return the pieces of a run, in order; empty where none were kept."""
    kept = []
    for path in sorted((run_dir / FOLDER).glob("*.json")):
        plain = json.loads(path.read_text(encoding="utf-8"))
        kept.append(
            KeptPiece(
                piece=piece_from_plain(plain["piece"]),
                tradition_title=plain["tradition_title"],
                tuning_name=plain["tuning"]["name"],
                tuning_source=plain["tuning"]["source"],
                tuning_measured=plain["tuning"]["measured"],
                lines=tuple((float(c), int(d)) for c, d in plain["lines"]),
                ornaments=tuple(plain["ornaments"]),
                synthetic_archive=plain["synthetic_archive"],
                credit=plain["credit"],
            )
        )
    return kept
