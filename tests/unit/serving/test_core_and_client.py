"""A batch is answered item by item where it must be, and a lost call is made again: without Ray running."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from heritage_serving.client import ServeGenerator
from heritage_serving.config import ServingConfig
from heritage_serving.core import GenerationCore
from heritage_sim.base import Commission, Fidelity, GenerationError, Notes, Origin, Piece, Receipt

ray_exceptions = pytest.importorskip("ray.exceptions")


class TakeGenerator:
    """A piece of as many notes as the take says; take 13 cannot be met."""

    checkpoint_sha256 = "f00d"

    def compose(self, commissions: Sequence[Commission]) -> list[Piece]:
        return [self._one(c) for c in commissions]

    def _one(self, c: Commission) -> Piece:
        if c.take == 13:
            raise GenerationError("no piece keeps these rules", c.request_id, "ask for another take")
        n = c.take + 1
        notes = Notes(
            np.zeros(n, np.int16), np.zeros(n, np.int16), np.ones(n, np.int32), np.zeros(n, np.int8),
            np.zeros(n), 4, 0.25,
        )  # fmt: skip
        fidelity = Fidelity(n - 1, 0, 0, 0, 0.0, False, 0.0, 1.0, 1.0)
        return Piece(
            notes, c.tradition, "t", Origin.GENERATED, True, fidelity,
            Receipt(c.request_id, c.take, "f00d", notes.sha256(), (c.source,)),
        )  # fmt: skip


class Reply:
    def __init__(self, outcome: Any) -> None:
        self.outcome = outcome

    def result(self, timeout_s: float) -> Any:
        if isinstance(self.outcome, BaseException):
            raise self.outcome
        return self.outcome


class Method:
    def __init__(self, handle: FlakyHandle, call: Any) -> None:
        self.handle, self.call = handle, call

    def remote(self, *args: Any) -> Reply:
        self.handle.num_calls += 1
        failure = self.handle.failures.get(self.handle.num_calls)
        return Reply(failure if failure is not None else self.call(*args))


class FlakyHandle:
    """Fails the calls named by number (from 1), answers the others through the core."""

    def __init__(self, failures: dict[int, BaseException]) -> None:
        self.core = GenerationCore(TakeGenerator)
        self.failures = failures
        self.num_calls = 0

    @property
    def compose(self) -> Method:
        return Method(self, self.core.answer)

    @property
    def checkpoint_sha256(self) -> Method:
        return Method(self, lambda: self.core.checkpoint_sha256)


def commissions(n: int) -> list[Commission]:
    return [Commission(f"r-{i}", "gamelan", "ab", i) for i in range(n)]


def client(failures: dict[int, BaseException], waits: list[float] | None = None, **changes: Any) -> ServeGenerator:
    config = ServingConfig(max_batch_size=3, backoff_s=1.0, max_backoff_s=4.0, **changes)
    return ServeGenerator(FlakyHandle(failures), config, sleep=(waits if waits is not None else []).append)  # type: ignore[arg-type]


def hashes(pieces: Sequence[Piece]) -> list[str]:
    return [p.receipt.piece_sha256 for p in pieces]


def test_answers_come_in_order_whatever_the_batches():
    expected = hashes(TakeGenerator().compose(commissions(10)))
    assert hashes(client({}).compose(commissions(10))) == expected


def test_calls_lost_with_their_replica_are_made_again_with_the_same_pieces():
    waits: list[float] = []
    flaky = client({2: ray_exceptions.ActorDiedError(), 4: TimeoutError()}, waits)
    assert hashes(flaky.compose(commissions(10))) == hashes(TakeGenerator().compose(commissions(10)))
    assert flaky.num_retries == 2
    assert waits == [1.0]


def test_waits_double_up_to_their_bound():
    waits: list[float] = []
    flaky = client({i: ray_exceptions.ActorDiedError() for i in range(1, 6)}, waits)
    flaky.compose(commissions(1))
    assert waits == [1.0, 2.0, 4.0, 4.0, 4.0]


def test_a_service_that_never_answers_is_one_clear_error():
    flaky = client({i: ray_exceptions.ActorDiedError() for i in range(1, 9)}, max_attempts=3)
    with pytest.raises(GenerationError, match=r"1 of 1 calls .* 3 tries \(ActorDiedError\)") as caught:
        flaky.compose(commissions(1))
    assert caught.value.remedy


def test_a_fault_in_our_own_code_is_not_retried():
    waits: list[float] = []
    flaky = client({1: ZeroDivisionError()}, waits)
    with pytest.raises(ZeroDivisionError):
        flaky.compose(commissions(1))
    assert waits == []


def test_an_impossible_commission_does_not_spoil_its_batch():
    core = GenerationCore(TakeGenerator)
    plain = [{"request_id": f"r-{t}", "tradition": "g", "source": "ab", "take": t} for t in (1, 13, 2)]
    answers = core.answer(plain)
    assert [next(iter(a)) for a in answers] == ["piece", "error", "piece"]
    assert answers[1]["error"]["where"] == "r-13"


def test_the_error_of_a_replica_is_raised_at_the_caller():
    with pytest.raises(GenerationError, match="no piece keeps these rules"):
        client({}).compose([Commission("r-13", "gamelan", "ab", 13)])


def test_the_checkpoint_is_asked_for_once():
    served = client({})
    assert [served.checkpoint_sha256, served.checkpoint_sha256] == ["f00d", "f00d"]
    assert served._handle.num_calls == 1  # type: ignore[attr-defined]


def test_a_deployment_never_asks_for_a_gpu_that_is_not_there():
    deployment = pytest.importorskip("heritage_serving.deployment")
    wish = ServingConfig(num_replicas=3, gpus_per_replica=1.0)
    assert deployment.gpus_per_replica(wish, {"CPU": 8.0}) == 0.0
    assert 3 * deployment.gpus_per_replica(wish, {"GPU": 1.0}) <= 1.0
    assert deployment.gpus_per_replica(wish, {"GPU": 4.0}) == 1.0
