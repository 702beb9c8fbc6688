"""A statement through the contract: deposit, root, claims; and the check that the chain agrees to the unit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from heritage_sim.base import Calendar, InputError, Keys, LedgerError, Statement

if TYPE_CHECKING:
    from heritage_contracts.config import LedgerConfig
    from heritage_contracts.ledgers.journal import JournaledLedger

DEFAULT_CLAIMS = 50
"""Payees who claim where nothing else is asked for: a claim costs some 5 ms on the embedded EVM."""

POST_DAY = 30


@dataclass(frozen=True, slots=True)
class ChainCheck:
    """What the contract said.

    Parameters
    ----------
    rule : str
        Rule of the statement.
    ledger : str
        Kind of ledger.
    root : str
        Merkle root over all payees, hexadecimal.
    posted_s, withdrawable_s : int
        Block timestamps.
    gas : int
        Gas of posting, finalising and all claims.
    deposited_units, claimed_units, unclaimed_units : int
        Read back from the ledger.
    num_payees_due, num_proofs, num_claims : int
        Payees with an amount above 0; how many of their Merkle proofs, made from the statement alone, lead to the root
        on the chain; and how many of them claimed.
    claims : str
        In words, who claimed.
    """

    rule: str
    ledger: str
    root: str
    posted_s: int
    withdrawable_s: int
    gas: int
    deposited_units: int
    claimed_units: int
    unclaimed_units: int
    num_payees_due: int
    num_proofs: int
    num_claims: int
    claims: str


def parse_claims(text: str) -> int | None:
    """Return how many payees are to claim: a number, 0 for ``none``, None for ``all``.

    Parameters
    ----------
    text : str
        As written by a user.

    Returns
    -------
    int or None

    Raises
    ------
    InputError
        If the text is neither.
    """
    if text == "all":
        return None
    if text == "none":
        return 0
    if text.isascii() and text.isdigit():
        return int(text)
    raise InputError(f"cannot read the number of claims {text!r}", "--claims", "write all, none, or a whole number")


def choose_claimants(payee_units: npt.NDArray[np.int64], num: int | None) -> tuple[list[int], str]:
    """Return the payees who claim, ascending, and who they are in words.

    Half are those with the largest amounts, half a keyed draw of the others, so that small balances are tried too.

    Parameters
    ----------
    payee_units : ndarray of int64, shape (num_payees,)
        Amounts.
    num : int or None
        How many; None for all with an amount.

    Returns
    -------
    payee_ids : list of int
    words : str
    """
    due = np.flatnonzero(payee_units > 0)
    if num is None or num >= due.size:
        everyone = "the one payee" if due.size == 1 else f"all {due.size:,} payees"
        return due.tolist(), f"{everyone} with an amount"
    if num == 0:
        return [], "nobody"
    by_amount = due[np.argsort(-payee_units[due], kind="stable")]
    largest = by_amount[: (num + 1) // 2]
    others = by_amount[(num + 1) // 2 :]
    drawn = Keys(0, 0).stream("payee", "claim_sample").uniform(others, 0)
    sample = others[np.argsort(drawn, kind="stable")[: num // 2]]
    words = (
        f"the {largest.size:,} largest of {due.size:,} payees with an amount, and {sample.size:,} drawn from the others"
    )
    return sorted([*largest.tolist(), *sample.tolist()]), words


def settle_on_chain(
    statement: Statement, payee_names: tuple[str, ...], num_claims: int | None, config: LedgerConfig
) -> ChainCheck:
    """Return what a fresh ledger says after the statement was posted and payees claimed.

    Parameters
    ----------
    statement : Statement
        Epoch 0 of a ledger of its own.
    payee_names : tuple of str
        Names of all payees.
    num_claims : int or None
        How many payees claim; None for all.
    config : LedgerConfig
        Which ledger, and its challenge window.

    Returns
    -------
    ChainCheck

    Raises
    ------
    LedgerError
        If a balance differs from the statement by a single unit.
    """
    from heritage_contracts import make_ledger

    # Who is owed nothing needs no place in the tree; ledger ids are positions among those who are owed.
    due_ids = np.flatnonzero(statement.payee_units > 0)
    due = statement.payee_units[due_ids]
    told = Statement(0, statement.rule, statement.pool_units, due, statement.work_units, statement.reasons)
    calendar = Calendar()
    ledger = make_ledger(config, [payee_names[p] for p in due_ids], calendar.genesis_s)
    posting = ledger.post(told, calendar.start_of(POST_DAY))
    settlement = ledger.finalize(told.epoch, posting.final_from_s)
    _verify_all_proofs(ledger, due, settlement.root)
    claimants, words = choose_claimants(due, num_claims)
    gas = settlement.gas
    expected = np.zeros_like(due)
    if claimants:
        payments = ledger.claim(claimants, settlement.withdrawable_s)
        gas += payments.gas
        expected[claimants] = due[claimants]
        paid = np.zeros_like(due)
        paid[payments.payee_ids] = payments.amounts_units
        _agree("what was paid out", paid, expected)
    claimed = ledger.claimed_units()
    _agree("what each payee has been paid", claimed, expected)
    deposited, left = ledger.deposited_units(), ledger.token_balance_units()
    _agree("the deposit", np.array([deposited]), np.array([statement.pool_units]))
    _agree("what is left in the contract", np.array([left]), np.array([int((due - expected).sum())]))
    return ChainCheck(
        rule=statement.rule,
        ledger=config.kind,
        root=settlement.root.hex(),
        posted_s=settlement.posted_s,
        withdrawable_s=settlement.withdrawable_s,
        gas=gas,
        deposited_units=deposited,
        claimed_units=int(claimed.sum()),
        unclaimed_units=left,
        num_payees_due=int(due.size),
        num_proofs=int(due.size),
        num_claims=len(claimants),
        claims=words,
    )


def _verify_all_proofs(ledger: JournaledLedger, due: npt.NDArray[np.int64], root: bytes) -> None:
    """Raise unless every payee's Merkle proof, made from the statement alone, leads to the posted root."""
    from heritage_contracts.trees.merkle import leaf_of, num_leaves, proof_of, root_from_proof

    tree = ledger.deployment.tree(due.tolist())
    for i in range(num_leaves(tree)):
        if root_from_proof(leaf_of(tree, i), proof_of(tree, i)) != root:
            raise LedgerError(
                f"the amount of entry {i}, {int(due[i])} units, cannot be proved against the posted root",
                f"root {root.hex()}",
                "report this: every amount of a statement must be provable",
            )


def _agree(what: str, chain: npt.NDArray[np.int64], statement: npt.NDArray[np.int64]) -> None:
    wrong = np.flatnonzero(chain != statement)
    if wrong.size:
        k = int(wrong[0])
        raise LedgerError(
            f"{what} differs from the statement: {int(chain[k])} units on the chain, {int(statement[k])} stated",
            f"entry {k} ({wrong.size} in all)",
            "report this: the contract and the statement must agree to the unit",
        )
