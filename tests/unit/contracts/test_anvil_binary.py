"""The finder of Anvil, with small programs in its place."""

import platform

import pytest

from heritage_contracts.nodes import anvil_binary
from heritage_contracts.nodes.anvil_binary import find_anvil, native
from heritage_sim.base import MissingPartError

SYSTEM = {"windows": "win32"}.get(platform.system().lower(), platform.system().lower())
MACHINE = {"x86_64": "amd64", "aarch64": "arm64"}.get(platform.machine(), platform.machine())


@pytest.fixture(autouse=True)
def nothing_installed(monkeypatch, tmp_path):
    """No Anvil anywhere: empty home, path and folder; every program claims version 1.7.1."""
    (tmp_path / "home").mkdir()
    work = tmp_path / "work" / "deep"
    work.mkdir(parents=True)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.delenv(anvil_binary.ANVIL_VARIABLE, raising=False)
    monkeypatch.chdir(work)
    monkeypatch.setattr(anvil_binary, "anvil_version", lambda _: (1, 7, 1))


def program(path, text="\x7fELF native"):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)
    return path


def in_modules(modules):
    return program(modules / "@foundry-rs" / f"anvil-{SYSTEM}-{MACHINE}" / "bin" / "anvil")


def test_the_order_is_argument_variable_path_home_modules(tmp_path, monkeypatch):
    found = [in_modules(tmp_path / "work" / "contracts" / "node_modules")]
    assert find_anvil() == found[-1]
    found.append(in_modules(tmp_path / "work" / "deep" / "node_modules"))
    assert find_anvil() == found[-1]
    found.append(program(tmp_path / "home" / ".foundry" / "bin" / "anvil"))
    assert find_anvil() == found[-1]
    found.append(program(tmp_path / "bin" / "anvil"))
    assert find_anvil() == found[-1]
    found.append(program(tmp_path / "named" / "anvil"))
    monkeypatch.setenv(anvil_binary.ANVIL_VARIABLE, str(found[-1]))
    assert find_anvil() == found[-1]
    found.append(program(tmp_path / "argument" / "anvil"))
    assert find_anvil(found[-1]) == found[-1]


def test_a_node_script_stands_for_the_native_program_beside_it(tmp_path):
    modules = tmp_path / "project" / "node_modules"
    real = in_modules(modules)
    script = program(modules / "@foundry-rs" / "anvil" / "bin.mjs", "#!/usr/bin/env node\n")
    link = modules / ".bin" / "anvil"
    link.parent.mkdir()
    link.symlink_to(script)
    assert native(link) == real


def test_a_script_without_its_native_program_is_passed_over(tmp_path):
    program(tmp_path / "bin" / "anvil", "#!/usr/bin/env node\n")
    with pytest.raises(MissingPartError, match="not installed"):
        find_anvil()


def test_without_anvil_the_message_names_three_ways():
    with pytest.raises(MissingPartError) as error:
        find_anvil()
    assert all(way in error.value.remedy for way in ("foundryup", "npm install", "evm"))


def test_a_named_program_that_is_none_is_an_error_and_not_passed_over(tmp_path, monkeypatch):
    program(tmp_path / "bin" / "anvil")
    monkeypatch.setenv(anvil_binary.ANVIL_VARIABLE, str(tmp_path / "nothing"))
    with pytest.raises(MissingPartError, match="is no Anvil program"):
        find_anvil()


def test_an_anvil_before_version_one_is_refused(tmp_path, monkeypatch):
    program(tmp_path / "bin" / "anvil")
    monkeypatch.setattr(anvil_binary, "anvil_version", lambda _: (0, 3, 0))
    with pytest.raises(MissingPartError, match=r"Anvil 0\.3\.0 is too old"):
        find_anvil()


def test_a_program_that_is_not_anvil_has_no_version(tmp_path, monkeypatch):
    monkeypatch.undo()
    other = program(tmp_path / "other", "#!/bin/sh\necho something else 9.9.9\n")
    assert anvil_binary.anvil_version(other) == ()
