"""Random intents drive the reference ledger, the embedded chain and Anvil side by side.

After every step all of them have the same balances, roots, provenance head, accounts and time, and gave the same
answer: the same values, or a refusal for the same reason. Few long examples: an example costs the embedded chain half a
CPU second for its deployment and some 100 ms a step. Anvil is one process that goes back to its first block for every
example.
"""

from __future__ import annotations

import dataclasses

import eth  # noqa: F401  (py-evm sets the recursion limit when imported, which Hypothesis watches inside a test)
import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule, run_state_machine_as_test
from ledgers import COMMUNITIES, DAY_S, GENESIS_S, NUM_PAYEES, books, has_anvil, make, record, statement

from heritage_contracts.config import LedgerConfig
from heritage_contracts.deployment import EMBEDDED_CHAIN_ID, ROLES, role_address
from heritage_contracts.ledgers.web3_ledger import Web3Ledger
from heritage_contracts.refusals import RefusalError
from heritage_contracts.schedule import DEPLOY_LEAD_S
from heritage_contracts.sending.chain import Chain
from heritage_contracts.sending.outbox import Outbox
from heritage_sim.base import NO_ONE, ConsentLabel, DirectPayment

pytestmark = pytest.mark.integration

SHORT = {"challenge_window_hours": 24.0, "silence_days": 30.0, "notice_days": 2.0, "rotation_delay_hours": 24.0}
WAITS_S = (0, 0, 1, 60, 3_600, DAY_S, DAY_S, 2 * DAY_S, 5 * DAY_S)

RULES = (("lap", True), ("lap", False), ("decay", True), ("decay", False), ("lrp", True))

payees = st.integers(0, NUM_PAYEES - 1)
waits = st.sampled_from(WAITS_S)
members = st.sampled_from([(0, 1), (1, 2), (0, 1, 2), (2,)])
few_works = st.lists(st.integers(0, 11), max_size=3)


def plain(answer):
    """Return what a ledger answered without its gas, as plain values."""
    if dataclasses.is_dataclass(answer):
        return {f.name: plain(getattr(answer, f.name)) for f in dataclasses.fields(answer) if f.name != "gas"}
    return answer.tolist() if isinstance(answer, np.ndarray) else answer


class LedgersSideBySide(RuleBasedStateMachine):
    """The same intents on every ledger that `ledgers` makes."""

    @staticmethod
    def made(config):
        return [make("reference", **config), make("evm", **config)]

    @initialize(
        direct=st.sampled_from([("lap", True), ("lap", False), ("decay", True), ("decay", False), ("lrp", True)])
    )
    def begin(self, direct):
        config = SHORT | {"payment_rule": direct[0], "payment_every_path": direct[1]}
        self.ledgers = self.made(config)
        self.at_s = GENESIS_S
        self.num_singles = 0
        self.next_epoch = 0
        self.ask("register", [record(i, [i // 2] if i > 2 else [], share=8_000_000) for i in range(4)])

    def ask(self, intent, *arguments, wait_s=0, **more):
        """Ask every ledger, hold their answers and their books against one another, and return whether they did it."""
        self.at_s += wait_s
        answers = []
        for ledger in self.ledgers:
            try:
                answers.append(plain(getattr(ledger, intent)(*arguments, at_s=self.at_s, **more)))
            except RefusalError as refusal:
                answers.append(f"refused: {refusal.reason}")
        for ledger, answer in zip(self.ledgers[1:], answers[1:], strict=True):
            assert answer == answers[0], (intent, arguments, ledger.config.kind)
        expected = books(self.ledgers[0])
        for ledger in self.ledgers[1:]:
            assert books(ledger) == expected, (intent, arguments, ledger.config.kind)
        return not (isinstance(answers[0], str) and answers[0].startswith("refused"))

    # ---- works --------------------------------------------------------------------------------------------------

    @rule(work=st.integers(4, 11), parents=few_works, share=st.integers(0, 60_000_000), wait_s=waits)
    def register(self, work, parents, share, wait_s):
        stems = () if work == 11 else None
        self.ask("register", [record(work, parents, share, stems=stems)], wait_s=wait_s)

    @rule(parents=few_works, owner=payees, community=st.integers(-1, 1), wait_s=waits, is_copy=st.booleans())
    def derive(self, parents, owner, community, wait_s, is_copy):
        self.num_singles += 1
        work = 100 + self.num_singles
        content = (100).to_bytes(32, "big") if is_copy else None
        single = record(work, parents, community=community, content=content)
        known = [w for w in parents if w in self.ledgers[0]._works]
        if self.num_singles % 3:
            self.ask("open_works", known, wait_s=wait_s)
        self.ask("derive", single, owner, wait_s=wait_s)

    @rule(
        number=st.integers(0, 3),
        wait_s=st.sampled_from([0, 60]),
        reveal_s=st.sampled_from([60, 60, 59, 3_600, 2 * DAY_S]),
    )
    def announce_and_reveal(self, number, wait_s, reveal_s):
        shown = record(200 + number, community=0 if number == 3 else NO_ONE)
        self.ask("commit", shown, wait_s=wait_s)
        self.ask("reveal", shown, wait_s=reveal_s)

    @rule(
        community=st.integers(0, 2),
        uses=st.sampled_from([0, 2, 3, 18, 31, 32]),
        work=st.sampled_from([NO_ONE, NO_ONE, 0, 1, 5]),
        expires_s=st.sampled_from([0, GENESIS_S + 3 * DAY_S]),
        signers=members,
        wait_s=waits,
    )
    def consent(self, community, uses, work, expires_s, signers, wait_s):
        label = ConsentLabel(community, uses, work, expires_s)
        self.ask("set_consent", [label], wait_s=wait_s, signers=list(signers))
        for known in (0, 1, 2):
            answers = [ledger.permitted(known, self.at_s) for ledger in self.ledgers]
            assert len(set(answers)) == 1

    # ---- money --------------------------------------------------------------------------------------------------

    @rule(
        paid=st.lists(
            st.tuples(st.sampled_from([0, 1, 2, 3, 3, 4, 5, 6, 11, 101]), st.sampled_from([0, 1, 7, 999, 10**12])),
            min_size=1,
            max_size=2,
        ),
        wait_s=waits,
    )
    def pay(self, paid, wait_s):
        self.ask("pay", [DirectPayment(work, units) for work, units in paid], wait_s=wait_s)

    @rule(units=st.integers(0, 10**6), wait_s=waits)
    def fund(self, units, wait_s):
        self.ask("fund", units, wait_s=wait_s)

    @rule(
        units=st.lists(st.integers(0, 10**6), min_size=NUM_PAYEES, max_size=NUM_PAYEES),
        skipped=st.sampled_from([0, 0, 0, 0, 1]),
        wait_s=waits,
        then=st.sampled_from(["wait", "finalize", "finalize", "dispute"]),
    )
    def post(self, units, skipped, wait_s, then):
        if self.ask("post", statement(self.ledgers[0].num_epochs + skipped, units), wait_s=wait_s):
            if then == "finalize":
                self.ask("finalize", self.ledgers[0].num_final, wait_s=DAY_S)
            elif then == "dispute":
                self.ask("dispute", self.ledgers[0].num_epochs - 1, wait_s=60)

    @precondition(lambda self: self.ledgers[0].num_epochs)
    @rule(later=st.sampled_from([0, 0, 0, 1]), wait_s=waits)
    def finalize(self, later, wait_s):
        self.ask("finalize", self.ledgers[0].num_final + later, wait_s=wait_s)

    @precondition(lambda self: self.ledgers[0].num_epochs)
    @rule(before_next=st.sampled_from([0, 1, 1, 2]), wait_s=st.sampled_from([0, 0, 60, DAY_S]))
    def dispute(self, before_next, wait_s):
        self.ask("dispute", max(0, self.ledgers[0].num_epochs - before_next), wait_s=wait_s)

    @rule(claiming=st.lists(st.integers(0, NUM_PAYEES), max_size=4), wait_s=waits)
    def claim(self, claiming, wait_s):
        self.ask("claim", claiming, wait_s=wait_s)

    @precondition(lambda self: self.ledgers[0].num_final)
    @rule(payee=st.integers(0, 4), wait_s=st.sampled_from([0, 60]), expire_s=st.sampled_from([0, DAY_S, 2 * DAY_S]))
    def give_notice_and_expire(self, payee, wait_s, expire_s):
        self.ask("give_notice", payee, wait_s=wait_s)
        self.ask("expire", payee, wait_s=expire_s)

    @precondition(lambda self: self.ledgers[0].num_final)
    @rule(wait_s=st.sampled_from([0, DAY_S, DAY_S, 40 * DAY_S]))
    def wind_up(self, wait_s):
        if self.ask("wind_up", wait_s=wait_s):
            for payee in (0, 3):
                self.ask("claim_escape", payee)

    @rule(payee=payees, wait_s=waits)
    def claim_escape(self, payee, wait_s):
        self.ask("claim_escape", payee, wait_s=wait_s)

    # ---- payees -------------------------------------------------------------------------------------------------

    @rule(
        payee=payees,
        wallet=st.integers(0, 2),
        signers=st.one_of(st.none(), members),
        wait_s=waits,
        then=st.sampled_from(["wait", "complete_rotation", "cancel_rotation"]),
    )
    def request_rotation(self, payee, wallet, signers, wait_s, then):
        self.ask("request_rotation", payee, wallet, wait_s=wait_s, signers=signers and list(signers))
        if then != "wait":
            self.ask(then, payee, wait_s=DAY_S)

    @rule(payee=payees, wait_s=waits, completes=st.booleans())
    def cancel_or_complete_rotation(self, payee, wait_s, completes):
        self.ask("complete_rotation" if completes else "cancel_rotation", payee, wait_s=wait_s)

    def teardown(self):
        for ledger in getattr(self, "ledgers", []):
            # Whatever happened, the journal alone makes the same ledger again.
            if ledger.config.kind == "reference":
                before = ledger.fingerprint()
                ledger.restore(ledger.snapshot())
                assert ledger.fingerprint() == before


def drive(machine, examples, steps):
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            deadline=None,
            derandomize=True,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        ),
    )


def test_random_intents_leave_reference_and_embedded_chain_alike():
    drive(LedgersSideBySide, examples=6, steps=25)


@pytest.mark.slow
def test_random_intents_leave_reference_embedded_chain_and_anvil_alike():
    if not has_anvil():
        pytest.skip("needs Anvil: npm --prefix contracts install, or foundryup")
    from heritage_contracts.nodes.anvil import ManagedAnvil

    with ManagedAnvil(GENESIS_S - DEPLOY_LEAD_S, [role_address(role) for role in ROLES], EMBEDDED_CHAIN_ID) as node:
        first = [node.rpc.ask("evm_snapshot")]

        def at_first_block(_):
            node.rpc.ask("evm_revert", first[0])
            first[0] = node.rpc.ask("evm_snapshot")
            return Chain(node.rpc, Outbox())

        class AnvilToo(LedgersSideBySide):
            @staticmethod
            def made(config):
                names = [f"payee {i}" for i in range(NUM_PAYEES)]
                settings_ = LedgerConfig(kind="anvil", **config)
                anvil = Web3Ledger(settings_, names, GENESIS_S, COMMUNITIES, at_first_block)
                return [*LedgersSideBySide.made(config), anvil]

        drive(AnvilToo, examples=12, steps=40)
