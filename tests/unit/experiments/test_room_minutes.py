"""CI prints minutes per room: every test is counted once, in the room it stands in."""

import importlib.util
from pathlib import Path
from types import SimpleNamespace

spec = importlib.util.spec_from_file_location("room_minutes", Path(__file__).parents[2] / "room_minutes.py")
room_minutes = importlib.util.module_from_spec(spec)
spec.loader.exec_module(room_minutes)


def test_a_room_is_the_folder_below_the_kind_or_the_subject_of_a_file():
    assert room_minutes.room_of("tests/unit/models/traditions/test_scl.py::test_a[b/c]") == "unit/models"
    assert room_minutes.room_of("tests/integration/test_serve.py::test_a") == "integration/serve"


def test_the_three_phases_of_a_test_add_up_and_count_once():
    minutes = room_minutes.RoomMinutes()
    for when, duration in (("setup", 30.0), ("call", 60.0), ("teardown", 30.0)):
        minutes.pytest_runtest_logreport(
            SimpleNamespace(nodeid="tests/unit/sim/test_a.py::t", when=when, duration=duration)
        )
    lines = []
    reporter = SimpleNamespace(section=lambda title: None, write_line=lines.append)
    minutes.pytest_terminal_summary(reporter)
    assert [line.split() for line in lines] == [
        ["2.00", "min", "1", "tests", "unit/sim"],
        ["2.00", "min", "1", "tests", "all"],
    ]
