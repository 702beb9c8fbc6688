"""Start the generation service where it is needed, and give back only what was started here."""

from __future__ import annotations

import io
import logging
import math
import os
import signal
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from typing import TYPE_CHECKING
from uuid import uuid4

from heritage_serving.client import ServeGenerator
from heritage_serving.config import ServingConfig
from heritage_serving.core import GeneratorFactory
from heritage_sim.base import GenerationError, InputError, MissingPartError
from heritage_sim.base.own_ray import OWN_RAY_ENVIRONMENT, OWN_RAY_OPTIONS

if TYPE_CHECKING:
    from ray import serve
    from ray.serve.handle import DeploymentHandle

OBJECT_STORE_BYTES = 256 * 1024**2
"""Shared memory for a Ray that is started here: commissions and pieces are small."""

GATEWAY_CPUS = 0.1
"""Share of a core that the HTTP front reserves."""


@contextmanager
def serve_generator(factory: GeneratorFactory, config: ServingConfig) -> Iterator[ServeGenerator]:
    """Yield a generator behind Ray Serve; no port is opened for it.

    Ray and Serve are started only where they are not running, and only what was started is stopped.

    Parameters
    ----------
    factory : callable
        Picklable; builds the generator in each replica.
    config : ServingConfig
        Replicas, batches, time-outs.

    Yields
    ------
    ServeGenerator

    Raises
    ------
    MissingPartError
        If Ray Serve is not installed.
    InputError
        If the replicas need more cores than there are.
    GenerationError
        If the replicas do not come up.
    """
    with _serve_running(config, http=False):
        from ray import serve

        from heritage_serving.deployment import composer_application

        name = f"heritage-composer-{uuid4().hex[:8]}"
        try:
            handle = _run(composer_application(factory, config), name, None)
            yield ServeGenerator(handle, config)
        finally:
            serve.delete(name)


@contextmanager
def http_service(factory: GeneratorFactory, config: ServingConfig) -> Iterator[str]:
    """Yield the address of the generation service over HTTP on 127.0.0.1, and stop it at the end.

    Parameters
    ----------
    factory : callable
        Picklable; builds the generator in each replica.
    config : ServingConfig
        Replicas, batches, port.

    Yields
    ------
    str
        Such as ``http://127.0.0.1:8000``.

    Raises
    ------
    MissingPartError
        If Ray Serve is not installed.
    InputError
        If the port is taken, the replicas need more cores than there are, or Serve runs already with other HTTP
        options.
    """
    _require_port(config.http_port)
    with _serve_running(config, http=True):
        from ray import serve

        from heritage_serving.deployment import http_application

        name = f"heritage-http-{uuid4().hex[:8]}"
        try:
            _run(http_application(factory, config, GATEWAY_CPUS), name, "/")
            yield f"http://127.0.0.1:{config.http_port}"
        finally:
            serve.delete(name)


def _require_port(port: int) -> None:
    """Refuse at once a port that the proxy could not open."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            raise InputError(
                f"port {port} cannot be opened: {error.strerror}", "serving.http_port", "give another port"
            ) from error


def _run(application: serve.Application, name: str, route_prefix: str | None) -> DeploymentHandle:
    """Deploy an application and wait until it runs."""
    from ray import serve

    try:
        return serve.run(application, name=name, route_prefix=route_prefix)
    except RuntimeError as error:
        raise GenerationError(
            f"the generation service did not come up: {error}", "serving", "look at the replicas' log"
        ) from error


@contextmanager
def _serve_running(config: ServingConfig, http: bool) -> Iterator[None]:
    if not os.environ.get("RAY_ADDRESS"):
        for name, value in OWN_RAY_ENVIRONMENT.items():
            os.environ.setdefault(name, value)
    try:
        import ray
        from ray import serve
    except ImportError as error:
        raise MissingPartError(
            "Ray Serve is not installed", "generator.kind: serve", 'pip install "heritage-economy[serve]"'
        ) from error
    started_ray = not ray.is_initialized()
    if started_ray:
        _start_ray(config, http)
    try:
        _require_cores(config, http, ray.cluster_resources().get("CPU", 0.0))
        started_serve = not _serve_runs()
        if started_serve:
            # After Serve's import, which sets it to tell of every step.
            logging.getLogger("ray.serve").setLevel(logging.WARNING)
            options = {"host": "127.0.0.1", "port": config.http_port}
            serve.start(proxy_location="HeadOnly" if http else "Disabled", http_options=options)
        elif http:
            raise InputError(
                "Ray Serve runs already on this cluster, and its HTTP options cannot be changed",
                "serving.http_port",
                "stop it with `serve shutdown`, or use another cluster",
            )
        try:
            yield
        finally:
            if started_serve:
                # Ray prints the end of Serve's controller, which is wanted here, as a failure.
                with redirect_stdout(io.StringIO()):
                    serve.shutdown()
    finally:
        if started_ray:
            ray.shutdown()


def _start_ray(config: ServingConfig, http: bool) -> None:
    """Start a small Ray on this machine, or join the cluster that RAY_ADDRESS names."""
    import ray

    if os.environ.get("RAY_ADDRESS"):
        ray.init(logging_level=logging.ERROR, log_to_driver=False)
        return
    # Cores are a reservation, not a limit: a laptop with one core can still hold two half replicas.
    cores = max(os.cpu_count() or 1, math.ceil(_cores_needed(config, http)))
    ray.init(num_cpus=cores, object_store_memory=OBJECT_STORE_BYTES, **OWN_RAY_OPTIONS)
    sigterm_interrupts()


def sigterm_interrupts() -> None:
    """Let SIGTERM end this process as Ctrl-C does, so that what it started is given back; call it after ``ray.init``.

    Ray's own handler aborts the process three seconds after the signal. Serve needs longer to stop its replicas, and
    what then is left of Ray lives on for minutes.
    """
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, signal.default_int_handler)


def _cores_needed(config: ServingConfig, http: bool) -> float:
    return config.num_replicas * config.cpus_per_replica + (GATEWAY_CPUS if http else 0.0)


def _require_cores(config: ServingConfig, http: bool, cores: float) -> None:
    """Refuse at once what Serve would wait for without end."""
    if (needed := _cores_needed(config, http)) > cores:
        raise InputError(
            f"the replicas reserve {needed:g} cores and Ray has {cores:g}",
            "serving.num_replicas, serving.cpus_per_replica",
            "ask for fewer replicas or a smaller share of a core",
        )


def _serve_runs() -> bool:
    """Return whether a Serve controller is alive, without starting one."""
    import ray

    try:
        ray.get_actor("SERVE_CONTROLLER_ACTOR", namespace="serve")
    except ValueError:
        return False
    return True
