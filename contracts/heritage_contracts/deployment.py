"""Where the contracts stand and under which ids payees are known: everything that follows from the configuration.

A contract's address follows from its creator's address and transaction number, so the reference ledger can build the
same Merkle leaves as the chain without a chain.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from heritage_contracts.config import LedgerConfig
from heritage_contracts.hashing import keccak256, word
from heritage_contracts.merkle import build_tree, payee_leaves
from heritage_contracts.rows import Rows, amount_words, hash_rows
from heritage_contracts.wallets import contract_address, family_addresses, family_key

EMBEDDED_CHAIN_ID = 131_277_322_940_537
"""Chain id of eth-tester's chain."""
ROLES = ("operator", "treasury", "guardian", "relayer")
"""Who signs: operator (deploys, registers, posts), treasury (mints), guardian (disputes), relayer (claims)."""


@dataclass(frozen=True)
class Deployment:
    """Addresses and ids of one ledger.

    Parameters
    ----------
    config : LedgerConfig
        Its salt makes the payee ids.
    num_payees : int
        Payees are numbered from 0.
    genesis_s : int
        First second of the simulated time; contracts are deployed in the hour before.
    chain_id : int
        Chain the contracts stand on.
    """

    config: LedgerConfig
    num_payees: int
    genesis_s: int
    chain_id: int = EMBEDDED_CHAIN_ID

    @cached_property
    def token(self) -> bytes:
        """Return the token's address: the operator's first contract."""
        return contract_address(role_address("operator"), 0)

    @cached_property
    def registry(self) -> bytes:
        """Return the provenance registry's address: the operator's second contract."""
        return contract_address(role_address("operator"), 1)

    @cached_property
    def distributor(self) -> bytes:
        """Return the epoch distributor's address: the operator's third contract."""
        return contract_address(role_address("operator"), 2)

    @cached_property
    def payee_ids(self) -> tuple[bytes, ...]:
        """Return each payee's id on the chain: a salted hash of its number; no name enters it."""
        return tuple(row.tobytes() for row in self.payee_id_rows)

    @cached_property
    def payee_id_rows(self) -> Rows:
        """Return `payee_ids` one under another, shape ``(num_payees, 32)``."""
        salt = keccak256(b"heritage.payee\0" + self.config.payee_salt.encode())
        messages = np.empty((self.num_payees, 64), dtype=np.uint8)
        messages[:, :32] = np.frombuffer(salt, dtype=np.uint8)
        messages[:, 32:] = amount_words(range(self.num_payees))
        return hash_rows(messages, self.num_payees)

    @cached_property
    def payee_addresses(self) -> tuple[bytes, ...]:
        """Return each payee's simulated wallet."""
        return family_addresses(f"payee\0{self.config.payee_salt}", self.num_payees)

    def tree(self, cumulative: Sequence[int], order: Sequence[int] | None = None) -> Rows:
        """Return the Merkle tree over what payees have earned since the beginning.

        Parameters
        ----------
        cumulative : sequence of int, length num_payees
            Of each payee by number, in the smallest unit.
        order : sequence of int, length num_payees, optional
            Payee of each leaf; without it leaf i is payee i's.

        Returns
        -------
        ndarray of uint8, shape (2 * num_payees - 1, 32)
            As `build_tree` lays it out.
        """
        of_leaf = range(self.num_payees) if order is None else order
        amounts = [cumulative[p] for p in of_leaf]
        return build_tree(payee_leaves(self.chain_id, self.distributor, self.payee_id_rows[of_leaf], amounts))

    @property
    def first_head(self) -> bytes:
        """Return the provenance head before anything is registered."""
        return keccak256(word(self.chain_id) + self.registry.rjust(32, b"\0"))


def role_address(role: str) -> bytes:
    """Return the address of a role's simulated wallet."""
    return family_addresses(f"role\0{role}", 1)[0]


def role_key(role: str) -> int:
    """Return the private key of a role's simulated wallet."""
    return family_key(f"role\0{role}")
