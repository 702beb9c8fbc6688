"""Configuration of the generation service."""

from __future__ import annotations

from heritage_sim.base import Section, parameter


class ServingConfig(Section):
    """How the generator is served by Ray Serve. Nothing here changes a piece: it changes when it arrives."""

    num_replicas: int = parameter(
        1,
        "Copies of the generator that answer in parallel.",
        unit="replicas",
        source="the operator's choice",
        ge=1,
        le=1024,
    )
    cpus_per_replica: float = parameter(
        0.5,
        "CPU cores reserved for each replica; fractions share a core.",
        unit="cores",
        source="the operator's choice",
        gt=0.0,
        le=64.0,
    )
    gpus_per_replica: float = parameter(
        0.0,
        "GPUs wished for each replica; cut at start to what the cluster has, so that a deployment never "
        "waits for a device that is not there. 0 keeps to CPUs.",
        unit="GPUs",
        source="the operator's choice",
        ge=0.0,
        le=8.0,
    )
    max_batch_size: int = parameter(
        32,
        "Commissions sent to a replica in one call.",
        unit="commissions",
        source="the operator's choice",
        ge=1,
        le=4096,
    )
    batch_wait_s: float = parameter(
        0.01,
        "How long single HTTP requests wait for company.",
        unit="s",
        source="the operator's choice",
        ge=0.0,
        le=10.0,
    )
    max_ongoing_requests: int = parameter(
        4,
        "Calls a replica holds at once; above it callers wait at the router.",
        unit="calls",
        source="the operator's choice",
        ge=2,
        le=1024,
    )
    max_queued_requests: int = parameter(
        -1,
        "Calls that may wait at a router before it sheds load; -1 for no bound.",
        unit="calls",
        source="the operator's choice",
        ge=-1,
    )
    request_timeout_s: float = parameter(
        120.0, "How long a call may take before it is tried again.", unit="s", source="the operator's choice", gt=0.0
    )
    max_attempts: int = parameter(
        6, "Tries of one call, the first included.", unit="tries", source="the operator's choice", ge=1, le=100
    )
    backoff_s: float = parameter(
        0.5,
        "Wait before the second try; doubles with each further one.",
        unit="s",
        source="the operator's choice",
        ge=0.0,
        le=60.0,
    )
    max_backoff_s: float = parameter(
        8.0, "Longest wait between tries.", unit="s", source="the operator's choice", ge=0.0, le=600.0
    )
    http_port: int = parameter(
        8000,
        "Port of `heritage serve`, opened on 127.0.0.1 only; runs of a scenario open none.",
        unit="port",
        source="the operator's choice",
        ge=1024,
        le=65535,
    )
