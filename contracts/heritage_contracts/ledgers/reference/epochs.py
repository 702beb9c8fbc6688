"""Royalties of streams by epochs: `EpochDistributor` on integers, a root being the amounts it holds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from heritage_contracts.ledgers.reference.payees import Payees
from heritage_contracts.refusals import RefusalError

_WHERE = "EpochDistributor"
_MOST_PENDING = 7


@dataclass(frozen=True, slots=True)
class Root:
    """A posted epoch: what every payee has earned since the beginning, and when it was posted."""

    cumulative: tuple[int, ...]
    posted_at: int

    @property
    def total(self) -> int:
        """Return the sum of all amounts."""
        return sum(self.cumulative)


@dataclass(slots=True)
class Epochs:
    """Roots, payments in and out, notices, winding up.

    Parameters
    ----------
    payees : Payees
        Their communities and funds.
    window_s, silence_s, notice_s : int
        Challenge window, silence before winding up, time of notice.
    made_at : int
        When the contract was made.
    """

    payees: Payees
    window_s: int
    silence_s: int
    notice_s: int
    made_at: int
    roots: list[Root] = field(default_factory=list[Root])
    num_final: int = 0
    last_final_at: int = field(init=False)
    is_wound_up: bool = False
    funded: int = 0
    claimed: list[int] = field(init=False)
    notices: dict[int, tuple[int, int]] = field(default_factory=dict[int, tuple[int, int]])
    pot: int = 0
    escaped: dict[int, int] = field(default_factory=dict[int, int])

    def __post_init__(self) -> None:
        """Begin with nothing claimed."""
        self.last_final_at = self.made_at
        self.claimed = [0] * len(self.payees.communities)

    def fund(self, units: int) -> None:
        """Pay in."""
        self._require_running()
        self.funded += units

    def post(self, epoch: int, cumulative: Sequence[int], now_s: int) -> None:
        """Post the next epoch; what its total lacks is paid in."""
        self._require_running()
        if epoch != len(self.roots):
            raise RefusalError("WrongEpoch", _WHERE)
        if len(self.roots) - self.num_final >= _MOST_PENDING:
            raise RefusalError("TooManyPending", _WHERE)
        root = Root(tuple(cumulative), now_s)
        self.roots.append(root)
        self.funded = max(self.funded, root.total)

    def finalize(self, epoch: int, now_s: int) -> None:
        """Make the oldest pending epoch final."""
        if len(self.roots) == self.num_final:
            raise RefusalError("NothingPending", _WHERE)
        if epoch != self.num_final:
            raise RefusalError("WrongEpoch", _WHERE)
        if now_s < self.roots[epoch].posted_at + self.window_s:
            raise RefusalError("WindowOpen", _WHERE)
        self.num_final += 1
        self.last_final_at = now_s

    def dispute(self, epoch: int, now_s: int) -> None:
        """Drop a pending epoch and those after it."""
        if not self.num_final <= epoch < len(self.roots):
            raise RefusalError("NotPending", _WHERE)
        if now_s >= self.roots[epoch].posted_at + self.window_s:
            raise RefusalError("WindowOver", _WHERE)
        del self.roots[epoch:]

    def claim(self, payee: int) -> int:
        """Return what a payee is paid now."""
        due = self._final().cumulative[payee] - self.claimed[payee]
        self.claimed[payee] += due
        return due

    def give_notice(self, payee: int, now_s: int) -> None:
        """Put on record that money lies unclaimed."""
        cumulative = self._final().cumulative[payee]
        if cumulative <= self.claimed[payee]:
            raise RefusalError("NothingDue", _WHERE)
        self.payees.fund_of(payee)
        if payee in self.notices and self.notices[payee][0] > self.claimed[payee]:
            raise RefusalError("NoticeOpen", _WHERE)
        self.notices[payee] = cumulative, now_s + self.notice_s

    def expire(self, payee: int, now_s: int) -> tuple[int, int]:
        """Return the fund that is paid what notice was given for, and how much."""
        if payee not in self.notices:
            raise RefusalError("NoNotice", _WHERE)
        cumulative, due_at = self.notices[payee]
        # Who was held back could not claim: the whole time is given after it.
        if now_s < max(due_at, self.payees.open_since.get(payee, 0) + self.notice_s):
            raise RefusalError("NoticeOpen", _WHERE)
        self.payees.require_open(payee)
        due = cumulative - self.claimed[payee]
        if due <= 0:
            raise RefusalError("NothingDue", _WHERE)
        fund = self.payees.fund_of(payee)
        self.payees.require_open(fund)
        del self.notices[payee]
        self.claimed[payee] = cumulative
        return fund, due

    def wind_up(self, now_s: int) -> None:
        """End posting; what was paid in beyond the final total becomes the pot."""
        self._require_running()
        if now_s < self.last_final_at + self.silence_s:
            raise RefusalError("NotSilent", _WHERE)
        pending = self.roots[self.num_final :]
        if pending and now_s >= pending[0].posted_at + self.window_s:
            raise RefusalError("NotSilent", _WHERE)
        del self.roots[self.num_final :]
        self.pot = self.funded - (self.roots[-1].total if self.roots else 0)
        self.is_wound_up = True

    def claim_escape(self, payee: int) -> int:
        """Return a payee's share of the pot, rounded down."""
        if not self.is_wound_up:
            raise RefusalError("NotWoundUp", _WHERE)
        last = self._final()
        units = self.pot * last.cumulative[payee] // last.total if last.total else 0
        if not units or payee in self.escaped:
            raise RefusalError("NothingDue", _WHERE)
        self.payees.require_open(payee)
        self.escaped[payee] = units
        return units

    def _require_running(self) -> None:
        if self.is_wound_up:
            raise RefusalError("IsWoundUp", _WHERE)

    def _final(self) -> Root:
        if not self.num_final:
            raise RefusalError("NothingFinal", _WHERE)
        return self.roots[self.num_final - 1]
