"""What the README shows can be done as it stands there."""

import re
import shlex
from pathlib import Path

import pytest
import typer.main

from heritage_experiments.cli.entry import app
from heritage_experiments.registry import rule_of
from heritage_experiments.scenario_load import load_scenario, resolve_cell
from heritage_sim.outcomes import outcome_names

ROOT = Path(__file__).parents[3]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def blocks(language):
    return re.findall(rf"```{language}\n(.*?)```", README, flags=re.DOTALL)


COMMANDS = [
    line for block in blocks("sh") for line in block.replace("\\\n", " ").splitlines() if line.startswith("heritage ")
]


@pytest.fixture
def written(tmp_path):
    """A folder beside which the experiments lie, with the files that the README shows."""
    (tmp_path / "experiments").symlink_to(ROOT / "experiments")
    for text in (*blocks("yaml"), *blocks("python")):
        name = re.match(r"# (\S+)\n", text)
        (tmp_path / name[1]).write_text(text)
    return tmp_path


def test_its_scenarios_are_accepted_and_do_what_they_say(written):
    mine = load_scenario(written / "my.yaml")
    cells = {c.name: resolve_cell(mine, c) for c in mine.cells}
    assert [c.communities[2].share_bps for c in cells.values()] == [3000, 6000, 3000, 3000]
    assert "derive" not in cells["no-derivation"].communities[2].consent
    own = load_scenario(written / "mine.yaml")
    rule = rule_of(resolve_cell(own, own.cell("solidarity")).royalty.rule)
    assert rule.name == rule_of(own.royalty.shadow[1]).name == "Solidarity(floor_bps=2000)"


@pytest.mark.parametrize("line", COMMANDS)
def test_its_commands_have_the_options_they_show(line):
    words = shlex.split(line, comments=True)[1:]
    command = typer.main.get_command(app)
    context = command.make_context("heritage", list(words), resilient_parsing=True)
    while hasattr(command, "commands") and words and words[0] in command.commands:
        command, words = command.commands[words[0]], words[1:]
        context = type(context)(command, parent=context)
    command.make_parser(context).parse_args(list(words))


def test_it_names_every_outcome_and_no_other():
    table = README[README.index("| about | outcomes |") : README.index("**A royalty rule of your own**")]
    told = set(re.findall(r"`([a-z0-9_<>]+)`", table))
    assert told == {re.sub(r"_0$", "_<i>", name) for name in outcome_names(1)}
