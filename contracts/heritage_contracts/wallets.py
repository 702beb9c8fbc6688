"""Simulated wallets: keys derived from names, so that the same scenario pays the same addresses.

These keys protect nothing: whoever knows the salt has them all. They stand in for the wallets that real payees would
bring. Key ``i`` of a family is ``keccak(salt) + i`` modulo the order of secp256k1, so that the public keys follow from
one another by adding the generator point once, which makes ten thousand addresses cheap without a compiled library.
"""

from __future__ import annotations

from functools import lru_cache

from heritage_contracts.hashing import keccak256

# Domain parameters of secp256k1 (SEC 2, version 2.0, section 2.4.1): y^2 = x^3 + 7 over F_P, generator G, order N.
_P = 2**256 - 2**32 - 977
_N = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
_G = (
    0x79BE667EF9DCBBAC55A06295CE870B07029BFCDB2DCE28D959F2815B16F81798,
    0x483ADA7726A3C4655DA4FBFC0E1108A8FD17B448A68554199C47D08FFB10D4B8,
)
Point = tuple[int, int]


def _add(a: Point, b: Point) -> Point:
    """Return the sum of two points of the curve that are not each other's inverse."""
    rise, run = (3 * a[0] * a[0], 2 * a[1]) if a == b else (b[1] - a[1], b[0] - a[0])
    slope = rise * pow(run, -1, _P) % _P
    x = (slope * slope - a[0] - b[0]) % _P
    return x, (slope * (a[0] - x) - a[1]) % _P


def _multiply(key: int) -> Point:
    """Return ``key * G`` by doubling and adding; 0 < key < N."""
    total: Point | None = None
    power = _G
    while key:
        if key & 1:
            total = power if total is None else _add(total, power)
        power = _add(power, power)
        key >>= 1
    if total is None:
        raise ValueError("a private key is not zero")
    return total


def _address(point: Point) -> bytes:
    """Return the 20-byte address of a public key."""
    return keccak256(point[0].to_bytes(32, "big") + point[1].to_bytes(32, "big"))[12:]


def family_key(name: str, index: int = 0) -> int:
    """Return private key ``index`` of a family of simulated wallets."""
    # 2^-128 would be the chance of a key at the order's edge; + 1 keeps zero out.
    base = int.from_bytes(keccak256(b"heritage.simulated-wallet\0" + name.encode()), "big") % (_N - 2**40) + 1
    return base + index


@lru_cache(maxsize=64)
def family_addresses(name: str, count: int) -> tuple[bytes, ...]:
    """Return the addresses of the first ``count`` wallets of a family, 20 bytes each."""
    if count == 0:
        return ()
    points = [_multiply(family_key(name))]
    for _ in range(count - 1):
        points.append(_add(points[-1], _G))
    return tuple(_address(p) for p in points)


def contract_address(deployer: bytes, nonce: int) -> bytes:
    """Return the address of the contract that ``deployer`` creates with transaction number ``nonce`` < 128.

    It is the hash of ``rlp([deployer, nonce])``, written out here for small numbers.
    """
    if not 0 <= nonce < 128:
        raise ValueError("nonce must be in [0, 128)")
    number = bytes([nonce]) if nonce else b"\x80"
    return keccak256(b"\xd6\x94" + deployer + number)[12:]
