"""How a Ray that we start ourselves is set up: alone on this machine, on the loopback, quiet. Data only, no Ray."""

from __future__ import annotations

from typing import Any

OWN_RAY_ENVIRONMENT = {"RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0", "RAY_USAGE_STATS_ENABLED": "0"}
"""Set before Ray is imported. By the first, Ray takes the machine for no part of a cluster and all its own ports, which
run what they are sent, listen on the loopback; a node address of 127.0.0.1 does not do it, since Ray replaces it by the
machine's. What is left open is a port of each Serve replica, which Serve fixes to all interfaces and Ray's token guards
(RAY_AUTH_MODE)."""

OWN_RAY_OPTIONS: dict[str, Any] = {
    "address": "local",  # no other cluster is joined by chance
    "include_dashboard": False,
    "log_to_driver": False,
    "logging_level": "ERROR",
}
"""Arguments of ``ray.init``."""
