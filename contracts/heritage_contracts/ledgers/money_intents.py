"""Intents about money: direct payments, epochs, claims, unclaimed money, winding up."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from heritage_contracts.ledgers.kind import Payment
from heritage_contracts.ledgers.work_intents import WorkIntents
from heritage_contracts.refusals import RefusalError
from heritage_contracts.schedule import (
    WITHDRAWAL_GAS,
    blocks,
    claim_gas,
    payment_gas,
    split_gas,
    transactions,
)
from heritage_contracts.trees.epoch import make_epoch
from heritage_sim.base import (
    DirectPayment,
    Payments,
    PaymentSplit,
    Posting,
    Settlement,
    Statement,
    sum_exactly,
)

_MOST_UNITS = 1 << 62
_NOBODY = np.zeros(0, dtype=np.int64)


class MoneyIntents(WorkIntents):
    """A ledger that money goes through. Parameters are those of `Books`."""

    # ---- direct payments ----------------------------------------------------------------------------------------

    def pay(self, payments: Sequence[DirectPayment], at_s: int) -> PaymentSplit:
        """Pay works directly; each amount is split at once along the work's registered sources, by the ledger's rule.

        Works without sources are paid by proof of their record; others are made payable first (`make_payable`).

        Parameters
        ----------
        payments : sequence of DirectPayment
            In order.
        at_s : int
            Wished chain time, seconds.

        Returns
        -------
        PaymentSplit

        Raises
        ------
        RefusalError
            If a work is not registered, shares nothing with anybody, or owes its sources more than the whole, or all
            payments so far would add up to 2^62 units or more. Nobody is paid then.
        """
        for payment in payments:
            self._works.work(payment.work_id, "RoyaltyPool")
            if payment.amount_units <= 0:
                raise RefusalError("NothingPaid", "RoyaltyPool", f"work {payment.work_id}")
        # Balances of both streams must be countable together, in 64 bits.
        if sum(self._credited) + sum(int(p.amount_units) for p in payments) >= _MOST_UNITS:
            raise RefusalError("WrongPayment", "RoyaltyPool", "the payments add up to more than 2^62 units")
        pairs = [(self._works.work(p.work_id), int(p.amount_units)) for p in payments]
        recorded = [(w, units) for w, units in pairs if w.number >= 0 and not w.parents]
        along = [(w, units) for w, units in pairs if w.number < 0 or w.parents]
        self.make_payable([w.record.work_id for w, _ in along], at_s)
        count = self._works.num_numbered
        costs = [payment_gas(len(w.record.stems), len(w.packed), count) for w, _ in recorded]
        plan = blocks(transactions(costs))
        along_plan = blocks(transactions([self._split_gas(w.record.work_id) for w, _ in along]))
        if not payments:
            return PaymentSplit(max(int(at_s), self.last_block_s()), np.zeros(len(self.payee_names), np.int64), gas=0)
        done, credited = self._pay(
            Payment([w for w, _ in along], [u for _, u in along], along_plan),
            Payment([w for w, _ in recorded], [u for _, u in recorded], plan),
            int(at_s),
        )
        self._credited = [a + b for a, b in zip(self._credited, credited, strict=True)]
        rows = [(p.work_id, int(p.amount_units)) for p in payments]
        self._put_down("pay", at_s, payments=np.array(rows, dtype=np.int64))
        return PaymentSplit(done.at_s, np.array(credited, dtype=np.int64), done.gas)

    def _split_gas(self, work_id: int) -> int:
        reached = [work_id, *self.ancestors(work_id)]
        return split_gas(len(reached), sum(len(self._works.work(w).record.stems) for w in reached))

    # ---- epochs -------------------------------------------------------------------------------------------------

    def fund(self, units: int, at_s: int) -> None:
        """Pay into the distributor ahead of a posting; the next deposit is less by it.

        Parameters
        ----------
        units : int
            What is paid in, >= 0.
        at_s : int
            Wished chain time, seconds.

        Raises
        ------
        RefusalError
            If the distributor is wound up.
        """
        if units < 0 or self.funded_units() + units >= _MOST_UNITS:
            raise RefusalError("WrongStatement", "EpochDistributor", f"{units} units cannot be paid in")
        self._fund(int(units), int(at_s))
        self._put_down("fund", at_s, units=int(units))

    def post(self, statement: Statement, at_s: int) -> Posting:
        """Post a statement's root and pay in what the distributor lacks for it.

        Parameters
        ----------
        statement : Statement
            Of the next epoch.
        at_s : int
            Wished chain time, seconds; after the last block if that is later.

        Returns
        -------
        Posting
            Its ``deposit_units`` are the statement's pool, wherever the money came from: this posting, `fund`, or a
            posting that was dropped.

        Raises
        ------
        RefusalError
            If the epoch is not the next one, too many are pending, the ledger is wound up, or the statement does not
            sum to its pool. Nothing is written then.
        """
        units = self._checked_units(statement)
        before = self._epochs[-1].cumulative if self._epochs else np.zeros_like(units)
        at = self.deployment
        epoch = make_epoch(at, statement, before + units, self._head_to_post(), at.leaf_order)
        done = self._post(epoch, int(at_s))
        self._epochs.append(epoch)
        final_from_s = done.at_s + self.config.challenge_window_s
        posting = Posting(epoch.epoch, epoch.pool_units, done.at_s, final_from_s, epoch.root, done.gas)
        self._postings[epoch.epoch] = posting
        self._put_down(
            "post",
            at_s,
            epoch=int(statement.epoch),
            rule=statement.rule,
            pool_units=int(statement.pool_units),
            payee_units=units,
        )
        return posting

    def _head_to_post(self) -> bytes:
        """Return the provenance head that the next epoch is posted on."""
        return self.provenance_head()

    def finalize(self, epoch: int, at_s: int) -> Settlement:
        """Make the oldest pending epoch final: its money is withdrawable from that block on.

        Parameters
        ----------
        epoch : int
            The oldest epoch that is pending.
        at_s : int
            Wished chain time, seconds.

        Returns
        -------
        Settlement

        Raises
        ------
        RefusalError
            If it is not pending, is not the oldest, or its challenge window is still open. Nothing is written then.
        """
        done = self._finalize(int(epoch), int(at_s))
        posting = self._postings.pop(int(epoch))
        self._num_final += 1
        self._put_down("finalize", at_s, epoch=int(epoch))
        return Settlement(
            posting.epoch, posting.deposit_units, posting.posted_s, done.at_s, posting.root, posting.gas + done.gas
        )

    def dispute(self, epoch: int, at_s: int) -> None:
        """Drop a pending epoch within its window, and those posted on top of it, as the guardian.

        What was paid in for them stays and counts towards the next posting.

        Parameters
        ----------
        epoch : int
            A pending epoch; it is the next to be posted afterwards.
        at_s : int
            Wished chain time, seconds.

        Raises
        ------
        RefusalError
            If it is not pending, or its window is over.
        """
        self._dispute(int(epoch), int(at_s))
        self._drop_from(int(epoch))
        self._put_down("dispute", at_s, epoch=int(epoch))

    def _drop_from(self, epoch: int) -> None:
        del self._epochs[epoch:]
        self._postings = {e: posting for e, posting in self._postings.items() if e < epoch}

    # ---- claims -------------------------------------------------------------------------------------------------

    def claim(self, payee_ids: Sequence[int], at_s: int) -> Payments:
        """Pay all that is withdrawable to each payee, from both streams, in as few transactions as gas allows.

        Parameters
        ----------
        payee_ids : sequence of int
            Who claims; naming a payee twice is once.
        at_s : int
            Wished chain time, seconds.

        Returns
        -------
        Payments
            In ascending order of payee; who has nothing due is left out, and so is whose money is held back while the
            community asks to rotate. Who is to be paid and cannot be, as the account does not receive, is left out too
            and keeps what is due. Where nobody is to be paid no block is made.

        Raises
        ------
        RefusalError
            If a payee does not exist. Nobody is paid then.
        """
        named = sorted({int(p) for p in payee_ids})
        for payee in named:
            self._check_payee(payee)
        wanted = [p for p in named if p not in self._held]
        final, streams = self._final_cumulative().tolist(), self._streamed
        asked = set(wanted)
        # In the order of leaves: neighbours share most of their proof.
        claiming = [p for p in self.deployment.leaf_order if p in asked and final[p] > streams[p]]
        pooled = [p for p in wanted if self._credited[p] > self._withdrawn[p]]
        if not claiming and not pooled:
            return Payments(paid_s=max(int(at_s), self.last_block_s()), payee_ids=_NOBODY, amounts_units=_NOBODY, gas=0)
        count = len(self.payee_names)
        plan = blocks(transactions([claim_gas(count, streams[p] == 0) for p in claiming]))
        pool_plan = blocks(transactions([WITHDRAWAL_GAS] * len(pooled)))
        claimed = self._claim(claiming, plan, pooled, pool_plan, int(at_s))
        for p in claiming:
            if p not in claimed.unpaid_streams:
                self._streamed[p] = final[p]
        for p in pooled:
            if p not in claimed.unpaid_balances:
                self._withdrawn[p] = self._credited[p]
        paid = np.array(claimed.units, dtype=np.int64)
        self._put_down("claim", at_s, payees=np.array(named, dtype=np.int64))
        payees = np.flatnonzero(paid)
        return Payments(claimed.done.at_s, payees, paid[payees], claimed.done.gas)

    def give_notice(self, payee: int, at_s: int) -> None:
        """Put on record that a payee's royalties lie unclaimed; after the time of notice they may expire.

        Parameters
        ----------
        payee : int
            Whose.
        at_s : int
            Wished chain time, seconds.

        Raises
        ------
        RefusalError
            If nothing is final or due, the payee has no community with a fund or is the fund, or a notice stands.
        """
        self._check_payee(payee)
        self._give_notice(int(payee), int(at_s))
        self._noticed[int(payee)] = int(self._final_cumulative()[payee])
        self._put_down("give_notice", at_s, payee=int(payee))

    def expire(self, payee: int, at_s: int) -> None:
        """Pay what is still unclaimed of what notice was given for to the fund of the payee's community.

        Parameters
        ----------
        payee : int
            Whose.
        at_s : int
            Wished chain time, seconds.

        Raises
        ------
        RefusalError
            If no notice was given, its time is not over or runs anew since the payee's money was held back, it is held
            back now, or nothing is due any more.
        """
        self._check_payee(payee)
        self._expire(int(payee), int(at_s))
        # A notice that others gave is not in our books: a later claim passes over what it took.
        self._streamed[int(payee)] = max(self._streamed[int(payee)], self._noticed.pop(int(payee), 0))
        self._put_down("expire", at_s, payee=int(payee))

    def wind_up(self, at_s: int) -> None:
        """End posting for good after a long silence; pending epochs are dropped.

        Parameters
        ----------
        at_s : int
            Wished chain time, seconds.

        Raises
        ------
        RefusalError
            If it is wound up already, or there was no silence.
        """
        self._wind_up(int(at_s))
        self._drop_from(self._num_final)
        self._is_wound_up = True
        self._put_down("wind_up", at_s)

    def claim_escape(self, payee: int, at_s: int) -> None:
        """Pay a payee's share of what was paid in beyond the last final epoch, after a winding up.

        Parameters
        ----------
        payee : int
            Who.
        at_s : int
            Wished chain time, seconds.

        Raises
        ------
        RefusalError
            If it is not wound up, nothing is final, or nothing is due.
        """
        self._check_payee(payee)
        self._claim_escape(int(payee), int(at_s))
        self._put_down("claim_escape", at_s, payee=int(payee))

    # ---- checks -------------------------------------------------------------------------------------------------

    def _checked_units(self, statement: Statement) -> np.ndarray[tuple[int, ...], np.dtype[np.int64]]:
        """Return a statement's amounts if they are whole numbers, one for each payee, that sum to the pool."""

        def refuse(what: str) -> RefusalError:
            return RefusalError("WrongStatement", f"EpochDistributor, epoch {statement.epoch}", what)

        units = np.asarray(statement.payee_units)
        if units.dtype.kind not in "iu" or units.shape != (len(self.payee_names),):
            raise refuse(f"it has {units.shape} amounts of type {units.dtype} for {len(self.payee_names)} payees")
        if units.size and int(units.min()) < 0:
            raise refuse("it has a negative amount")
        for name, amounts in (("payees", units), ("works", np.asarray(statement.work_units))):
            total = sum_exactly(amounts)
            if total != int(statement.pool_units) and (name == "payees" or amounts.size):
                raise refuse(f"amounts of {name} sum to {total}, the pool is {statement.pool_units}")
        if (self._epochs[-1].total if self._epochs else 0) + int(statement.pool_units) >= _MOST_UNITS:
            raise refuse("the pools add up to more than 2^62 units")
        return units.astype(np.int64)
