"""Faults on purpose: how often which part of the way to the chain breaks.

A schedule has a name, so that a failure rate can be reported with it. Whether a fault strikes is a keyed number of its
kind and occasion; the economy's other streams do not notice.
"""

from __future__ import annotations

from pydantic import Field

from heritage_sim.base import InputError, Section


class FaultSchedule(Section):
    """Probabilities of faults between ledger and chain; all zero: none."""

    name: str = Field(default="none", min_length=1, description="Name under which a failure rate is reported.")
    drop: float = Field(
        default=0.0, ge=0.0, le=0.9, description="Probability that a sent transaction is taken and then lost."
    )
    duplicate: float = Field(
        default=0.0, ge=0.0, le=1.0, description="Probability that a sending request reaches the node twice."
    )
    hang: float = Field(
        default=0.0, ge=0.0, le=0.9, description="Probability that a sending request is taken and never answered."
    )
    half_batch: float = Field(
        default=0.0, ge=0.0, le=0.9, description="Probability that the connection breaks half-way through a batch."
    )
    underpriced: float = Field(
        default=0.0, ge=0.0, le=0.5, description="Probability that a transaction is refused as underpriced."
    )
    evicted: float = Field(
        default=0.0, ge=0.0, le=0.9, description="Probability, a block, that the pool drops a waiting transaction."
    )
    reorg: float = Field(
        default=0.0, ge=0.0, le=0.5, description="Probability, a block, that the last blocks are reorganised away."
    )
    max_reorg_depth: int = Field(
        default=3, ge=1, le=32, description="Deepest reorganisation, blocks; every depth up to it is as likely."
    )
    kill: float = Field(
        default=0.0, ge=0.0, le=0.5, description="Probability, a block, that the node is killed before it is made."
    )
    seed: int = Field(default=0, ge=0, description="Root seed of the faults' own streams.")


NAMED = {
    schedule.name: schedule
    for schedule in (
        FaultSchedule(),
        FaultSchedule(
            name="flaky", drop=0.02, duplicate=0.05, hang=0.02, half_batch=0.02, underpriced=0.01, evicted=0.02
        ),
        FaultSchedule(name="reorgs", reorg=0.05),
        FaultSchedule(name="kills", kill=0.01),
        FaultSchedule(
            name="everything",
            drop=0.02,
            duplicate=0.05,
            hang=0.02,
            half_batch=0.02,
            underpriced=0.01,
            evicted=0.02,
            reorg=0.03,
            kill=0.01,
        ),
    )
}
"""The schedules a scenario can name. Their probabilities are assumptions, such that a short run meets each fault."""


def fault_schedule(name: str, where: str = "ledger.faults") -> FaultSchedule:
    """Return the schedule of a name; no name is no fault.

    Parameters
    ----------
    name : str
        One of `NAMED`, or empty.
    where : str
        Key it was given under, for the message.

    Returns
    -------
    FaultSchedule

    Raises
    ------
    InputError
        If there is none of that name.
    """
    found = NAMED.get(name or "none")
    if found is None:
        raise InputError(f"there is no fault schedule {name!r}", where, f"Name one of: {', '.join(NAMED)}.")
    return found
