"""Requests for music as they arrive in time: what a generation service has to answer."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Arrival:
    """One request.

    Parameters
    ----------
    at_s : float
        Seconds since the start of the simulated time.
    request_id : str
        Unique name.
    who : str
        ``creator`` or ``buyer``.
    tradition : str
        Tradition asked for.
    source_sha256 : str
        Content hash (hex) of the archive work to build on.
    take : int
        Which of the possible pieces on it.
    prompt_events : int
        Length of what the request brings along, in note events (the source work's).
    length_events : int
        Length asked for, in note events.
    patience_s : float
        Seconds after which whoever asked gives up.
    """

    at_s: float
    request_id: str
    who: str
    tradition: str
    source_sha256: str
    take: int
    prompt_events: int
    length_events: int
    patience_s: float
