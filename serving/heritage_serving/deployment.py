"""The generation service on Ray Serve: a composer that holds the generator, and a gateway that speaks HTTP.

Importing this module needs Ray. A scenario's run uses the composer through a deployment handle and opens no port; the
gateway is for `heritage serve`.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ray import serve

from heritage_serving.codec import Plain, commission_from_plain
from heritage_serving.config import ServingConfig
from heritage_serving.core import GenerationCore, GeneratorFactory
from heritage_sim.base import InputError

if TYPE_CHECKING:
    from ray.serve.handle import DeploymentHandle
    from starlette.requests import Request
    from starlette.responses import Response

MAX_COMMISSIONS = 1024
"""Most commissions in one HTTP request."""


class Composer:
    """A replica: the plain core behind Serve's calls.

    Parameters
    ----------
    factory : callable
        Builds the generator, once in each replica.
    """

    def __init__(self, factory: GeneratorFactory) -> None:
        self._core = GenerationCore(factory)

    def compose(self, commissions: list[Plain]) -> list[Plain]:
        """Return one answer for each commission, in order."""
        return self._core.answer(commissions)

    def checkpoint_sha256(self) -> str:
        """Return the hash of the generator's weights and configuration."""
        return self._core.checkpoint_sha256


class Gateway:
    """HTTP front: ``POST /compose`` and ``GET /healthz``.

    Commissions of requests that arrive together are put into one batch.

    Parameters
    ----------
    composer : DeploymentHandle
        The composer.
    max_batch_size : int
        Commissions in one call to the composer.
    batch_wait_s : float
        How long a commission waits for company, in seconds.
    """

    def __init__(self, composer: DeploymentHandle, max_batch_size: int, batch_wait_s: float) -> None:
        self._composer = composer
        self._batched.set_max_batch_size(max_batch_size)  # type: ignore[attr-defined]
        self._batched.set_batch_wait_timeout_s(batch_wait_s)  # type: ignore[attr-defined]

    @serve.batch
    async def _batched(self, commissions: list[Plain]) -> list[Plain]:
        return await self._composer.compose.remote(commissions)

    async def __call__(self, request: Request) -> Response:
        """Answer one HTTP request."""
        from starlette.responses import JSONResponse

        route = (request.method, request.url.path)
        if route == ("GET", "/healthz"):
            return JSONResponse({"ready": True, "checkpoint_sha256": await self._composer.checkpoint_sha256.remote()})
        if route != ("POST", "/compose"):
            return JSONResponse({"error": {"what": "no such page", "remedy": "POST /compose or GET /healthz"}}, 404)
        try:
            commissions = _read_commissions(await request.body())
        except InputError as error:
            return JSONResponse(
                {"error": {"what": error.what, "where": error.where, "remedy": error.remedy}}, status_code=400
            )
        return JSONResponse({"answers": await asyncio.gather(*(self._batched(c) for c in commissions))})


def composer_application(factory: GeneratorFactory, config: ServingConfig) -> serve.Application:
    """Return the composer alone, for use through a handle."""
    import ray

    options = {"num_cpus": config.cpus_per_replica, "num_gpus": gpus_per_replica(config, ray.cluster_resources())}
    deployment = serve.deployment(
        Composer,
        name="composer",
        num_replicas=config.num_replicas,
        max_ongoing_requests=config.max_ongoing_requests,
        max_queued_requests=config.max_queued_requests,
        ray_actor_options=options,
    )
    return deployment.bind(factory)


def http_application(factory: GeneratorFactory, config: ServingConfig, gateway_cpus: float) -> serve.Application:
    """Return the gateway in front of the composer, for use over HTTP."""
    gateway = serve.deployment(Gateway, name="gateway", ray_actor_options={"num_cpus": gateway_cpus})
    return gateway.bind(composer_application(factory, config), config.max_batch_size, config.batch_wait_s)


def gpus_per_replica(config: ServingConfig, cluster: Mapping[str, float]) -> float:
    """Return the GPUs that each replica gets: what is wished for, cut to what the cluster has.

    Serve waits for ever, without an error, for a device that no node has.
    """
    available = cluster.get("GPU", 0.0)
    return min(config.gpus_per_replica, int(available / config.num_replicas * 10_000) / 10_000)


def _read_commissions(body: bytes) -> list[Plain]:
    remedy = 'send {"commissions": [{"request_id": ..., "tradition": ..., "source": ..., "take": 0}]}'
    try:
        payload: Any = json.loads(body)
    except ValueError as error:
        raise InputError("the body is not JSON", "POST /compose", remedy) from error
    commissions = payload.get("commissions") if isinstance(payload, dict) else None
    if not isinstance(commissions, list) or not 0 < len(commissions) <= MAX_COMMISSIONS:
        raise InputError(f"'commissions' must be a list of 1 to {MAX_COMMISSIONS}", "POST /compose", remedy)
    for i, commission in enumerate(commissions):
        commission_from_plain(commission, f"commissions[{i}]")
    return commissions
