"""The shipped artefacts are what the sources compile to, byte for byte."""

import json
import shutil
import subprocess

import node_packages
import pytest
from node_packages import CONTRACTS

SHIPPED = CONTRACTS / "heritage_contracts" / "artifacts"

pytestmark = [pytest.mark.integration, pytest.mark.slow]


def test_recompiling_gives_the_shipped_bytes(tmp_path):
    node_packages.require()
    for name in ("package.json", "compile.mjs"):
        shutil.copy(CONTRACTS / name, tmp_path)
    for name in ("src", "test"):
        shutil.copytree(CONTRACTS / name, tmp_path / name)
    (tmp_path / "node_modules").symlink_to(node_packages.MODULES)
    built = tmp_path / "built"
    subprocess.run(["node", "compile.mjs", str(built)], cwd=tmp_path, check=True, capture_output=True, timeout=300)
    names = {path.name for path in built.iterdir()} | {path.name for path in SHIPPED.glob("*.json")}
    same = {name for name in names if _bytes(built / name) == _bytes(SHIPPED / name)}
    assert names == same, "run npm --prefix contracts run build"


def test_every_contract_of_src_is_shipped_and_the_push_splitter_alone_is_a_baseline():
    artefacts = [json.loads(path.read_text()) for path in SHIPPED.glob("*.json")]
    sources = {path.name for path in (CONTRACTS / "src").glob("*.sol")}
    assert {a["source"].removeprefix("src/") for a in artefacts if not a["baseline"]} == sources
    assert [a["contract"] for a in artefacts if a["baseline"]] == ["PushSplitter"]


def _bytes(path):
    return path.read_bytes() if path.exists() else None
