"""Configuration of the generation service."""

from __future__ import annotations

from pydantic import Field

from heritage_sim.base import Section


class ServingConfig(Section):
    """How the generator is served by Ray Serve. Nothing here changes a piece: it changes when it arrives."""

    num_replicas: int = Field(default=1, ge=1, le=1024, description="Copies of the generator that answer in parallel.")
    cpus_per_replica: float = Field(
        default=0.5, gt=0.0, le=64.0, description="CPU cores reserved for each replica; fractions share a core."
    )
    gpus_per_replica: float = Field(
        default=0.0,
        ge=0.0,
        le=8.0,
        description="GPUs wished for each replica; cut at start to what the cluster has, so that a deployment never "
        "waits for a device that is not there. 0 keeps to CPUs.",
    )
    max_batch_size: int = Field(default=32, ge=1, le=4096, description="Commissions sent to a replica in one call.")
    batch_wait_s: float = Field(
        default=0.01, ge=0.0, le=10.0, description="How long single HTTP requests wait for company, in seconds."
    )
    max_ongoing_requests: int = Field(
        default=4, ge=2, le=1024, description="Calls a replica holds at once; above it callers wait at the router."
    )
    max_queued_requests: int = Field(
        default=-1, ge=-1, description="Calls that may wait at a router before it sheds load; -1 for no bound."
    )
    request_timeout_s: float = Field(
        default=120.0, gt=0.0, description="How long a call may take before it is tried again, in seconds."
    )
    max_attempts: int = Field(default=6, ge=1, le=100, description="Tries of one call, the first included.")
    backoff_s: float = Field(
        default=0.5,
        ge=0.0,
        le=60.0,
        description="Wait before the second try, in seconds; doubles with each further one.",
    )
    max_backoff_s: float = Field(default=8.0, ge=0.0, le=600.0, description="Longest wait between tries, in seconds.")
    http_port: int = Field(
        default=8000,
        ge=1024,
        le=65535,
        description="Port of `heritage serve`, opened on 127.0.0.1 only; runs of a scenario open none.",
    )
