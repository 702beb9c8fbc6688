"""The four contracts told again on integers, as one ledger with a clock of its own."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from heritage_contracts.deployment import AUTHOR, role_address
from heritage_contracts.hashing import keccak256, word
from heritage_contracts.ledgers.journal import JournaledLedger
from heritage_contracts.ledgers.kind import Claimed, Done, Label, Payment, Plan, RotationRequest
from heritage_contracts.ledgers.reference.epochs import Epochs
from heritage_contracts.ledgers.reference.payees import Payees
from heritage_contracts.ledgers.reference.pool import Pool
from heritage_contracts.ledgers.reference.works import Works
from heritage_contracts.provenance import Work, single_salt
from heritage_contracts.refusals import RefusalError
from heritage_contracts.schedule import DEPLOY_LEAD_S, next_block_s
from heritage_contracts.trees.epoch import Epoch
from heritage_contracts.trees.published import Commitment


class ReferenceLedger(JournaledLedger):
    """Integer books without a chain; gas is 0. Parameters are those of `heritage_contracts.ledgers.books.Books`."""

    def _deploy(self) -> None:
        at, config = self.deployment, self.config
        self._last_s = self.genesis_s - 1
        communities = at.payee_communities or (-1,) * at.num_payees
        members, threshold = config.community_members, config.community_threshold
        self._payees = Payees(communities, at.num_communities, members, threshold, config.rotation_delay_s)
        self._registry = Works(word(at.chain_id) + at.registry.rjust(32, b"\0"))
        self._pool = Pool(self._registry, config.payment_rule, config.payment_every_path, config.payment_decay_parts)
        made_at = self.genesis_s - DEPLOY_LEAD_S + 1
        self._distributor = Epochs(self._payees, config.challenge_window_s, config.silence_s, config.notice_s, made_at)
        self._commitments: dict[int, Commitment] = {}
        self._wallet_units: dict[bytes, int] = {}

    def close(self) -> None:
        """There is nothing to let go of."""

    # ---- clock --------------------------------------------------------------------------------------------------

    def _now(self, at_s: int) -> int:
        """Return the timestamp that the next block would have."""
        return next_block_s(at_s, self._last_s)

    def _blocks(self, count: int, at_s: int) -> Done:
        """Make so many blocks."""
        for _ in range(count):
            self._last_s = self._now(at_s)
        return Done(self._last_s, 0)

    def _do(self, rule: Callable[[int], object], at_s: int) -> Done:
        """Carry out what a rule admits at the next block's second, in a block of its own."""
        rule(self._now(at_s))
        return self._blocks(1, at_s)

    # ---- works and consent --------------------------------------------------------------------------------------

    def _register(self, works: Sequence[Work], gas: int, at_s: int) -> Done:
        return self._do(lambda _: self._registry.register([work.packed for work in works]), at_s)

    def _commit(self, work: Work, at_s: int) -> Done:
        return self._do(lambda now_s: self._registry.commit(self._commitment_of(work), now_s), at_s)

    def _reveal(self, work: Work, at_s: int) -> Done:
        commitment = self._commitment_of(work)
        return self._do(lambda now_s: self._registry.reveal(commitment, work.key, work.packed, now_s), at_s)

    def _commitment_of(self, work: Work) -> bytes:
        owner = role_address(AUTHOR).rjust(32, b"\0")
        return keccak256(owner + single_salt(self.deployment, work.record.work_id) + keccak256(work.packed))

    def _register_signed(self, work: Work, owner: int, at_s: int) -> Done:
        return self._do(
            lambda now_s: self._registry.register_single(work.key, work.packed, now_s, is_vouched=True), at_s
        )

    def _open(self, works: Sequence[Work], plan: Plan, at_s: int) -> Done:
        for work in works:
            self._registry.open(work.key)
        return self._blocks(len(plan), at_s)

    def _make_payable(self, works: Sequence[Work], plan: Plan, at_s: int) -> Done:
        # All are looked at before one is opened: works of one level do not depend on one another.
        for work in works:
            self._pool.ancestors(self._registry.entries[work.key])
        for work in works:
            self._pool.open(work.key)
        return self._blocks(len(plan), at_s)

    def _set_labels(self, labels: Sequence[Label], signers: Sequence[int], at_s: int) -> Done:
        for label in labels:
            if label.uses > 31:
                raise RefusalError("UnknownUses", "ProvenanceRegistry")
            self._payees.require_approved(label.community, tuple(signers))
        now_s = self._now(at_s)
        for label in labels:
            self._registry.set_label(label.community + 1, label.key, label.uses, label.expires_s, now_s)
        return self._blocks(1, at_s)

    # ---- money --------------------------------------------------------------------------------------------------

    def _pay(self, along: Payment, recorded: Payment, at_s: int) -> tuple[Done, list[int]]:
        credits = [
            credit
            for work, units in zip(along.works, along.units, strict=True)
            for credit in self._pool.split(work.key, units)
        ]
        for work, units in zip(recorded.works, recorded.units, strict=True):
            credits += self._pool.split_stems(self._registry.entries[work.key], units)
        self._pool.credit(credits)
        credited = [0] * len(self.payee_names)
        for payee_id, units in credits:
            credited[self.deployment.payee_of_id[payee_id]] += units
        return self._blocks(len(along.plan) + len(recorded.plan), at_s), credited

    def _fund(self, units: int, at_s: int) -> Done:
        return self._do(lambda _: self._distributor.fund(units), at_s)

    def _post(self, epoch: Epoch, at_s: int) -> Done:
        before = self._distributor.roots[-1].total if self._distributor.roots else 0
        done = self._do(lambda now_s: self._distributor.post(epoch.epoch, epoch.cumulative.tolist(), now_s), at_s)
        self._commitments[epoch.epoch] = Commitment(
            epoch.epoch, epoch.root, epoch.total, epoch.total - before, epoch.provenance_head, epoch.data_hash
        )
        return done

    def _finalize(self, epoch: int, at_s: int) -> Done:
        return self._do(lambda now_s: self._distributor.finalize(epoch, now_s), at_s)

    def _dispute(self, epoch: int, at_s: int) -> Done:
        return self._do(lambda now_s: self._distributor.dispute(epoch, now_s), at_s)

    def _claim(self, payees: Sequence[int], plan: Plan, pooled: Sequence[int], pool_plan: Plan, at_s: int) -> Claimed:
        paid = [0] * len(self.payee_names)
        for payee in payees:
            paid[payee] += self._distributor.claim(payee)
        for payee in pooled:
            paid[payee] += self._pool.balances.pop(self.deployment.payee_ids[payee], 0)
        for payee, units in enumerate(paid):
            if units:
                self._send(payee, units)
        return Claimed(self._blocks(len(plan) + len(pool_plan), at_s), paid)

    def _send(self, payee: int, units: int) -> None:
        """Pay tokens out to where a payee's money goes."""
        account = self.account_of(payee)
        self._wallet_units[account] = self._wallet_units.get(account, 0) + units

    def _give_notice(self, payee: int, at_s: int) -> Done:
        return self._do(lambda now_s: self._distributor.give_notice(payee, now_s), at_s)

    def _expire(self, payee: int, at_s: int) -> Done:
        return self._do(lambda now_s: self._send(*self._distributor.expire(payee, now_s)), at_s)

    def _wind_up(self, at_s: int) -> Done:
        return self._do(self._distributor.wind_up, at_s)

    def _claim_escape(self, payee: int, at_s: int) -> Done:
        return self._do(lambda _: self._send(payee, self._distributor.claim_escape(payee)), at_s)

    # ---- payees -------------------------------------------------------------------------------------------------

    def _request_rotation(self, request: RotationRequest, at_s: int) -> Done:
        payee, wallet, signers = request.payee, request.wallet, request.signers
        if signers is None:
            return self._do(lambda now_s: self._payees.request(payee, wallet, now_s), at_s)
        return self._do(lambda now_s: self._payees.request_by_community(payee, wallet, signers, now_s), at_s)

    def _cancel_rotation(self, payee: int, at_s: int) -> Done:
        return self._do(lambda now_s: self._payees.cancel(payee, now_s), at_s)

    def _complete_rotation(self, payee: int, at_s: int) -> Done:
        return self._do(lambda now_s: self._payees.complete(payee, now_s), at_s)

    # ---- what stands there --------------------------------------------------------------------------------------

    def provenance_head(self) -> bytes:
        """Return the fold of all registrations so far."""
        return self._registry.head

    def permitted(self, work_id: int, at_s: int) -> int:
        """Return the uses permitted for a registered work at a moment, as `Consent` flags."""
        return self._registry.permitted(self._works.work(work_id).key, at_s)

    def commitment(self, epoch: int) -> Commitment:
        """Return what was recorded when an epoch was posted."""
        return self._commitments[epoch]

    def last_block_s(self) -> int:
        """Return the timestamp of the last block."""
        return self._last_s

    def stream_claimed(self) -> list[int]:
        """Return what the distributor has paid for each payee, expired amounts included."""
        return list(self._distributor.claimed)

    def pool_balances(self) -> list[int]:
        """Return what each payee may withdraw of direct payments."""
        balances = self._pool.balances
        return [balances.get(payee_id, 0) for payee_id in self.deployment.payee_ids]

    def funded_units(self) -> int:
        """Return the sum of all payments into the distributor."""
        return self._distributor.funded

    def escaped_units(self) -> int:
        """Return what was paid out of the pot of a winding up."""
        return sum(self._distributor.escaped.values())

    def token_balance_units(self) -> int:
        """Return what distributor and pool hold: what came in and was not sent out."""
        return self.deposited_units() - sum(self._wallet_units.values())

    def account_of(self, payee: int) -> bytes:
        """Return the account that a payee's money goes to, 20 bytes."""
        return self.deployment.wallet_address(payee, self._payees.wallets[payee])

    def balance_of(self, account: bytes) -> int:
        """Return the tokens that an account holds."""
        return self._wallet_units.get(account, 0)
