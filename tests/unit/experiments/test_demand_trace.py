"""Demand as files: every format and layout holds the same requests, and `heritage demand` says what is wrong.

Costs about 6 s, nearly all of it for reading a small archive and living a small economy once.
"""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
import yaml
from typer.testing import CliRunner

from heritage_agents.demand.config import DemandConfig
from heritage_agents.demand.rates import expected_requests
from heritage_experiments.cli.entry import app
from heritage_experiments.demand_shape import shape_of, shape_text
from heritage_experiments.demand_sources import commissions_made
from heritage_experiments.demand_trace import check_target, write_trace
from heritage_sim.base import DAY_S, Arrival, InputError, StorageError

GENESIS_S = 1_767_225_600
ASKED = [
    Arrival(0.25, "buyer-0-0", "buyer", "reed", "aa", 0, 700, 40, 12.3456),
    Arrival(61.000001, "creator-3-0", "creator", "slate", "bb", 2, 30, 30, 3_600.0),
    Arrival(90_000.5, "buyer-1500-0", "buyer", "reed", "aa", 1, 700, 64, 8.0),
]


def written(tmp_path, name, layout="heritage"):
    out = tmp_path / name
    assert write_trace(iter(ASKED), out, layout, GENESIS_S) == len(ASKED)
    return out


def test_csv_jsonl_and_parquet_hold_the_same_table(tmp_path):
    one = pd.read_csv(written(tmp_path, "t.csv"))
    assert list(one.columns[:3]) == ["timestamp", "input_length", "output_length"]
    assert one["timestamp"].tolist() == [0.25, 61.000001, 90_000.5]
    assert one["output_length"].tolist() == [40, 30, 64]
    assert one["patience_s"].tolist() == [12.346, 3_600.0, 8.0]
    for other in (
        pd.read_json(written(tmp_path, "t.jsonl"), lines=True),
        pd.read_parquet(written(tmp_path, "t.parquet")),
    ):
        pd.testing.assert_frame_equal(one, other, check_dtype=False)


def test_mooncake_lines_have_whole_milliseconds_and_blocks_that_tell_sources_apart(tmp_path):
    lines = [json.loads(line) for line in written(tmp_path, "t.jsonl", "mooncake").read_text().splitlines()]
    assert [line["timestamp"] for line in lines] == [250, 61_000, 90_000_500]
    assert [set(line) for line in lines] == [{"timestamp", "input_length", "output_length", "hash_ids"}] * 3
    # 700 events are two blocks of 512; the third request builds on the first one's source.
    assert [line["hash_ids"] for line in lines] == [[0, 1], [2], [0, 1]]


def test_azure_columns_have_dates_from_the_first_day_on(tmp_path):
    table = pd.read_csv(written(tmp_path, "t.csv", "azure"), parse_dates=["TIMESTAMP"])
    assert list(table.columns) == ["TIMESTAMP", "ContextTokens", "GeneratedTokens"]
    start = pd.Timestamp(GENESIS_S, unit="s")
    assert (table["TIMESTAMP"] - start).dt.total_seconds().tolist() == [0.25, 61.000001, 90_000.5]


def test_a_trace_of_nobody_has_its_columns(tmp_path):
    for name in ("t.csv", "t.parquet"):
        out = tmp_path / name
        assert write_trace(iter(()), out, "heritage", GENESIS_S) == 0
        read = pd.read_csv(out) if out.suffix == ".csv" else pd.read_parquet(out)
        assert list(read.columns[:3]) == ["timestamp", "input_length", "output_length"]


def test_a_trace_that_cannot_be_written_leaves_nothing_and_the_old_one_stands(tmp_path):
    out = written(tmp_path, "t.csv")
    before = out.read_bytes()

    def breaking():
        yield ASKED[0]
        raise OSError(28, "No space left on device")

    with pytest.raises(StorageError, match="No space left"):
        write_trace(breaking(), out, "heritage", GENESIS_S)
    assert out.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["t.csv"]


@pytest.mark.parametrize(("name", "layout"), [("t.txt", "heritage"), ("t.csv", "mooncake"), ("t.jsonl", "azure")])
def test_a_suffix_that_a_layout_cannot_be_written_to_is_refused(tmp_path, name, layout):
    with pytest.raises(InputError, match="cannot be written to a file"):
        check_target(tmp_path / name, layout)
    with pytest.raises(InputError, match="folder does not exist"):
        check_target(tmp_path / "nowhere" / "t.csv", "heritage")


def test_commissions_that_never_reached_the_generator_are_no_demand():
    fates = ["refused_consent", "withheld", "refused_terms", "published", "published"]
    table = {
        "intent": np.array(["derive"] * 4 + ["record"]),
        "fate": np.array(fates),
        "day": np.arange(5),
        "creator": np.arange(5) + 10,
        "take": np.zeros(5, dtype=int),
        "tradition": np.array(["reed"] * 5),
        "source_sha256": np.array(["aa"] * 5),
    }
    assert commissions_made(table).creator.tolist() == [11, 12, 13]


def test_the_shape_counts_by_hour_and_weekday():
    config = DemandConfig(buyers_per_day=10.0)
    shape = shape_of(ASKED, config, days=8)
    assert shape["requests"] == {"buyer": 2, "creator": 1}
    assert np.flatnonzero(shape["by_hour"]).tolist() == [0, 1]
    assert shape["by_weekday"] == [2, 1, 0, 0, 0, 0, 0]
    assert sum(shape["by_hour_buyers_expected"]) == pytest.approx(expected_requests(config, 0.0, 8.0 * DAY_S))
    assert shape["quantiles"]["buyer"]["input_length"] == [700.0, 700.0, 700.0]
    text = shape_text(shape)
    assert "3 requests in 8 days (2 of buyers, 1 of creators)" in text
    assert "reed 2, slate 1" in text


# ---- the command ---------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def scenario(tmp_path_factory):
    path = tmp_path_factory.mktemp("demand") / "small.yaml"
    plain = {
        "name": "small",
        "traditions": [{"name": "panpipes", "kind": "panpipes", "num_works": 12}],
        "communities": [{"name": "Wayrapata", "tradition": "panpipes"}],
        "listeners": {"num_listeners": 20},
        "creators": {"num_per_community": 10, "base_log_odds": -1.5},
        "economy": {"days": 6, "epoch_days": 3},
        "generator": {"kind": "archive"},
        "demand": {"buyers_per_day": 40.0},
    }
    path.write_text(yaml.safe_dump(plain))
    return path


def ran(*arguments):
    result = CliRunner().invoke(app, ["demand", *map(str, arguments)], catch_exceptions=True)
    return result, result.exception


def test_export_writes_buyers_and_the_creators_of_the_same_economy(scenario, tmp_path):
    out = tmp_path / "trace.csv"
    result, _ = ran("export", scenario, "--out", out, "--json")
    assert result.exit_code == 0, result.exception
    about = json.loads(result.stdout)
    table = pd.read_csv(out)
    assert about["requests"] == len(table) > 100
    assert table["timestamp"].is_monotonic_increasing
    assert table["timestamp"].between(0, 6 * DAY_S, inclusive="left").all()
    assert set(table["who"]) == {"buyer", "creator"}
    for who in ("buyers", "creators"):
        part = tmp_path / f"{who}.parquet"
        ran("export", scenario, "--who", who, "--out", part)
        own = table[table["who"] == who.removesuffix("s")].reset_index(drop=True)
        pd.testing.assert_frame_equal(own, pd.read_parquet(part), check_dtype=False)


def test_describe_shows_rates_and_counts(scenario):
    result, _ = ran("describe", scenario, "--days", "14")
    assert "requests in 14 days" in result.stdout
    assert result.stdout.count("#") > 50


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--days", "30"), "lives 6 days"),
        (("--cell", "none"), "no cell 'none'"),
        (("--set", "demand.tradition_weights={flute: 1.0}"), "the tradition 'flute'"),
    ],
)
def test_what_cannot_be_exported_is_said(scenario, tmp_path, arguments, words):
    _, error = ran("export", scenario, "--out", tmp_path / "t.csv", *arguments)
    assert isinstance(error, InputError)
    assert words in error.what
    assert not (tmp_path / "t.csv").exists()


def test_a_run_that_does_not_hold_the_replication_is_named(scenario, tmp_path):
    (tmp_path / "manifest.json").write_text("{}")
    _, error = ran("export", scenario, "--out", tmp_path / "t.csv", "--run", tmp_path, "--replication", "7")
    assert isinstance(error, InputError)
    assert "no finished replication 7" in error.what
