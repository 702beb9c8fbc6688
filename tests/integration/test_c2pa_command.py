"""``heritage generate --c2pa`` and ``heritage ledger verify FILE.wav``: signed, checked, tampered with, refused."""

import json
import os
import subprocess
import sys
import wave

import pytest

pytestmark = pytest.mark.integration
HERITAGE = [sys.executable, "-m", "heritage_experiments"]
QUICKLY = ("--tradition", "gamelan", "--num", 1, "--set", "generator.kind=archive", "--out", "made")


@pytest.fixture
def heritage(tmp_path):
    def call(*arguments, cache="cache"):
        return subprocess.run(
            [*HERITAGE, *map(str, arguments)],
            cwd=tmp_path,
            env={**os.environ, "HERITAGE_CACHE": str(tmp_path / cache)},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    return call


def test_a_generated_piece_is_signed_checked_and_told_from_a_tampered_one(heritage, tmp_path):
    made = heritage("generate", *QUICKLY, "--c2pa", "--json")
    assert made.returncode == 0, made.stderr
    (piece,) = json.loads(made.stdout)
    assert piece["c2pa"]["self_made"] is True
    wav = tmp_path / piece["wav"]
    with wave.open(str(wav)) as sound:
        assert sound.getnframes() / sound.getframerate() == pytest.approx(piece["duration_s"], abs=0.001)

    checked = heritage("ledger", "verify", wav, "--json")
    assert checked.returncode == 0, checked.stdout + checked.stderr
    found = json.loads(checked.stdout)
    assert found["holds"] is True
    assert found["manifest_sha256"] == piece["c2pa"]["manifest_sha256"]
    verdicts = [(c["name"], c["verdict"]) for c in found["checks"]]
    assert ("receipt", "holds") in verdicts
    assert ("registry", "not checked") in verdicts

    # Somebody else, with a cache of their own, knows the certificate only if it is given to them.
    assert "foreign certificate" in heritage("ledger", "verify", wav, cache="elsewhere").stdout
    handed_on = tmp_path / "cache" / "c2pa" / "certificates.pem"
    assert heritage("ledger", "verify", wav, "--c2pa-cert", handed_on, cache="elsewhere").returncode == 0

    whole = wav.read_bytes()
    wav.write_bytes(whole[:5_000] + bytes([whole[5_000] ^ 1]) + whole[5_001:])
    tampered = heritage("ledger", "verify", wav)
    assert tampered.returncode == 1
    assert "FAILED: the file was changed after it was signed" in tampered.stdout
    secret = next(t for t in (tmp_path / "cache" / "c2pa" / "identity.pem").read_text().splitlines() if "-" not in t)
    assert all(secret not in done.stdout + done.stderr for done in (made, checked, tampered))
    assert not any(secret.encode() in p.read_bytes() for p in (tmp_path / "made").iterdir())


def test_a_piece_is_not_signed_unless_asked_and_a_key_that_cannot_sign_is_refused_first(heritage, tmp_path):
    made = heritage("generate", *QUICKLY)
    assert made.returncode == 0, made.stderr
    assert "C2PA" not in made.stdout
    assert not (tmp_path / "cache" / "c2pa").exists()
    unsigned = heritage("ledger", "verify", "made/gamelan-001.wav")
    assert unsigned.returncode == 1
    assert "FAILED: no manifest: it was never signed" in unsigned.stdout
    for wrong in (("--c2pa-key", "k.pem"), ("--c2pa-key", "k.pem", "--c2pa-cert", "c.pem")):
        refused = heritage("generate", *QUICKLY[:-1], "other", *wrong)
        assert refused.returncode == 2
        assert "remedy:" in refused.stderr
        assert not (tmp_path / "other").exists()
