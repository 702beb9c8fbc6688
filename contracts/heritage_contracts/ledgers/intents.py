"""Intents about payees: where their money goes, and how that changes without anybody losing it."""

from __future__ import annotations

from collections.abc import Sequence

from heritage_contracts.ledgers.kind import RotationRequest
from heritage_contracts.ledgers.money_intents import MoneyIntents


class Intents(MoneyIntents):
    """All that a ledger can be asked to do. Parameters are those of `Books`."""

    def request_rotation(self, payee: int, wallet: int, at_s: int, signers: Sequence[int] | None = None) -> None:
        """Ask that a payee's money go to another wallet of the payee's, after the delay.

        What the community asks for also holds the payee's money back until then, as the old wallet may be lost.

        Parameters
        ----------
        payee : int
            Whose.
        wallet : int
            Number of the wallet; 0 is the one the payee was registered with.
        at_s : int
            Wished chain time, seconds.
        signers : sequence of int, optional
            Members of the payee's community who ask, for a holder whose key is lost; the holder asks where it is not
            given.

        Raises
        ------
        RefusalError
            If another rotation is pending that this one may not displace, the payee has no community, or too few
            members sign.
        """
        self._check_payee(payee)
        members = None if signers is None else self._signers(signers)
        self._request_rotation(RotationRequest(int(payee), int(wallet), members), int(at_s))
        self._pending_wallets[int(payee)] = int(wallet)
        if members is not None:
            self._held.add(int(payee))
        self._put_down(
            "request_rotation",
            at_s,
            payee=int(payee),
            wallet=int(wallet),
            signers=None if members is None else list(members),
        )

    def cancel_rotation(self, payee: int, at_s: int) -> None:
        """Withdraw a pending rotation, as the holder; not where all members of the community asked for it.

        Parameters
        ----------
        payee : int
            Whose.
        at_s : int
            Wished chain time, seconds.

        Raises
        ------
        RefusalError
            If none is pending, or the holder has no veto.
        """
        self._check_payee(payee)
        self._cancel_rotation(int(payee), int(at_s))
        self._pending_wallets.pop(int(payee), None)
        self._held.discard(int(payee))
        self._put_down("cancel_rotation", at_s, payee=int(payee))

    def complete_rotation(self, payee: int, at_s: int) -> None:
        """Let a payee's rotation take effect after its delay; anybody may.

        Parameters
        ----------
        payee : int
            Whose.
        at_s : int
            Wished chain time, seconds.

        Raises
        ------
        RefusalError
            If none is pending, or the delay is not over.
        """
        self._check_payee(payee)
        self._complete_rotation(int(payee), int(at_s))
        self._wallets[int(payee)] = self._pending_wallets.pop(int(payee), self._wallets[int(payee)])
        self._held.discard(int(payee))
        self._put_down("complete_rotation", at_s, payee=int(payee))
