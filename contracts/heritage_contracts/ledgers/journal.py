"""The journal: a ledger's intents in order, as plain values. Going through it again makes the same ledger.

`snapshot` is the journal, `restore` is going through it: same roots, balances and block timestamps, bit for bit. Every
kind reads every kind's journal. What was refused is not in it, as it changed nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from heritage_contracts.hashing import keccak256
from heritage_contracts.ledgers.intents import Intents
from heritage_contracts.provenance import records_from_state
from heritage_sim.base import ConsentLabel, DirectPayment, LedgerError, Statement
from heritage_sim.base.protocols import State

JOURNAL_VERSION = 3
_NO_WORKS = np.zeros(0, dtype=np.int64)


class JournaledLedger(Intents):
    """A ledger that can be put down and taken up. See `heritage_sim.base.Ledger` for the contract.

    Parameters are those of `Books`.
    """

    def snapshot(self) -> State:
        """Return the journal of intents, with the state it must lead to."""
        return {"version": JOURNAL_VERSION, "journal": list(self._journal), "end": self.fingerprint()}

    def restore(self, state: State) -> None:
        """Deploy anew and go through a journal: same roots, balances and block timestamps, bit for bit.

        Parameters
        ----------
        state : dict
            What `snapshot` of any kind of ledger with the same payees, settings and genesis put down.

        Raises
        ------
        LedgerError
            If the journal is of another version or does not lead to the state it was taken at.
        """
        if state["version"] != JOURNAL_VERSION:
            raise LedgerError(f"the journal is of version {state['version']}, not {JOURNAL_VERSION}", "ledger journal")
        self._begin()
        for entry in state["journal"]:
            self.replay(entry)
        if not self._is_ahead() and self.fingerprint() != state["end"]:
            raise LedgerError(
                "the journal does not lead to the state it was taken at",
                "ledger journal",
                "Restore with the payees, window, salt and genesis of the ledger that wrote it.",
            )

    def _last_intent_s(self) -> int:
        """Return the timestamp of the last block that holds something of ours."""
        return self.last_block_s()

    def _is_ahead(self) -> bool:
        """Return whether more has happened than the journal says, as on a chain that outlives its client."""
        return False

    @property
    def journal_length(self) -> int:
        """Return how many intents were carried out."""
        return len(self._journal)

    def journal_since(self, length: int) -> list[State]:
        """Return the intents carried out after the first ``length`` ones."""
        return self._journal[length:]

    def replay(self, entry: State) -> None:
        """Do what one entry of a journal says."""
        arguments = {key: value for key, value in entry.items() if key not in ("intent", "at_s")}
        REPLAY[entry["intent"]](self, arguments, int(entry["at_s"]))

    def fingerprint(self) -> str:
        """Return a hash over everything that two equal ledgers agree on."""
        parts = [self.provenance_head(), b"".join(epoch.root + epoch.data_hash for epoch in self._epochs)]
        numbers = (
            self._last_intent_s(),
            self.deposited_units(),
            self._works.num_works,
            self._num_final,
            self._is_wound_up,
            self.claimed_units().tolist(),
            self.withdrawable_units().tolist(),
            sorted(self._payable),
            self._wallets,
            sorted(self._pending_wallets.items()),
            sorted(self._held),
        )
        return keccak256(b"".join(parts) + repr(numbers).encode()).hex()


def _statement(a: State) -> Statement:
    units = np.array(a["payee_units"], dtype=np.int64)
    return Statement(int(a["epoch"]), str(a["rule"]), int(a["pool_units"]), units, _NO_WORKS, ())


REPLAY: dict[str, Callable[[Any, State, int], object]] = {
    "register": lambda ledger, a, at_s: ledger.register(records_from_state(a), at_s),
    "commit": lambda ledger, a, at_s: ledger.commit(records_from_state(a)[0], at_s),
    "reveal": lambda ledger, a, at_s: ledger.reveal(records_from_state(a)[0], at_s),
    "derive": lambda ledger, a, at_s: ledger.derive(records_from_state(a)[0], int(a["owner"]), at_s),
    "open": lambda ledger, a, at_s: ledger.open_works(np.asarray(a["works"]).tolist(), at_s),
    "make_payable": lambda ledger, a, at_s: ledger.make_payable(np.asarray(a["works"]).tolist(), at_s),
    "consent": lambda ledger, a, at_s: ledger.set_consent(
        [ConsentLabel(*row) for row in np.asarray(a["labels"]).reshape(-1, 4).tolist()], at_s, a["signers"]
    ),
    "pay": lambda ledger, a, at_s: ledger.pay(
        [DirectPayment(*row) for row in np.asarray(a["payments"]).reshape(-1, 2).tolist()], at_s
    ),
    "fund": lambda ledger, a, at_s: ledger.fund(int(a["units"]), at_s),
    "post": lambda ledger, a, at_s: ledger.post(_statement(a), at_s),
    "finalize": lambda ledger, a, at_s: ledger.finalize(int(a["epoch"]), at_s),
    "dispute": lambda ledger, a, at_s: ledger.dispute(int(a["epoch"]), at_s),
    "claim": lambda ledger, a, at_s: ledger.claim(np.asarray(a["payees"]).tolist(), at_s),
    "give_notice": lambda ledger, a, at_s: ledger.give_notice(int(a["payee"]), at_s),
    "expire": lambda ledger, a, at_s: ledger.expire(int(a["payee"]), at_s),
    "wind_up": lambda ledger, a, at_s: ledger.wind_up(at_s),
    "claim_escape": lambda ledger, a, at_s: ledger.claim_escape(int(a["payee"]), at_s),
    "request_rotation": lambda ledger, a, at_s: ledger.request_rotation(
        int(a["payee"]), int(a["wallet"]), at_s, a["signers"]
    ),
    "cancel_rotation": lambda ledger, a, at_s: ledger.cancel_rotation(int(a["payee"]), at_s),
    "complete_rotation": lambda ledger, a, at_s: ledger.complete_rotation(int(a["payee"]), at_s),
}
"""How each kind of entry is done again."""
