"""Signing: EIP-1559 transactions and EIP-712 digests, written as bytes and signed by libsecp256k1.

A general wallet library looks every field up, checks and converts it; here the fields are known, so that signing is two
hashes, one signature and a few concatenations. Signatures are deterministic (RFC 6979) and of low s (EIP-2), which is
why a transaction's bytes can be journalled once and sent again for ever.

References
----------
EIP-2718 (typed envelopes), EIP-1559 (fee market transaction, type 2), EIP-712 (typed structured data).
Ethereum yellow paper, appendix B (recursive length prefix).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any, NamedTuple

from coincurve import PrivateKey

from heritage_contracts.hashing import keccak256, word

Rlp = bytes | Sequence["Rlp"]

_TYPE_2 = b"\x02"
_NO_ACCESS_LIST = b"\xc0"
DOMAIN_TYPE = keccak256(b"EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)")


def _prefix(size: int, short: int) -> bytes:
    """Return the header of an item of ``size`` bytes; ``short`` is 0x80 for bytes and 0xc0 for lists."""
    if size < 56:
        return bytes((short + size,))
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes((short + 55 + len(length),)) + length


def rlp(item: Rlp) -> bytes:
    """Return the recursive length prefix encoding of bytes, or of a list of such items."""
    if isinstance(item, bytes):
        return item if len(item) == 1 and item[0] < 0x80 else _prefix(len(item), 0x80) + item
    body = b"".join(rlp(part) for part in item)
    return _prefix(len(body), 0xC0) + body


def _number(value: int) -> bytes:
    """Return the encoding of a non-negative integer: big-endian without leading zeros."""
    if value < 0x80:
        return bytes((value,)) if value else b"\x80"
    raw = value.to_bytes((value.bit_length() + 7) // 8, "big")
    return bytes((0x80 + len(raw),)) + raw


class Signed(NamedTuple):
    """A signed transaction: the bytes a node takes, and the hash by which it is asked for."""

    raw: bytes
    hash: bytes


class Fee(NamedTuple):
    """What a transaction offers for a unit of gas, in wei: at most in all, and of it to the block's maker."""

    max_wei: int
    tip_wei: int


class Signer:
    """A private key that signs transactions of one chain.

    Parameters
    ----------
    key : int
        Private key, in ``[1, n)`` of secp256k1.
    """

    def __init__(self, key: int) -> None:
        private: Any = PrivateKey(word(key))
        self._sign: Callable[..., bytes] = private.sign_recoverable
        self.address = address_of(key)

    def __repr__(self) -> str:
        """Return the address; a key never reaches a log."""
        return f"Signer(0x{self.address.hex()})"

    def transaction(self, chain_id: int, nonce: int, fee: Fee, gas: int, to: bytes, data: bytes) -> Signed:
        """Return a signed EIP-1559 transaction that moves no ether.

        Parameters
        ----------
        chain_id : int
            Chain it is valid on.
        nonce : int
            Number of the transaction among its sender's.
        fee : Fee
            What it offers.
        gas : int
            Gas it asks for.
        to : bytes
            20-byte address; empty to create a contract.
        data : bytes
            Calldata or creation code.

        Returns
        -------
        Signed
        """
        body = b"".join(
            (
                _number(chain_id),
                _number(nonce),
                _number(fee.tip_wei),
                _number(fee.max_wei),
                _number(gas),
                rlp(to),
                b"\x80",
                rlp(data),
                _NO_ACCESS_LIST,
            )
        )
        signature = self._sign(keccak256(_TYPE_2 + _prefix(len(body), 0xC0) + body), hasher=None)
        tail = (
            _number(signature[64])
            + _number(int.from_bytes(signature[:32], "big"))
            + _number(int.from_bytes(signature[32:64], "big"))
        )
        raw = _TYPE_2 + _prefix(len(body) + len(tail), 0xC0) + body + tail
        return Signed(raw, keccak256(raw))

    def digest(self, digest: bytes) -> bytes:
        """Return the 65-byte signature (r, s, v of 27 or 28) of a 32-byte digest, as contracts recover it."""
        signature = self._sign(digest, hasher=None)
        return signature[:64] + bytes((27 + signature[64],))


@cache
def address_of(key: int) -> bytes:
    """Return the 20-byte address of a private key."""
    return keccak256(PrivateKey(word(key)).public_key.format(compressed=False)[1:])[12:]


@cache
def domain_separator(name: str, version: str, chain_id: int, contract: bytes) -> bytes:
    """Return the EIP-712 domain separator of a contract.

    Parameters
    ----------
    name : str
        Name the contract gives its domain.
    version : str
        Version of it.
    chain_id : int
        Chain the contract stands on.
    contract : bytes
        Its 20-byte address.

    Returns
    -------
    bytes
        32 bytes.
    """
    parts = (
        DOMAIN_TYPE,
        keccak256(name.encode()),
        keccak256(version.encode()),
        word(chain_id),
        contract.rjust(32, b"\0"),
    )
    return keccak256(b"".join(parts))


def typed_digest(domain: bytes, type_text: str, *words: bytes) -> bytes:
    """Return the EIP-712 digest of a struct of static members.

    Parameters
    ----------
    domain : bytes
        `domain_separator` of the contract that checks it.
    type_text : str
        Such as ``Rotation(bytes32 payeeId,address newAccount,uint256 nonce,uint256 deadline)``.
    *words : bytes
        Its members, 32 bytes each; of a dynamic member, the hash that EIP-712 prescribes.

    Returns
    -------
    bytes
        32 bytes, to be signed by `Signer.digest`.
    """
    return keccak256(b"\x19\x01" + domain + keccak256(keccak256(type_text.encode()) + b"".join(words)))


class Fields(NamedTuple):
    """What a signed transaction asks for."""

    nonce: int
    fee: Fee
    gas: int
    to: bytes
    data: bytes


def fields_of(raw: bytes) -> Fields:
    """Return what a signed EIP-1559 transaction asks for, read back from its bytes."""
    position, _ = _span(raw, 1)
    items: list[bytes] = []
    for _ in range(8):
        first, position = _span(raw, position)
        items.append(raw[first:position])
    _, nonce, tip_wei, max_wei, gas = (int.from_bytes(item, "big") for item in items[:5])
    return Fields(nonce, Fee(max_wei, tip_wei), gas, to=items[5], data=items[7])


def _span(raw: bytes, position: int) -> tuple[int, int]:
    """Return where the content of the item at ``position`` begins and ends."""
    head = raw[position]
    if head < 0x80:
        return position, position + 1
    short = 0x80 if head < 0xC0 else 0xC0
    if head - short < 56:
        return position + 1, position + 1 + head - short
    begin = position + 1 + head - short - 55
    return begin, begin + int.from_bytes(raw[position + 1 : begin], "big")
