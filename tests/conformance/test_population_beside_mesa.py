"""The bench compares like with like: the compiled step, plain Mesa and blocked NumPy make the same choices."""

import numpy as np

from heritage_experiments.bench import population


def test_three_implementations_play_the_same_works():
    work = population.workload(300, 2_000, 3)
    lives = (population._live_kernel, population._live_mesa, population._live_numpy_blocked)
    kernel, plain_mesa, blocked = (live(work)[1] for live in lives)
    assert kernel.sum() > 500
    # float sums run in another order, so a near tie may turn; one in a thousand would be a fault
    assert np.abs(kernel - plain_mesa).sum() <= kernel.sum() / 1_000
    assert np.abs(kernel - blocked).sum() <= kernel.sum() / 1_000


def test_records_have_the_documented_keys():
    records = population.run(quick=True)
    names = [record["name"] for record in records]
    assert "listener_steps_per_core_s" in names
    for record in records:
        assert list(record) == ["bench", "name", "value", "unit", "baseline", "ratio", "n", "note"]
    first = records[names.index("listener_steps_per_core_s")]
    assert first["ratio"] == first["value"] / first["baseline"]
    assert first["value"] > first["baseline"] > 0
