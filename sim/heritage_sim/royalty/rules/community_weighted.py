"""Community-weighted: plays of small communities weigh more, up to equal amounts for all communities."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import numpy as np
import numpy.typing as npt
from pydantic import field_validator

from heritage_sim.base import NO_ONE, Rights, Statement, Sums, Usage, largest_remainder, parameter, sum_exactly
from heritage_sim.royalty.rule import Rule, share_inside, state_without_plays, statement_of

FRACTION_BITS = 32
_HUNDREDTHS = 100


class CommunityWeighted(Rule):
    """A play of community c weighs ``v_c = W_c ** -strength``: W_c the plays of its works.

    Community c so earns in proportion to ``W_c * v_c = W_c ** (1 - strength)``, and inside it works earn in proportion
    to plays. Strength 0 is pro-rata; strength 1 gives every community that was played the same amount, to the unit.
    A community without plays earns nothing at any strength. Works of no community (``NO_ONE``, such as those that a
    usage file could not match) first take their pro-rata part; the rest is weighted.

    The weights are whole numbers, ``floor(2^b * W_c ** (1 - strength))``, computed exactly by integer roots, with
    ``b = 32`` bits, fewer only where 62 bits would overflow: the same on every machine. ``strength`` is therefore a
    whole number of hundredths.
    """

    kind: ClassVar[str] = "community_weighted"
    communities: ClassVar[bool] = True

    strength: float = parameter(
        1.0, "0 pro-rata ... 1 equal, in steps of 0.01", unit="1", source="the scenario", ge=0.0, le=1.0
    )

    @field_validator("strength")
    @classmethod
    def _whole_hundredths(cls, strength: float) -> float:
        hundredths = round(strength * _HUNDREDTHS)
        if abs(strength * _HUNDREDTHS - hundredths) > 1e-9:
            raise ValueError(f"strength is a whole number of hundredths, not {strength}")
        return hundredths / _HUNDREDTHS

    def statistics(self, usage: Usage, rights: Rights, totals: Mapping[str, npt.NDArray[np.int64]] | None) -> Sums:
        """Return ``plays_by_work``, shape ``(num_works,)``."""
        return {"plays_by_work": usage.plays_by_work()}

    def settle(self, statistics: Sums, rights: Rights, pool_units: int, epoch: int) -> Statement:
        """Return amounts shared first between communities, then inside each by plays."""
        plays = statistics["plays_by_work"]
        if not plays.any():
            return state_without_plays(self, rights, pool_units, epoch)
        if self.strength == 0.0:
            # One apportionment, as pro-rata does it: two in a row would differ from it by the odd rounded unit.
            reason = f"{pool_units} units were shared in proportion to plays alone: strength 0 is pro-rata"
            return statement_of(self, largest_remainder(pool_units, plays), rights, pool_units, epoch, [reason])
        reasons: list[str] = []
        member = rights.work_community
        unmatched = member == NO_ONE
        units = np.zeros(plays.size, dtype=np.int64)
        left = pool_units
        if plays[unmatched].any():
            units[unmatched] = largest_remainder(pool_units, plays)[unmatched]
            left -= sum_exactly(units)
            reasons.append(f"{pool_units - left} units: works of no community took their part by plays beforehand")
        if plays[~unmatched].any():
            num_communities = int(member.max()) + 1
            community_plays = np.zeros(num_communities, dtype=np.int64)
            np.add.at(community_plays, member[~unmatched], plays[~unmatched])
            weights, bits = root_weights(community_plays, round((1.0 - self.strength) * _HUNDREDTHS))
            amounts = largest_remainder(left, weights)
            units[~unmatched] = share_inside(amounts, plays[~unmatched], member[~unmatched])
            reasons.append(
                f"{left} units were shared by {np.count_nonzero(community_plays)} communities in proportion to "
                f"floor(2^{bits} * plays^{1.0 - self.strength:.2f}) (weights {', '.join(str(w) for w in weights[:8])}"
                f"{', ...' if weights.size > 8 else ''}), then inside each by plays, largest remainders"
            )
        return statement_of(self, units, rights, pool_units, epoch, reasons)


def root_weights(plays: npt.NDArray[np.int64], hundredths: int) -> tuple[npt.NDArray[np.int64], int]:
    """Return ``floor(2^b * plays ** (hundredths / 100))`` (0 where there is no play) and the number b of bits.

    Parameters
    ----------
    plays : ndarray of int64, shape (num_communities,)
        Plays of each community.
    hundredths : int
        Exponent in hundredths, 0 ... 100.

    Returns
    -------
    weights : ndarray of int64, shape (num_communities,)
    bits : int
    """
    bits = max(0, min(FRACTION_BITS, 62 - int(plays.max()).bit_length()))
    shift = bits * _HUNDREDTHS
    weights = [_integer_root((int(w) ** hundredths) << shift, _HUNDREDTHS) if w else 0 for w in plays]
    return np.array(weights, dtype=np.int64), bits


def _integer_root(x: int, degree: int) -> int:
    """Return ``floor(x ** (1 / degree))`` exactly, by Newton's iteration from above."""
    root = 1 << -(-x.bit_length() // degree)
    while True:
        nearer = ((degree - 1) * root + x // root ** (degree - 1)) // degree
        if nearer >= root:
            return root
        root = nearer
