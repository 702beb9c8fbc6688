"""The installer says what it will take before it takes it, and refuses at once what it cannot serve."""

import importlib.util
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]


@pytest.fixture
def install():
    spec = importlib.util.spec_from_file_location("heritage_install", ROOT / "experiments" / "install.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("machine", [("Linux", "x86_64"), ("Linux", "aarch64"), ("Darwin", "arm64")])
def test_machines_with_wheels_are_served(install, machine):
    install.check_machine(*machine, ("glibc", "2.28") if machine[0] == "Linux" else ("", ""))


@pytest.mark.parametrize("libc", [("", ""), ("musl", "1.2"), ("glibc", "2.27"), ("glibc", "2.5")])
def test_a_linux_whose_c_library_has_no_wheels_is_refused(install, libc):
    with pytest.raises(install.Refused, match=r"glibc 2\.28"):
        install.check_machine("Linux", "x86_64", libc)


def test_it_needs_no_docstrings(tmp_path):
    done = subprocess.run(
        [sys.executable, "-OO", ROOT / "experiments" / "install.py", "--help"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "--check" in done.stdout


@pytest.mark.parametrize("machine", [("Darwin", "x86_64"), ("Windows", "AMD64"), ("Linux", "armv7l")])
def test_other_machines_are_refused(install, machine):
    with pytest.raises(install.Refused, match="cannot be served"):
        install.check_machine(*machine)


def chosen(install, monkeypatch, *, offered="", reachable=False, gpu=False, machine=("Linux", "x86_64")):
    monkeypatch.setattr(install, "offered_by_pip", lambda python: offered)
    monkeypatch.setattr(install, "cpu_index_answers", lambda: reachable)
    monkeypatch.setattr(install, "has_nvidia_gpu", lambda: gpu)
    return install.choose_torch(Path("python"), *machine)


def test_a_cpu_wheel_is_taken_from_wherever_one_is_offered(install, monkeypatch):
    own = chosen(install, monkeypatch, offered="2.13.0+cpu", reachable=True)
    assert (own.options, own.download_mb) == ((), install.DOWNLOAD_MB)
    index = chosen(install, monkeypatch, offered="2.13.0", reachable=True)
    assert index.options == ("--extra-index-url", install.CPU_INDEX)
    assert (
        chosen(install, monkeypatch, offered="2.13.0", machine=("Darwin", "arm64")).download_mb == install.DOWNLOAD_MB
    )


def test_cuda_is_said_with_its_size_where_nothing_smaller_is_to_be_had(install, monkeypatch):
    cuda = chosen(install, monkeypatch, offered="2.13.0")
    assert (cuda.options, cuda.download_mb) == ((), install.CUDA_DOWNLOAD_MB)
    assert "CUDA" in cuda.words
    assert chosen(install, monkeypatch, gpu=True).download_mb == install.CUDA_DOWNLOAD_MB


def test_an_index_that_does_not_answer_is_not_waited_for(install, monkeypatch):
    def unreachable(url, timeout):
        assert timeout <= 5.0
        raise TimeoutError

    monkeypatch.setattr(install.urllib.request, "urlopen", unreachable)
    assert install.cpu_index_answers() is False


def test_a_small_disk_is_refused(install, monkeypatch, tmp_path):
    monkeypatch.setattr(shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(10, 9, 1_000_000))
    with pytest.raises(install.Refused, match="disk"):
        install.check_disk(tmp_path, 2_600)


def test_constraints_pin_everything_exactly_and_torch_without_a_local_part():
    lines = [x for x in (ROOT / "constraints.txt").read_text().splitlines() if x and not x.startswith("#")]
    assert all(re.fullmatch(r"[A-Za-z0-9._-]+==[^+]+", line) for line in lines)
    assert "torch==2.13.0" in lines
    assert not any(line.startswith("heritage") for line in lines)


def test_pip_is_told_as_stages_and_in_full_only_where_it_fails(install, capfd):
    says = "for w in ['Collecting a'] * 300 + ['Downloading a-1.whl', 'Installing collected packages: a']: print(w)\n"
    assert install.quietly([sys.executable, "-c", says]) == 0
    assert capfd.readouterr().out.split("\n") == ["fetching ...", "installing ...", ""]
    fails = says + "print('ERROR: no wheel'); raise SystemExit(1)"
    assert install.quietly([sys.executable, "-c", fails]) == 1
    assert "ERROR: no wheel" in capfd.readouterr().err


def test_its_last_words_say_how_the_command_is_found(install, capsys, monkeypatch, tmp_path):
    monkeypatch.setattr(install, "quietly", lambda command: 0)
    assert install._install(install.ROOT / ".venv" / "bin" / "python", ()) == 0
    assert "source .venv/bin/activate" in capsys.readouterr().out
    assert install._install(tmp_path / "bin" / "python", ()) == 0
    assert f"{tmp_path}/bin/heritage" in capsys.readouterr().out
