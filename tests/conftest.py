"""One Ray for the whole session, which tests wait for CI, and that nothing is skipped there."""

from __future__ import annotations

import importlib.util
import os
import shutil
import tempfile
from pathlib import Path

import node_packages
import pytest
from hypothesis import settings

from heritage_sim.base.own_ray import OWN_RAY_ENVIRONMENT, OWN_RAY_OPTIONS

# A busy machine breaks time limits; the same examples each time keep a red run red.
settings.register_profile("house", deadline=None, derandomize=True)
settings.load_profile("house")


# Read when Ray is first imported, which some tests do on collection: its ports then listen on the loopback alone.
os.environ |= OWN_RAY_ENVIRONMENT

CI = os.environ.get("CI") == "true"


def failed_if_skipped(report):
    """Return a report as it is, but a skipped one as failed where CI runs: a missing part is then a fault."""
    if CI and report.skipped and not hasattr(report, "wasxfail"):
        reason = report.longrepr[-1] if isinstance(report.longrepr, tuple) else report.longrepr
        report.outcome, report.longrepr = "failed", f"nothing may be skipped with CI=true: {reason}"
    return report


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    return failed_if_skipped((yield))


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(collector):
    return failed_if_skipped((yield))


def pytest_configure(config):
    """Print minutes per room at the end; in CI, have npm's packages before any test asks for them."""
    if CI and not hasattr(config, "workerinput"):
        node_packages.install()
    spec = importlib.util.spec_from_file_location("room_minutes", Path(__file__).with_name("room_minutes.py"))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    config.pluginmanager.register(module.RoomMinutes(), "room-minutes")


def pytest_collection_modifyitems(items):
    if CI:
        return
    for item in items:
        if "slow" in item.keywords:
            item.add_marker(pytest.mark.skip(reason="slow: runs with CI=true"))


@pytest.fixture(scope="session")
def quickstart_cache(tmp_path_factory):
    """A cache folder for tests of the quickstart's own model: it is trained, and its pools are filled, once."""
    return tmp_path_factory.mktemp("quickstart-cache")


@pytest.fixture(scope="session")
def anvil_binary():
    """The native Anvil program; without one, a test that needs it is skipped with the ways to get it."""
    from heritage_contracts.nodes.anvil_binary import find_anvil
    from heritage_sim.base import MissingPartError

    try:
        return find_anvil()
    except MissingPartError as error:
        pytest.skip(f"{error.what}: {error.remedy}")


@pytest.fixture(scope="session")
def ray_cluster():
    """Ray on this machine alone, without authentication, dashboard or usage reports; ended after the session."""
    os.environ |= {"RAY_AUTH_MODE": "disabled", "OMP_NUM_THREADS": "1"}
    # Workers take up what tests put into actors by name: they must find `plain_recommender` too.
    here = str(Path(__file__).parent)
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [here, os.environ.get("PYTHONPATH")]))
    import ray

    # Socket paths may not exceed 107 characters.
    folder = Path(tempfile.mkdtemp(prefix="ray-", dir="/tmp"))
    ray.init(num_cpus=2, object_store_memory=512 * 1024**2, _temp_dir=str(folder), **OWN_RAY_OPTIONS)
    yield ray
    ray.shutdown()
    shutil.rmtree(folder, ignore_errors=True)
