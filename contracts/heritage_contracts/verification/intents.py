"""The intents that a ledger left, gone through on the reference ledger: they must publish the same epochs.

This is the one place where the ledger's own account is read, and it is read to be held against the chain's.
"""

from __future__ import annotations

from heritage_contracts import make_ledger
from heritage_contracts.at_rest.folder import INTENTS, LedgerFolder, read_intents
from heritage_contracts.chain_books import ChainBooks, DifferenceError, require
from heritage_contracts.deployment import EMBEDDED_CHAIN_ID
from heritage_contracts.verification.recorded import Recorded
from heritage_sim.base import LedgerError


def check_intents(folder: LedgerFolder, books: ChainBooks, recorded: Recorded) -> None:
    """Hold the intents against the chain, where leaves are bound to the id of chains of our own.

    Parameters
    ----------
    folder : LedgerFolder
        The ledger.
    books : ChainBooks
        Its books, folded from its chain.
    recorded : Recorded
        Its outbox.

    Raises
    ------
    DifferenceError
        If they lead to other works, epochs or amounts.
    """
    path = folder.path / INTENTS
    if folder.at.chain_id != EMBEDDED_CHAIN_ID:
        return
    at = folder.at
    config = at.config.model_copy(update={"kind": "reference", "rpc_url": ""})
    names = [f"payee {payee}" for payee in range(at.num_payees)]
    ledger = make_ledger(config, names, at.genesis_s, payee_communities=at.payee_communities or None)
    for number, entry in enumerate(read_intents(folder.path), 1):
        where = f"{path}, line {number}"
        try:
            ledger.replay(entry)
        except (LedgerError, KeyError, ValueError, TypeError, IndexError) as error:
            raise DifferenceError("intent", "one that can follow", str(error).splitlines()[0], where) from None
    require("works that the intents register", books.works.head, ledger.provenance_head(), str(path))
    require("epochs that the intents post", len(books.epochs), ledger.num_epochs, str(path))
    for epoch in range(ledger.num_epochs):
        found = ledger.published_epoch(epoch) == folder.epoch_data(epoch)
        require("whether the intents lead to an epoch's data", True, found, f"{path}, epoch {epoch}")
    if any(not sent.intent for asked in recorded.asked for sent in asked.sent):
        # Somebody claimed for others since: the intents do not speak of that.
        return
    paid = sum(payout.units for payout in books.payouts if payout.kind != "escaped")
    require("units that the intents pay out", paid, sum(ledger.claimed_units().tolist()), str(path))
    if at.config.kind == "evm":
        require("second of the last block", recorded.blocks()[-1].at_s, ledger.last_block_s(), str(path))
