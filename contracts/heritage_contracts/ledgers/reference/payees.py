"""Who is behind a payee, and how that changes: `PayeeRegistry` on integers."""

from __future__ import annotations

from dataclasses import dataclass, field

from heritage_contracts.refusals import RefusalError

_WHERE = "PayeeRegistry"


@dataclass(slots=True)
class Rotation:
    """A pending rotation: to which wallet, from when on, and who asked for it."""

    wallet: int
    ready_at: int
    by_community: bool
    unanimous: bool


@dataclass(slots=True)
class Payees:
    """Wallets and pending rotations of payees.

    Parameters
    ----------
    communities : tuple of int, length num_payees
        Community of each payee, -1 for none; payee c is the fund of community c.
    num_communities, members, threshold : int
        How many communities there are, how many members each has, and how many of them must sign.
    delay_s : int
        Seconds between asking for a rotation and its completion.
    """

    communities: tuple[int, ...]
    num_communities: int
    members: int
    threshold: int
    delay_s: int
    wallets: list[int] = field(init=False)
    pending: dict[int, Rotation] = field(init=False, default_factory=dict[int, Rotation])
    open_since: dict[int, int] = field(init=False, default_factory=dict[int, int])

    def __post_init__(self) -> None:
        """Bind every payee to its first wallet."""
        self.wallets = [0] * len(self.communities)

    def require_approved(self, community: int, signers: tuple[int, ...]) -> int:
        """Return how many members signed, enough of them."""
        if not 0 <= community < self.num_communities:
            raise RefusalError("UnknownCommunity", _WHERE)
        signed = sum(1 for member in set(signers) if 0 <= member < self.members)
        if signed < self.threshold:
            raise RefusalError("TooFewSignatures", _WHERE)
        return signed

    def fund_of(self, payee: int) -> int:
        """Return the fund to which a payee's expired balance goes."""
        community = self.communities[payee]
        if community < 0 or community == payee:
            raise RefusalError("NoFund", "EpochDistributor")
        return community

    def request(self, payee: int, wallet: int, now_s: int) -> None:
        """Ask as the holder; what the community asked for stands before it."""
        before = self.pending.get(payee)
        if before is not None and before.by_community:
            raise RefusalError("RotationPending", _WHERE)
        self.pending[payee] = Rotation(wallet, now_s + self.delay_s, by_community=False, unanimous=False)

    def request_by_community(self, payee: int, wallet: int, signers: tuple[int, ...], now_s: int) -> None:
        """Ask as the community; only all of its members displace the holder's request, or their own unanimous one."""
        signed = self.require_approved(self.communities[payee], signers)
        unanimous = signed == self.members and self.members > 1
        before = self.pending.get(payee)
        if before is not None and not unanimous and (not before.by_community or before.unanimous):
            raise RefusalError("RotationPending", _WHERE)
        self.pending[payee] = Rotation(wallet, now_s + self.delay_s, by_community=True, unanimous=unanimous)

    def require_open(self, payee: int) -> None:
        """Refuse to pay a payee whose community asks to rotate: the account may be out of anybody's reach."""
        asked = self.pending.get(payee)
        if asked is not None and asked.by_community:
            raise RefusalError("PayeeHeld", "EpochDistributor")

    def cancel(self, payee: int, now_s: int) -> None:
        """Withdraw as the holder, which is a veto where not all members asked."""
        if self._pending(payee).unanimous:
            raise RefusalError("NoVeto", _WHERE)
        self._end(payee, now_s)

    def complete(self, payee: int, now_s: int) -> None:
        """Let a rotation take effect."""
        rotation = self._pending(payee)
        if now_s < rotation.ready_at:
            raise RefusalError("RotationNotReady", _WHERE)
        self.wallets[payee] = rotation.wallet
        self._end(payee, now_s)

    def _end(self, payee: int, now_s: int) -> None:
        if self.pending.pop(payee).by_community:
            self.open_since[payee] = now_s

    def _pending(self, payee: int) -> Rotation:
        found = self.pending.get(payee)
        if found is None:
            raise RefusalError("NoRotation", _WHERE)
        return found
