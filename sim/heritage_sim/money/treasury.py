"""Step 8: what goes to the ledger and into the payment queue, in order of time.

The economy says when something is asked for; the treasury first does everything that fell due before. Consent labels
go to the ledger at once, new works and the licence fees of an epoch at its end; a statement goes into the settlement
step when report, matching, cash-in and statement have followed its epoch. With payment by hand no money goes through
the ledger.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np

from heritage_sim.base import (
    NO_ONE,
    CommunityTerms,
    ConsentLabel,
    DirectPayment,
    InputError,
    Keys,
    Ledger,
    LedgerError,
    ProvenanceRecord,
    State,
    Statement,
    Stem,
    largest_remainder,
    sum_exactly,
)
from heritage_sim.base.clock import DAY_S
from heritage_sim.config import EconomyConfig
from heritage_sim.money.books import EpochBooks, Int64
from heritage_sim.money.config import MoneyChainConfig
from heritage_sim.money.manual import ManualSettlement, first_run_days
from heritage_sim.money.on_chain import OnChainSettlement


@dataclass(frozen=True, slots=True)
class LicenceFee:
    """What a creator pays for the use of a source.

    Parameters
    ----------
    day : int
        Day on which the derived work was published.
    creator : int
        Who pays.
    source_work : int
        Work that is paid for.
    units : int
        How much, > 0.
    """

    day: int
    creator: int
    source_work: int
    units: int


class Treasury:
    """Keeps the calendar of money and one line of books an epoch.

    Parameters
    ----------
    ledger : Ledger
        Empty.
    economy : EconomyConfig
        Days and epochs.
    money : MoneyChainConfig
        Lags, and the settlement step.
    num_payees : int
        Number of payees.
    keys : Keys
        Streams of the replication; of them the day of the first payment run is drawn where it is not stated.
    """

    def __init__(
        self, ledger: Ledger, economy: EconomyConfig, money: MoneyChainConfig, num_payees: int, keys: Keys
    ) -> None:
        self.ledger = ledger
        self.labels: list[tuple[int, ConsentLabel]] = []
        self.licences: list[LicenceFee] = []
        self.licence_units: Int64 = np.zeros(num_payees, dtype=np.int64)
        self._num_paid_licences = 0
        self.observed_s = economy.genesis_s
        self.money = money
        self._economy = economy
        last = economy.num_epochs - 1
        self.settlement = (
            OnChainSettlement(ledger, money, num_payees, last)
            if money.settlement.kind == "on_chain"
            else ManualSettlement(
                money, num_payees, economy.genesis_s + round(first_run_days(money.settlement, keys) * DAY_S)
            )
        )

    @property
    def books(self) -> list[EpochBooks]:
        """Return one line for each epoch that has ended."""
        return self.settlement.books

    def open(self, records: Sequence[ProvenanceRecord], terms: Sequence[CommunityTerms]) -> None:
        """Register the archive, and put down the first terms, at the first instant of day 0."""
        self.register(records, self._economy.genesis_s)
        self.label(terms, self._economy.genesis_s)

    def register(self, records: Sequence[ProvenanceRecord], at_s: int) -> None:
        """Register works, parents before children."""
        self._advance(at_s)
        if records:
            self.ledger.register(records, at_s)

    def label(self, terms: Sequence[CommunityTerms], at_s: int) -> None:
        """Put down the consent of communities whose terms differ in it from those put down before."""
        self._advance(at_s)
        known = {label.community: label.uses for _, label in self.labels}
        changed = [ConsentLabel(c, int(t.consent)) for c, t in enumerate(terms) if known.get(c) != int(t.consent)]
        if changed:
            self.ledger.set_consent(changed, at_s)
            self.labels += [(at_s, label) for label in changed]

    @property
    def owed_licences(self) -> list[LicenceFee]:
        """Return the fees that are owed and not paid yet."""
        return self.licences[self._num_paid_licences :]

    def license(self, fees: Sequence[LicenceFee]) -> None:
        """Take down fees that are owed from now on; they are paid together, with `pay_licences`."""
        self.licences += fees

    def redirect(self, fees: Sequence[LicenceFee]) -> None:
        """Put others in the place of `owed_licences`, one for one: until it is paid, whom a fee goes to may change."""
        self.licences[self._num_paid_licences :] = fees

    def pay_licences(self, stems: Sequence[tuple[Stem, ...]], at_s: int) -> Int64:
        """Pay the fees that are owed to their sources, and return what each payee was credited.

        Parameters
        ----------
        stems : sequence of tuple of Stem
            Who shares in the source of each of `owed_licences`. The ledger has them too; they are for payment by hand,
            which pays the source alone: to pass a share on to the source's own sources is the contract's doing.
        at_s : int
            When.

        Returns
        -------
        ndarray of int64, shape (num_payees,)

        Raises
        ------
        LedgerError
            If the ledger credits another sum than was paid.
        """
        self._advance(at_s)
        fees = self.owed_licences
        credited = np.zeros_like(self.licence_units)
        if not fees:
            return credited
        if self.money.settlement.kind == "on_chain":
            credited = self.ledger.pay([DirectPayment(f.source_work, f.units) for f in fees], at_s).payee_units
        else:
            for fee, shared in zip(fees, stems, strict=True):
                parts = largest_remainder(fee.units, [s.share_bps for s in shared])
                np.add.at(credited, [s.payee_id for s in shared], parts)
        paid = sum(f.units for f in fees)
        if sum_exactly(credited) != paid:
            raise LedgerError(
                f"licence fees of {paid:,} units were credited as {sum_exactly(credited):,}",
                f"direct payments at chain time {at_s}",
                "the ledger's split does not sum to what was paid; report it with the run's folder",
            )
        if isinstance(self.settlement, OnChainSettlement):
            self.settlement.credit(credited)
        self.licence_units = self.licence_units + credited
        self._num_paid_licences = len(self.licences)
        return credited

    def settle(self, statement: Statement, records: Sequence[ProvenanceRecord], stop_day: int) -> None:
        """Register an epoch's new works and send its statement on its way.

        Parameters
        ----------
        statement : Statement
            What the acting rule decided.
        records : sequence of ProvenanceRecord
            Works published in the epoch, parents before children.
        stop_day : int
            First day after the epoch.

        Raises
        ------
        LedgerError
            If a deposit differs from its pool, or the books do not balance.
        """
        ended_s = self._economy.calendar.start_of(stop_day)
        self.register(records, ended_s)
        self.settlement.add(statement, EpochBooks.of(statement, ended_s, ended_s + self.money.ready_lag_s))
        self._advance(ended_s)

    def close(self) -> None:
        """Follow the money to the end of its observation."""
        self._advance(self._economy.calendar.start_of(self._economy.days) + round(self.money.follow_days * DAY_S))

    def _advance(self, until_s: int) -> None:
        """Do what falls due up to a moment."""
        while (due_s := self.settlement.next_s()) is not None and due_s <= until_s:
            self.settlement.step()
        self.observed_s = max(self.observed_s, until_s)

    def snapshot(self) -> State:
        """Return books, queues, labels, licences, and the ledger's journal."""
        return {
            "kind": self.money.settlement.kind,
            "ledger": self.ledger.snapshot(),
            "books": [line.snapshot() for line in self.books],
            "settlement": self.settlement.snapshot(),
            "labels": np.array([(s, v.community, v.uses) for s, v in self.labels], dtype=np.int64).reshape(-1, 3),
            "licences": np.array(
                [[getattr(fee, field.name) for field in fields(LicenceFee)] for fee in self.licences], dtype=np.int64
            ).reshape(-1, len(fields(LicenceFee))),
            "licence_units": self.licence_units.copy(),
            "num_paid_licences": self._num_paid_licences,
            "observed_s": self.observed_s,
        }

    def restore(self, state: State) -> None:
        """Take up what `snapshot` put down; the ledger must be empty.

        Parameters
        ----------
        state : State
            A snapshot.

        Raises
        ------
        InputError
            If money was settled in the other way there: what waits in one kind's queues has no place in the other's.
        """
        kind = self.money.settlement.kind
        if state["kind"] != kind:
            raise InputError(
                f"money that is settled {state['kind']} cannot go on {kind}",
                "money_chain.settlement.kind",
                "Begin anew with the other kind, or keep the one the snapshot was taken with.",
            )
        self.ledger.restore(state["ledger"])
        self.settlement.restore(state["settlement"], [EpochBooks.restored(line) for line in state["books"]])
        self.labels = [(s, ConsentLabel(c, uses, NO_ONE)) for s, c, uses in state["labels"].tolist()]
        self.licences = [LicenceFee(*row) for row in state["licences"].tolist()]
        self.licence_units = np.array(state["licence_units"], dtype=np.int64)
        self._num_paid_licences = int(state["num_paid_licences"])
        self.observed_s = int(state["observed_s"])
