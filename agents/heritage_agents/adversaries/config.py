"""What can be set about adversaries. All of them are off unless a number above 0 is given.

Every number that no source gives is marked "assumed": it is an assumption of the scenario, to be swept, not a finding.
Amounts are whole numbers in the token's smallest unit (6 decimals: 1,000,000 units = 1.00).
"""

from __future__ import annotations

from pydantic import model_validator

from heritage_sim.base import DAY_S, Section, parameter

TOKEN = "smallest unit"


class AdversariesConfig(Section):
    """A ring around one creator: accounts that play its works, names that upload copies, claims on others' works."""

    colluder: int = parameter(
        0, "Creator at the centre of the ring; 0 is the first creator of the first community", unit="creator id", ge=0
    )
    start_day: int = parameter(0, "First day on which the ring acts", unit="day", ge=0)
    publishing_cost_units: int = parameter(
        1_000_000, "What the ring pays for each work it uploads", unit=TOKEN, ge=0, le=10**15
    )

    bots: int = parameter(
        0, "Accounts that subscribe and play the ring's works all day", unit="accounts", ge=0, le=10**7
    )
    bot_plan: str = parameter("", "Plan that they pay for; the cheapest where it is empty", unit="name")
    bot_plays_per_day: int = parameter(200, "Plays of an account a day", unit="1/day", ge=1, le=DAY_S)
    bot_play_s: int = parameter(
        35, "Length of such a play; a shorter work is heard to its end", unit="s", ge=1, le=3_600
    )
    bot_works: int = parameter(10, "Newest works of the ring that they play", unit="works", ge=1, le=10_000)
    bot_detection_per_day: float = parameter(
        0.0, "Chance that an account is found out on a day; it is closed then", unit="1/day", ge=0.0, le=1.0
    )
    void_detected: bool = parameter(
        True, "Whether plays of the running epoch of an account that is found out are struck out", unit="yes or no"
    )

    sybils: int = parameter(
        0,
        "Further names under which the ring uploads copies, the same in all cells because they are payees",
        unit="identities",
        ge=0,
        le=10_000,
    )
    copies_per_sybil: int = parameter(3, "Copies that each name uploads in all", unit="works", ge=0, le=1_000)
    days_between_copies: int = parameter(7, "Days between a name's uploads", unit="days", ge=1, le=3_650)

    false_claims_per_work: float = parameter(
        0.0,
        "Chance that the ring claims to be the source of a newly published derivative",
        unit="1",
        ge=0.0,
        le=1.0,
    )
    claim_stands: float = parameter(
        0.5, "Chance that such a claim is believed; the others are found out at once", unit="1", ge=0.0, le=1.0
    )
    claim_detection_per_day: float = parameter(
        0.02, "Chance that a claim that was believed is found out on a day", unit="1/day", ge=0.0, le=1.0
    )
    claim_bond_units: int = parameter(
        5_000_000, "What is put down with a claim, and lost when it is found out", unit=TOKEN, ge=0, le=10**15
    )

    @property
    def is_on(self) -> bool:
        """Return whether anybody cheats."""
        return self.bots > 0 or self.sybils * self.copies_per_sybil > 0 or self.false_claims_per_work > 0.0

    @model_validator(mode="after")
    def _fits_into_a_day(self) -> AdversariesConfig:
        if self.bot_plays_per_day * self.bot_play_s > DAY_S:
            raise ValueError(
                f"an account cannot play {self.bot_plays_per_day} x {self.bot_play_s} s in a day of {DAY_S} s; lower "
                "bot_plays_per_day or bot_play_s"
            )
        return self
