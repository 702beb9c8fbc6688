"""What a ring of adversaries made, and the outcomes that say so."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from heritage_sim.base import Outcome

KINDS = ("bots", "sybils", "claims")
UNITS = "smallest unit"


@dataclass(frozen=True, slots=True)
class FraudEvidence:
    """What a ring made, over the days lived so far; amounts in the token's smallest unit.

    Parameters
    ----------
    profit_units : mapping of str to int
        For each of `KINDS`: what it brought the ring, less what it cost; below 0 where it did not pay.
    num_acting : mapping of str to int
        For each of `KINDS`: accounts, copies uploaded, claims filed.
    accounts_detected : int
        Bot accounts that were found out.
    displaced_units : int
        What payees outside the ring were paid less than without any fraud; those who were paid more do not offset it.
    num_displaced : int
        How many payees that is.
    """

    profit_units: Mapping[str, int]
    num_acting: Mapping[str, int]
    accounts_detected: int
    displaced_units: int
    num_displaced: int


def no_fraud() -> FraudEvidence:
    """Return the evidence of an economy in which nobody cheats."""
    return FraudEvidence(dict.fromkeys(KINDS, 0), dict.fromkeys(KINDS, 0), 0, 0, 0)


def fraud_outcomes(evidence: FraudEvidence) -> Iterator[Outcome]:
    """Yield what the ring made by each kind of fraud, who was found out, and what others lost."""
    for kind in KINDS:
        yield Outcome(
            f"adversary_profit_units_{kind}", float(evidence.profit_units[kind]), UNITS, evidence.num_acting[kind]
        )
    yield Outcome("adversary_accounts_detected", float(evidence.accounts_detected), "1", evidence.num_acting["bots"])
    yield Outcome("adversary_displaced_units", float(evidence.displaced_units), UNITS, evidence.num_displaced)
