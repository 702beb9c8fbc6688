"""`verify` from published data and the chain alone: a ledger that holds, and one for each way of tampering with it."""

import json
import shutil

import numpy as np
import pytest

from heritage_contracts import make_ledger
from heritage_contracts.at_rest.folder import open_folder, put_down
from heritage_contracts.chain_books import DifferenceError
from heritage_contracts.compiled import load
from heritage_contracts.config import LedgerConfig
from heritage_contracts.verification import books_at_rest, verify_folder
from heritage_sim.base import (
    Calendar,
    ConsentLabel,
    DirectPayment,
    HeritageError,
    InputError,
    ProvenanceRecord,
    Statement,
    Stem,
)

pytestmark = pytest.mark.integration
GENESIS_S = Calendar().genesis_s
DAY_S = 86_400
COMMUNITIES = (0, 1, 0, 1)
NO_WORKS = np.zeros(0, dtype=np.int64)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A ledger on the embedded EVM: works, labels, a payment along sources, two final epochs and a pending one."""
    ledger = make_ledger(LedgerConfig(kind="evm"), list("abcd"), GENESIS_S, payee_communities=COMMUNITIES)
    records = [
        ProvenanceRecord(0, b"\1" * 32, 0, 31, (), 10_000_000, (Stem(0, 4_000), Stem(2, 6_000))),
        ProvenanceRecord(1, b"\2" * 32, 1, 31, (0,), 5_000_000, (Stem(3, 10_000),)),
    ]
    ledger.register(records, GENESIS_S)
    ledger.set_consent([ConsentLabel(0, 31), ConsentLabel(1, 15)], GENESIS_S)
    ledger.pay([DirectPayment(1, 1_000_003)], GENESIS_S + 100)
    for epoch in range(3):
        units = np.array([100, 200, 300, 401 + epoch], dtype=np.int64)
        ledger.post(
            Statement(epoch, "pro_rata", int(units.sum()), units, NO_WORKS, ()), GENESIS_S + epoch * 2 * DAY_S + 1_000
        )
        if epoch < 2:
            ledger.finalize(epoch, GENESIS_S + (epoch * 2 + 1) * DAY_S + 2_000)
        if epoch == 0:
            ledger.claim([0, 3], GENESIS_S + DAY_S + 3_000)
    path = tmp_path_factory.mktemp("whole")
    put_down(ledger, path, ledger.chain.outbox)
    return ledger, path


@pytest.fixture
def copy(whole, tmp_path):
    shutil.copytree(whole[1], tmp_path / "ledger")
    return tmp_path / "ledger"


def test_the_books_that_the_chain_gives_are_those_of_the_ledger(whole):
    ledger, path = whole
    found = verify_folder(open_folder(path))
    assert found.way.endswith("to the block hash")
    audit = ledger.audit()
    books = found.books
    assert (books.funded_units + books.direct_units, books.paid_units) == (audit.deposited, audit.claimed)
    assert (books.pending_units, books.num_final, len(books.epochs)) == (audit.pending, 2, 3)
    assert [sum(books.due(i)) for i in ledger.deployment.payee_ids] == ledger.withdrawable_units().tolist()
    assert [e.root for e in books.epochs] == [ledger.epoch(e).root for e in range(3)]
    at_rest, recorded = books_at_rest(open_folder(path))
    assert at_rest.payouts == books.payouts
    assert found.num_transactions == sum(len(a.sent) for a in recorded.asked)
    # A label is asked of the contract as well; the second community permits no use outside its tradition.
    assert books.permitted(list(books.works.by_key)[1], books.last_s) == 15


def edited(path, number, change):
    """Change one line of a file of JSON Lines; counted from 1, -1 is the last."""
    lines = path.read_text().splitlines(keepends=True)
    index = number - 1 if number > 0 else number
    lines[index] = change(lines[index])
    path.write_text("".join(lines))
    return index % len(lines) + 1


def line_with(path, wanted):
    return next(i for i, line in enumerate(path.read_text().splitlines(), 1) if wanted(json.loads(line)))


def in_json(change):
    def changed(line):
        state = json.loads(line)
        change(state)
        return json.dumps(state, separators=(",", ":")) + "\n"

    return changed


def last_claim(line):
    """Return whether a line holds the receipt of a claim: some event of a receipt speaks of a payee's money."""
    claimed = "f7a40077ff7a04c7e61f6f26fb13774259ddf1b6bce9ecf26a8276cdd3992683"
    return line["kind"] == "mined" and any(
        claimed in log[1] or len(log[1]) == 3 for receipt in line["receipts"] for log in receipt["logs"]
    )


def receipt(change):
    return in_json(lambda state: change(state["receipts"][-1]))


def flipped(text, at):
    return text[:at] + ("0" if text[at] != "0" else "1") + text[at + 1 :]


def signed_bytes(at):
    return in_json(lambda state: state["transactions"][-1].update(raw=flipped(state["transactions"][-1]["raw"], at)))


OUTBOX = {
    "the amount of an event": (
        last_claim,
        receipt(lambda r: r["logs"][-1].__setitem__(2, flipped(r["logs"][-1][2], -1))),
    ),
    "gas": (last_claim, receipt(lambda r: r.update(gas=r["gas"] + 1))),
    "price of gas": (last_claim, receipt(lambda r: r.update(fee_wei=r["fee_wei"] + 1))),
    "acceptance": (last_claim, receipt(lambda r: r.update(ok=False))),
    "a block's hash": (last_claim, in_json(lambda s: s.update(block_hash=flipped(s["block_hash"], 5)))),
    "a block's second": (last_claim, in_json(lambda s: s.update(block_s=s["block_s"] + 1))),
    "a contract's address": (last_claim, receipt(lambda r: r["logs"][0].__setitem__(0, flipped(r["logs"][0][0], 3)))),
    "calldata": (lambda s: s["kind"] == "signed", signed_bytes(200)),
    "a signature": (lambda s: s["kind"] == "signed", signed_bytes(-1)),
    "a nonce": (lambda s: s["kind"] == "signed", in_json(lambda s: s["transactions"][0].update(nonce=9))),
    "a role": (lambda s: s["kind"] == "signed", in_json(lambda s: s["transactions"][0].update(role="poster"))),
    "an intent's number": (
        lambda s: s["kind"] == "signed",
        in_json(lambda s: s["transactions"][1].update(intent="7" + s["transactions"][1]["intent"])),
    ),
    "an intent's function": (
        lambda s: s["kind"] == "signed",
        in_json(lambda s: s["transactions"][0].update(intent=flipped(s["transactions"][0]["intent"], -1))),
    ),
    "a wished second": (
        lambda s: s["kind"] == "signed" and s["parcel"] == 5,
        in_json(lambda s: s.update(at_s=s["at_s"] + 9)),
    ),
    "a spelling": (lambda s: s["kind"] == "signed", lambda line: line.replace(",", ", ", 1)),
    "the chain": (lambda s: s["kind"] == "chain", in_json(lambda s: s.update(chain_id=1))),
    "block 0": (lambda s: s["kind"] == "chain", in_json(lambda s: s.update(genesis=flipped(s["genesis"], 7)))),
}


@pytest.mark.parametrize("what", OUTBOX)
def test_a_change_of_the_outbox_is_named_by_its_line(copy, what):
    wanted, change = OUTBOX[what]
    path = copy / "outbox.jsonl"
    line = edited(path, line_with(path, wanted), change)
    with pytest.raises(HeritageError) as told:
        verify_folder(open_folder(copy))
    assert told.value.where.startswith(f"{path}, line {line}"), str(told.value)
    assert isinstance(told.value, DifferenceError | InputError)


def test_a_transaction_taken_out_is_missed(copy):
    path = copy / "outbox.jsonl"
    lines = path.read_text().splitlines(keepends=True)
    path.write_text("".join(lines[:-2]))
    with pytest.raises(DifferenceError):
        verify_folder(open_folder(copy))


@pytest.mark.parametrize(
    ("epoch", "line", "change", "named"),
    [
        (1, 2, lambda s: s.replace(",2", ",3", 1), "sum of an epoch's leaves"),
        (2, 2, lambda s: flipped(s, 10), "Merkle root"),
        (0, 1, lambda s: s.replace('"rule":"pro_rata"', '"rule":"pro_rat"'), "hash of an epoch's data"),
        (2, 1, lambda s: s.replace('"epoch":2', '"epoch":1'), "number in an epoch's data"),
    ],
)
def test_a_change_of_published_data_is_named_with_its_epoch(copy, epoch, line, change, named):
    path = copy / "epochs" / f"{epoch}.jsonl"
    edited(path, line, change)
    with pytest.raises(DifferenceError, match=named) as told:
        verify_folder(open_folder(copy))
    assert f"epochs/{epoch}.jsonl" in told.value.where


def test_amounts_moved_between_payees_lead_to_another_root(copy):
    path = copy / "epochs" / "2.jsonl"
    head, *rows = [json.loads(line) for line in path.read_text().splitlines()]
    rows[0][1], rows[1][1] = rows[0][1] - 1, rows[1][1] + 1
    canonical = [json.dumps(row, sort_keys=True, separators=(",", ":")) + "\n" for row in (head, *rows)]
    path.write_text("".join(canonical))
    with pytest.raises(DifferenceError, match="Merkle root of an epoch"):
        verify_folder(open_folder(copy))


def test_a_missing_epoch_is_asked_for(copy):
    (copy / "epochs" / "1.jsonl").unlink()
    with pytest.raises(InputError, match="published data of epoch 1"):
        books_at_rest(open_folder(copy))


def test_an_artefact_with_another_byte_is_named(whole, monkeypatch):
    def tampered(contract):
        artefact = dict(load(contract))
        if contract == "EpochDistributor":
            artefact["deployed_bytecode"] = flipped(artefact["deployed_bytecode"], 5_000)
        return artefact

    monkeypatch.setattr("heritage_contracts.verification.contracts.load", tampered)
    with pytest.raises(DifferenceError, match="code of EpochDistributor") as told:
        verify_folder(open_folder(whole[1]))
    assert "byte 2500" in told.value.where


def test_another_window_than_the_contract_has_is_named(copy):
    path = copy / "ledger.json"
    path.write_text(path.read_text().replace('"challenge_window_hours": 24.0', '"challenge_window_hours": 12.0'))
    with pytest.raises(DifferenceError, match=r"setting challengeWindow\(\)"):
        verify_folder(open_folder(copy))


def test_an_intent_that_leads_elsewhere_is_named(copy):
    path = copy / "intents.jsonl"
    line = line_with(path, lambda s: s["intent"] == "post" and s["epoch"] == 1)
    edited(path, line, lambda s: s.replace("300", "301"))
    with pytest.raises(DifferenceError) as told:
        verify_folder(open_folder(copy))
    assert f"intents.jsonl, line {line}" in told.value.where


def test_intents_taken_away_are_asked_for(copy):
    (copy / "intents.jsonl").unlink()
    with pytest.raises(InputError, match="intents cannot be read"):
        verify_folder(open_folder(copy))


def test_an_outbox_that_ends_before_the_last_published_epoch_is_noticed(copy):
    lines = (copy / "outbox.jsonl").read_bytes().splitlines(keepends=True)
    (copy / "outbox.jsonl").write_bytes(b"".join(lines[:-2]))
    (copy / "intents.jsonl").write_bytes(b"".join((copy / "intents.jsonl").read_bytes().splitlines(True)[:-1]))
    with pytest.raises(DifferenceError, match="published epochs") as told:
        verify_folder(open_folder(copy))
    assert told.value.where.endswith("2.jsonl")
