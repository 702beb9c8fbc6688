"""A ledger's folder: what it says of itself must follow from itself, and another folder is refused in words."""

import json
from dataclasses import replace

import numpy as np
import pytest

from heritage_contracts import make_ledger
from heritage_contracts.at_rest.folder import is_ledger, open_folder, put_down, read_intents
from heritage_contracts.config import LedgerConfig
from heritage_sim.base import (
    Calendar,
    ConsentLabel,
    DirectPayment,
    InputError,
    ProvenanceRecord,
    Statement,
    Stem,
    StorageError,
)

GENESIS_S = Calendar().genesis_s


def small_ledger():
    communities = (0, 1, 0, 1, -1)
    ledger = make_ledger(LedgerConfig(), [f"p{i}" for i in range(5)], GENESIS_S, payee_communities=communities)
    records = [
        ProvenanceRecord(0, b"\1" * 32, 0, 31, (), 10_000_000, (Stem(0, 10_000),)),
        ProvenanceRecord(1, b"\2" * 32, 1, 31, (0,), 0, (Stem(3, 10_000),), b"\7" * 32),
    ]
    ledger.register(records, GENESIS_S)
    ledger.set_consent([ConsentLabel(0, 15)], GENESIS_S + 5)
    ledger.pay([DirectPayment(1, 1_000)], GENESIS_S + 50)
    units = np.array([5, 4, 3, 2, 1], dtype=np.int64)
    ledger.post(Statement(0, "pro_rata", 15, units, np.zeros(0, dtype=np.int64), ()), GENESIS_S + 100)
    ledger.finalize(0, GENESIS_S + 100 + 86_400)
    ledger.claim([0, 3], GENESIS_S + 200_000)
    return ledger


def test_a_ledger_is_made_again_from_the_intents_it_left(tmp_path):
    ledger = small_ledger()
    put_down(ledger, tmp_path / "ledger")
    folder = open_folder(tmp_path / "ledger")
    again = make_ledger(
        folder.at.config, ["x"] * folder.at.num_payees, folder.at.genesis_s,
        payee_communities=folder.at.payee_communities,
    )  # fmt: skip
    for entry in read_intents(folder.path):
        again.replay(entry)
    assert again.fingerprint() == ledger.fingerprint()
    assert folder.epoch_data(0) == ledger.published_epoch(0)


def test_neither_names_nor_the_access_key_of_a_node_are_kept(tmp_path):
    from heritage_contracts.at_rest.folder import write_facts

    ledger = make_ledger(LedgerConfig(), ["Anselma Quist"], GENESIS_S)
    put_down(ledger, tmp_path)
    assert not any(b"Quist" in path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    config = LedgerConfig(kind="rpc", rpc_url="https://node.example/v3/0123secret")
    write_facts(tmp_path, replace(ledger.deployment, config=config))
    assert "0123secret" not in (tmp_path / "ledger.json").read_text()
    assert open_folder(tmp_path).at.config.rpc_url == "https://node.example"


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (lambda f: f | {"version": 99}, "newer than 1"),
        (lambda f: f | {"format": "other"}, "'other'"),
        (lambda f: {k: v for k, v in f.items() if k != "num_payees"}, "num_payees"),
        (lambda f: f | {"num_payees": 0, "payee_communities": [3]}, "communities"),
        (lambda f: f | {"config": f["config"] | {"challenge_window_hours": -1}}, "not a ledger's description"),
    ],
)
def test_what_is_no_ledger_is_refused_in_words(tmp_path, change, named):
    put_down(small_ledger(), tmp_path)
    facts = json.loads((tmp_path / "ledger.json").read_text())
    (tmp_path / "ledger.json").write_text(json.dumps(change(facts)))
    with pytest.raises(InputError) as told:
        open_folder(tmp_path)
    assert named in str(told.value)
    assert "ledger.json" in told.value.where


@pytest.mark.parametrize(("old", "new", "line"), [('"token": "0x', '"token": "0X', 8), (": 5", ":  5", 6)])
def test_an_address_that_does_not_follow_or_another_spelling_is_named_by_its_line(tmp_path, old, new, line):
    put_down(small_ledger(), tmp_path)
    text = (tmp_path / "ledger.json").read_text()
    assert old in text
    (tmp_path / "ledger.json").write_text(text.replace(old, new, 1))
    with pytest.raises(InputError, match="does not follow from itself") as told:
        open_folder(tmp_path)
    assert told.value.where.endswith(f"line {line}")


def test_an_empty_folder_is_no_ledger(tmp_path):
    assert not is_ledger(tmp_path)
    with pytest.raises(InputError, match="not a ledger's"):
        open_folder(tmp_path)


def test_a_folder_that_cannot_be_written_is_told(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match="cannot be written"):
        put_down(small_ledger(), tmp_path / "file" / "ledger")


def test_an_intent_that_is_none_is_named_by_its_line(tmp_path):
    put_down(small_ledger(), tmp_path)
    read_before = read_intents(tmp_path)
    with (tmp_path / "intents.jsonl").open("a") as file:
        file.write("{\n")
    with pytest.raises(InputError, match="no line of a ledger's intents") as told:
        read_intents(tmp_path)
    assert told.value.where.endswith(f"line {len(read_before) + 1}")
