"""Run a scenario: check everything, prepare what is shared, make the folder, work off the plan, write the report.

The order matters: whatever bad input can break happens before the folder is made, and the plan is written before the
first replication begins, so that a run is either not there at all or can be taken up again.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import time
from collections import Counter
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import yaml

from heritage_experiments.cache import cache_dir
from heritage_experiments.code_version import code_sha256, hardware, versions
from heritage_experiments.display import Display, SilentDisplay
from heritage_experiments.outcomes_hash import outcomes_sha256
from heritage_experiments.planning import Plan, plan_of
from heritage_experiments.preparing import pieces_to_hear, prepare
from heritage_experiments.replication import ReplicationWork
from heritage_experiments.resources import ResourceMeter
from heritage_experiments.runlog import RunLog
from heritage_experiments.scenario import Scenario, as_data, scenario_sha256
from heritage_experiments.store import RunStore, Task, check_folder, check_free_disk
from heritage_experiments.wiring import (
    Surroundings,
    corpora_of,
    served_generator,
)
from heritage_experiments.workers import Placement, cores_for, place, ray_running, run_here, run_on_ray
from heritage_models.config import GeneratorConfig
from heritage_sim.base import Generator, HeritageError, InputError, StoppedError

MANIFEST_VERSION = 1


@dataclass(frozen=True, slots=True)
class RunRecord:
    """What a run came to, as ``heritage run --json`` prints it.

    Parameters
    ----------
    run_id : str
        Name of the run.
    path, report : str
        Its folder, and its HTML report.
    outcomes_hash : str
        Over every outcome's name, unit, exact value and n (`outcomes_sha256`).
    wall_s, cpu_s : float
        Wall time, and CPU time of the whole process tree, of this call.
    peak_rss_bytes : int
        Largest resident memory of the process tree.
    """

    run_id: str
    path: str
    report: str
    outcomes_hash: str
    wall_s: float
    cpu_s: float
    peak_rss_bytes: int


def start_run(
    scenario: Scenario, results: Path, out: Path | None, display: Display, *, notes: dict[str, Any]
) -> RunStore:
    """Return the folder of a new run, everything checked and prepared, plan written.

    Parameters
    ----------
    scenario : Scenario
        Checked scenario.
    results : Path
        Where runs are kept, if ``out`` is not given.
    out : Path or None
        Folder of this run.
    display : Display
        Shown the preparation.
    notes : dict
        Facts for the manifest (arguments, quick).

    Returns
    -------
    RunStore

    Raises
    ------
    InputError
        If anything in the scenario cannot be used, or the disk cannot hold the run; nothing is made.
    """
    from heritage_experiments.report import save_pieces

    plan = plan_of(scenario)
    check_folder(results, out)
    check_free_disk(out or results, plan.estimate.disk_bytes)
    place(scenario.runtime, plan.estimate.num_replications, plan.estimate.cpu_s, one_owner=plan.one_owner)
    cache = cache_dir()
    prepared = prepare(plan, cache, display)
    display.preparing("Composing pieces to be heard", 0, 1)
    pieces = pieces_to_hear(plan, cache)
    identity = scenario_sha256(scenario)
    code = code_sha256()
    store = RunStore.create(results, scenario.name, _short(identity, code), out)
    try:
        store.write_text("scenario.yaml", scenario_yaml(scenario))
        save_pieces(store.path, pieces, corpora_of(scenario.traditions, scenario.seed, cache))
        store.write_plan(plan.tasks)
        store.update_manifest(
            manifest_version=MANIFEST_VERSION,
            run_id=store.path.name if out is None else f"{_short(identity, code)[:8]}-{out.name}",
            scenario=scenario.name,
            scenario_sha256=identity,
            code_sha256=code,
            versions=versions(),
            seed=scenario.seed,
            replications=scenario.replications,
            cells=[c.name for c in scenario.cells_to_run],
            **asdict(prepared),
            hardware=hardware(),
            started_s=time.time(),
            ended_s=None,
            status="running",
            sessions=[],
            **notes,
        )
    except BaseException:
        # Ctrl-C included: a run is there whole, plan and manifest, or not at all.
        shutil.rmtree(store.path, ignore_errors=True)
        raise
    return store


def open_run(path: Path, *, allow_mixed: bool) -> tuple[RunStore, Scenario]:
    """Return a run to be taken up again.

    Parameters
    ----------
    path : Path
        The run's folder.
    allow_mixed : bool
        Whether other code than it was begun with is accepted.

    Returns
    -------
    RunStore, Scenario
        The run, and the scenario it was begun with.

    Raises
    ------
    InputError
        If the folder is no run; or if the code, a library or the scenario is not what it was begun with, and
        ``allow_mixed`` is not given.
    """
    from heritage_experiments.scenario_load import load_scenario

    store = RunStore.open(path)
    manifest = store.manifest()
    scenario = load_scenario(store.path / "scenario.yaml")
    changed = _changes(manifest, scenario)
    if changed and not allow_mixed:
        raise _other_code(store, "; ".join(changed))
    return store, scenario


def _changes(manifest: dict[str, Any], scenario: Scenario) -> list[str]:
    """Return in words what is not as it was when a run was begun."""
    changed = []
    if manifest["code_sha256"] != code_sha256():
        changed.append(f"code {manifest['code_sha256'][:12]} -> {code_sha256()[:12]}")
    begun, now = manifest["versions"], versions()
    changed += [
        f"{k} {begun.get(k, 'none')} -> {now.get(k, 'none')}"
        for k in sorted(begun.keys() | now.keys())
        if begun.get(k) != now.get(k)
    ]
    if manifest["scenario_sha256"] != scenario_sha256(scenario):
        changed.append("its scenario, or a part of your own that it names")
    return changed


def prepare_again(store: RunStore, scenario: Scenario, display: Display, *, allow_mixed: bool) -> None:
    """Load what the replications that are left share; training and pools are made anew if the cache lost them.

    Parameters
    ----------
    store : RunStore
        The run.
    scenario : Scenario
        What it was begun with.
    display : Display
        Told how far it is.
    allow_mixed : bool
        Whether other archives or models than it was begun with are accepted.

    Raises
    ------
    InputError
        If archives or models are not those it was begun with and ``allow_mixed`` is not given.
    """
    if store.pending():
        differing = prepare(plan_of(scenario), cache_dir(), display).differing(store.manifest())
        if differing and not allow_mixed:
            raise _other_code(store, f"{' and '.join(differing)} in {cache_dir()} or among imported corpora")


def _other_code(store: RunStore, changed: str) -> InputError:
    return InputError(
        f"this run was begun with other code or data; changed: {changed}",
        str(store.path),
        "run it anew, or accept outcomes of two versions in one run with --allow-mixed",
    )


def work_off(store: RunStore, scenario: Scenario, display: Display, meter: ResourceMeter) -> None:
    """Do what the plan still holds, and write the facts into the manifest.

    Parameters
    ----------
    store : RunStore
        The run.
    scenario : Scenario
        What it was begun with.
    display : Display
        Told of every finished replication.
    meter : ResourceMeter
        Measures this session.

    Raises
    ------
    StoppedError
        On Ctrl-C. What was finished is kept, here as below.
    HeritageError
        What stopped a replication.
    """
    log = RunLog(store.path / "log.jsonl")
    with store.locked():
        store.remove_unfinished_files()
        pending = store.pending()
        plan = plan_of(scenario)
        share = len(pending) / max(1, plan.estimate.num_replications)
        placement = place(scenario.runtime, len(pending), plan.estimate.cpu_s * share, one_owner=plan.one_owner)
        log.event("session began", pid=os.getpid(), pending=len(pending), placement=placement.reason)
        status = "failed"
        try:
            _work(store, plan, pending, placement, display, log)
            status = "finished"
        except KeyboardInterrupt:
            status = "stopped"
            raise StoppedError(
                "stopped; what was finished is kept", str(store.path), f"go on with: heritage resume {store.path}"
            ) from None
        finally:
            meter.sample()
            _close_session(store, status, placement, len(pending), meter, log)


def _close_session(
    store: RunStore, status: str, placement: Placement, num_begun: int, meter: ResourceMeter, log: RunLog
) -> None:
    session = {
        "pid": os.getpid(),
        "executor": placement.executor,
        "workers": placement.workers,
        "why": placement.reason,
        "replications": num_begun - len(store.pending()),
        "wall_s": round(meter.wall_s, 3),
        "cpu_s": round(meter.cpu_s(), 3),
        "peak_rss_bytes": meter.peak_rss_bytes,
        "status": status,
    }
    log.event("session ended", **session)
    # A full disk has been told to the user already; the log above may be all that fits.
    with contextlib.suppress(HeritageError):
        sessions = [*store.manifest().get("sessions", []), session]
        store.update_manifest(status=status, ended_s=time.time(), sessions=sessions)


def _work(
    store: RunStore, plan: Plan, pending: list[Task], placement: Placement, display: Display, log: RunLog
) -> None:
    scenario = plan.scenario
    if not pending:
        return
    served = _served(plan)
    on_ray = placement.executor == "ray"
    with contextlib.ExitStack() as stack:
        if on_ray or served:
            display.preparing("Starting Ray", 0, 1)
            stack.enter_context(
                ray_running(cores_for(scenario, placement, len(served)), scenario.runtime.object_store_mb)
            )
        services = _start_services(stack, plan, served, display)
        shards_on_ray = on_ray and scenario.runtime.shards > 1 and placement.workers == 1
        # A worker of its own process cannot hold the display; shards as actors are driven from here.
        on_shard_lost = partial(_shard_lost, log, display) if shards_on_ray else None
        surroundings = Surroundings(cache_dir(), scenario.runtime.shards, shards_on_ray, services, on_shard_lost)
        work = ReplicationWork(scenario, store, surroundings)
        if on_ray and not shards_on_ray:
            runs = run_on_ray(
                pending,
                work,
                workers=placement.workers,
                tries=scenario.runtime.tries,
                on_lost=partial(_worker_lost, log, display),
            )
        else:
            runs = run_here(pending, work)
        for task, finished in runs:
            display.finished(task.cell, finished.outcomes)


def finish(store: RunStore, display: Display, meter: ResourceMeter) -> RunRecord:
    """Write the report of a finished run and return its record."""
    from heritage_experiments.report import write_report

    display.preparing("Writing the report", 0, 1)
    report = write_report(store.path)
    record = RunRecord(
        run_id=store.run_id,
        path=str(store.path),
        report=str(report),
        outcomes_hash=outcomes_hash(store),
        wall_s=round(meter.wall_s, 3),
        cpu_s=round(meter.cpu_s(), 3),
        peak_rss_bytes=meter.peak_rss_bytes,
    )
    store.update_manifest(outcomes_hash=record.outcomes_hash)
    return record


def outcomes_hash(store: RunStore) -> str:
    """Return the hash over every outcome of a run."""
    table = store.read_table("outcomes")
    columns = ("cell", "replication", "name", "value", "unit", "n")
    return outcomes_sha256(zip(*(table[c].tolist() for c in columns), strict=True))


def done_by_cell(store: RunStore) -> dict[str, int]:
    """Return how many replications of each cell are finished."""
    return dict(Counter(t.cell for t in store.plan() if store.is_done(t)))


def planned_by_cell(store: RunStore) -> dict[str, int]:
    """Return how many replications of each cell were planned."""
    return dict(Counter(t.cell for t in store.plan()))


def _served(plan: Plan) -> list[tuple[GeneratorConfig, Scenario]]:
    found: dict[GeneratorConfig, Scenario] = {}
    for cell in plan.resolved.values():
        if cell.generator.kind == "serve" and "generator" not in cell.own_parts:
            found.setdefault(cell.generator, cell)
    return list(found.items())


def _start_services(
    stack: contextlib.ExitStack, plan: Plan, served: list[tuple[GeneratorConfig, Scenario]], display: Display
) -> dict[GeneratorConfig, Generator]:
    services: dict[GeneratorConfig, Generator] = {}
    for i, (config, cell) in enumerate(served):
        from heritage_serving.session import serve_generator

        display.preparing("Starting the generation service", i, len(served))
        factory = partial(served_generator, config, cell.traditions, cell.seed, cache_dir())
        services[config] = stack.enter_context(serve_generator(factory, plan.scenario.serving))
    return services


def _worker_lost(log: RunLog, display: Display, task: Task, tries: int) -> None:
    log.event("worker lost", cell=task.cell, replication=task.replication, tries=tries)
    display.note(f"a worker died in cell {task.cell}, replication {task.replication}: begun again")


def _shard_lost(log: RunLog, display: Display, shard: int) -> None:
    log.event("shard lost", shard=shard)
    display.note(f"the process of shard {shard} died: built again, it catches up")


def scenario_yaml(scenario: Scenario) -> str:
    """Return a scenario as YAML, every default written out; it reads back as itself."""
    head = "# The scenario as it was run, defaults and arguments included. `heritage run` takes it as it is.\n"
    return head + yaml.safe_dump(
        json.loads(json.dumps(as_data(scenario))), sort_keys=False, allow_unicode=True, width=120
    )


def _short(scenario_hash: str, code_hash: str) -> str:
    import hashlib

    return hashlib.sha256(f"{scenario_hash}\x1f{code_hash}".encode()).hexdigest()


def run_scenario(
    scenario: Scenario,
    *,
    results: Path = Path("results"),
    out: Path | None = None,
    display: Display | None = None,
    notes: dict[str, Any] | None = None,
) -> RunRecord:
    """Run a scenario from beginning to end and return its record (for tests, benches and notebooks)."""
    display = display or SilentDisplay()
    with ResourceMeter() as meter:
        store = start_run(scenario, results, out, display, notes=notes or {})
        work_off(store, scenario, display, meter)
        return finish(store, display, meter)
