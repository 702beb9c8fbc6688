"""Paying payees what is due, by anybody: from published epoch data and the chain, without the ledger's own journal."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from heritage_contracts import calldata
from heritage_contracts.at_rest.folder import LedgerFolder
from heritage_contracts.calldata import array, call
from heritage_contracts.chain_books import ChainBooks
from heritage_contracts.schedule import WITHDRAWAL_GAS, Part, blocks, claim_gas, transactions
from heritage_contracts.sending.chain import Call, Chain
from heritage_contracts.trees.merkle import multiproof_of
from heritage_contracts.trees.published import read_epoch
from heritage_sim.base import InputError

PAGE_PAYEES = 2_000


@dataclass(frozen=True, slots=True)
class Due:
    """What a payee can be paid now.

    Parameters
    ----------
    payee : int
        Number.
    streams_units : int
        Under the last final epoch.
    direct_units : int
        Of direct payments.
    has_claimed : bool
        Whether streams were paid to it before, which makes the next payment cheaper.
    """

    payee: int
    streams_units: int
    direct_units: int
    has_claimed: bool


@dataclass(frozen=True, slots=True)
class Paid:
    """What claims paid.

    Parameters
    ----------
    payee, units : int
        Who, and how much of streams and direct payments together.
    """

    payee: int
    units: int


@dataclass(frozen=True, slots=True)
class Claims:
    """A round of claims: what was paid, gas and timestamp of the last block (0 where nothing was due)."""

    paid: tuple[Paid, ...]
    gas: int
    paid_s: int


def dues(folder: LedgerFolder, books: ChainBooks, chain: Chain, payees: Sequence[int]) -> list[Due]:
    """Return what is due to payees, as the contracts know what was paid.

    Parameters
    ----------
    folder : LedgerFolder
        The ledger.
    books : ChainBooks
        Its books: what the last final epoch says.
    chain : Chain
        Its chain: what was paid so far, by whomever.
    payees : sequence of int
        Numbers, ascending.

    Returns
    -------
    list of Due
        In order; those with nothing due are left out.

    Raises
    ------
    InputError
        If a payee does not exist.
    """
    at = folder.at
    for payee in payees:
        if not 0 <= payee < at.num_payees:
            raise InputError(
                f"payee {payee} does not exist", "--payee", f"Payees are numbered 0 to {at.num_payees - 1}."
            )
    ids = [at.payee_ids[payee] for payee in payees]
    claimed = _pages(chain, at.distributor, calldata.claimed_of, ids)
    balances = _pages(chain, at.pool, calldata.balances_of, ids)
    found = [
        Due(payee, books.leaves.get(payee_id, 0) - paid, balance, paid > 0)
        for payee, payee_id, paid, balance in zip(payees, ids, claimed, balances, strict=True)
    ]
    return [due for due in found if due.streams_units > 0 or due.direct_units > 0]


def claim(folder: LedgerFolder, books: ChainBooks, chain: Chain, payees: Sequence[int]) -> Claims:
    """Pay payees all that is due to them, to their registered accounts.

    Parameters
    ----------
    folder : LedgerFolder
        The ledger.
    books : ChainBooks
        Its books.
    chain : Chain
        Its chain, opened for writing.
    payees : sequence of int
        Numbers; naming one twice is once.

    Returns
    -------
    Claims
        Ascending by payee; an account that cannot receive is left out, and loses nothing.

    Raises
    ------
    InputError
        If a payee does not exist.
    LedgerError
        If the chain refuses.
    """
    wanted = sorted(set(payees))
    before = dues(folder, books, chain, wanted)
    gas = paid_s = 0
    for block in [*_stream_calls(folder, books, before), *_direct_calls(folder, before)]:
        mined = chain.block(block, chain.last_s + 1)
        gas += sum(one.gas_used for one in mined)
        paid_s = max(paid_s, *(one.at_s for one in mined))
    after = {due.payee: due.streams_units + due.direct_units for due in dues(folder, books, chain, wanted)}
    paid = [Paid(d.payee, d.streams_units + d.direct_units - after.get(d.payee, 0)) for d in before]
    return Claims(tuple(p for p in paid if p.units), gas, paid_s)


def _stream_calls(folder: LedgerFolder, books: ChainBooks, found: Sequence[Due]) -> list[list[Call]]:
    claiming = [due for due in found if due.streams_units > 0]
    if not claiming:
        return []
    epoch = books.num_final - 1
    data = read_epoch(folder.epoch_data(epoch), str(folder.epoch_path(epoch)))
    tree = data.tree()
    place = {row.tobytes(): i for i, row in enumerate(data.payee_ids)}
    places = [place[folder.at.payee_ids[due.payee]] for due in claiming]
    # Neighbours in the tree share most of their proof.
    order = sorted(range(len(claiming)), key=lambda i: places[i])
    parts = transactions([claim_gas(len(data.payee_ids), not claiming[i].has_claimed) for i in order])

    def one(part: Part) -> Call:
        leaves, proof, flags = multiproof_of(tree, [places[order[i]] for i in part.items])
        ids = [data.payee_ids[leaf].tobytes() for leaf in leaves]
        amounts = [int(data.cumulative[leaf]) for leaf in leaves]
        return Call("relayer", folder.at.distributor, calldata.claim_multi(ids, amounts, proof, flags), part.gas)

    return [[one(part) for part in block] for block in blocks(parts)]


def _direct_calls(folder: LedgerFolder, found: Sequence[Due]) -> list[list[Call]]:
    ids = [folder.at.payee_ids[due.payee] for due in found if due.direct_units > 0]

    def one(part: Part) -> Call:
        return Call("relayer", folder.at.pool, _withdraw_many([ids[i] for i in part.items]), part.gas)

    return [[one(part) for part in block] for block in blocks(transactions([WITHDRAWAL_GAS] * len(ids)))]


def _withdraw_many(payee_ids: Sequence[bytes]) -> bytes:
    return call("withdrawMany(bytes32[])", array(payee_ids))


def _pages(chain: Chain, to: bytes, asked: Callable[[Sequence[bytes]], bytes], ids: Sequence[bytes]) -> list[int]:
    amounts: list[int] = []
    for first in range(0, len(ids), PAGE_PAYEES):
        amounts += calldata.array_of(chain.read(to, asked(ids[first : first + PAGE_PAYEES])))
    return amounts
