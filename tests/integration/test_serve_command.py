"""`heritage serve` as a user runs it: it answers over HTTP, and a SIGTERM leaves nothing of it behind."""

import json
import os
import socket
import subprocess
import sys
import urllib.request

import psutil
import pytest

from heritage_serving.codec import piece_from_plain

pytestmark = [pytest.mark.integration, pytest.mark.slow]
pytest.importorskip("ray.serve")

TINY = """\
name: tiny
traditions: [{name: gamelan, kind: gamelan, num_works: 20}]
communities: [{name: Tirtanala, tradition: gamelan}]
generator: {steps: 3, width: 32, layers: 1, heads: 2}
"""


def test_the_service_answers_and_ends_without_a_trace(tmp_path):
    (tmp_path / "tiny.yaml").write_text(TINY)
    own = {"HERITAGE_CACHE": str(tmp_path / "cache"), "OMP_NUM_THREADS": "1", "RAY_AUTH_MODE": "disabled"}
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "heritage_experiments", "serve", "--scenario", "tiny.yaml", "--json"]
    with (tmp_path / "stderr").open("w") as told:
        service = subprocess.Popen(
            [*command, "--set", f"serving.http_port={port}"],
            cwd=tmp_path, env={**os.environ, **own}, stdout=subprocess.PIPE, stderr=told, text=True,
        )  # fmt: skip
    first = json.loads(service.stdout.readline())
    assert first["address"] == f"http://127.0.0.1:{port}"
    with urllib.request.urlopen(f"{first['address']}/healthz", timeout=60) as reply:
        assert json.load(reply) == {"ready": True, "checkpoint_sha256": first["checkpoint_sha256"]}
    wanted = {"request_id": "r", "tradition": "gamelan", "source": first["example_source"], "take": 0}
    body = json.dumps({"commissions": [wanted]}).encode()
    with urllib.request.urlopen(urllib.request.Request(f"{first['address']}/compose", body), timeout=60) as reply:
        piece = piece_from_plain(json.load(reply)["answers"][0]["piece"])
    assert piece.receipt.request_id == "r"
    assert piece.receipt.piece_sha256 == piece.notes.sha256()
    below = psutil.Process(service.pid).children(recursive=True)
    assert len(below) > 3
    service.terminate()
    rest, _ = service.communicate(timeout=120)
    assert (service.returncode, rest) == (0, ""), (tmp_path / "stderr").read_text()[-3000:]
    _, living = psutil.wait_procs(below, timeout=20)
    assert [p for p in living if p.status() != psutil.STATUS_ZOMBIE] == []
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind(("127.0.0.1", port))
