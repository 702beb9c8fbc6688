"""The outbox on disk: what it keeps over a crash, and what it refuses."""

import errno
import json
import os

import pytest

from heritage_contracts.hashing import keccak256
from heritage_contracts.sending.outbox import FileOutbox
from heritage_contracts.sending.parcels import Attempt, Mined, Transaction
from heritage_sim.base import InputError, LedgerError, StorageError

GENESIS = b"\x07" * 32
MINED = Mined(
    21_000, (((b"\x01" * 32, b"\x02" * 32), b"data"),), (b"\x03" * 20,), True, 5, b"\x04" * 32, 1_700_000_000, 10**9
)


def attempt(nonce, raw):
    return Attempt(nonce, raw, keccak256(raw), 10**13)


def transaction(intent, nonce=0, role="poster"):
    return Transaction(intent, role, keccak256(intent.encode()), [attempt(nonce, intent.encode())])


@pytest.fixture
def path(tmp_path):
    return tmp_path / "folder" / "outbox.jsonl"


def opened(path):
    box = FileOutbox(path)
    box.bind(31_337, GENESIS)
    return box


def test_what_was_put_down_is_there_after_opening_again(path):
    box = opened(path)
    first = box.sign(100, [transaction("0|post"), transaction("0|mint", role="treasury")])
    box.try_again(first, 0, attempt(0, b"higher fee"))
    for one in first.transactions:
        one.mined = MINED
    box.mined(first, 5, b"\x04" * 32, 1_700_000_000)
    box.sign(200, [transaction("1|post", nonce=1)])
    box.close()
    again = FileOutbox(path)
    assert again.parcels == box.parcels
    assert (again.chain_id, again.genesis) == (31_337, GENESIS)
    assert again.find("0|mint").mined == MINED
    assert [p.number for p in again.open_parcels()] == [1]
    assert (again.next_nonce("poster"), again.next_nonce("treasury"), again.next_nonce("guardian")) == (2, 1, None)
    again.close()


@pytest.mark.parametrize("cut", [1, 7, 60])
def test_a_line_that_a_crash_cut_short_is_dropped(path, cut):
    box = opened(path)
    box.sign(100, [transaction("0|post")])
    whole = path.stat().st_size
    box.sign(200, [transaction("1|post", nonce=1)])
    box.close()
    os.truncate(path, path.stat().st_size - cut)
    again = FileOutbox(path)
    assert [t.intent for p in again.parcels for t in p.transactions] == ["0|post"]
    assert path.stat().st_size == whole
    again.close()


def test_a_full_disk_leaves_the_file_as_it_was_and_the_line_can_be_written_later(path, monkeypatch):
    box = opened(path)
    before = path.read_bytes()

    def full(_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(StorageError, match="No space left"):
            box.sign(100, [transaction("0|post")])
    assert path.read_bytes() == before
    assert box.parcels == []
    box.sign(100, [transaction("0|post")])
    box.close()
    assert len(FileOutbox(path).parcels) == 1


def test_another_chains_outbox_is_refused(path):
    opened(path).close()
    box = FileOutbox(path)
    with pytest.raises(LedgerError, match="another chain answers"):
        box.bind(31_337, b"\x08" * 32)
    with pytest.raises(LedgerError, match="another chain answers"):
        box.bind(1, GENESIS)
    box.close()


@pytest.mark.parametrize(
    "lines",
    [
        ["not json"],
        ['{"kind":"signed","parcel":0,"at_s":1,"transactions":[]}'],
        [json.dumps({"kind": "chain", "version": 1, "chain_id": 1, "genesis": "00" * 32}), '{"kind":"else"}'],
        [
            json.dumps({"kind": "chain", "version": 1, "chain_id": 1, "genesis": "00" * 32}),
            '{"kind":"mined","parcel":4}',
        ],
    ],
)
def test_a_file_that_is_no_outbox_is_refused_with_its_line(path, lines):
    path.parent.mkdir()
    path.write_text("".join(line + "\n" for line in lines))
    with pytest.raises(InputError, match=f"line {len(lines)}"):
        FileOutbox(path)


def test_an_outbox_of_another_version_is_refused(path):
    path.parent.mkdir()
    path.write_text('{"kind":"chain","version":99,"chain_id":1,"genesis":"00"}\n')
    with pytest.raises(InputError, match="version 99"):
        FileOutbox(path)


def test_a_second_owner_of_the_file_is_refused(path):
    box = opened(path)
    with pytest.raises(StorageError, match="another process"):
        FileOutbox(path)
    box.close()
    FileOutbox(path).close()


def test_a_transaction_given_up_frees_its_nonce(path):
    box = opened(path)
    parcel = box.sign(100, [transaction("0|a", nonce=4), transaction("0|b", nonce=5)])
    assert box.next_nonce("poster") == 6
    box.give_up(parcel, 1)
    box.give_up(parcel, 0)
    assert box.next_nonce("poster") == 4
    box.close()
    assert FileOutbox(path).next_nonce("poster") == 4


def test_events_are_found_by_contract_and_first_topics(path):
    box = opened(path)
    parcel = box.sign(100, [transaction("0|post")])
    parcel.transactions[0].mined = MINED
    box.mined(parcel, 5, b"\x04" * 32, 1_700_000_000)
    assert [one.logs[i][1] for one, i in box.logs(b"\x03" * 20, [b"\x01" * 32])] == [b"data"]
    assert list(box.logs(b"\x03" * 20, [b"\x02" * 32])) == []
    assert list(box.logs(b"\x09" * 20, [])) == []
    box.close()


def test_receipts_that_cannot_be_written_are_not_called_unsent(path, monkeypatch):
    box = opened(path)
    parcel = box.sign(100, [transaction("0|post")])
    parcel.transactions[0].mined = MINED

    def full(_line, _sync):
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as disk:
        disk.setattr(box, "_put", full)
        with pytest.raises(StorageError, match="It was sent"):
            box.mined(parcel, 5, b"\4" * 32, 1_700_000_000)
    box.close()


def test_half_a_line_that_could_not_be_cut_off_at_once_is_cut_off_before_the_next(path, monkeypatch):
    box = opened(path)

    def torn(line, _sync):
        box._file.write(line[:9])
        raise OSError(errno.EIO, "Input/output error")

    def stuck(*_):
        raise OSError(errno.EIO, "Input/output error")

    with monkeypatch.context() as disk:
        disk.setattr(box, "_put", torn)
        disk.setattr(os, "ftruncate", stuck)
        with pytest.raises(StorageError, match="not sent"):
            box.sign(100, [transaction("0|post")])
    box.sign(100, [transaction("0|post")])
    box.close()
    again = FileOutbox(path)
    assert [t.intent for p in again.parcels for t in p.transactions] == ["0|post"]
    again.close()


def test_a_refused_file_is_let_go_of(path):
    path.parent.mkdir()
    path.write_bytes(b"{}\n")
    for _ in range(2):
        with pytest.raises(InputError, match="no line of an outbox"):
            FileOutbox(path)
