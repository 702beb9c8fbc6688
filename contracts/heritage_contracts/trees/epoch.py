"""An epoch as the ledger posts it: cumulative amounts, the tree over them, the data to publish, proofs of claims."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from heritage_contracts.deployment import Deployment
from heritage_contracts.hashing import keccak256
from heritage_contracts.trees.merkle import Multiproof, multiproof_of, proof_of, root_of
from heritage_contracts.trees.published import PublishedEpoch
from heritage_contracts.trees.rows import Rows
from heritage_sim.base import Statement, sum_exactly


@dataclass(frozen=True, slots=True, eq=False)
class Epoch:
    """An epoch as it goes to the distributor, and as it is published.

    Parameters
    ----------
    epoch : int
        Its number.
    pool_units : int
        What is deposited.
    cumulative : ndarray of int64, shape (num_payees,)
        What each payee, by number, has earned since the beginning.
    places : ndarray of int64, shape (num_payees,)
        Which leaf is each payee's.
    tree : ndarray of uint8, shape (2 * num_payees - 1, 32)
        Merkle tree over them.
    provenance_head : bytes
        Head of the provenance registry it was settled on.
    published : bytes
        The epoch's data in their canonical form.
    data_hash : bytes
        Hash of the published data, which stands on the chain beside the root.
    """

    epoch: int
    pool_units: int
    cumulative: npt.NDArray[np.int64]
    places: npt.NDArray[np.int64]
    tree: Rows
    provenance_head: bytes
    published: bytes
    data_hash: bytes

    @property
    def root(self) -> bytes:
        """Return the Merkle root."""
        return root_of(self.tree)

    @property
    def total(self) -> int:
        """Return the sum of all cumulative amounts."""
        return sum_exactly(self.cumulative)

    def proof(self, payee: int) -> list[bytes]:
        """Return a payee's proof, for `EpochDistributor.claim`."""
        return proof_of(self.tree, int(self.places[payee]))

    def multiproof(self, payees: Sequence[int]) -> Multiproof:
        """Return one proof for several payees, for `EpochDistributor.claimMulti`.

        Parameters
        ----------
        payees : sequence of int
            Distinct, in any order.

        Returns
        -------
        Multiproof
            Its ``order`` names the payees in the order in which the contract wants them.
        """
        payee_at = {int(self.places[p]): int(p) for p in payees}
        order, proof, flags = multiproof_of(self.tree, [int(self.places[p]) for p in payees])
        return Multiproof([payee_at[place] for place in order], proof, flags)


def make_epoch(
    at: Deployment,
    statement: Statement,
    cumulative: Sequence[int] | npt.NDArray[np.int64],
    head: bytes,
    order: Sequence[int] | npt.NDArray[np.int64] | None = None,
) -> Epoch:
    """Return the epoch of a statement that was checked before.

    Parameters
    ----------
    at : Deployment
        Chain, contract and payee ids, which enter every leaf.
    statement : Statement
        Of the epoch.
    cumulative : sequence of int, length num_payees
        What each payee has earned since the beginning, this statement included; below 2^63.
    head : bytes
        Provenance head at posting.
    order : sequence of int, length num_payees, optional
        Payee of each leaf; without it leaf i is payee i's. Payees who claim together should be neighbours: their common
        proof is then short.

    Returns
    -------
    Epoch

    Raises
    ------
    ValueError
        If the order does not name every payee once.
    """
    amounts = np.array(cumulative, dtype=np.int64)
    of_leaf = np.arange(amounts.size) if order is None else np.array(order, dtype=np.int64)
    if of_leaf.shape != amounts.shape or not np.array_equal(np.sort(of_leaf), np.arange(amounts.size)):
        raise ValueError(f"the order of leaves does not name each of {amounts.size} payees once")
    places = np.empty_like(of_leaf)
    places[of_leaf] = np.arange(amounts.size)
    data = PublishedEpoch(
        chain_id=at.chain_id,
        distributor=at.distributor,
        epoch=int(statement.epoch),
        pool_units=int(statement.pool_units),
        provenance_head=head,
        rule=statement.rule,
        payee_ids=at.payee_id_rows[of_leaf],
        cumulative=amounts[of_leaf],
    )
    published = data.written()
    return Epoch(
        epoch=data.epoch,
        pool_units=data.pool_units,
        cumulative=amounts,
        places=places,
        tree=data.tree(),
        provenance_head=head,
        published=published,
        data_hash=keccak256(published),
    )
