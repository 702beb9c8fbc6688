"""The shipped deployment file is one that Ray Serve reads, our builder accepts, and that listens on the loopback."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

schema = pytest.importorskip("ray.serve.schema")

FILE = Path(__file__).parents[3] / "serving" / "deploy" / "generator.yaml"


@pytest.fixture(scope="module")
def deployment() -> dict:
    return yaml.safe_load(FILE.read_text(encoding="utf-8"))


def test_serve_reads_it_and_it_listens_on_the_loopback_only(deployment: dict):
    read = schema.ServeDeploySchema.model_validate(deployment)
    assert read.http_options.host == "127.0.0.1"
    assert [a.import_path for a in read.applications] == ["heritage_serving.app:build"]


def test_our_builder_accepts_its_arguments(deployment: dict):
    from heritage_serving.app import ServedGenerator

    args = ServedGenerator.model_validate(deployment["applications"][0]["args"])
    assert args.generator.kind == "transformer"


def test_it_serves_the_traditions_and_seed_of_the_quickstart(deployment: dict):
    args = deployment["applications"][0]["args"]
    scenarios = FILE.parents[2] / "experiments" / "scenarios"
    quickstart = yaml.safe_load((scenarios / "quickstart.yaml").read_text(encoding="utf-8"))
    assert args["traditions"] == quickstart["traditions"]
    assert args["root_seed"] == quickstart["seed"]
