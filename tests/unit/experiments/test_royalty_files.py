"""A user's own royalty files: what is read, what is refused and how, what is held, who gains and loses."""

from __future__ import annotations

import io
import json
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest
import yaml
from rich.console import Console

from heritage_experiments.royalty_files.case import POT, Case, read_case
from heritage_experiments.royalty_files.chain import choose_claimants, parse_claims
from heritage_experiments.royalty_files.comparing import compare
from heritage_experiments.royalty_files.settling import parse_rules, settle_case, unmatched_rows
from heritage_experiments.royalty_files.showing import show_account
from heritage_experiments.royalty_files.summary import Request, check_folder, run_royalty, write_account
from heritage_experiments.royalty_files.template import write_template
from heritage_sim.base import Consent, InputError

USAGE = "listener,work,plays,fee\na,w1,80,10\nb,w2,15,10\nb,w3,5,\n"
WORKS = "work,title,community,payees,consent\nw1,One,X,p1,all\nw2,Two,Y,p1:25;p2:75,all\nw3,Three,Y,p2,train+derive\n"
PAYEES = "payee,name,community\np1,Payee One,X\np2,Payee Two,Y\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "usage.csv").write_text(USAGE)
    (tmp_path / "works.csv").write_text(WORKS)
    (tmp_path / "payees.csv").write_text(PAYEES)
    return tmp_path


def case_of(folder: Path, works: bool = True, payees: bool = True, pool: str | None = None, **columns: object) -> Case:
    map_path = None
    if columns:
        map_path = folder / "map.yaml"
        map_path.write_text(yaml.safe_dump(columns))
    return read_case(
        folder / "usage.csv",
        folder / "works.csv" if works else None,
        folder / "payees.csv" if works and payees else None,
        map_path,
        pool,
    )


def refusal(folder: Path, **more: object) -> InputError:
    with pytest.raises(InputError) as refused:
        case_of(folder, **more)  # type: ignore[arg-type]
    assert refused.value.remedy
    return refused.value


def test_files_give_the_amounts_worked_out_by_hand(folder: Path) -> None:
    case = case_of(folder)
    pro_rata, user_centric = settle_case(case, parse_rules("pro_rata,user_centric"))
    assert case.payee_keys == ("p1", "p2")
    assert case.rights.payee_names == ("Payee One", "Payee Two")
    # Pool 20: w1 16, w2 3, w3 1 by plays; w1 10, w2 7.5, w3 2.5 by listeners.
    assert pro_rata.payee_units.tolist() == [16_750_000, 3_250_000]
    assert user_centric.payee_units.tolist() == [11_875_000, 8_125_000]


def test_the_order_of_rows_never_matters(folder: Path) -> None:
    before = settle_case(case_of(folder), parse_rules("user_centric"))[0]
    header, *rows = USAGE.splitlines()
    (folder / "usage.csv").write_text("\n".join([header, *rows[::-1]]) + "\n")
    after = settle_case(case_of(folder), parse_rules("user_centric"))[0]
    assert after.payee_units.tolist() == before.payee_units.tolist()


def test_without_works_each_work_is_its_own_payee_and_that_is_said(folder: Path) -> None:
    case = case_of(folder, works=False)
    assert case.payee_keys == ("w1", "w2", "w3")
    assert any("its own payee" in note for note in case.notes)
    assert settle_case(case, parse_rules("pro_rata"))[0].payee_units.tolist() == [16_000_000, 3_000_000, 1_000_000]


def test_a_map_reads_other_names_delimiters_and_constants(folder: Path) -> None:
    (folder / "usage.csv").write_text("# a comment\nuserID\tartistID\tweight\n2\t51\t80\n3\t52\t15\n3\t53\t5\n")
    case = case_of(
        folder,
        works=False,
        usage={"listener": "userID", "work": "artistID", "plays": "weight"},
        constants={"fee": 9.99},
    )
    assert case.work_ids == ("51", "52", "53")
    assert case.pool_units == 2 * 9_990_000


def test_windows_files_with_semicolons_and_a_byte_order_mark_are_read(folder: Path) -> None:
    (folder / "usage.csv").write_bytes("\ufefflistener;work;plays\r\na;w1;2\r\nb;w2;1\r\n".encode())
    assert case_of(folder, pool="30").usage.plays.tolist() == [2, 1]


def test_decimal_commas_are_read_where_the_map_says_so(folder: Path) -> None:
    (folder / "usage.csv").write_text("listener;work;plays;fee\na;w1;2;9,99\nb;w2;1;4,5\nc;w2;1;\n")
    (folder / "works.csv").write_text('work;payees\nw1;"p1:12,5;p2:87,5"\nw2;p2\n')
    case = case_of(folder, decimal=",", constants={"fee": "1,25"})
    assert case.pool_units == 9_990_000 + 4_500_000 + 1_250_000
    assert case.rights.share_bps.tolist() == [1_250, 8_750, 10_000]
    assert case_of(folder, decimal=",", constants={"fee": 1.25}).pool_units == case.pool_units
    assert case_of(folder, decimal=",", pool="30.50").pool_units == 30_500_000


@pytest.mark.parametrize(("fee", "decimal", "remedy"), [("9,99", ".", 'decimal: ","'), ("9.99", ",", 'decimal: "."')])
def test_the_other_decimal_sign_is_refused_with_the_setting_that_reads_it(
    folder: Path, fee: str, decimal: str, remedy: str
) -> None:
    (folder / "usage.csv").write_text(f"listener;work;plays;fee\na;w1;2;{fee}\n")
    error = refusal(folder, works=False, decimal=decimal)
    assert error.where == f"{folder / 'usage.csv'}:2"
    assert remedy in error.remedy


def test_quoted_fields_may_hold_the_delimiter(folder: Path) -> None:
    (folder / "works.csv").write_text('work,title\nw1,"One, slow"\nw2,Two\nw3,Three\n')
    assert case_of(folder, payees=False).work_titles[0] == "One, slow"


def test_rows_of_one_pair_are_added_up_and_counted(folder: Path) -> None:
    (folder / "usage.csv").write_text("listener,work,plays\na,w1,2\na,w1,3\na,w2,1\n")
    case = case_of(folder, pool="6")
    assert case.usage.plays.tolist() == [5, 1]
    assert any(note.startswith("1 row repeats") for note in case.notes)


def test_a_log_with_one_row_per_play_needs_no_plays_column(folder: Path) -> None:
    (folder / "usage.csv").write_text("listener,work\na,w1\na,w1\nb,w2\n")
    assert case_of(folder, constants={"plays": 1, "fee": 1}).usage.plays.tolist() == [2, 1]


def test_a_listener_without_plays_still_pays(folder: Path) -> None:
    (folder / "usage.csv").write_text(USAGE + "c,,0,7\n")
    case = case_of(folder)
    assert case.pool_units == 27_000_000
    statement = settle_case(case, parse_rules("user_centric"))[0]
    assert "fees of listeners who played nothing (1 in all)" in statement.reasons[1]


def test_a_pool_other_than_the_fees_is_shared_in_their_proportion(folder: Path) -> None:
    (folder / "usage.csv").write_text(USAGE.replace("a,w1,80,10", "a,w1,80,30"))
    case = case_of(folder, pool="1000.00")
    assert case.usage.fee_units.tolist() == [750_000_000, 250_000_000]
    assert any("in proportion to their fees" in note for note in case.notes)


def test_neither_fees_nor_pool_is_an_assumption_that_is_said(folder: Path) -> None:
    (folder / "usage.csv").write_text("listener,work,plays\na,w1,2\n")
    case = case_of(folder)
    assert any(note.startswith("ASSUMED") for note in case.notes)
    assert case.pool_units == 1000 * 10**6


def test_unmatched_works_are_listed_and_their_money_is_held(folder: Path) -> None:
    (folder / "usage.csv").write_text(USAGE + "a,w9,20,\n")
    case = case_of(folder)
    assert case.payee_keys[-1] == POT
    statements = settle_case(case, parse_rules("pro_rata,user_centric,community_weighted"))
    # 20 of 120 plays; 20 of a's 100 plays for a fee of 10; no community is known, so again its part by plays.
    held = [int(s.payee_units[case.pot or 0]) for s in statements]
    assert held == [3_333_333, 2_000_000, 3_333_333]
    rows = unmatched_rows(case, statements)
    assert [(r["work"], r["line"], r["plays"]) for r in rows] == [("w9", 5, 20)]
    assert all(int(s.payee_units.sum()) == case.pool_units for s in statements)


def test_plays_without_consent_are_reported_and_still_owed(folder: Path) -> None:
    case = case_of(folder)
    assert any("without consent to perform: 1" in note and "works.csv:4" in note for note in case.notes)
    assert case.rights.consent[2] == Consent.TRAIN | Consent.DERIVE
    assert settle_case(case, parse_rules("pro_rata"))[0].work_units[2] == 1_000_000


@pytest.mark.parametrize(
    ("row", "line", "part"),
    [
        ("a,w1,-3,10", 2, "negative"),
        ("a,w1,2.5,10", 2, "whole number"),
        ("a,w1,many,10", 2, "not a number"),
        ("a,w1,,10", 2, "missing"),
        ("a,w1,nan,10", 2, "finite"),
        (f"a,w1,{10**20},10", 2, "10^18"),
        ("a,w1,3,-10", 2, "at least 0"),
        ("a,w1,3,ten", 2, "not an amount"),
        ("a,w1,3,9.9999999", 2, "smallest unit"),
        (f"a,w1,3,{10**15}", 2, "too large"),
        ("a,w1,3,10\na,w2,3,11", 3, "two fees"),
        (",w1,3,10", 2, "no listener"),
        ("a,,3,10", 2, "no work"),
        ("a,w1,3", 2, "3 fields"),
        ("a,w1,3,10,5", 2, "5 fields"),
        ("a,w1,3,0", 0, "all fees are 0"),
    ],
)
def test_a_bad_usage_row_is_refused_with_its_line(folder: Path, row: str, line: int, part: str) -> None:
    (folder / "usage.csv").write_text(f"listener,work,plays,fee\n{row}\n")
    error = refusal(folder)
    assert part in error.what
    assert error.where == str(folder / "usage.csv") + (f":{line}" if line else "")


@pytest.mark.parametrize(
    ("text", "line", "part"),
    [
        (b"", 0, "empty"),
        (b"# only a comment\n", 0, "empty"),
        (b"listener,work,plays\n", 1, "no rows"),
        (b"listener,work,streams\na,w1,3\n", 1, "no column 'plays'"),
        (b"listener,work,plays,plays\na,w1,3,3\n", 1, "twice"),
        (b"listener,work,plays\na,w\xff1,3\n", 2, "not utf-8"),
        (b"listener,work,plays\na,w\x001,3\n", 2, "zero byte"),
    ],
)
def test_a_usage_file_that_cannot_be_read_is_refused(folder: Path, text: bytes, line: int, part: str) -> None:
    (folder / "usage.csv").write_bytes(text)
    error = refusal(folder)
    assert part in error.what
    assert error.where == str(folder / "usage.csv") + (f":{line}" if line else "")


def test_a_missing_file_is_named(folder: Path) -> None:
    (folder / "usage.csv").unlink()
    assert "cannot open the usage file" in refusal(folder).what


def test_a_misspelt_column_suggests_the_nearest(folder: Path) -> None:
    (folder / "usage.csv").write_text("listener,work,playes\na,w1,3\n")
    assert "did you mean 'playes'?" in refusal(folder).remedy


@pytest.mark.parametrize(
    ("row", "part"),
    [
        ("w1,Again,X,p1,all", "twice"),
        ("w4,Four,X,p1:60;p2:30,all", "sum to 90"),
        ("w4,Four,X,p1:60;p1:40,all", "twice in one work"),
        ("w4,Four,X,p1:a;p2:30,all", "cannot read the share"),
        ("w4,Four,X,p1:33.333;p2:66.667,all", "cannot read the share"),
        ("w4,Four,X,p1;p2,all", "cannot read the share"),
        ("w4,Four,X,p1:1e999999;p2:30,all", "cannot read the share"),
        ("w4,Four,X,,all", "no payee"),
        ("w4,Four,X,p7,all", "'p7'"),
        ("w4,Four,X,p1,dance", "unknown consent"),
        (",Four,X,p1,all", "no work"),
    ],
)
def test_a_bad_works_row_is_refused_with_its_line(folder: Path, row: str, part: str) -> None:
    (folder / "works.csv").write_text(WORKS + row + "\n")
    error = refusal(folder)
    assert part in error.what
    assert error.where == f"{folder / 'works.csv'}:5"


def test_a_payee_that_stands_twice_is_refused(folder: Path) -> None:
    (folder / "payees.csv").write_text(PAYEES + "p1,Other,Y\n")
    assert refusal(folder).where == f"{folder / 'payees.csv'}:4"


def test_payees_without_works_are_refused(folder: Path) -> None:
    with pytest.raises(InputError, match="without works"):
        read_case(folder / "usage.csv", None, folder / "payees.csv")


@pytest.mark.parametrize("pool", ["0", "-5", "a lot", "1e30", "1e999999", "0.0000001", "inf"])
def test_an_impossible_pool_is_refused(folder: Path, pool: str) -> None:
    assert refusal(folder, pool=pool).where == "--pool"


@pytest.mark.parametrize(
    ("text", "line", "part"),
    [
        ("usage:\n  hearer: userID\n", 2, "'hearer'"),
        ("columns:\n  listener: userID\n", 1, "no such key"),
        ("constants:\n  fees: 3\n", 2, "no such key"),
        ("usage: [a, b]\n", 1, "usage"),
        ("usage: {a: b\n", 2, "cannot read"),
        ("- a\n", 0, "key: value"),
        ("decimal: ;\n", 1, "decimal"),
    ],
)
def test_a_bad_column_map_is_refused_with_its_line(folder: Path, text: str, line: int, part: str) -> None:
    path = folder / "map.yaml"
    path.write_text(text)
    with pytest.raises(InputError) as refused:
        read_case(folder / "usage.csv", columns=path)
    assert part in refused.value.what
    assert refused.value.where == str(path) + (f":{line}" if line else "")


def test_a_rule_is_refused_by_name_where_listeners_are_missing(folder: Path) -> None:
    (folder / "usage.csv").write_text("work,plays\nw1,80\nw2,20\n")
    case = case_of(folder, pool="100")
    assert settle_case(case, parse_rules("pro_rata"))[0].work_units.tolist()[:2] == [80_000_000, 20_000_000]
    with pytest.raises(InputError) as refused:
        settle_case(case, parse_rules("pro_rata,user_centric"))
    assert "rule user_centric is refused" in refused.value.what
    assert "'listener' is missing" in refused.value.where
    assert "--rules pro_rata" in refused.value.remedy


def test_a_rule_is_refused_by_name_where_communities_are_missing(folder: Path) -> None:
    with pytest.raises(InputError, match="community_weighted") as refused:
        settle_case(case_of(folder, works=False), parse_rules("community_weighted"))
    assert "'community'" in refused.value.where


@pytest.mark.parametrize("rules", ["", " , ", "pro_rata,pro_rata", "pro_rata,nonsense"])
def test_a_list_of_rules_that_makes_no_sense_is_refused(rules: str) -> None:
    with pytest.raises(InputError):
        parse_rules(rules)


def test_rules_with_parameters_can_be_listed() -> None:
    assert [r.name for r in parse_rules("pro_rata, community_weighted(strength=0.5)")] == [
        "pro_rata",
        "community_weighted(strength=0.5)",
    ]


def test_bands_count_who_gains_and_loses_against_the_first_rule(folder: Path) -> None:
    case = case_of(folder)
    compared = compare(case, settle_case(case, parse_rules("pro_rata,user_centric")))
    (band,) = compared["bands"]
    assert band["payees"] == 2
    assert (band["rules"][1]["gain"], band["rules"][1]["lose"]) == (1, 1)
    x, y = compared["communities"]
    assert x["rules"][0]["share_percent"] == pytest.approx(83.75)
    assert x["rules"][1]["share_change_points"] == pytest.approx(59.375 - 83.75)
    assert y["rules"][1]["change_percent"] == pytest.approx(150.0)
    assert compared["inequality"][0]["unit"] == "payee"
    assert [row["lorenz_against_baseline"] for row in compared["inequality"]] == ["baseline", "more equal everywhere"]


def test_ranks_fall_into_bands_by_the_first_rules_amounts(folder: Path) -> None:
    rows = "".join(f"a,w{i},{2000 - i},\n" for i in range(1, 1202))
    (folder / "usage.csv").write_text("listener,work,plays,fee\n" + rows + "b,w1,1,10\n")
    case = case_of(folder, works=False)
    bands = compare(case, settle_case(case, parse_rules("pro_rata")))["bands"]
    assert [(b["band"], b["payees"]) for b in bands] == [
        ("1-10", 10),
        ("11-100", 90),
        ("101-1,000", 900),
        ("1,001-10,000", 201),
    ]
    assert sum(b["rules"][0]["units"] for b in bands) == case.pool_units


def test_the_template_runs_as_it_is_and_overwrites_nothing(tmp_path: Path) -> None:
    written = write_template(tmp_path / "new")
    assert {p.name for p in written} == {"usage.csv", "works.csv", "payees.csv", "map.yaml"}
    usage, works, payees, columns = (tmp_path / "new" / n for n in ("usage.csv", "works.csv", "payees.csv", "map.yaml"))
    request = Request(usage, works, payees, columns, "pro_rata,user_centric,community_weighted", chain=False)
    account = run_royalty(request)
    assert account.summary["unmatched"]["works"] == 1
    assert all(s["statement_units"] == account.summary["pool_units"] for s in account.summary["statements"])
    with pytest.raises(InputError, match="left as it is"):
        write_template(tmp_path / "new")


def test_what_is_written_adds_up_to_the_pool(folder: Path) -> None:
    out = folder / "out"
    (folder / "usage.csv").write_text(USAGE + "a,w9,20,\n")
    request = Request(folder / "usage.csv", folder / "works.csv", folder / "payees.csv", None, chain=False)
    account = run_royalty(request)
    names = [p.name for p in write_account(account, out)]
    assert names == ["statement_pro_rata.csv", "statement_user_centric.csv", "unmatched.csv", "summary.json"]
    summary = json.loads((out / "summary.json").read_text())
    for name in names[:2]:
        rows = [line.split(",") for line in (out / name).read_text().splitlines()[1:]]
        assert sum(int(r[3]) for r in rows) == summary["pool_units"]
        assert sum(Decimal(r[4]) for r in rows) * 10**6 == summary["pool_units"]
        assert {r[5] for r in rows} == {"hUSD"}
    assert (out / "unmatched.csv").read_text().splitlines()[1].startswith("w9,5,20,")
    assert not [p for p in out.iterdir() if p.name.startswith(".")]


def test_written_files_can_be_read_by_whom_the_folder_lets_in(folder: Path) -> None:
    usual = folder / "usual"
    usual.touch()
    account = run_royalty(Request(folder / "usage.csv", chain=False))
    modes = {path.stat().st_mode for path in write_account(account, folder / "out")}
    assert modes == {usual.stat().st_mode}


def test_names_from_a_file_are_shown_as_they_are(folder: Path) -> None:
    (folder / "usage.csv").write_text("work,plays\nw1,3\nSong [Live],2\n[/b],1\n")
    (folder / "works.csv").write_text("work,community\nw1,[/i] [red]\n")
    account = run_royalty(
        Request(folder / "usage.csv", folder / "works.csv", rules="pro_rata", period="[/x]", chain=False)
    )
    console = Console(file=io.StringIO(), width=100)
    show_account(account, console)
    shown = console.file.getvalue()  # type: ignore[attr-defined]
    assert all(name in shown for name in ("Song [Live]", "[/b]", "[/i] [red]", "[/x]"))


def test_one_of_anything_is_told_in_the_singular_and_lines_fit_80_columns(folder: Path) -> None:
    (folder / "usage.csv").write_text("listener,work,plays,fee\na,w1,1,10\n")
    account = run_royalty(Request(folder / "usage.csv", chain=False))
    console = Console(file=io.StringIO(), width=80)
    show_account(account, console)
    shown = console.file.getvalue()  # type: ignore[attr-defined]
    assert "10.00 hUSD, 1 listener, 1 play of 1 work, 1 payee" in " ".join(shown.split())
    assert "- 1 row of usage, 1 pair of listener and work." in shown
    assert "1 listeners" not in shown
    assert all(len(line) <= 80 for line in shown.splitlines())


def test_an_impossible_output_folder_is_refused_before_any_work(folder: Path) -> None:
    with pytest.raises(InputError, match="cannot be written"):
        check_folder(folder / "usage.csv" / "out")


@pytest.mark.parametrize("currency", ["", "a very long name indeed"])
def test_an_impossible_currency_is_refused(folder: Path, currency: str) -> None:
    with pytest.raises(InputError, match="currency"):
        run_royalty(Request(folder / "usage.csv", currency=currency, chain=False))


def test_claimants_are_the_largest_and_a_draw_of_the_others() -> None:
    units = np.array([0, 5, 9, 1, 0, 7, 3, 2, 8, 4, 6])
    chosen, words = choose_claimants(units, 4)
    assert {2, 8} <= set(chosen)
    assert len(chosen) == 4
    assert units[chosen].min() > 0
    assert "2 largest of 9" in words
    assert choose_claimants(units, 4)[0] == chosen
    assert choose_claimants(units, None)[0] == np.flatnonzero(units).tolist()
    assert choose_claimants(units, 0)[0] == []


@pytest.mark.parametrize(("text", "number"), [("all", None), ("none", 0), ("12", 12)])
def test_claims_are_all_none_or_a_number(text: str, number: int | None) -> None:
    assert parse_claims(text) == number


@pytest.mark.parametrize("text", ["-1", "some", "1.5", ""])
def test_other_claims_are_refused(text: str) -> None:
    with pytest.raises(InputError):
        parse_claims(text)
