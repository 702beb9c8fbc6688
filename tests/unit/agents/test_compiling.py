"""What is compiled is not taken from disk once any file it is made of has changed. Costs about 6 s."""

from __future__ import annotations

import subprocess
import sys

import pytest

from heritage_agents.kernel import compiling
from heritage_agents.kernel.catalogue import _top
from heritage_agents.kernel.compiling import stamp_of
from heritage_agents.kernel.day import live_day
from heritage_agents.listeners.arrivals import sessions_today
from heritage_agents.listeners.subscribing import renew

INNER = """
from heritage_agents.kernel.compiling import compiled
@compiled
def inner(x):
    return x + {}
"""
OUTER = """
import sys
from pathlib import Path
from heritage_agents.kernel import compiling
compiling._OWN_CODE = Path(__file__).parent
from inner import inner
@compiling.compiled(error_model="numpy")
def outer(x):
    return inner(x) / 1.0
print(outer(1), sum(outer.stats.cache_hits.values()))
"""


def printed(folder):
    run = subprocess.run([sys.executable, folder / "outer.py"], capture_output=True, text=True, check=True, cwd=folder)
    return run.stdout.split()


def test_a_change_in_a_file_that_is_called_is_compiled_anew_and_none_is_taken_from_disk(tmp_path):
    (tmp_path / "outer.py").write_text(OUTER)
    (tmp_path / "inner.py").write_text(INNER.format(10))
    assert printed(tmp_path) == ["11.0", "0"]
    assert printed(tmp_path) == ["11.0", "1"]
    (tmp_path / "inner.py").write_text(INNER.format(20))
    assert printed(tmp_path) == ["21.0", "0"]


@pytest.mark.parametrize("function", [live_day, _top, sessions_today, renew])
def test_what_a_day_calls_is_stamped_with_the_whole_room(function):
    stamp = stamp_of(compiling._OWN_CODE, compiling._OTHER_CODE)
    assert function._cache._cache_file._source_stamp[1] == stamp


def test_the_stamp_follows_names_and_contents_and_leaves_out_what_compiles_nothing(tmp_path):
    (tmp_path / "a.py").write_text("1")
    seen = [stamp_of.__wrapped__(tmp_path)]
    (tmp_path / "torch_day.py").write_text("1")
    assert stamp_of.__wrapped__(tmp_path) == seen[0]
    (tmp_path / "b.py").write_text("2")
    seen.append(stamp_of.__wrapped__(tmp_path))
    (tmp_path / "b.py").rename(tmp_path / "c.py")
    seen.append(stamp_of.__wrapped__(tmp_path))
    (tmp_path / "c.py").write_text("3")
    seen.append(stamp_of.__wrapped__(tmp_path))
    seen.append(stamp_of.__wrapped__(tmp_path, (tmp_path / "gone.py",)))
    assert len(set(seen)) == len(seen)
