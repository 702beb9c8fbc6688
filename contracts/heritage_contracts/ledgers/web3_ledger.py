"""The ledger on a chain: the contracts, spoken to as calldata.

What the chain can answer is asked of the chain (claimed amounts, balances, roots, provenance head, timestamps); what
the client must know to make a proof or a signature (the statements so far, nonces) follows from its journal. Whether
the contracts admit an intent is asked of them first, by a call at the second at which it would be carried out: what is
refused costs no block and leaves nothing half done.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from heritage_contracts import calldata
from heritage_contracts.calldata import address_word, call
from heritage_contracts.config import LedgerConfig
from heritage_contracts.hashing import word
from heritage_contracts.ledgers.contract_calls import ContractCalls, payee_parts
from heritage_contracts.ledgers.journal import JournaledLedger
from heritage_contracts.ledgers.kind import Claimed, Done, Label, Payment, Plan, RotationRequest
from heritage_contracts.ledgers.reference.works import read_record
from heritage_contracts.provenance import Work
from heritage_contracts.refusals import RefusalError
from heritage_contracts.schedule import DEPLOY_LEAD_S, blocks, next_block_s, singles, transactions
from heritage_contracts.sending.chain import Call, Chain, Mined, Submissions
from heritage_contracts.sending.signing import fields_of
from heritage_contracts.trees.epoch import Epoch
from heritage_contracts.trees.published import Commitment
from heritage_sim.base import HeritageError, LedgerError

PAGE_PAYEES = 2_000
"""Payees asked about in one call."""
MOST_ASKED_WORKS = 100
"""Larger batches are looked at by the reference's rules instead of asking the contract, which costs as much as writing
them; the contract still decides."""


class Web3Ledger(JournaledLedger):
    """The contracts on a chain.

    Parameters
    ----------
    config : LedgerConfig
        Window, salt, currency.
    payee_names : sequence of str
        Names shown; a payee's id is its index.
    genesis_s : int
        First second of the simulated time.
    payee_communities : sequence of int, optional
        Community of each payee, -1 for none.
    connect : callable
        Takes block 0's wished timestamp and returns the chain; called again by `restore`.
    """

    def __init__(
        self,
        config: LedgerConfig,
        payee_names: Sequence[str],
        genesis_s: int,
        payee_communities: Sequence[int] | None,
        connect: Callable[[int], Chain],
    ) -> None:
        self._connect = connect
        self.chain = connect(genesis_s - DEPLOY_LEAD_S)
        self._is_fresh = True
        super().__init__(config, payee_names, genesis_s, payee_communities)

    def _chain_id(self) -> int:
        return self.chain.chain_id

    def close(self) -> None:
        """Let go of the chain's journal; a managed node is stopped."""
        self.chain.close()

    def _deploy(self) -> None:
        if not self._is_fresh:
            self.chain.close()
            self.chain = self._connect(self.genesis_s - DEPLOY_LEAD_S)
        self._is_fresh = False
        self.calls = ContractCalls(self.deployment)
        self._pages_read: dict[bytes, tuple[int, tuple[int, ...]]] = {}
        self._num_sent = 0
        self._num_known = self._count_known()
        self._last_s = self.genesis_s - DEPLOY_LEAD_S
        self._kept = self._num_sent, self._last_s
        self._label_nonces = [0] * self.deployment.num_communities
        self._holder_nonces = [0] * len(self.payee_names)
        self._community_nonces = [0] * len(self.payee_names)
        start_s = self.genesis_s - DEPLOY_LEAD_S
        self._send(self.calls.create(), start_s)
        communities = [self.calls.create_community(c) for c in range(self.deployment.num_communities)]
        for block in blocks(singles([c.gas for c in communities])):
            self._send([communities[i] for part in block for i in part.items], start_s)
        for block in blocks(transactions(payee_parts(len(self.payee_names)))):
            self._send([self.calls.register_payees(part) for part in block], start_s)
        self._send(self.calls.prepare_money(), self.genesis_s - 1)
        self._kept = self._num_sent, self._last_s

    # ---- sending ------------------------------------------------------------------------------------------------

    def _keyed(self, calls: Sequence[Call]) -> list[Call]:
        """Return calls with the keys under which the outbox finds them when the journal is gone through again."""
        first = self._num_sent
        return [Call(c.role, c.to, c.data, c.gas, f"{first + i}|{c.data[:4].hex()}") for i, c in enumerate(calls)]

    def _send(self, calls: Sequence[Call], at_s: int) -> list[Mined]:
        """Put calls into one block and return their receipts."""
        keyed = self._keyed(calls)
        try:
            mined = self.chain.block(keyed, at_s)
        except HeritageError:
            self._go_back()
            raise
        self._num_sent += len(calls)
        self._last_s = mined[-1].at_s
        return mined

    def _put_down(self, intent: str, at_s: int, **arguments: object) -> None:
        super()._put_down(intent, at_s, **arguments)
        self._kept = self._num_sent, self._last_s

    def _go_back(self) -> None:
        """Stand where the journal ends, as after a restart: the intent asked for again finds what it has sent."""
        self._num_sent, self._last_s = self._kept
        self._num_known = self._count_known()

    def _count_known(self) -> int:
        return sum(len(parcel.transactions) for parcel in self.chain.outbox.parcels)

    def _last_intent_s(self) -> int:
        return self._last_s

    def _is_ahead(self) -> bool:
        return self._num_sent < self._num_known

    def _signed(self, selector: bytes) -> bytes | None:
        """Return the calldata of the next call, where it was signed before: the journal is being gone through again."""
        found = self.chain.outbox.find(f"{self._num_sent}|{selector.hex()}")
        return fields_of(found.attempts[-1].raw).data if found else None

    def _check(self, calls: Sequence[Call], at_s: int) -> None:
        """Ask the contracts whether they admit each of some calls, by itself, now; refuse with their error's name."""
        now_s = self._now(at_s)
        for one in self._keyed(calls):
            if one.intent and self.chain.outbox.find(one.intent) is not None:
                continue
            try:
                self.chain.read(one.to, one.data, one.role, now_s)
            except RefusalError as refusal:
                raise RefusalError(refusal.reason, self._contract_name(one.to)) from None

    def _one(self, call_: Call, at_s: int) -> Done:
        """Carry out a call that the contract admits, in a block of its own."""
        self._check([call_], at_s)
        return _done(self._send([call_], at_s))

    def _contract_name(self, address: bytes) -> str:
        at = self.deployment
        names = {
            at.token: "SettlementToken",
            at.payees: "PayeeRegistry",
            at.registry: "ProvenanceRegistry",
            at.distributor: "EpochDistributor",
            at.pool: "RoyaltyPool",
        }
        return names.get(address, "EVM")

    def _now(self, at_s: int) -> int:
        """Return the second of the next block: as it was, where the journal is being gone through again."""
        return next_block_s(at_s, self._last_s if self._is_ahead() else max(self._last_s, self.chain.last_s))

    # ---- works and consent --------------------------------------------------------------------------------------

    def _register(self, works: Sequence[Work], gas: int, at_s: int) -> Done:
        signed = self._signed(calldata.REGISTER_BATCH)
        head = signed[4:36] if signed else self.provenance_head()
        entering = self.calls.register_batch(head, works, gas)
        if len(works) <= MOST_ASKED_WORKS:
            return self._one(entering, at_s)
        for work in works:
            read_record(work.packed)
        return _done(self._send([entering], at_s))

    def _commit(self, work: Work, at_s: int) -> Done:
        return self._one(self.calls.commit(work), at_s)

    def _reveal(self, work: Work, at_s: int) -> Done:
        return self._one(self.calls.reveal(work), at_s)

    def _register_signed(self, work: Work, owner: int, at_s: int) -> Done:
        return self._one(self.calls.register_signed(work, owner, self._now(at_s)), at_s)

    def _open(self, works: Sequence[Work], plan: Plan, at_s: int) -> Done:
        return self._many(lambda i, gas: self.calls.open_work(works[i], *self._works.proof(works[i]), gas), plan, at_s)

    def _make_payable(self, works: Sequence[Work], plan: Plan, at_s: int) -> Done:
        return self._many(lambda i, gas: self.calls.make_payable(works[i], gas), plan, at_s)

    def _many(self, call_of: Callable[[int, int], Call], plan: Plan, at_s: int) -> Done:
        """Carry out one call for each item, after asking for all of them."""
        planned = [[call_of(i, part.gas) for part in block for i in part.items] for block in plan]
        self._check([one for block in planned for one in block], at_s)
        return _done([mined for block in planned for mined in self._send(block, at_s)])

    def _set_labels(self, labels: Sequence[Label], signers: Sequence[int], at_s: int) -> Done:
        now_s, nonces = self._now(at_s), list(self._label_nonces)
        calls: list[Call] = []
        checks: list[Call] = []
        for label in labels:
            nonce = nonces[label.community] if 0 <= label.community < len(nonces) else 0
            calls.append(self.calls.set_consent(label, signers, nonce, now_s))
            # By itself, a later label of a community in one block would come out of turn.
            first = self._label_nonces[label.community] if 0 <= label.community < len(nonces) else 0
            checks.append(self.calls.set_consent(label, signers, first, now_s) if nonce != first else calls[-1])
            if 0 <= label.community < len(nonces):
                nonces[label.community] += 1
        self._check(checks, at_s)
        mined = [
            one
            for block in blocks(singles([c.gas for c in calls]))
            for one in self._send([calls[i] for part in block for i in part.items], at_s)
        ]
        self._label_nonces = nonces
        return _done(mined)

    # ---- money --------------------------------------------------------------------------------------------------

    def _pay(self, along: Payment, recorded: Payment, at_s: int) -> tuple[Done, list[int]]:
        planned: list[list[Call]] = []
        for block in along.plan:
            planned.append(
                [
                    self.calls.pay_along([along.works[i] for i in p.items], [along.units[i] for i in p.items], p.gas)
                    for p in block
                ]
            )
        for block in recorded.plan:
            planned.append([self._pay_recorded(recorded, part.items, part.gas) for part in block])
        self._check([one for block in planned for one in block], at_s)
        mined = [one for block in planned for one in self._send(block, at_s)]
        credited = [0] * len(self.payee_names)
        for payee_id, units in _events(mined, calldata.CREDITED_TOPIC, 2):
            credited[self.deployment.payee_of_id[payee_id]] += units
        return _done(mined), credited

    def _pay_recorded(self, payment: Payment, items: range, gas: int) -> Call:
        rows = [
            (payment.works[i], first, payment.units[i], proof)
            for i in items
            for first, proof in [self._works.proof(payment.works[i])]
        ]
        return self.calls.pay_recorded(rows, gas)

    def _fund(self, units: int, at_s: int) -> Done:
        return self._one(self.calls.fund(units), at_s)

    def _post(self, epoch: Epoch, at_s: int) -> Done:
        return self._one(self.calls.post(epoch), at_s)

    def _head_to_post(self) -> bytes:
        signed = self._signed(calldata.POST)
        return signed[100:132] if signed else self.provenance_head()

    def _finalize(self, epoch: int, at_s: int) -> Done:
        final = self.calls.finalize(epoch)
        if epoch == self._num_final < len(self._epochs) and not self._stands(final):
            _, num_final, last_final_s, _ = calldata.words_of(self.chain.read(final.to, call("state()")))
            if num_final > epoch:
                return Done(last_final_s, 0)
        return self._one(final, at_s)

    def _stands(self, next_call: Call) -> bool:
        """Return whether the next call was sent before and not refused; else somebody else may have come first."""
        found = self.chain.outbox.find(f"{self._num_sent}|{next_call.data[:4].hex()}")
        return found is not None and not found.given_up and (found.mined is None or found.mined.ok)

    def _dispute(self, epoch: int, at_s: int) -> Done:
        return self._one(self.calls.dispute(epoch), at_s)

    def _claim(self, payees: Sequence[int], plan: Plan, pooled: Sequence[int], pool_plan: Plan, at_s: int) -> Claimed:
        mined: list[Mined] = []
        for block in plan:
            last = self._epochs[self._num_final - 1]
            calls = [self.calls.claim_multi([payees[i] for i in p.items], last, p.gas) for p in block]
            mined += self._send(calls, at_s)
        for block in pool_plan:
            mined += self._send([self.calls.withdraw_many([pooled[i] for i in p.items], p.gas) for p in block], at_s)
        paid = [0] * len(self.payee_names)
        for topic in (calldata.CLAIMED_TOPIC, calldata.WITHDRAWN_TOPIC):
            for payee_id, units in _events(mined, topic, 1):
                paid[self.deployment.payee_of_id[payee_id]] += units
        unpaid = [
            frozenset(self.deployment.payee_of_id[payee_id] for payee_id, _ in _events(mined, topic, 1))
            for topic in (calldata.CLAIM_FAILED_TOPIC, calldata.WITHDRAWAL_FAILED_TOPIC)
        ]
        return Claimed(_done(mined), paid, *unpaid)

    def _last_final(self) -> Epoch | None:
        return self._epochs[self._num_final - 1] if self._num_final else None

    def _give_notice(self, payee: int, at_s: int) -> Done:
        return self._one(self.calls.give_notice(payee, self._last_final()), at_s)

    def _expire(self, payee: int, at_s: int) -> Done:
        return self._one(self.calls.expire(payee), at_s)

    def _wind_up(self, at_s: int) -> Done:
        return self._one(self.calls.wind_up(), at_s)

    def _claim_escape(self, payee: int, at_s: int) -> Done:
        return self._one(self.calls.claim_escape(payee, self._last_final()), at_s)

    # ---- payees -------------------------------------------------------------------------------------------------

    def _request_rotation(self, request: RotationRequest, at_s: int) -> Done:
        payee, now_s = request.payee, self._now(at_s)
        new = self.deployment.wallet_address(payee, request.wallet)
        if request.signers is None:
            holder = self.deployment.wallet(payee, self._wallets[payee])
            asked = self.calls.request_rotation(payee, holder, new, self._holder_nonces[payee], now_s)
        else:
            old = self.deployment.wallet_address(payee, self._wallets[payee])
            nonce = self._community_nonces[payee]
            asked = self.calls.request_rotation_by_community(payee, request.signers, (old, new), nonce, now_s)
        done = self._one(asked, at_s)
        (self._holder_nonces if request.signers is None else self._community_nonces)[payee] += 1
        return done

    def _cancel_rotation(self, payee: int, at_s: int) -> Done:
        holder = self.deployment.wallet(payee, self._wallets[payee])
        cancel = self.calls.cancel_rotation(payee, holder, self._holder_nonces[payee], self._now(at_s))
        ended = self._ended_by_others(payee, self._wallets[payee], cancel)
        done = ended or self._one(cancel, at_s)
        self._holder_nonces[payee] += 1
        return done

    def _complete_rotation(self, payee: int, at_s: int) -> Done:
        complete = self.calls.complete_rotation(payee)
        wallet = self._pending_wallets.get(payee, self._wallets[payee])
        return self._ended_by_others(payee, wallet, complete) or self._one(complete, at_s)

    def _ended_by_others(self, payee: int, wallet: int, next_call: Call) -> Done | None:
        """Return when a rotation that our books hold open ended elsewhere with the payee at a wallet; None if not."""
        if payee not in self._pending_wallets or self._stands(next_call):
            return None
        asked = call("rotationOf(bytes32)", self.deployment.payee_ids[payee])
        ready_at = calldata.words_of(self.chain.read(self.deployment.payees, asked))[1]
        if ready_at or self.account_of(payee) != self.deployment.wallet_address(payee, wallet):
            return None
        return Done(self.chain.last_s, 0)

    # ---- what the chain says ------------------------------------------------------------------------------------

    def _number(self, to: bytes, signature: str, *words: bytes) -> int:
        return int.from_bytes(self.chain.read(to, call(signature, *words))[:32], "big")

    def provenance_head(self) -> bytes:
        """Return the registry's head."""
        return self.chain.read(self.deployment.registry, call("head()"))

    def permitted(self, work_id: int, at_s: int) -> int:
        """Return the uses permitted for a registered work at a moment, as `Consent` flags."""
        work = self._works.work(work_id)
        words = word(work.record.community + 1), work.key, word(work.record.consent), word(at_s)
        return self._number(self.deployment.registry, "consentAt(uint32,bytes32,uint8,uint48)", *words)

    def commitment(self, epoch: int) -> Commitment:
        """Return what was recorded when an epoch was posted, from the chain's log."""
        posted = [self._posted(e) for e in range(max(0, epoch - 1), epoch + 1)]
        root, total, _, head, data_hash = posted[-1]
        before = int.from_bytes(posted[0][1], "big") if epoch else 0
        units = int.from_bytes(total, "big")
        return Commitment(epoch, root, units, units - before, head, data_hash)

    def _posted(self, epoch: int) -> list[bytes]:
        """Return the words of an epoch's posting: of the last one, where earlier ones were dropped."""
        found = self.chain.logs(self.deployment.distributor, [calldata.POSTED_TOPIC, word(epoch)])
        if not found:
            raise LedgerError(f"epoch {epoch} is not posted on the chain", "EpochDistributor")
        return [found[-1][i : i + 32] for i in range(0, 160, 32)]

    def last_block_s(self) -> int:
        """Return the timestamp of the last block."""
        return self.chain.last_s

    def stream_claimed(self) -> list[int]:
        """Return what the distributor has paid for each payee, expired amounts included."""
        return self._pages(self.deployment.distributor, calldata.claimed_of)

    def pool_balances(self) -> list[int]:
        """Return what each payee may withdraw of direct payments."""
        if not any(self._credited):
            return [0] * len(self.payee_names)
        return self._pages(self.deployment.pool, calldata.balances_of)

    def _pages(self, to: bytes, asked: Callable[[Sequence[bytes]], bytes]) -> list[int]:
        known = self._pages_read.get(to)
        # Where we make the blocks, nothing changes without one.
        if known and known[0] == self.chain.last_s and self.config.kind != "rpc":
            return list(known[1])
        # In pages: a call's gas is bounded by a block's, which some ten thousand payees would exceed.
        ids, amounts = self.deployment.payee_ids, list[int]()
        for first in range(0, len(ids), PAGE_PAYEES):
            amounts += calldata.array_of(self.chain.read(to, asked(ids[first : first + PAGE_PAYEES])))
        self._pages_read[to] = self.chain.last_s, tuple(amounts)
        return amounts

    def funded_units(self) -> int:
        """Return the sum of all payments into the distributor."""
        return self._number(self.deployment.distributor, "books()")

    def escaped_units(self) -> int:
        """Return what was paid out of the pot of a winding up."""
        return self._number(self.deployment.distributor, "escaped()")

    def token_balance_units(self) -> int:
        """Return what distributor and pool hold."""
        return self.balance_of(self.deployment.distributor) + self.balance_of(self.deployment.pool)

    def account_of(self, payee: int) -> bytes:
        """Return the account that a payee's money goes to, 20 bytes."""
        at = self.deployment
        return self.chain.read(at.payees, call("accountOf(bytes32)", at.payee_ids[payee]))[12:]

    def balance_of(self, account: bytes) -> int:
        """Return the tokens that an account holds."""
        return self._number(self.deployment.token, "balanceOf(address)", address_word(account))


class NodeLedger(Web3Ledger):
    """The contracts on a node, where what is sent may be lost. Parameters are those of `Web3Ledger`."""

    def submissions(self) -> Submissions:
        """Return what it took to get transactions onto the chain."""
        return self.chain.submissions


def _done(mined: Sequence[Mined]) -> Done:
    return Done(mined[-1].at_s, sum(one.gas_used for one in mined))


def _events(mined: Sequence[Mined], topic: bytes, indexed: int) -> list[tuple[bytes, int]]:
    """Return one indexed argument and the amount of all events of a kind, in order."""
    return [
        (topics[indexed], int.from_bytes(data[-32:], "big"))
        for one in mined
        for topics, data in one.logs
        if topics[0] == topic
    ]
