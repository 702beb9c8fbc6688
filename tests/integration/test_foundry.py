"""The contracts' own tests, run by Foundry: behaviour, coverage of the sources, gas.

They run on the Osaka hard fork with the gas cap of a transaction on (contracts/foundry.toml). They cost about 130 CPU
seconds: compiling 40, fuzz and invariants 70, coverage 15.
"""

import json
import os
import re
import subprocess
from collections import Counter
from pathlib import Path

import node_packages
import pytest
from node_packages import CONTRACTS

pytestmark = [pytest.mark.integration, pytest.mark.slow]

LEAST_LINES = 0.95
"""Least share of the lines of ``contracts/src`` that the tests run through."""


@pytest.fixture(scope="module")
def forge():
    """Return a function that runs forge in ``contracts`` and returns what it printed; fails with its last words."""
    program = node_packages.program("forge")

    def run(*arguments, **environment):
        command = [str(program), *arguments, "--color", "never"]
        done = subprocess.run(
            command, cwd=CONTRACTS, capture_output=True, text=True, timeout=540, env=os.environ | environment
        )
        assert done.returncode == 0, (done.stdout + done.stderr)[-6000:]
        return done.stdout

    return run


def test_every_foundry_test_passes(forge):
    said = forge("test", "--no-match-path", "test/gas/*")
    passed, failed, skipped = map(int, re.search(r"(\d+) tests passed, (\d+) failed, (\d+) skipped", said).groups())
    assert passed > 150
    assert (failed, skipped) == (0, 0)
    invariants = re.findall(r"\[PASS\] (invariant_\w+)\(\) \(runs: (\d+), calls: (\d+)", said)
    assert len(invariants) >= 4
    assert all((int(runs), int(calls)) == (256, 256 * 128) for _, runs, calls in invariants)
    fuzzed = re.findall(r"\[PASS\] testFuzz_\w+\([^)]*\) \(runs: (\d+)", said)
    assert len(fuzzed) >= 25
    assert set(fuzzed) == {"1000"}


def test_the_tests_run_through_the_sources(forge, tmp_path, capsys):
    report = tmp_path / "lcov.info"
    # Coverage counts lines, so a few examples of each test are enough; instrumented code is too
    # large for the gas cap, and what it costs is not looked at.
    forge(
        *("coverage", "--exclude-tests", "--report", "lcov", "--report-file", str(report)),
        *("--no-match-path", "test/gas/*", "--no-match-contract", "Gas", "--no-match-test", "runs_on_osaka"),
        FOUNDRY_PROFILE="coverage",
    )
    files = coverage(report.read_text())
    total = sum(files.values(), Counter())
    with capsys.disabled():
        for name, counts in [*sorted(files.items()), ("all", total)]:
            lines, branches = counts["LH"] / counts["LF"], counts["BRH"] / max(counts["BRF"], 1)
            print(f"\n{name}: lines {lines:.1%}, branches {branches:.1%} of {counts['BRF']}", end="")
        print()
    assert {Path(name).name for name in files} == {p.name for p in (CONTRACTS / "src").glob("*.sol")}
    assert total["LH"] >= LEAST_LINES * total["LF"]


def test_gas_is_what_the_snapshot_says(forge):
    """Rewrite with ``npm --prefix contracts run gas`` and look at the difference."""
    forge("test", "--isolate", "--match-path", "test/gas/*", "--gas-snapshot-check", "true")
    figures = json.loads((CONTRACTS / "gas" / "distributor.json").read_text())
    assert int(figures["post, steady state"]) + int(figures["finalize, steady state"]) <= 110_000


def coverage(report: str) -> dict[str, Counter]:
    """Return, by file of ``src``, LCOV's counts: lines found and hit (LF, LH), branches found and hit (BRF, BRH)."""
    files: dict[str, Counter] = {}
    for record in report.split("end_of_record")[:-1]:
        name = re.search(r"^SF:(.*)$", record, re.MULTILINE).group(1)
        if not name.startswith("src/"):
            continue
        counts = re.findall(r"^(LF|LH|BRF|BRH):(\d+)$", record, re.MULTILINE)
        files[name] = Counter({key: int(value) for key, value in counts})
    return files
