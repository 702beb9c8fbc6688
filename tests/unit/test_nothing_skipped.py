"""With CI=true a test that would be skipped fails instead, however it asks to be skipped."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]
INSIDE = """
import pytest


@pytest.mark.skipif(True, reason="no data")
def test_marked():
    pass


def test_inside():
    pytest.importorskip("a_part_that_nobody_has")


@pytest.mark.xfail(reason="known", strict=True)
def test_expected_to_fail():
    assert False


@pytest.mark.slow
def test_slow():
    pass
"""
WHOLE_FILE = 'import pytest\npytest.importorskip("a_part_that_nobody_has")\n'


@pytest.mark.parametrize(
    ("ci", "outcome"), [("false", "4 skipped, 1 xfailed"), ("true", "1 failed, 1 passed, 1 xfailed, 2 errors")]
)
def test_what_is_skipped_elsewhere_fails_where_ci_runs(tmp_path, ci, outcome):
    for name in ("conftest.py", "room_minutes.py"):
        shutil.copy(TESTS / name, tmp_path)
    (tmp_path / "test_inside.py").write_text(INSIDE)
    (tmp_path / "test_whole_file.py").write_text(WHOLE_FILE)
    alone = ["-c", os.devnull, "--rootdir", str(tmp_path), "-o", "markers=slow: long", "-p", "no:cacheprovider"]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *alone, "--continue-on-collection-errors", str(tmp_path)],
        env={**os.environ, "CI": ci},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert outcome in done.stdout, done.stdout + done.stderr
    assert (done.returncode == 0) == (ci == "false")
