"""Every ledger gives the same books, roots, times and refusals for the same intents.

One suite for all kinds. What it costs: the embedded chain about half a CPU second for a deployment, Anvil a tenth.
"""

import eth  # noqa: F401  (py-evm sets the recursion limit when imported, which Hypothesis watches inside a test)
import numpy as np
import pytest
from ledgers import DAY_S, GENESIS_S, NUM_PAYEES, books, make, record, settle, statement

from heritage_contracts.refusals import RefusalError
from heritage_sim.base import NO_ONE, Consent, ConsentLabel, DirectPayment, Ledger

KINDS = ("reference", "evm", "anvil")
EVEN = [1] * NUM_PAYEES

pytestmark = pytest.mark.integration


@pytest.fixture(params=KINDS)
def kind(request):
    return request.param


@pytest.fixture
def ledger(kind):
    made = make(kind)
    yield made
    made.close()


def refused(reason, intent, *arguments):
    """Assert that an intent is refused for a reason, leaves the books as they are and makes no block."""
    before = books(intent.__self__)
    with pytest.raises(RefusalError) as refusal:
        intent(*arguments)
    assert refusal.value.reason == reason
    assert books(intent.__self__) == before


def test_it_keeps_the_protocol(ledger):
    assert isinstance(ledger, Ledger)


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (statement(1, EVEN), "WrongEpoch"),
        (statement(0, EVEN, pool=6), "WrongStatement"),
        (statement(0, [-1, 2, 0, 0, 0]), "WrongStatement"),
        (statement(0, [1, 2]), "WrongStatement"),
    ],
)
def test_impossible_statements_are_refused(ledger, bad, reason):
    refused(reason, ledger.post, bad, GENESIS_S)
    assert ledger.audit().deposited == 0


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        ([record(1, [9])], "UnknownParent"),
        ([record(1, [1])], "UnknownParent"),
        ([record(1, range(20, 37))], "TooManyParents"),
        ([record(1, [20, 20])], "ParentsNotAscending"),
        ([record(1, stems=((0, 9_999),))], "StemsDoNotSum"),
        ([record(1, stems=((9, 10_000),))], "WrongRecord"),
        ([record(1, share=100_000_001)], "ShareAboveWhole"),
        ([record(1, consent=32)], "UnknownUses"),
        ([record(1, content=b"short")], "WrongRecord"),
        ([record(20, content=bytes(32))], "WorkExists"),
        ([record(1), record(1, [20])], "WorkExists"),
    ],
)
def test_impossible_records_are_refused_with_their_batch(kind, bad, reason, shared_ledgers):
    ledger = shared_ledgers[kind]
    refused(reason, ledger.register, [record(19), *bad], GENESIS_S + DAY_S)


@pytest.fixture(scope="module")
def shared_ledgers():
    """Return a ledger of each kind with works 20 to 39, for tests that change nothing."""

    class Made(dict):
        def __missing__(self, kind):
            self[kind] = made = make(kind)
            made.register([record(i) for i in range(20, 40)], GENESIS_S)
            return made

    made = Made()
    yield made
    for one in made.values():
        one.close()


def test_a_window_of_nothing_still_takes_a_block(kind):
    ledger = make(kind, challenge_window_hours=0.0)
    done = settle(ledger, statement(0, EVEN), GENESIS_S + 60)
    assert (done.posted_s, done.withdrawable_s) == (GENESIS_S + 60, GENESIS_S + 61)
    ledger.close()


def test_as_many_epochs_wait_as_the_ledger_says_and_a_dispute_drops_the_later_ones(ledger):
    for epoch in range(ledger.max_pending):
        ledger.post(statement(epoch, EVEN), GENESIS_S + epoch)
    refused("TooManyPending", ledger.post, statement(ledger.max_pending, EVEN), GENESIS_S + 60)
    assert ledger.audit().pending == ledger.max_pending * NUM_PAYEES
    refused("WrongEpoch", ledger.finalize, 1, GENESIS_S + DAY_S)
    refused("WindowOpen", ledger.finalize, 0, GENESIS_S + DAY_S - 1)
    ledger.finalize(0, GENESIS_S + DAY_S)
    refused("NotPending", ledger.dispute, 0, GENESIS_S + DAY_S)
    refused("WindowOver", ledger.dispute, 1, GENESIS_S + 1 + DAY_S)
    ledger.dispute(3, GENESIS_S + DAY_S + 1)
    audit = ledger.audit()
    assert (audit.pending, audit.unallocated) == (2 * NUM_PAYEES, 4 * NUM_PAYEES)
    # What was paid in for the dropped epochs pays for the next one.
    ledger.post(statement(3, [4, 4, 4, 4, 5]), GENESIS_S + 2 * DAY_S)
    assert ledger.deposited_units() == 8 * NUM_PAYEES - 4
    for epoch in (1, 2, 3):
        ledger.finalize(epoch, GENESIS_S + 4 * DAY_S)
    assert ledger.withdrawable_units().tolist() == [7, 7, 7, 7, 8]


def test_money_paid_in_ahead_is_taken_off_the_next_deposit(ledger):
    ledger.fund(3, GENESIS_S)
    assert ledger.audit().unallocated == 3
    settle(ledger, statement(0, EVEN), GENESIS_S + 1)
    assert ledger.deposited_units() == NUM_PAYEES
    assert ledger.claim(range(NUM_PAYEES), GENESIS_S + 3 * DAY_S).amounts_units.tolist() == EVEN
    refused("UnknownPayee", ledger.claim, [0, NUM_PAYEES], GENESIS_S + 4 * DAY_S)


def test_a_payment_is_split_along_all_sources_and_claimed_with_the_rest(ledger):
    ledger.register(
        [
            record(0, share=10_000_000, stems=((0, 10_000),)),
            record(1, [0], share=5_000_000, stems=((2, 5_000), (3, 5_000))),
            record(2, [0], share=20_000_000, stems=((3, 10_000),)),
            record(3, [2, 1], stems=((4, 10_000),)),
            record(4, stems=()),
        ],
        GENESIS_S,
    )
    paid = ledger.pay([DirectPayment(3, 1_000), DirectPayment(0, 7)], GENESIS_S + 60)
    # Work 0 is due 10 % by each of two ways, work 1 5 %, work 2 20 %; 55 % stay. Half of 50 units each for 2 and 3.
    assert paid.payee_units.tolist() == [207, 0, 25, 225, 550]
    assert ledger.withdrawable_units().tolist() == paid.payee_units.tolist()
    settle(ledger, statement(0, [10, 20, 30, 0, 0]), GENESIS_S + DAY_S)
    payments = ledger.claim(range(NUM_PAYEES), GENESIS_S + 3 * DAY_S)
    assert payments.amounts_units.tolist() == [217, 20, 55, 225, 550]
    audit = ledger.audit()
    assert audit.deposited == audit.claimed == 1_067
    refused("UnknownWork", ledger.pay, [DirectPayment(9, 5)], GENESIS_S + 4 * DAY_S)
    refused("NothingPaid", ledger.pay, [DirectPayment(0, 0)], GENESIS_S + 4 * DAY_S)
    refused("NobodyShares", ledger.pay, [DirectPayment(0, 5), DirectPayment(4, 5)], GENESIS_S + 4 * DAY_S)


@pytest.mark.parametrize(
    ("rule", "credited"),
    [
        # 0 <- 1 <- 2 with shares of 10 %, 20 %: lap 100 + 200; decay halves work 0's 100; lrp gives 0 10 % of 200.
        ({"payment_rule": "lap"}, [100, 200, 700, 0, 0]),
        ({"payment_rule": "decay", "payment_decay": 0.5}, [50, 200, 750, 0, 0]),
        ({"payment_rule": "lrp"}, [20, 180, 800, 0, 0]),
    ],
)
def test_each_rule_of_direct_payments_gives_what_it_says(kind, rule, credited):
    ledger = make(kind, **rule)
    chain = [record(i, [i - 1] if i else [], (i + 1) * 10_000_000, stems=((i, 10_000),)) for i in range(3)]
    ledger.register(chain, GENESIS_S)
    assert ledger.pay([DirectPayment(2, 1_000)], GENESIS_S).payee_units.tolist() == credited
    ledger.close()


def test_sources_that_are_due_more_than_the_whole_cannot_be_paid_along(ledger):
    ledger.register([record(0, share=60_000_000), record(1, share=60_000_000), record(2, [0, 1])], GENESIS_S)
    with pytest.raises(RefusalError) as refusal:
        ledger.pay([DirectPayment(2, 10)], GENESIS_S)
    assert refusal.value.reason == "StackAboveWhole"
    assert ledger.deposited_units() == 0
    # Its sources were opened on the way, and can be paid.
    assert ledger.pay([DirectPayment(0, 10)], GENESIS_S).payee_units.sum() == 10


def test_consent_is_what_stood_at_the_time_of_use(ledger):
    ledger.register([record(0, community=0), record(1, community=1, consent=int(Consent.ALL))], GENESIS_S)
    permitted = [int(Consent.ALL)]
    times = [GENESIS_S + day * DAY_S for day in range(5)]
    ledger.set_consent([ConsentLabel(0, 3)], times[1])
    ledger.set_consent([ConsentLabel(0, 7, work_id=0, expires_s=times[4])], times[2])
    ledger.set_consent([ConsentLabel(0, 31), ConsentLabel(1, 0), ConsentLabel(0, 31, work_id=1)], times[3])
    permitted += [3, 7 & 3, 7 & 31, 0]
    assert [ledger.permitted(0, at_s) for at_s in times] == permitted
    assert [ledger.permitted(1, at_s) for at_s in times] == [31, 31, 31, 0, 0]
    refused("TooFewSignatures", ledger.set_consent, [ConsentLabel(0, 3)], times[4], [1])
    refused("UnknownCommunity", ledger.set_consent, [ConsentLabel(7, 3)], times[4])
    refused("UnknownUses", ledger.set_consent, [ConsentLabel(0, 32)], times[4])
    refused("UnknownUses", ledger.set_consent, [ConsentLabel(0, 256)], times[4])
    refused("UnknownWork", ledger.set_consent, [ConsentLabel(0, 3, work_id=9)], times[4])
    refused("WrongLabel", ledger.set_consent, [ConsentLabel(0, 3, expires_s=2**48)], times[4])


def test_a_single_work_needs_its_sources_consent_now(ledger):
    ledger.register([record(0, community=0), record(1, community=1)], GENESIS_S)
    other = record(2, [0], community=1)
    refused("ParentNotOpen", ledger.derive, other, 3, GENESIS_S + 60)
    ledger.open_works([0, 1], GENESIS_S + 60)
    ledger.set_consent([ConsentLabel(0, int(Consent.DERIVE))], GENESIS_S + 120)
    refused("NoConsent", ledger.derive, other, 3, GENESIS_S + 180)
    ledger.derive(record(3, [0], community=0), 2, GENESIS_S + 180)
    ledger.set_consent([ConsentLabel(0, int(Consent.DERIVE | Consent.OUTSIDE), NO_ONE)], GENESIS_S + 240)
    ledger.derive(other, 3, GENESIS_S + 300)
    refused("ContentTaken", ledger.derive, record(4, content=other.content_sha256), 3, GENESIS_S + 360)
    refused("WorkExists", ledger.derive, other, 3, GENESIS_S + 360)
    # Nor is what a batch holds anybody's own work, once it is stored on the chain.
    copied = record(6, content=record(1).content_sha256, community=1)
    refused("ContentTaken", ledger.derive, copied, 3, GENESIS_S + 360)
    # Batches and single works build on one another, and both can be paid.
    ledger.register([record(5, [2, 3])], GENESIS_S + 400)
    paid = ledger.pay([DirectPayment(5, 100), DirectPayment(2, 100)], GENESIS_S + 500)
    assert paid.payee_units.sum() == 200


def test_a_work_is_revealed_by_its_author_in_time(ledger):
    shown = record(7, community=NO_ONE)
    refused("NotCommitted", ledger.reveal, shown, GENESIS_S)
    ledger.commit(shown, GENESIS_S)
    refused("AlreadyCommitted", ledger.commit, shown, GENESIS_S + 10)
    refused("CommitmentNotReady", ledger.reveal, shown, GENESIS_S + 59)
    refused("CommitmentLapsed", ledger.reveal, shown, GENESIS_S + DAY_S + 1)
    head = ledger.provenance_head()
    ledger.reveal(shown, GENESIS_S + 60)
    assert ledger.audit().num_works == 1
    # What strangers reveal is folded apart: it makes no batch and no epoch stale.
    assert ledger.provenance_head() == head
    claims_tradition = record(8, community=1)
    ledger.commit(claims_tradition, GENESIS_S + 100)
    refused("NotOfCommunity", ledger.reveal, claims_tradition, GENESIS_S + 200)


def test_a_lost_key_strands_no_money_and_a_holder_can_object(ledger):
    settle(ledger, statement(0, [0, 0, 10, 20, 0]), GENESIS_S)
    delay_s = ledger.config.rotation_delay_s
    first = ledger.account_of(2)
    ledger.request_rotation(2, 1, GENESIS_S + 2 * DAY_S, signers=[0, 2])
    refused("RotationNotReady", ledger.complete_rotation, 2, GENESIS_S + 2 * DAY_S + delay_s - 1)
    refused("RotationPending", ledger.request_rotation, 2, 2, GENESIS_S + 2 * DAY_S + 9)
    # Meanwhile what is due is held back: the account may be out of anybody's reach.
    assert ledger.claim([2], GENESIS_S + 2 * DAY_S + 60).payee_ids.size == 0
    ledger.cancel_rotation(2, GENESIS_S + 3 * DAY_S)
    refused("NoRotation", ledger.cancel_rotation, 2, GENESIS_S + 3 * DAY_S + 60)
    ledger.request_rotation(2, 1, GENESIS_S + 4 * DAY_S)
    refused("RotationPending", ledger.request_rotation, 2, 2, GENESIS_S + 4 * DAY_S + 9, [0, 1])
    ledger.request_rotation(2, 2, GENESIS_S + 5 * DAY_S, signers=[0, 1, 2])
    refused("NoVeto", ledger.cancel_rotation, 2, GENESIS_S + 5 * DAY_S + 9)
    ledger.complete_rotation(2, GENESIS_S + 5 * DAY_S + delay_s)
    assert ledger.account_of(2) == ledger.deployment.wallet_address(2, 2) != first
    ledger.claim([2, 3], GENESIS_S + 9 * DAY_S)
    assert (ledger.balance_of(first), ledger.balance_of(ledger.account_of(2))) == (0, 10)
    ledger.request_rotation(2, 0, GENESIS_S + 10 * DAY_S)
    ledger.complete_rotation(2, GENESIS_S + 20 * DAY_S)
    assert ledger.account_of(2) == first


def test_unclaimed_money_goes_to_the_community_after_notice(ledger):
    refused("NothingFinal", ledger.give_notice, 2, GENESIS_S)
    settle(ledger, statement(0, [1, 2, 30, 40, 0]), GENESIS_S)
    refused("NoFund", ledger.give_notice, 0, GENESIS_S + 2 * DAY_S)
    refused("NothingDue", ledger.give_notice, 4, GENESIS_S + 2 * DAY_S)
    refused("NoNotice", ledger.expire, 2, GENESIS_S + 2 * DAY_S)
    for payee in (2, 3):
        ledger.give_notice(payee, GENESIS_S + 2 * DAY_S)
    refused("NoticeOpen", ledger.give_notice, 2, GENESIS_S + 3 * DAY_S)
    ledger.claim([3], GENESIS_S + 3 * DAY_S)
    due_s = GENESIS_S + 2 * DAY_S + ledger.config.notice_s
    refused("NoticeOpen", ledger.expire, 2, due_s - 1)
    ledger.expire(2, due_s)
    refused("NothingDue", ledger.expire, 3, due_s + 60)
    assert ledger.balance_of(ledger.account_of(0)) == 30
    assert ledger.withdrawable_units().tolist() == [1, 2, 0, 0, 0]


def test_amounts_that_could_not_be_counted_are_refused_before_any_money_moves(ledger):
    ledger.register([record(0, stems=((2, 10_000),))], GENESIS_S)
    half = DirectPayment(0, 2**61)
    refused("WrongPayment", ledger.pay, [half, half], GENESIS_S + 60)
    assert (ledger.deposited_units(), ledger.token_balance_units()) == (0, 0)
    ledger.pay([half], GENESIS_S + 60)
    refused("WrongPayment", ledger.pay, [half], GENESIS_S + 120)
    settle(ledger, statement(0, [0, 0, 2**62 - 1, 0, 0]), GENESIS_S + 120)
    assert ledger.withdrawable_units().tolist() == [0, 0, 2**62 + 2**61 - 1, 0, 0]
    assert ledger.audit().unclaimed == 2**62 + 2**61 - 1


def test_notice_runs_anew_once_money_is_no_longer_held_back(ledger):
    settle(ledger, statement(0, [0, 0, 30, 40, 0]), GENESIS_S)
    given_s, notice_s = GENESIS_S + 2 * DAY_S, ledger.config.notice_s
    ledger.give_notice(2, given_s)
    ledger.request_rotation(2, 1, given_s + notice_s - 60, signers=[0, 1])
    refused("PayeeHeld", ledger.expire, 2, given_s + notice_s)
    free_s = given_s + notice_s + ledger.config.rotation_delay_s
    ledger.complete_rotation(2, free_s)
    refused("NoticeOpen", ledger.expire, 2, free_s + notice_s - 1)
    ledger.expire(2, free_s + notice_s)
    assert ledger.balance_of(ledger.account_of(0)) == 30


def test_after_a_long_silence_everybody_gets_a_share_of_what_was_paid_in(ledger):
    settle(ledger, statement(0, [0, 0, 1, 2, 0]), GENESIS_S)
    ledger.fund(100, GENESIS_S + 3 * DAY_S)
    silent_s = GENESIS_S + DAY_S + ledger.config.silence_s
    refused("NotWoundUp", ledger.claim_escape, 2, silent_s)
    refused("NotSilent", ledger.wind_up, silent_s - 1)
    ledger.post(statement(1, EVEN), silent_s - DAY_S - 60)
    refused("NotSilent", ledger.wind_up, silent_s)
    ledger.dispute(1, silent_s - 61)
    ledger.post(statement(1, EVEN), silent_s - 60)
    ledger.wind_up(silent_s)
    for intent, argument in ((ledger.post, statement(1, EVEN)), (ledger.fund, 1)):
        refused("IsWoundUp", intent, argument, silent_s + 60)
    refused("IsWoundUp", ledger.wind_up, silent_s + 60)
    ledger.claim_escape(2, silent_s + 60)
    ledger.claim_escape(3, silent_s + 60)
    refused("NothingDue", ledger.claim_escape, 2, silent_s + 90)
    assert [ledger.balance_of(ledger.account_of(p)) for p in (2, 3)] == [33, 66]
    ledger.claim([2, 3], silent_s + DAY_S)
    audit = ledger.audit()
    assert (audit.claimed, audit.escaped, audit.unallocated) == (3, 99, 1)


def story_of_three_weeks(ledger, weeks=range(3)):
    for week in weeks:
        at_s = GENESIS_S + (week + 1) * 7 * DAY_S
        ledger.register([record(10 * week + i, [10 * week] if i else []) for i in range(4)], at_s)
        ledger.set_consent([ConsentLabel(0, 3 + week)], at_s)
        ledger.pay([DirectPayment(10 * week + i, 1_000) for i in range(2)], at_s)
        settle(ledger, statement(week, [week, 10**12, 3, 0, 7]), at_s)
        ledger.claim([1, 3, week], at_s + 2 * DAY_S)
    ledger.request_rotation(4, week + 1, at_s + 3 * DAY_S)
    ledger.complete_rotation(4, at_s + 6 * DAY_S)


@pytest.mark.parametrize("source", KINDS)
@pytest.mark.parametrize("target", KINDS)
def test_a_journal_rebuilds_the_ledger_in_any_kind_and_the_story_goes_on(source, target, told_stories):
    undisturbed, halves = told_stories
    second = make(target)
    second.restore(halves[source]["state"])
    assert books(second) == halves[source]["books"]
    story_of_three_weeks(second, range(3, 4))
    assert books(second) == undisturbed
    second.close()


@pytest.fixture(scope="module")
def told_stories():
    """Return the books of the whole story, and for each kind the ledger that was put down in the middle."""
    whole = make("reference")
    story_of_three_weeks(whole)
    story_of_three_weeks(whole, range(3, 4))
    halves = {}
    for kind in KINDS:
        ledger = make(kind)
        story_of_three_weeks(ledger)
        halves[kind] = {"state": ledger.snapshot(), "books": books(ledger)}
        ledger.close()
    return books(whole), halves


def test_restore_forgets_what_came_after_the_snapshot():
    ledger = make("evm")
    story_of_three_weeks(ledger, range(1))
    kept, before, head = ledger.snapshot(), books(ledger), ledger.chain.head_hash()
    story_of_three_weeks(ledger, range(1, 2))
    assert books(ledger) != before
    ledger.restore(kept)
    assert books(ledger) == before
    assert ledger.chain.head_hash() == head


def test_published_data_leads_to_what_the_ledger_recorded(ledger):
    story_of_three_weeks(ledger)
    for epoch in range(3):
        assert ledger.verify_epoch(ledger.published_epoch(epoch)).epoch == epoch
    forged = ledger.published_epoch(1).replace(b'"rule":"test"', b'"rule":"other"')
    with pytest.raises(Exception, match="posted with another data_hash"):
        ledger.verify_epoch(forged)


@pytest.mark.slow
def test_many_payees_and_records_fill_several_blocks_alike():
    num_payees, num_records = 620, 4_000
    units = np.arange(num_payees, dtype=np.int64)
    answers = []
    for kind in KINDS:
        ledger = make(kind, num_payees)
        ledger.register([record(i) for i in range(num_records)], GENESIS_S)
        registered_s = ledger.last_block_s()
        settle(ledger, statement(0, units), GENESIS_S + DAY_S)
        paid = ledger.claim(range(num_payees), GENESIS_S + 3 * DAY_S)
        answers.append((registered_s, paid.paid_s, paid.amounts_units.tolist(), books(ledger)))
        ledger.close()
    assert answers[0] == answers[1] == answers[2]
    assert answers[0][0] > GENESIS_S
    assert answers[0][1] > GENESIS_S + 3 * DAY_S
