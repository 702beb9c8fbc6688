"""A payee's own proof: one JSON object with which it can claim, or show what it is owed, without anybody's help."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

from heritage_contracts.trees.merkle import leaf_of, payee_leaves, proof_of, root_from_proof, root_of
from heritage_contracts.trees.published import PublishedEpoch
from heritage_sim.base import InputError

FORMAT = "heritage-leaf-1"
_HEX = re.compile(r"0x(?:[0-9a-f]{2})*")


@dataclass(frozen=True, slots=True)
class OwnLeaf:
    """A payee's leaf of an epoch's tree, and the way from it to the root.

    Parameters
    ----------
    chain_id : int
        Chain of the distributor.
    contract : bytes
        The distributor's address, 20 bytes.
    epoch : int
        Number of the epoch.
    root : bytes
        Merkle root of the epoch, which the distributor has.
    payee_id : bytes
        Salted id of the payee, 32 bytes.
    cumulative_units : int
        What it has earned since the beginning, in the smallest unit.
    leaf : bytes
        Its leaf, 32 bytes.
    proof : tuple of bytes
        Siblings from the leaf to the root.
    """

    chain_id: int
    contract: bytes
    epoch: int
    root: bytes
    payee_id: bytes
    cumulative_units: int
    leaf: bytes
    proof: tuple[bytes, ...]

    def written(self) -> bytes:
        """Return it as canonical JSON with a line feed."""
        data: dict[str, Any] = {
            "format": FORMAT,
            "chain_id": self.chain_id,
            "contract": _hex(self.contract),
            "cumulative_units": self.cumulative_units,
            "epoch": self.epoch,
            "leaf": _hex(self.leaf),
            "payee_id": _hex(self.payee_id),
            "root": _hex(self.root),
            "proof": [_hex(node) for node in self.proof],
        }
        return json.dumps(data, sort_keys=True, separators=(",", ":")).encode() + b"\n"


class OwnLeaves:
    """Proofs of an epoch's payees, from its published data alone.

    Parameters
    ----------
    published : PublishedEpoch
        As `read_epoch` gives it.
    """

    def __init__(self, published: PublishedEpoch) -> None:
        self._published = published
        self._tree = published.tree()
        self._place = {row.tobytes(): i for i, row in enumerate(published.payee_ids)}

    def proof_for(self, payee_id: bytes) -> OwnLeaf:
        """Return a payee's leaf and its proof.

        Parameters
        ----------
        payee_id : bytes
            Its salted id, 32 bytes.

        Returns
        -------
        OwnLeaf

        Raises
        ------
        InputError
            If the epoch has no such payee.
        """
        place = self._place.get(payee_id)
        if place is None:
            raise InputError(
                f"no payee has the id 0x{payee_id.hex()}",
                f"epoch {self._published.epoch}",
                "Give the salted id as it stands in the published data, 32 bytes.",
            )
        return OwnLeaf(
            chain_id=self._published.chain_id,
            contract=self._published.distributor,
            epoch=self._published.epoch,
            root=root_of(self._tree),
            payee_id=payee_id,
            cumulative_units=int(self._published.cumulative[place]),
            leaf=leaf_of(self._tree, place),
            proof=tuple(proof_of(self._tree, place)),
        )


def check_own_leaf(text: bytes, where: str = "proof") -> OwnLeaf:
    """Return a payee's proof after computing leaf and root anew from what it says.

    Whether the root is the one the distributor has is for the caller to ask the chain.

    Parameters
    ----------
    text : bytes
        As `OwnLeaf.written` gave it.
    where : str
        File it came from, for the message.

    Returns
    -------
    OwnLeaf

    Raises
    ------
    InputError
        If it is not a proof, or does not lead to its root.
    """
    try:
        data: dict[str, Any] = json.loads(text)
        if data["format"] != FORMAT:
            raise ValueError(f"its format is {data['format']!r}, not {FORMAT!r}")
        own = OwnLeaf(
            chain_id=_number(data, "chain_id"),
            contract=_bytes(data["contract"], "contract", 20),
            epoch=_number(data, "epoch"),
            root=_bytes(data["root"], "root", 32),
            payee_id=_bytes(data["payee_id"], "payee_id", 32),
            cumulative_units=_number(data, "cumulative_units"),
            leaf=_bytes(data["leaf"], "leaf", 32),
            proof=tuple(_bytes(node, "proof", 32) for node in data["proof"]),
        )
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        what = f"it has no {error}" if isinstance(error, KeyError) else str(error)
        raise InputError(f"this is not a payee's proof: {what}", where, "Give the file as it was handed out.") from None
    (leaf,) = payee_leaves(own.chain_id, own.contract, [own.payee_id], [own.cumulative_units])
    if leaf.tobytes() != own.leaf:
        raise InputError(
            "the leaf is not that of this payee and amount", where, "Ask the publisher of the epoch for a proof again."
        )
    if root_from_proof(own.leaf, own.proof) != own.root:
        raise InputError(
            "the proof does not lead to its root", where, "Ask the publisher of the epoch for a proof again."
        )
    return own


def _hex(raw: bytes) -> str:
    return "0x" + raw.hex()


def _number(data: dict[str, Any], name: str) -> int:
    value = data[name]
    if type(value) is not int or not 0 <= value < 1 << 256:
        raise ValueError(f"{name} cannot be {value!r}")
    return value


def _bytes(text: Any, name: str, width: int) -> bytes:
    if not isinstance(text, str) or not _HEX.fullmatch(text) or len(text) != 2 + 2 * width:
        raise ValueError(f"{name} cannot be {text!r}")
    return bytes.fromhex(text[2:])
