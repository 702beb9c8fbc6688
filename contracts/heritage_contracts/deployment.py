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
from heritage_contracts.sending.signing import Signer, address_of
from heritage_contracts.trees.merkle import build_tree, payee_leaves
from heritage_contracts.trees.rows import Rows, amount_words, hash_rows
from heritage_contracts.wallets import contract_address, family_addresses, family_key
from heritage_sim.base import InputError

EMBEDDED_CHAIN_ID = 131_277_322_940_537
"""Chain id of eth-tester's chain; a managed Anvil is given the same, so that roots do not depend on the kind."""
AUTHOR = "author"
ROLES = ("admin", "registrar", "poster", "guardian", "treasury", "relayer", AUTHOR)
"""Who signs: admin (deploys, holds the admin roles), registrar (payees, communities, works), poster (posts epochs and
pays their pools in), guardian (disputes), treasury (mints; pays licence fees), relayer (all that anybody may do),
author (registers works by commitment and reveal)."""
ALL_WORKS_KEY = b"\xff" * 32
"""Key under which a community's label for all its works stands."""
FLOAT_UNITS = 1 << 100
"""What poster and treasury hold from the start: money from outside, more than a ledger's books can count."""


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
    payee_communities : tuple of int, length num_payees, or empty
        Community of each payee, -1 for none; a community's fund is the payee of the same number. Empty: no communities.

    Raises
    ------
    InputError
        If they do not name every payee once, or a fund is not of its own community.
    """

    config: LedgerConfig
    num_payees: int
    genesis_s: int
    chain_id: int = EMBEDDED_CHAIN_ID
    payee_communities: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        """Check the communities."""
        of = self.payee_communities
        if of and len(of) != self.num_payees:
            raise InputError(
                f"{len(of)} communities are given for {self.num_payees} payees", "payee_communities", "One each."
            )
        for community in range(self.num_communities):
            if of[community] != community:
                raise InputError(
                    f"payee {community} is not of community {community}",
                    "payee_communities",
                    "The first payees are the funds of the communities, in order.",
                )

    @property
    def num_communities(self) -> int:
        """Return the number of communities."""
        return max(self.payee_communities, default=-1) + 1

    def community_of(self, payee: int) -> int:
        """Return a payee's community, -1 for none."""
        return self.payee_communities[payee] if self.payee_communities else -1

    @cached_property
    def leaf_order(self) -> tuple[int, ...]:
        """Return the payee of each leaf: by community, so that those who claim together are neighbours."""
        return tuple(sorted(range(self.num_payees), key=self.community_of))

    # ---- contracts ----------------------------------------------------------------------------------------------

    @cached_property
    def token(self) -> bytes:
        """Return `SettlementToken`'s address: the admin's first contract."""
        return contract_address(role_address("admin"), 0)

    @cached_property
    def payees(self) -> bytes:
        """Return `PayeeRegistry`'s address."""
        return contract_address(role_address("admin"), 1)

    @cached_property
    def registry(self) -> bytes:
        """Return `ProvenanceRegistry`'s address."""
        return contract_address(role_address("admin"), 2)

    @cached_property
    def distributor(self) -> bytes:
        """Return `EpochDistributor`'s address."""
        return contract_address(role_address("admin"), 3)

    @cached_property
    def pool(self) -> bytes:
        """Return `RoyaltyPool`'s address."""
        return contract_address(role_address("admin"), 4)

    @property
    def first_head(self) -> bytes:
        """Return the provenance head before anything is registered."""
        return keccak256(word(self.chain_id) + self.registry.rjust(32, b"\0"))

    # ---- payees and members -------------------------------------------------------------------------------------

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
    def payee_of_id(self) -> dict[bytes, int]:
        """Return the payee behind each id."""
        return {payee_id: payee for payee, payee_id in enumerate(self.payee_ids)}

    @cached_property
    def payee_addresses(self) -> tuple[bytes, ...]:
        """Return each payee's first simulated wallet."""
        return family_addresses(f"payee\0{self.config.payee_salt}", self.num_payees)

    def wallet(self, payee: int, number: int = 0) -> Signer:
        """Return a payee's wallet: number 0 is the one it is registered with, others are those it may rotate to."""
        family = f"payee\0{self.config.payee_salt}" + (f"\0{number}" if number else "")
        return Signer(family_key(family, payee))

    def wallet_address(self, payee: int, number: int = 0) -> bytes:
        """Return the address of `wallet`."""
        if number == 0:
            return self.payee_addresses[payee]
        return address_of(family_key(f"payee\0{self.config.payee_salt}\0{number}", payee))

    def members(self, community: int) -> tuple[Signer, ...]:
        """Return the simulated members who sign for a community."""
        family, count = f"member\0{self.config.payee_salt}", self.config.community_members
        return tuple(Signer(family_key(family, community * count + i)) for i in range(count))

    # ---- trees --------------------------------------------------------------------------------------------------

    def tree(self, cumulative: Sequence[int], order: Sequence[int] | None = None) -> Rows:
        """Return the Merkle tree over what payees have earned since the beginning.

        Parameters
        ----------
        cumulative : sequence of int, length num_payees
            Of each payee by number, in the smallest unit.
        order : sequence of int, length num_payees, optional
            Payee of each leaf; without it, `leaf_order`.

        Returns
        -------
        ndarray of uint8, shape (2 * num_payees - 1, 32)
            As `build_tree` lays it out.
        """
        of_leaf = list(self.leaf_order if order is None else order)
        amounts = [cumulative[p] for p in of_leaf]
        return build_tree(payee_leaves(self.chain_id, self.distributor, self.payee_id_rows[of_leaf], amounts))


def role_address(role: str) -> bytes:
    """Return the address of a role's simulated wallet."""
    return family_addresses(f"role\0{role}", 1)[0]


def role_key(role: str) -> int:
    """Return the private key of a role's simulated wallet."""
    return family_key(f"role\0{role}")
