"""A ledger checked from its published epoch data and its chain alone.

The chain is one of three: the recorded transactions carried out again on a fresh embedded chain, or on an Anvil of our
own; or a node that anybody keeps. From its events the books are folded (`ChainBooks`), every epoch's root and data hash
is rebuilt from the published file, every payout held against its leaf and every direct payment split anew; then the
contracts' code, settings and own books are asked for. The first thing that does not agree is raised as a
`DifferenceError`.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from heritage_contracts.at_rest.folder import LedgerFolder
from heritage_contracts.chain_books.books import ChainBooks, Leaves, Posted
from heritage_contracts.chain_books.difference import DifferenceError, require
from heritage_contracts.chain_books.events import Event
from heritage_contracts.deployment import ROLES, role_address
from heritage_contracts.hashing import keccak256
from heritage_contracts.schedule import DEPLOY_LEAD_S
from heritage_contracts.sending.rpc import Rpc, http_rpc
from heritage_contracts.trees.merkle import root_of
from heritage_contracts.trees.published import read_epoch
from heritage_contracts.verification.contracts import check_books, check_code
from heritage_contracts.verification.execution import Progress, executed_events, recorded_events
from heritage_contracts.verification.intents import check_intents
from heritage_contracts.verification.node_events import compare_receipts, node_events
from heritage_contracts.verification.recorded import Recorded, read_outbox
from heritage_sim.base import InputError


@dataclass(frozen=True, slots=True, eq=False)
class Verified:
    """A ledger that holds.

    Parameters
    ----------
    way : str
        How its chain was looked at, in words.
    num_transactions, num_blocks : int
        Signed transactions with a receipt, and blocks that hold them.
    num_open : int
        Signed transactions without a receipt.
    books : ChainBooks
        The books, folded and checked.
    """

    way: str
    num_transactions: int
    num_blocks: int
    num_open: int
    books: ChainBooks


def verify_folder(
    folder: LedgerFolder, *, anvil: bool = False, rpc_url: str = "", progress: Progress | None = None
) -> Verified:
    """Check a ledger and return its books.

    Parameters
    ----------
    folder : LedgerFolder
        The ledger at rest.
    anvil : bool
        Carry the transactions out on an Anvil of our own instead of the embedded chain.
    rpc_url : str
        Carry nothing out, and ask this node instead.
    progress : callable, optional
        Told how far it is.

    Returns
    -------
    Verified

    Raises
    ------
    DifferenceError
        At the first thing that does not agree.
    InputError
        If a file cannot be read, or the ledger's chain can only be asked through a node.
    """
    recorded = read_outbox(folder.outbox)
    require("chain id", folder.at.chain_id, recorded.chain_id, recorded.where(1))
    kind = folder.at.config.kind
    if kind == "rpc" and not rpc_url:
        raise InputError(
            "this ledger is on a chain that others keep, on which others may have acted too",
            str(folder.path),
            "Give a node of it: --rpc URL.",
        )
    if kind == "evm":
        recorded.check_seconds(folder.at.genesis_s - DEPLOY_LEAD_S)
    books = ChainBooks(folder.at, lambda posted: leaves_of(folder, posted))
    with _node(folder, anvil, rpc_url) as node:
        if rpc_url:
            compare_receipts(recorded, node, progress)
            events = node_events(folder.at, node, progress)
            way = f"logs and blocks of {node.name}"
        else:
            exactly = kind == ("anvil" if anvil else "evm")
            events = executed_events(recorded, node, exactly, progress)
            way = f"transactions carried out again on {node.name}" + (", to the block hash" if exactly else "")
        for event in events:
            books.take(event)
        books.close()
        _check_pending(folder, books)
        check_code(folder.at, node)
        check_books(folder.at, books, node, progress)
    check_intents(folder, books, recorded)
    blocks = recorded.blocks()
    num_sent = sum(len(block.sent) for block in blocks)
    return Verified(way, num_sent, sum(bool(b.sent) for b in blocks), recorded.num_open, books)


def books_at_rest(folder: LedgerFolder) -> tuple[ChainBooks, Recorded]:
    """Return a ledger's books as its outbox has them, without carrying anything out; epoch data are checked.

    Parameters
    ----------
    folder : LedgerFolder
        The ledger at rest.

    Returns
    -------
    tuple of ChainBooks and Recorded

    Raises
    ------
    DifferenceError
        If the recorded events contradict one another or the published epochs.
    """
    recorded = read_outbox(folder.outbox)
    return folded(folder, recorded_events(recorded)), recorded


def folded(folder: LedgerFolder, events: Iterator[Event]) -> ChainBooks:
    """Return the books that a ledger's events make."""
    books = ChainBooks(folder.at, lambda posted: leaves_of(folder, posted))
    for event in events:
        books.take(event)
    books.close()
    return books


def leaves_of(folder: LedgerFolder, posted: Posted) -> Leaves:
    """Return an epoch's leaves from its published data, after holding them against what was posted.

    Parameters
    ----------
    folder : LedgerFolder
        Where the data are.
    posted : Posted
        What stands on the chain.

    Returns
    -------
    mapping of bytes to int
        Cumulative units by payee id.

    Raises
    ------
    DifferenceError
        If the data lead to another root, total, deposit or hash.
    """
    path = folder.epoch_path(posted.epoch)
    where = f"{path} (posted in {posted.where})"
    raw = folder.epoch_data(posted.epoch)
    data = read_epoch(raw, str(path))
    at = folder.at
    require("number in an epoch's data", posted.epoch, data.epoch, where)
    require("chain id in an epoch's data", at.chain_id, data.chain_id, where)
    require("distributor in an epoch's data", at.distributor, data.distributor, where)
    require("provenance head in an epoch's data", posted.provenance_head, data.provenance_head, where)
    require("sum of an epoch's leaves", posted.total_units, sum(int(u) for u in data.cumulative), where)
    require("Merkle root of an epoch", posted.root, root_of(data.tree()), where)
    require("hash of an epoch's data", posted.data_hash, keccak256(raw), where)
    return {row.tobytes(): int(u) for row, u in zip(data.payee_ids, data.cumulative, strict=True)}


def _check_pending(folder: LedgerFolder, books: ChainBooks) -> None:
    """Look at the data of epochs that are not final, which no payout needed."""
    for posted in books.epochs[books.num_final :]:
        leaves_of(folder, posted)
    before = 0
    for posted in books.epochs:
        path = folder.epoch_path(posted.epoch)
        header = read_epoch(folder.epoch_data(posted.epoch), str(path))
        pool = posted.total_units - before
        if header.pool_units != pool:
            raise DifferenceError("pool in an epoch's data", pool, header.pool_units, f"{path}, line 1")
        before = posted.total_units
    posted_names = {folder.epoch_path(posted.epoch).name for posted in books.epochs}
    for path in sorted(folder.epoch_path(0).parent.glob("*.jsonl")):
        # An outbox that ends early gives a shorter ledger that agrees with itself; what was published then stands over.
        if path.name not in posted_names:
            raise DifferenceError("published epochs", f"{len(books.epochs)} that are posted", path.name, str(path))


@contextmanager
def _node(folder: LedgerFolder, anvil: bool, rpc_url: str) -> Generator[Rpc]:
    if rpc_url:
        yield http_rpc(rpc_url)
        return
    first_s = folder.at.genesis_s - DEPLOY_LEAD_S
    if not anvil:
        from heritage_contracts.nodes.embedded import embedded_web3

        yield Rpc(embedded_web3(first_s).provider, "a fresh embedded EVM")
        return
    from heritage_contracts.nodes.anvil import ManagedAnvil

    with ManagedAnvil(first_s, [role_address(role) for role in ROLES], folder.at.chain_id) as node:
        node.rpc.name = "a fresh Anvil"
        yield node.rpc
