"""Exports: the very lines, what they keep back, what reading them again finds, and where."""

import hashlib
import json
import shutil
import subprocess

import numpy as np
import pytest

from heritage_contracts.export import (
    AmountTable,
    ClaimRow,
    EpochRow,
    LabelRow,
    LedgerTables,
    PayeeRow,
    PaymentRow,
    WorkRow,
    auditor_lines,
    public_lines,
    verify_export,
    write_export,
)
from heritage_contracts.hashing import keccak256
from heritage_sim.base import ConsentLabel, Currency, DirectPayment, InputError, ProvenanceRecord, Stem, StorageError
from heritage_sim.base.catalogue import NO_ONE

# Twelve payees: six of community 0, five of community 1, one of none.
COMMUNITY = [0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, NO_ONE]
NAMES = [f"Singer {i} of the valley" for i in range(12)]


def column(values):
    return np.array(values, dtype=np.int64)


def amounts(rows):
    """Return a table from rows (epoch, payee, kind, units)."""
    columns = zip(*rows, strict=True) if rows else ([], [], [], [])
    return AmountTable(("streams", "direct"), *(column(list(c)) for c in columns))


STREAMS = [(epoch, payee, 0, 100 * (payee + 1) + epoch) for epoch in (0, 1) for payee in range(12)]


def tables(rows=STREAMS, **changed):
    whole = {
        "chain_id": 31337,
        "distributor": b"\xdd" * 20,
        "currency": Currency(),
        "payee_salt": "pepper",
        "payees": [
            PayeeRow(keccak256(f"id {i}".encode()), bytes([i]) * 20, name, community)
            for i, (name, community) in enumerate(zip(NAMES, COMMUNITY, strict=True))
        ],
        "epochs": [
            EpochRow(e, bytes([e]) * 32, b"\2" * 32, b"\3" * 32, 10, 20 + e, 1_000 * e + 5, 1_000 * e + 9, 77)
            for e in (0, 1)
        ],
        "amounts": amounts(rows),
        "works": [
            WorkRow(3, ProvenanceRecord(8, b"\5" * 32, 1, 31, (), 0, (Stem(6, 10_000),))),
            WorkRow(4, ProvenanceRecord(2, b"\6" * 32, 0, 7, (8,), 10**6, (Stem(0, 4_000), Stem(1, 6_000)))),
        ],
        "labels": [LabelRow(5, ConsentLabel(1, 3)), LabelRow(6, ConsentLabel(0, 0, 2, 99))],
        "payments": [PaymentRow(12, DirectPayment(2, 70), ((0, 30), (6, 40)))],
        "claims": [ClaimRow(20, 3, 401)],
    }
    return LedgerTables(**(whole | changed))


def parsed(lines):
    return [json.loads(line) for line in lines]


def cells(lines):
    return {
        (one["epoch"], one["kind"], one["community"]): (one["payees"], one["units"])
        for one in parsed(lines)
        if one["line"] == "cell"
    }


def test_a_small_cell_is_kept_back_and_the_smallest_other_with_it():
    shown = cells(public_lines(tables(), k=3))
    # One payee is of no community: kept back; with the total shown, community 1 (five) goes too, community 0 stays.
    assert shown[0, "streams", "all"] == (12, sum(100 * (p + 1) for p in range(12)))
    assert shown[0, "streams", 0] == (6, 2_100)
    assert shown[0, "streams", 1] == shown[0, "streams", None] == (None, None)
    assert shown[1, "streams", 0] == (6, 2_106)
    # Nobody was paid directly: a total of no payees is a small cell as well.
    assert {shown[0, "direct", c] for c in ("all", 0, 1, None)} == {(None, None)}


def test_the_public_form_names_nobody():
    text = b"".join(public_lines(tables(), k=3))
    header, *rest = parsed(public_lines(tables(), k=3))
    for name in NAMES:
        assert name.encode() not in text
    assert b"pepper" not in text
    assert (b"\7" * 20).hex().encode() not in text
    assert header["fewest_payees_of_a_cell"] == 3
    assert header["cells_kept_back"] == sum(one["line"] == "cell" and one["units"] is None for one in rest) == 12
    ids = [one["payee_id"] for one in rest if one["line"] == "payee"]
    assert ids == sorted("0x" + keccak256(f"id {i}".encode()).hex() for i in range(12))


def test_the_auditors_form_holds_everything():
    lines = parsed(auditor_lines(tables()))
    assert lines[0]["payee_salt"] == "pepper"
    by_kind = {}
    for one in lines[1:]:
        by_kind.setdefault(one.pop("line"), []).append(one)
    assert {kind: len(rows) for kind, rows in by_kind.items()} == {k: v for k, v in lines[0]["lines"].items() if v}
    assert [one["name"] for one in by_kind["payee"]] == NAMES
    assert [one["community"] for one in by_kind["payee"]] == [*COMMUNITY[:-1], None]
    assert by_kind["amount"][13] == {"epoch": 1, "kind": "streams", "payee": 1, "units": 201}
    assert by_kind["epoch"][1]["final_s"] == 1_009
    assert by_kind["work"][1] == {
        "work": 2,
        "registered_s": 4,
        "content_sha256": "0x" + "06" * 32,
        "manifest_sha256": "0x" + "00" * 32,
        "community": 0,
        "uses": 7,
        "derivative_share": 10**6,
        "parents": [8],
        "stems": [[0, 4_000], [1, 6_000]],
    }
    assert [one["work"] for one in by_kind["consent"]] == [None, 2]
    assert by_kind["payment"] == [{"paid_s": 12, "work": 2, "units": 70, "credited": [[0, 30], [6, 40]]}]
    assert by_kind["claim"] == [{"paid_s": 20, "payee": 3, "units": 401}]


@pytest.mark.parametrize("make", [public_lines, auditor_lines])
def test_an_export_is_written_verified_and_the_same_bytes_again(tmp_path, make):
    path = tmp_path / "here" / "ledger.jsonl"
    digest = write_export(make(tables()), path)
    assert digest == hashlib.sha256(path.read_bytes()).hexdigest()
    summary = verify_export(path, make(tables()))
    assert (summary.form, summary.sha256) == (make.__name__.removesuffix("_lines"), digest)
    assert summary.num_lines == sum(summary.counts.values()) + 1 == path.read_bytes().count(b"\n")
    assert write_export(make(tables()), path) == digest
    assert sorted(p.name for p in path.parent.iterdir()) == ["ledger.jsonl", "ledger.jsonl.sha256"]
    for line in path.read_bytes().splitlines():
        assert b"." not in line.split(b'"version":"')[0]
        assert line == json.dumps(json.loads(line), sort_keys=True, separators=(",", ":")).encode()


@pytest.mark.skipif(shutil.which("sha256sum") is None, reason="sha256sum is not on this machine")
def test_sha256sum_reads_the_hash_file(tmp_path):
    write_export(auditor_lines(tables()), tmp_path / "ledger.jsonl")
    subprocess.run(["sha256sum", "--check", "--strict", "ledger.jsonl.sha256"], cwd=tmp_path, check=True, timeout=20)


def written(tmp_path, make=auditor_lines, **changed):
    path = tmp_path / "ledger.jsonl"
    write_export(make(tables(**changed)), path)
    return path


def where_refused(path, said, expected=None):
    with pytest.raises(InputError, match=said) as refused:
        verify_export(path, expected)
    return refused.value.where


def test_the_first_changed_line_is_named(tmp_path):
    path = written(tmp_path)
    lines = path.read_bytes().splitlines(keepends=True)
    for number in (1, 2, 15, len(lines)):
        changed = list(lines)
        changed[number - 1] = changed[number - 1].replace(b"0", b"1", 1)
        assert changed != lines
        path.write_bytes(b"".join(changed))
        assert where_refused(path, "not the line that was exported") == f"{path}, line {number}"
    path.write_bytes(b"".join(lines[:-1]))
    assert where_refused(path, "ends before this line") == f"{path}, line {len(lines)}"
    path.write_bytes(b"".join([*lines, lines[-1]]))
    assert where_refused(path, "there are") == f"{path}, line {len(lines) + 1}"


def test_a_hash_of_ones_own_still_finds_what_is_wrong(tmp_path):
    path = written(tmp_path)
    beside = tmp_path / "ledger.jsonl.sha256"
    beside.write_text(beside.read_text().splitlines()[0] + "\n")
    assert verify_export(path).form == "auditor"
    path.write_bytes(path.read_bytes().replace(b'"units":401', b'"units":402'))
    assert where_refused(path, "the file's hash is") == f"{beside}, line 1"


def test_the_first_line_that_the_ledger_gives_otherwise_is_named(tmp_path):
    rows = [(e, p, k, u + (e == 1 and p == 2)) for e, p, k, u in STREAMS]
    path = written(tmp_path)
    # Header, twelve payees, two epochs; then row 14 of the amounts.
    where = where_refused(path, 'the ledger gives another line: .*"units":302', auditor_lines(tables(rows)))
    assert where == f"{path}, line {1 + 12 + 2 + 15}"


def with_own_hash(path, data):
    """Write a file and a hash that belongs to it, as somebody would who makes an export of his own."""
    path.write_bytes(data)
    path.with_name(path.name + ".sha256").write_text(f"{hashlib.sha256(data).hexdigest()}  {path.name}\n")


@pytest.mark.parametrize(
    ("make", "old", "new", "said"),
    [
        (auditor_lines, b'"line":"claim","paid_s":20', b'"paid_s":20,"line":"claim"', "not in its canonical form"),
        (auditor_lines, b'"units":401', b'"units":401.0', "not JSON without fractions"),
        (auditor_lines, b'"units":401', b'"units":NaN', "not JSON without fractions"),
        (auditor_lines, b'"units":401', b'"units":-401', "its units cannot be -401"),
        (auditor_lines, b'"units":401', b'"units":true', "its units cannot be True"),
        (auditor_lines, b'"line":"claim",', b'"line":"claim","more":1,', "its keys are"),
        (auditor_lines, b'"line":"claim"', b'"line":"clain"', "has no line 'clain'"),
        (auditor_lines, b'"parents":[8]', b'"parents":[9]', "there is no work 9 before it"),
        (auditor_lines, b'"credited":[[0,30],[6,40]]', b'"credited":[[0,30],[6,41]]', "do not sum to it"),
        (auditor_lines, b'"credited":[[0,30],[6,40]]', b'"credited":[[0,30],[66,40]]', "no payee 66"),
        (auditor_lines, b'"claim":1', b'"claim":2', "the header speaks of lines"),
        (auditor_lines, b'"form":"auditor"', b'"form":"other"', "not the header of a form that is known"),
        (auditor_lines, b'"payee":11,"payee_id"', b'"payee":10,"payee_id"', "payee 10 comes a second time"),
        (public_lines, b'"cells_kept_back":12', b'"cells_kept_back":11', "speaks of 11 cells kept back, there are 12"),
        (public_lines, b'"payees":6,"units":2100', b'"payees":2,"units":2100', "a cell of 2 payees is shown"),
        (public_lines, b'"payees":6,"units":2100', b'"payees":null,"units":2100', "with its payees or not at all"),
        (public_lines, b'"payees":6,"units":2100', b'"payees":10,"units":2100', "by subtraction what 2 payees"),
        (public_lines, b'"payees":6,"units":2100', b'"payees":6,"units":9999', "by subtraction"),
    ],
)
def test_an_export_that_contradicts_itself_is_refused(tmp_path, make, old, new, said):
    path = written(tmp_path, lambda t: make(t, 3) if make is public_lines else make(t))
    data = path.read_bytes()
    assert data.count(old) >= 1
    with_own_hash(path, data.replace(old, new, 1))
    assert where_refused(path, said).startswith(f"{path}, line ")


def test_lines_in_another_order_are_refused(tmp_path):
    path = written(tmp_path)
    lines = path.read_bytes().splitlines(keepends=True)
    with_own_hash(path, b"".join([*lines[:-2], lines[-1], lines[-2]]))
    assert where_refused(path, "'payment' comes after a line 'claim'") == f"{path}, line {len(lines)}"


def test_files_that_are_not_there_or_not_hashes_are_named(tmp_path):
    path = written(tmp_path)
    beside = tmp_path / "ledger.jsonl.sha256"
    good = beside.read_text()
    beside.write_text(good.replace("ledger.jsonl", "other.jsonl"))
    assert where_refused(path, "not the hash of ledger.jsonl") == f"{beside}, line 1"
    beside.write_text(good.replace("# 13 ", "# 14 "))
    assert where_refused(path, "not a row of marks") == f"{beside}, line 3"
    beside.write_text("")
    assert where_refused(path, "not the hash of") == f"{beside}, line 1"
    beside.unlink()
    assert where_refused(path, "hash cannot be read") == str(beside)
    beside.write_text(good)
    path.unlink()
    assert where_refused(path, "cannot be read") == str(path)
    with_own_hash(path, b"")
    assert where_refused(path, "there is no header") == f"{path}, line 1"


def test_an_export_that_cannot_be_written_leaves_nothing(tmp_path):
    def lines():
        yield from list(auditor_lines(tables()))[:3]
        raise OSError(28, "No space left on device")

    path = tmp_path / "ledger.jsonl"
    with pytest.raises(StorageError, match="No space left"):
        write_export(lines(), path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("changed", "where"),
    [
        ({"rows": [*STREAMS, (7, 0, 0, 1)]}, "amounts, row 24"),
        ({"rows": [*STREAMS, (0, 12, 0, 1)]}, "amounts, row 24"),
        ({"rows": [*STREAMS, (0, 0, 2, 1)]}, "amounts, row 24"),
        ({"rows": [*STREAMS, (0, 0, 0, -1)]}, "amounts, row 24"),
        ({"claims": [ClaimRow(1, 12, 1)]}, "claims, row 0"),
        ({"payments": [PaymentRow(1, DirectPayment(2, 70), ((0, 69),))]}, "payments, row 0"),
        ({"payments": [PaymentRow(1, DirectPayment(2, 70), ((-1, 70),))]}, "payments, row 0"),
        ({"payees": [PayeeRow(b"\1" * 32, b"\1" * 20, "a", 0)] * 12}, "payees, row 1"),
    ],
)
def test_tables_that_contradict_each_other_are_refused(changed, where):
    with pytest.raises(InputError) as refused:
        tables(**changed)
    assert refused.value.where == where
