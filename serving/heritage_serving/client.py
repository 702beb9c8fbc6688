"""A generator that lives behind Ray Serve, for callers that must not notice.

Serve does not repeat a call whose replica died, so repetition is ours. It is safe because an answer depends on the
commission alone: a second try, on any replica, gives the same piece under the same request id.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from heritage_serving.codec import commission_to_plain
from heritage_serving.config import ServingConfig
from heritage_serving.core import piece_from_answer
from heritage_sim.base import Commission, GenerationError, Piece

if TYPE_CHECKING:
    from ray.serve.handle import DeploymentHandle


class ServeGenerator:
    """A `Generator` over a deployment handle; picklable, so that workers can hold one.

    Parameters
    ----------
    handle : DeploymentHandle
        Handle of a composer.
    config : ServingConfig
        Batch size, time-outs and retries.
    sleep : callable
        How to wait between tries; tests give their own.
    """

    def __init__(
        self, handle: DeploymentHandle, config: ServingConfig, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self._handle = handle
        self._config = config
        self._sleep = sleep
        self._checkpoint: str | None = None
        self.num_retries = 0

    @property
    def checkpoint_sha256(self) -> str:
        """Return the hash of the served generator's weights and configuration."""
        if self._checkpoint is None:
            self._checkpoint = str(self._answers("checkpoint_sha256", [()])[0])
        return self._checkpoint

    def compose(self, commissions: Sequence[Commission]) -> list[Piece]:
        """Return one piece for each commission, in order.

        Parameters
        ----------
        commissions : sequence of Commission
            Split into batches that are in flight together.

        Returns
        -------
        list of Piece

        Raises
        ------
        GenerationError
            If a commission cannot be met, or the service does not answer in the tries it is given.
        """
        size = self._config.max_batch_size
        plain = [commission_to_plain(c) for c in commissions]
        batches = [(plain[i : i + size],) for i in range(0, len(plain), size)]
        return [piece_from_answer(a) for batch in self._answers("compose", batches) for a in batch]

    def _answers(self, method: str, calls: Sequence[tuple[Any, ...]]) -> list[Any]:
        """Return the answer to each call, in order; calls that are lost with their replica are made again."""
        answers: dict[int, Any] = {}
        failure: BaseException | None = None
        for attempt in range(self._config.max_attempts):
            waiting = [i for i in range(len(calls)) if i not in answers]
            if not waiting:
                break
            if attempt:
                self.num_retries += len(waiting)
                self._sleep(min(self._config.max_backoff_s, self._config.backoff_s * 2.0 ** (attempt - 1)))
            # All are sent before the first is awaited: replicas work side by side.
            sent = [(i, getattr(self._handle, method).remote(*calls[i])) for i in waiting]
            for i, response in sent:
                try:
                    answers[i] = response.result(timeout_s=self._config.request_timeout_s)
                except _passing_failures() as error:
                    failure = error
        if len(answers) < len(calls):
            raise GenerationError(
                f"{len(calls) - len(answers)} of {len(calls)} calls to the generation service had no answer in "
                f"{self._config.max_attempts} tries ({type(failure).__name__})",
                "serving",
                "look at the replicas' log, or raise serving.request_timeout_s or serving.max_attempts",
            ) from failure
        return [answers[i] for i in range(len(calls))]


def _passing_failures() -> tuple[type[BaseException], ...]:
    """Return the failures that another try can cure: a dead or unreachable replica, a full queue, a late answer."""
    from ray.exceptions import GetTimeoutError, RayActorError, WorkerCrashedError
    from ray.serve.exceptions import BackPressureError, DeploymentUnavailableError

    return (
        RayActorError,  # ActorDiedError and ActorUnavailableError are kinds of it
        WorkerCrashedError,
        BackPressureError,
        DeploymentUnavailableError,
        GetTimeoutError,
        TimeoutError,
    )
