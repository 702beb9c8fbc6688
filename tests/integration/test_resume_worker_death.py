"""A Ray worker that dies takes only the replication it was at with it."""

import os
import signal
from pathlib import Path

import pytest

from heritage_experiments.store import Task
from heritage_experiments.workers import run_on_ray
from heritage_sim.base import HeritageError, InputError

pytestmark = pytest.mark.integration
TASKS = [Task(r, c) for r in range(3) for c in ("a", "b")]


def dies_on(task, times, folder):
    """Return work whose process is killed ``times`` times on one task; it keeps count in files."""

    def work(now):
        began = Path(folder) / f"{now.stem}-{len(list(Path(folder).glob(f'{now.stem}-*')))}"
        began.touch()
        if now == task and len(list(Path(folder).glob(f"{now.stem}-*"))) <= times:
            os.kill(os.getpid(), signal.SIGKILL)
        return now.stem

    return work


def test_a_killed_worker_is_replaced_and_only_its_replication_is_begun_again(ray_cluster, tmp_path):
    lost = []
    work = dies_on(TASKS[2], 1, str(tmp_path))
    done = list(run_on_ray(TASKS, work, workers=2, tries=3, on_lost=lambda task, tries: lost.append((task, tries))))
    assert sorted(done) == sorted((t, t.stem) for t in TASKS)
    assert lost == [(TASKS[2], 1)]
    begun = sorted(p.name.rsplit("-", 1)[0] for p in tmp_path.iterdir())
    assert begun == sorted([t.stem for t in TASKS] + [TASKS[2].stem])


def test_a_replication_that_always_kills_its_worker_ends_the_run_with_its_name(ray_cluster, tmp_path):
    work = dies_on(TASKS[0], 99, str(tmp_path))
    with pytest.raises(HeritageError, match="died 2 times") as caught:
        list(run_on_ray(TASKS[:1], work, workers=1, tries=2, on_lost=lambda task, tries: None))
    assert "cell a, replication 0" in caught.value.where


def test_an_error_of_the_work_reaches_the_user_as_itself(ray_cluster):
    def work(task):
        raise InputError("this cannot be", "here", "do that")

    with pytest.raises(InputError, match="this cannot be") as caught:
        list(run_on_ray(TASKS[:1], work, workers=1, tries=2, on_lost=lambda task, tries: None))
    assert (caught.value.where, caught.value.remedy) == ("here", "do that")
