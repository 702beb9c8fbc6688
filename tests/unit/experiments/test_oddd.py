"""The model's description: all of the code is in the document, and what it says cannot be out of date. Under 4 s."""

import ast
import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Literal

import pytest
from pydantic import BaseModel, Field

from heritage_experiments.oddd import describe, parameters_of, without_metadata
from heritage_experiments.oddd.docstrings import Source, blocks_of, fields_of
from heritage_experiments.oddd.document import Bullets, Formula, Paragraph, Table
from heritage_experiments.oddd.markdown import as_markdown
from heritage_experiments.oddd.page import as_html
from heritage_experiments.oddd.parameters import Parameter, limits_of
from heritage_experiments.oddd.schedule import steps_of_a_day
from heritage_experiments.oddd.streams import streams, streams_in
from heritage_experiments.oddd.words import keys_named, sections
from heritage_experiments.scenario import Scenario
from heritage_experiments.scenario_load import load_scenario
from heritage_sim.base import InputError

QUICKSTART = Path(__file__).parents[3] / "experiments" / "scenarios" / "quickstart.yaml"

PROTOCOL = (
    *("I.i", "I.ii", "I.iii"),
    *("II.i", "II.ii", "II.iii", "II.iv", "II.v", "II.vi", "II.vii", "II.viii", "II.ix", "II.x"),
    *("III.i", "III.ii", "III.iii", "III.iv"),
)
"""The elements of ODD+D as Müller et al. (2013) number them."""


@pytest.fixture(scope="module")
def scenario():
    return load_scenario(QUICKSTART)


@pytest.fixture(scope="module")
def document(scenario):
    return describe(scenario)


def test_the_document_has_every_element_of_the_protocol_in_its_order(document):
    assert tuple(p.number for p in document.parts if p.level == 3) == PROTOCOL
    assert set(PROTOCOL) <= sections().keys()


def test_every_parameter_says_its_unit_its_range_and_its_source():
    lacking = without_metadata(parameters_of())
    assert not lacking, "declare these with heritage_sim.base.parameter:\n" + "\n".join(lacking)


def test_a_parameter_without_unit_range_or_source_is_named():
    bare = Parameter("listeners.drift", "how far", "", "", "1", "", "")
    half = Parameter("creators.horizon_epochs", "how long", "epochs", "", "1", "", "≥ 1")
    whole = Parameter("creators.belief_rate", "how fast", "1/day", "assumed", "1", "", "0 to 1")
    technical = Parameter("runtime.shards", "parts", "", "", "1", "", "1 to 256")
    assert without_metadata([bare, half, whole, technical]) == [
        "listeners.drift: no unit and no range and no source",
        "creators.horizon_epochs: no source",
        "runtime.shards: no unit and no source",
    ]


class _Sheet(BaseModel):
    free: float = 1.0
    perhaps: float | None = None
    word: str = ""
    named: str = Field("a", min_length=1)
    week: tuple[float, ...] = Field((1.0, 2.0), min_length=2, max_length=2)
    pair: tuple[float, float] = (0.0, 1.0)
    many: tuple[int, ...] = ()
    either: int | Literal["auto"] = "auto"
    kind: Literal["a", "b"] | None = None
    share: float = Field(0.5, ge=0.0, lt=1.0)
    least: int = Field(1, gt=0)
    weights: dict[str, float] = {}


@pytest.mark.parametrize(
    ("name", "limits"),
    {
        "free": "any number",
        "perhaps": "any number or null",
        "word": "any text",
        "named": "text, not empty",
        "week": "2 values: any number",
        "pair": "2 values: any number",
        "many": "a list of any number",
        "either": "any number or auto",
        "kind": "a, b",
        "share": "≥ 0, < 1",
        "least": "> 0",
        "weights": "by name: any number",
    }.items(),
)
def test_a_range_is_that_of_the_bounds_or_else_of_the_type(name, limits):
    assert limits_of(_Sheet.model_fields[name]) == limits


def test_no_leaf_of_the_scenarios_schema_is_missing_from_the_table():
    """Walk the JSON Schema, which pydantic makes without us, and meet every key in the table."""
    schema = Scenario.model_json_schema()
    keys = {p.key.replace("[]", "").split(" ")[0] for p in parameters_of()}

    def leaves(node, path):
        if "$ref" in node:
            node = schema["$defs"][node["$ref"].rsplit("/", 1)[1]]
        if "properties" in node and node.get("title") != "RuleConfig":
            for name, child in node["properties"].items():
                yield from leaves(child, (*path, name))
        elif "$ref" in str(node.get("items", node.get("anyOf", ""))) and "RuleConfig" not in str(node):
            inner = node.get("items") or next(n for n in node["anyOf"] if "$ref" in str(n))
            yield from leaves(inner.get("items", inner), path)
        else:
            yield ".".join(path)

    wanted = set(leaves({k: v for k, v in schema.items() if k != "$defs"}, ()))
    asked = ("name", "question", "arms", "cells", "comparisons", "own_parts")
    assert {k for k in wanted if k.split(".")[0] not in asked} - keys == set()


def test_values_are_the_scenarios_and_defaults_the_codes(scenario):
    rows = {p.key: p for p in parameters_of(scenario)}
    assert rows["communities[].listener_share"].value == "Tirtanala: 0.5; Qingshui: 0.35; Wayrapata: 0.15"
    assert rows["communities[].listener_share"].default == "1"
    assert rows["listeners.num_listeners"].value == "5000"
    assert rows["royalty.rule"].value == "pro_rata"
    assert rows["economy.epoch_days"].limits == "1 to 366"
    assert rows["royalty.rule.strength (community_weighted)"].limits == "0 to 1"


def test_the_text_names_only_parameters_that_are_there():
    assert keys_named() - {p.key for p in parameters_of()} == set()


def test_the_days_steps_stand_in_the_order_in_which_they_are_lived(monkeypatch):
    """Run a day with every step replaced by one that writes down its name."""
    from heritage_sim.economy import Economy

    described = [step.name.lower().replace(" ", "_") for step in steps_of_a_day()]
    lived = []

    class Everything:
        def __getattr__(self, name):
            return lambda *a, **k: True

    economy = object.__new__(Economy)
    economy.__dict__.update(config=Everything(), day=0, _is_open=True)
    for name in [n for n in vars(Economy) if n.startswith("_") and not n.startswith("__")]:
        monkeypatch.setattr(Economy, name, lambda *a, name=name, **k: lived.append(name.strip("_")) or [])
    getattr(Economy.step, "__wrapped__", Economy.step)(economy)
    assert lived == described


def test_the_streams_found_in_the_sources_are_those_that_a_run_asks_for(monkeypatch):
    """Live a small economy and write down every stream it takes: each has to stand in the table."""
    from small_world import lived

    from heritage_sim.base import rng

    asked = set()
    take = rng.Keys.stream

    def spied(self, agent_kind, decision):
        asked.add((agent_kind, decision))
        return take(self, agent_kind, decision)

    monkeypatch.setattr(rng.Keys, "stream", spied)
    lived(days=2)
    drawn = {(kind, decision) for kind, decision in asked if kind != "test"}
    assert len(drawn) > 20
    assert drawn - {(s.agent_kind, s.decision) for s in streams()} == set()


def test_a_stream_is_found_through_loops_and_constants():
    code = (
        'NAMES = ("a", "b")\n'
        'x = [keys.stream("kind", name) for name in NAMES]\n'
        'for name in ("c",):\n    keys.stream("kind", name)\n'
        'y = [keys.stream("kind", name) for name, _ in (("d", 1), ("e", 2))]\n'
        'def f(name):\n    return keys.stream("kind", name)\n'
        'f("g")\nf("h")\n'
        'def open(name):\n    return keys.stream("kind", f"of {name}"), keys.stream("kind", name)\n'
    )
    found = [(s.agent_kind, s.decision) for s in streams_in(Source("m", ast.parse(code)))]
    assert found == [("kind", d) for d in ("a", "b", "c", "d", "e", "g", "h", "of {name}", "{name}")]


def test_docstrings_keep_formulas_lists_and_fields():
    text = (
        "One sentence.\n\nIt says ``this``:\n\n    a = b\n    c = d\n\n- first\n  goes on\n- second\n\n"
        "Parameters\n----------\nx, y : float, shape (n,)\n    Where,\n    in metres.\n\n"
        "References\n----------\nSomebody, 1999.\n"
    )
    assert blocks_of(text, whole=False) == [
        Paragraph("One sentence."),
        Paragraph("It says `this`:"),
        Formula("a = b\nc = d"),
        Bullets(("first goes on", "second")),
        Paragraph("Reference: Somebody, 1999."),
    ]
    assert fields_of(text) == [("x, y", "float, shape (n,)", "Where, in metres.")]


def test_every_state_table_has_rows_with_meanings(document):
    parts = [p for p in document.parts if p.level == 4]
    tables = [b for p in parts for b in p.blocks if isinstance(b, Table) and b.head[0] == "variable"]
    assert len(tables) >= 8
    assert all(row[1] and row[2] for table in tables for row in table.rows)


class _Outline(HTMLParser):
    def __init__(self):
        super().__init__()
        self.ids, self.links, self.fetched, self.open = set(), set(), [], []

    def handle_starttag(self, tag, attrs):
        found = dict(attrs)
        if "id" in found:
            assert found["id"] not in self.ids
            self.ids.add(found["id"])
        if tag == "a":
            self.links.add(found["href"].removeprefix("#"))
        self.fetched += [v for k, v in attrs if k in ("src", "href") and not v.startswith("#")]
        if tag not in ("meta", "link", "br"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def test_the_page_is_one_file_with_working_links_and_balanced_tags(document):
    outline = _Outline()
    outline.feed(as_html(document))
    assert outline.open == []
    assert outline.fetched == []
    assert outline.links <= outline.ids
    assert "<script" not in as_html(document)


def test_tables_in_markdown_have_as_many_cells_as_their_head(document):
    lines = as_markdown(document).splitlines()
    width = None
    for line in lines:
        if line.startswith("|"):
            cells = len(re.findall(r"(?<!\\)\|", line))
            width = width or cells
            assert cells == width, line
        else:
            width = None


def test_sections_of_the_scenario_are_all_pydantic_models_or_plain():
    """A section kept as a bare dictionary would have no metadata, and so escape the table."""
    bare = [n for n, f in Scenario.model_fields.items() if f.annotation is dict]
    assert not bare
    assert issubclass(Scenario, BaseModel)


def called(*arguments):
    from typer.testing import CliRunner

    from heritage_experiments.cli.entry import app

    return CliRunner().invoke(app, ["describe", *map(str, arguments)])


def test_the_command_writes_the_form_that_the_files_name_says(tmp_path):
    for name, begins in (("odd.md", "# The heritage music economy"), ("deep/odd.html", "<!doctype html>")):
        assert called(QUICKSTART, "--out", tmp_path / name).exit_code == 0
        assert (tmp_path / name).read_text(encoding="utf-8").startswith(begins)


def test_without_a_file_markdown_is_printed_and_with_json_nothing_but_json():
    assert called().stdout.startswith("# The heritage music economy")
    told = json.loads(called(QUICKSTART, "--set", "listeners.drift=0.5", "--json").stdout)
    assert told["without_metadata"] == []
    (drift,) = [p for p in told["parameters"] if p["key"] == "listeners.drift"]
    assert (drift["value"], drift["default"], drift["source"]) == ("0.5", "0.01", "assumed")


@pytest.mark.parametrize("arguments", [(QUICKSTART, "--out", "odd.pdf"), ("--set", "economy.days=3")])
def test_what_cannot_be_described_is_one_error_with_a_remedy(arguments):
    wrong = called(*arguments).exception
    assert isinstance(wrong, InputError)
    assert wrong.remedy
