"""An epoch as it goes to the distributor and as it is published, and the check that anybody can make of it.

The published data holds what a stranger needs: chain, contract, salted payee ids and cumulative amounts. From it the
Merkle root and the data hash follow; both stand on the chain.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from heritage_contracts.deployment import Deployment
from heritage_contracts.hashing import keccak256
from heritage_contracts.merkle import build_tree, payee_leaves, root_of
from heritage_contracts.rows import Rows
from heritage_sim.base import InputError, Statement


@dataclass(frozen=True, slots=True)
class Epoch:
    """An epoch as it goes to the distributor, and as it is published.

    Parameters
    ----------
    epoch : int
        Its number.
    pool_units : int
        What is deposited.
    cumulative : tuple of int, length num_payees
        What each payee has earned since the beginning.
    tree : ndarray of uint8, shape (2 * num_payees - 1, 32)
        Merkle tree over them.
    provenance_head : bytes
        Head of the provenance registry it was settled on.
    published : bytes
        The epoch's data as canonical JSON.
    """

    epoch: int
    pool_units: int
    cumulative: tuple[int, ...]
    tree: Rows
    provenance_head: bytes
    published: bytes

    @property
    def root(self) -> bytes:
        """Return the Merkle root."""
        return root_of(self.tree)

    @property
    def total(self) -> int:
        """Return the sum of all cumulative amounts."""
        return sum(self.cumulative)

    @property
    def data_hash(self) -> bytes:
        """Return the hash of the published data, which stands on the chain beside the root."""
        return keccak256(self.published)


@dataclass(frozen=True, slots=True)
class Commitment:
    """What an epoch's posting commits to: as the ledger recorded it, or as published data leads to it.

    Parameters
    ----------
    epoch : int
        Its number.
    root : bytes
        Merkle root of cumulative amounts.
    total_units, deposit_units : int
        Sum of all cumulative amounts, and this epoch's part of it.
    provenance_head : bytes
        Head of the provenance registry.
    data_hash : bytes
        Hash of the published data.
    """

    epoch: int
    root: bytes
    total_units: int
    deposit_units: int
    provenance_head: bytes
    data_hash: bytes


def make_epoch(at: Deployment, statement: Statement, cumulative: tuple[int, ...], head: bytes) -> Epoch:
    """Return the epoch of a statement that was checked before.

    Parameters
    ----------
    at : Deployment
        Chain, contract and payee ids, which enter every leaf.
    statement : Statement
        Of the epoch.
    cumulative : tuple of int, length num_payees
        What each payee has earned since the beginning, this statement included.
    head : bytes
        Provenance head at posting.

    Returns
    -------
    Epoch
    """
    published = {
        "chain_id": at.chain_id,
        "distributor": _hex(at.distributor),
        "epoch": int(statement.epoch),
        "payees": [[_hex(p), c] for p, c in zip(at.payee_ids, cumulative, strict=True)],
        "pool_units": int(statement.pool_units),
        "provenance_head": _hex(head),
        "rule": statement.rule,
    }
    data = _canonical(published)
    return Epoch(int(statement.epoch), int(statement.pool_units), cumulative, at.tree(cumulative), head, data)


def rebuild(published: bytes, where: str = "published epoch") -> Commitment:
    """Return what published data commits to, computed from the data alone.

    Parameters
    ----------
    published : bytes
        As `JournaledLedger.published_epoch` gives it.
    where : str
        File it came from, for the message.

    Returns
    -------
    Commitment

    Raises
    ------
    InputError
        If the data is not an epoch's.
    """
    try:
        data: dict[str, Any] = json.loads(published)
        ids = [_bytes(p, 32) for p, _ in data["payees"]]
        amounts = [int(c) for _, c in data["payees"]]
        leaves = payee_leaves(int(data["chain_id"]), _bytes(data["distributor"], 20), ids, amounts)
        return Commitment(
            epoch=int(data["epoch"]),
            root=root_of(build_tree(leaves)),
            total_units=sum(amounts),
            deposit_units=int(data["pool_units"]),
            provenance_head=_bytes(data["provenance_head"], 32),
            data_hash=keccak256(published),
        )
    except (ValueError, TypeError, KeyError, OverflowError) as error:
        raise InputError(
            f"this is not an epoch's published data ({type(error).__name__}: {error})",
            where,
            "Give the bytes as they were published; a line end more or less is another file.",
        ) from None


def _canonical(data: dict[str, Any]) -> bytes:
    return json.dumps(data, sort_keys=True, separators=(",", ":")).encode()


def _hex(raw: bytes) -> str:
    return "0x" + raw.hex()


def _bytes(text: str, length: int) -> bytes:
    raw = bytes.fromhex(text.removeprefix("0x"))
    if len(raw) != length:
        raise ValueError(f"{text} is not {length} bytes")
    return raw
