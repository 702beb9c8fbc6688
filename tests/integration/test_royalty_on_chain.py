"""Usage files through the contract on the embedded EVM: the amounts on the chain equal the statement to the unit."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pytest

from heritage_contracts.config import LedgerConfig
from heritage_experiments.royalty_files.chain import settle_on_chain
from heritage_experiments.royalty_files.summary import Request, run_royalty
from heritage_experiments.royalty_files.template import write_template
from heritage_sim.base import LedgerError, Statement

pytestmark = pytest.mark.integration

LASTFM = Path(__file__).parents[3] / "shared" / "data" / "lastfm_hetrec"


def statement_of(units: list[int], pool: int | None = None) -> Statement:
    amounts = np.array(units, dtype=np.int64)
    return Statement(0, "by hand", sum(units) if pool is None else pool, amounts, amounts, ("by hand",))


def test_the_template_is_paid_out_to_the_unit(tmp_path: Path) -> None:
    usage, works, payees, _ = write_template(tmp_path)
    account = run_royalty(Request(usage, works, payees, rules="user_centric", claims=None))
    chain = account.summary["chain"]
    assert chain["ledger"] == "evm"
    assert chain["deposited_units"] == chain["claimed_units"] == account.summary["pool_units"]
    assert chain["unclaimed_units"] == 0
    assert chain["num_claims"] == chain["num_payees_due"] == 8
    assert chain["gas"] > 0


@pytest.mark.parametrize("kind", ["reference", "evm"])
def test_what_is_not_claimed_stays_in_the_contract(kind: str) -> None:
    units = [0, 5_000_000, 1, 0, 7, 90_000_001]
    config = LedgerConfig(kind=kind)  # type: ignore[arg-type]
    check = settle_on_chain(statement_of(units), tuple("abcdef"), 2, config)
    assert check.deposited_units == sum(units)
    assert check.claimed_units + check.unclaimed_units == sum(units)
    assert check.num_payees_due == check.num_proofs == 4
    assert check.num_claims == 2
    assert check.withdrawable_s - check.posted_s >= config.challenge_window_s


def test_reference_and_chain_post_one_root() -> None:
    statement = statement_of([3, 0, 99, 12])
    reference, evm = (
        settle_on_chain(statement, tuple("abcd"), None, LedgerConfig(kind=kind)) for kind in ("reference", "evm")
    )
    assert (reference.root, reference.posted_s, reference.withdrawable_s) == (
        evm.root,
        evm.posted_s,
        evm.withdrawable_s,
    )


def test_a_statement_that_does_not_sum_to_its_pool_is_refused() -> None:
    with pytest.raises(LedgerError):
        settle_on_chain(statement_of([3, 4], pool=8), ("a", "b"), None, LedgerConfig(kind="reference"))


def call(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    from heritage_experiments.cli import main

    monkeypatch.setattr(sys, "argv", ["heritage", "royalty", *arguments])
    with pytest.raises(SystemExit) as left:
        main()
    return int(left.value.code or 0)


def test_the_command_prints_one_json_object_and_writes_its_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "t"
    assert call(monkeypatch, "template", str(folder)) == 0
    capfd.readouterr()
    files = [f"--{n}={folder / n}.csv" for n in ("usage", "works", "payees")]
    assert call(monkeypatch, *files, "--rules", "pro_rata,user_centric", "--out", str(tmp_path / "out"), "--json") == 0
    printed = json.loads(capfd.readouterr().out)
    written = json.loads((tmp_path / "out" / "summary.json").read_text())
    assert {k: v for k, v in printed.items() if k != "files"} == written
    assert printed["chain"]["deposited_units"] == printed["pool_units"]


def test_the_command_refuses_bad_input_with_code_2_and_writes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    usage = tmp_path / "usage.csv"
    usage.write_text("work,plays\nw1,3\n")
    out = tmp_path / "out"
    assert call(monkeypatch, "--usage", str(usage), "--rules", "user_centric", "--out", str(out)) == 2
    told = capfd.readouterr().err
    assert "rule user_centric is refused" in told
    assert "column 'listener' is missing" in told
    assert "Traceback" not in told
    assert not out.exists()


if LASTFM.is_dir():  # real plays, under a non-commercial licence: never in the repository

    @pytest.mark.slow
    def test_real_plays_of_eleven_thousand_artists_are_provable_on_the_chain(tmp_path: Path) -> None:
        columns = tmp_path / "map.yaml"
        columns.write_text(
            "usage: {listener: userID, work: artistID, plays: weight}\n"
            "works: {work: id, title: name}\nconstants: {fee: 9.99}\n"
        )
        request = Request(LASTFM / "user_artists.tsv", LASTFM / "artists.tsv", columns=columns, claims=40)
        account = run_royalty(request)
        chain = account.summary["chain"]
        assert account.summary["listeners"] == 947
        assert account.summary["pool_units"] == 947 * 9_990_000 == chain["deposited_units"]
        assert chain["num_proofs"] == chain["num_payees_due"] == 11_584
        assert chain["num_claims"] == 40
        top = account.summary["comparison"]["bands"][0]["rules"][1]
        # The sign of the French study: the ten largest lose under user-centric payout.
        assert top["change_percent"] < 0
