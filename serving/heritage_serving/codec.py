"""Pieces and commissions as plain data: what travels between processes, over HTTP and into JSON files.

Numbers keep their exact value: floats go through JSON by their shortest exact form, and NaN (the pitch of a rest) is
``null``. A piece read back has the content hash of the one written.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import numpy as np

from heritage_sim.base import Commission, Fidelity, InputError, Intent, Notes, Origin, Piece, Receipt

Plain = dict[str, Any]
"""Strings, numbers, booleans, None, lists and dicts: anything JSON can hold."""


def commission_to_plain(commission: Commission) -> Plain:
    """Return a commission as plain data."""
    return {
        "request_id": commission.request_id,
        "tradition": commission.tradition,
        "source": commission.source,
        "take": commission.take,
        "intent": commission.intent.name,
    }


def commission_from_plain(plain: Any, where: str = "commission") -> Commission:
    """Return the commission that plain data describe.

    Parameters
    ----------
    plain : mapping
        ``request_id``, ``tradition``, ``source`` (strings), ``take`` (whole number >= 0) and ``intent`` (``RECORD`` or
        ``DERIVE``; left out: ``DERIVE``).
    where : str
        What the error message names.

    Returns
    -------
    Commission

    Raises
    ------
    InputError
        If a key is missing, unknown or of the wrong type.
    """
    keys = ("request_id", "tradition", "source", "take", "intent")
    remedy = "give request_id, tradition, source (text), take (whole number >= 0), and intent RECORD or DERIVE"
    if not isinstance(plain, dict):
        raise InputError("a commission must be an object", where, remedy)
    if unknown := sorted(set(plain) - set(keys)):
        raise InputError(f"unknown key {unknown[0]!r}", where, remedy)
    for key in keys[:3]:
        if not isinstance(plain.get(key), str):
            raise InputError(f"{key!r} must be text", where, remedy)
    take = plain.get("take")
    if not isinstance(take, int) or isinstance(take, bool) or take < 0:
        raise InputError("'take' must be a whole number >= 0", where, remedy)
    intent = plain.get("intent", Intent.DERIVE.name)
    if intent not in Intent.__members__:
        raise InputError(f"'intent' must be one of {', '.join(Intent.__members__)}", where, remedy)
    return Commission(plain["request_id"], plain["tradition"], plain["source"], take, Intent[intent])


def notes_to_plain(notes: Notes) -> Plain:
    """Return notes as plain data, NaN cents as None."""
    return {
        "degree": notes.degree.tolist(),
        "period": notes.period.tolist(),
        "duration_ticks": notes.duration_ticks.tolist(),
        "ornament": notes.ornament.tolist(),
        "cents": [None if np.isnan(c) else c for c in notes.cents.tolist()],
        "ticks_per_cycle": int(notes.ticks_per_cycle),
        "tick_s": float(notes.tick_s),
    }


def notes_from_plain(plain: Plain) -> Notes:
    """Return the notes that `notes_to_plain` wrote."""
    return Notes(
        degree=np.array(plain["degree"], np.int16),
        period=np.array(plain["period"], np.int16),
        duration_ticks=np.array(plain["duration_ticks"], np.int32),
        ornament=np.array(plain["ornament"], np.int8),
        cents=np.array([np.nan if c is None else c for c in plain["cents"]], np.float64),
        ticks_per_cycle=plain["ticks_per_cycle"],
        tick_s=plain["tick_s"],
    )


def piece_to_plain(piece: Piece) -> Plain:
    """Return a piece as plain data."""
    receipt = asdict(piece.receipt)
    return {
        "notes": notes_to_plain(piece.notes),
        "tradition": piece.tradition,
        "title": piece.title,
        "origin": piece.origin.name,
        "synthetic": bool(piece.synthetic),
        "fidelity": {key: _python(value) for key, value in asdict(piece.fidelity).items()},
        "receipt": {**receipt, "seed": int(receipt["seed"]), "sources": list(receipt["sources"])},
    }


def piece_from_plain(plain: Plain) -> Piece:
    """Return the piece that `piece_to_plain` wrote."""
    receipt = plain["receipt"]
    fidelity: dict[str, Any] = {k: float("nan") if v is None else v for k, v in plain["fidelity"].items()}
    return Piece(
        notes=notes_from_plain(plain["notes"]),
        tradition=plain["tradition"],
        title=plain["title"],
        origin=Origin[plain["origin"]],
        synthetic=plain["synthetic"],
        fidelity=Fidelity(**fidelity),
        receipt=Receipt(**{**receipt, "sources": tuple(receipt["sources"])}),
    )


def _python(value: Any) -> Any:
    """Return the Python number that a NumPy scalar holds, None for NaN."""
    number = value.item() if isinstance(value, np.generic) else value
    return None if number != number else number
