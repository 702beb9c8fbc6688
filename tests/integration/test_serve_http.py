"""The generator over HTTP on the loopback: the same pieces as in process, mistakes named by key."""

from __future__ import annotations

import ast
import json
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Sequence
from typing import Any

import pytest

from heritage_serving.codec import piece_from_plain
from heritage_serving.config import ServingConfig
from heritage_serving.session import http_service
from heritage_sim.base import Commission, Generator, Piece

pytestmark = pytest.mark.integration
pytest.importorskip("ray.serve")


def generator_factory() -> Any:
    """Return a factory of a small generator; made inside a function, so that it travels to the workers by value."""

    def build() -> Generator:
        import numpy as np

        from heritage_sim.base import Fidelity, GenerationError, Notes, Origin, Receipt

        class Scale:
            """As many rising notes as the take says."""

            checkpoint_sha256 = "5eed"

            def compose(self, commissions: Sequence[Commission]) -> list[Piece]:
                return [self._rise(c) for c in commissions]

            def _rise(self, c: Commission) -> Piece:
                if c.tradition != "scale":
                    raise GenerationError(f"unknown tradition {c.tradition!r}", c.request_id, "name a known one")
                n = c.take + 1
                degree = np.arange(n, dtype=np.int16)
                notes = Notes(
                    degree, np.zeros(n, np.int16), np.ones(n, np.int32), np.zeros(n, np.int8),
                    degree * 171.4, 4, 0.25,
                )  # fmt: skip
                receipt = Receipt(c.request_id, c.take, self.checkpoint_sha256, notes.sha256(), (c.source,))
                fidelity = Fidelity(n, 0, 1, 0, 0.0, False, 0.1, 1.0, 1.0)
                return Piece(notes, c.tradition, "scale", Origin.GENERATED, True, fidelity, receipt)

        return Scale()

    return build


def post(url: str, body: bytes) -> tuple[int, Any]:
    request = urllib.request.Request(url, data=body, headers={"Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=60) as response:
            return response.status, json.load(response)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.load(error)


ALONE = """
import os, psutil, socket
from heritage_serving.config import ServingConfig
from heritage_serving.session import http_service
from heritage_sim.base import InputError

def build():
    class Silent:
        checkpoint_sha256 = "5eed"
        def compose(self, commissions):
            return []
    return Silent()

me = psutil.Process()
with socket.socket() as other:
    other.bind(("127.0.0.1", 0))
    other.listen()
    port = other.getsockname()[1]
    try:
        with http_service(build, ServingConfig(http_port=port)):
            raise SystemExit("a taken port was accepted")
    except InputError as error:
        assert str(port) in error.what, error.what
assert not me.children()
with http_service(build, ServingConfig(http_port=port, cpus_per_replica=0.25)):
    started = [me, *me.children(recursive=True)]
    # Serve fixes one port of each replica to all interfaces; everything else is ours to keep in.
    ours = [p for p in started if "ServeReplica" not in p.name() and "ServeReplica" not in " ".join(p.cmdline())]
    listening = {c.laddr.ip for p in ours for c in p.net_connections("inet") if c.status == "LISTEN"}
    assert len(ours) > 4, ours
gone, alive = psutil.wait_procs(started[1:], timeout=30)
print(sorted(listening), len(alive))
"""


@pytest.mark.slow
def test_a_service_of_its_own_listens_on_the_loopback_alone_and_ends_what_it_started():
    done = subprocess.run([sys.executable, "-c", ALONE], capture_output=True, text=True, timeout=150)
    assert done.returncode == 0, done.stderr[-2000:]
    listening, alive = done.stdout.strip().splitlines()[-1].rsplit(" ", 1)
    assert set(ast.literal_eval(listening)) <= {"127.0.0.1", "::ffff:127.0.0.1", "::1"}
    assert alive == "0"


def test_over_http_the_pieces_are_the_same_and_mistakes_are_named(ray_cluster: Any):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    factory = generator_factory()
    with http_service(factory, ServingConfig(cpus_per_replica=0.25, http_port=port)) as address:
        with urllib.request.urlopen(f"{address}/healthz", timeout=60) as response:
            assert json.load(response) == {"ready": True, "checkpoint_sha256": "5eed"}
        wanted = [{"request_id": f"r-{i}", "tradition": "scale", "source": "ab" * 32, "take": i} for i in range(5)]
        wanted.append({**wanted[0], "tradition": "nowhere"})
        status, reply = post(f"{address}/compose", json.dumps({"commissions": wanted}).encode())
        assert status == 200
        pieces = [piece_from_plain(a["piece"]) for a in reply["answers"][:5]]
        assert [p.notes.sha256() for p in pieces] == [
            p.notes.sha256() for p in factory().compose([Commission("", "scale", "", i) for i in range(5)])
        ]
        assert "unknown tradition" in reply["answers"][5]["error"]["what"]
        status, reply = post(f"{address}/compose", b'{"commissions": [{"take": -1}]}')
        assert status == 400
        assert reply["error"]["where"] == "commissions[0]"
