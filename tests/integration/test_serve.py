"""The generator behind Ray Serve: the same pieces as in process, also when a replica is killed."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Sequence
from typing import Any

import pytest

from heritage_serving.config import ServingConfig
from heritage_serving.session import serve_generator
from heritage_sim.base import Commission, Generator, InputError, Piece

pytestmark = pytest.mark.integration
pytest.importorskip("ray.serve")

CONFIG = ServingConfig(num_replicas=2, cpus_per_replica=0.25, max_batch_size=4, backoff_s=0.5, max_attempts=12)


def generator_factory(pid_folder: str) -> Any:
    """Return a factory of a small generator; made inside a function, so that it travels to the workers by value."""

    def build() -> Generator:
        import os
        from pathlib import Path

        import numpy as np

        from heritage_sim.base import Fidelity, GenerationError, Keys, Notes, Origin, Receipt

        class KeyedWalk:
            """A random walk keyed by (tradition, source, take) alone."""

            checkpoint_sha256 = "5eed"

            def compose(self, commissions: Sequence[Commission]) -> list[Piece]:
                (Path(pid_folder) / str(os.getpid())).touch()
                return [self._walk(c) for c in commissions]

            def _walk(self, c: Commission) -> Piece:
                if c.tradition != "walk":
                    raise GenerationError(f"unknown tradition {c.tradition!r}", c.request_id, "name a known one")
                step = Keys(1, 0).stream(c.tradition, c.source).integer(np.arange(12), c.take, 3) - 1
                degree = np.abs(np.cumsum(step)).astype(np.int16) % 5
                notes = Notes(
                    degree, np.zeros(12, np.int16), np.ones(12, np.int32), np.zeros(12, np.int8),
                    degree * 240.0 + 0.1, 4, 0.25,
                )  # fmt: skip
                receipt = Receipt(c.request_id, c.take, self.checkpoint_sha256, notes.sha256(), (c.source,))
                fidelity = Fidelity(11, 0, 3, 0, 0.0, False, 0.1, 1.0, 1.0)
                return Piece(notes, c.tradition, "walk", Origin.GENERATED, True, fidelity, receipt)

        return KeyedWalk()

    return build


def commissions(n: int, tradition: str = "walk") -> list[Commission]:
    return [Commission(f"r-{i}", tradition, "ab" * 32, i) for i in range(n)]


def hashes(pieces: Sequence[Piece]) -> list[str]:
    return [p.receipt.piece_sha256 for p in pieces]


@pytest.fixture(scope="module")
def served(ray_cluster: Any, tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder = tmp_path_factory.mktemp("pids")
    factory = generator_factory(str(folder))
    with serve_generator(factory, CONFIG) as generator:
        yield generator, factory, folder


def test_the_same_request_gives_the_same_piece_as_in_process(served: Any):
    generator, factory, _ = served
    assert isinstance(generator, Generator)
    expected = factory().compose(commissions(10))
    assert hashes(generator.compose(commissions(10))) == hashes(expected)
    assert hashes(generator.compose(list(reversed(commissions(10))))) == hashes(expected)[::-1]
    assert generator.checkpoint_sha256 == "5eed"


def test_the_call_goes_on_when_a_replica_is_killed(served: Any):
    generator, factory, folder = served
    expected = hashes(factory().compose(commissions(24)))
    for mark in folder.iterdir():
        mark.unlink()
    generator.compose(commissions(24))
    victims = [int(mark.name) for mark in folder.iterdir() if int(mark.name) != os.getpid()]
    assert victims
    # Every replica that answered dies: whichever the router picks next, a call is lost and must be made again.
    for pid in victims:
        os.kill(pid, signal.SIGKILL)
    assert hashes(generator.compose(commissions(24))) == expected


def test_callers_on_several_threads_do_not_disturb_one_another(served: Any):
    generator, factory, _ = served
    expected = hashes(factory().compose(commissions(8)))
    found: dict[int, list[str]] = {}
    threads = [
        threading.Thread(target=lambda i=i: found.update({i: hashes(generator.compose(commissions(8)))}))
        for i in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(found[i] == expected for i in range(4))


def test_more_cores_than_there_are_is_refused_at_once(ray_cluster: Any):
    greedy = ServingConfig(num_replicas=1000, cpus_per_replica=64.0)
    with pytest.raises(InputError, match="reserve 64000 cores"), serve_generator(generator_factory("."), greedy):
        pass
