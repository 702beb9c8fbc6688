"""Entry of the ``heritage`` command: its sub-commands, and what a user is told when one fails.

Nothing heavy is imported here: each sub-command imports what it needs when it is called.
"""

from __future__ import annotations

import json
import os
import sys
from typing import Any, NoReturn

import typer

from heritage_experiments.cli import (
    calibrate,
    corpus,
    demand,
    describe,
    inspect_run,
    ledger,
    machine,
    music,
    royalty,
    run,
)

INTERRUPTED = 130
"""What typer leaves with after Ctrl-C, without a word."""

app = typer.Typer(
    name="heritage",
    help="Simulation and multi-agent economy testbed for intangible-heritage music.",
    epilog="Exit codes: 0 fine, 1 failure, 2 bad input, 130 stopped (Ctrl-C). Start with: heritage doctor",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)
app.command("run")(run.run)
app.command("resume")(run.resume)
app.command("status")(inspect_run.status)
app.command("report")(inspect_run.report)
app.command("calibrate")(calibrate.calibrate)
app.add_typer(royalty.app, name="royalty")
app.command("generate")(music.generate)
app.command("train")(music.train)
app.add_typer(corpus.app, name="corpus")
app.command("serve")(music.serve)
app.add_typer(demand.app, name="demand")
app.add_typer(ledger.app, name="ledger")
app.command("describe")(describe.describe)
app.command("bench")(machine.bench)
app.command("doctor")(machine.doctor)


@app.callback(invoke_without_command=True)
def _top(version: bool = typer.Option(False, "--version", help="Print the version and leave.")) -> None:
    if version:
        import importlib.metadata

        print(importlib.metadata.version("heritage-economy"))
        raise typer.Exit


def main() -> NoReturn:
    """Run the command line and leave with its exit code."""
    try:
        app()
    except SystemExit as left:
        if left.code == INTERRUPTED:
            from heritage_sim.base import StoppedError

            sys.exit(_told(StoppedError("stopped", "", "give the same command again; what was finished is kept")))
        raise
    except BrokenPipeError:
        # The reader of a pipe has gone; nothing is left to say to it.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        sys.exit(1)
    except Exception as error:
        sys.exit(_told(error))
    sys.exit(0)


def _told(error: Exception) -> int:
    """Say what went wrong, in words for people and as JSON where that was asked for; return the exit code."""
    from heritage_sim.base import HeritageError

    if isinstance(error, HeritageError):
        facts: dict[str, Any] = {"what": error.what, "where": error.where, "remedy": error.remedy}
        code, lines = error.exit_code, str(error)
    else:
        if os.environ.get("HERITAGE_DEBUG"):
            raise error
        log = _write_traceback(error)
        remedy = f"the traceback is in {log}" if log else "set HERITAGE_DEBUG=1 to see the traceback"
        facts = {"what": f"unexpected {type(error).__name__}: {error}", "where": str(log or ""), "remedy": remedy}
        code, lines = 1, f"{facts['what'].splitlines()[0]} ({remedy})"
    print(f"heritage: {lines}", file=sys.stderr)
    if "--json" in sys.argv[1:]:
        print(json.dumps({"error": facts | {"exit_code": code}}))
    return code


def _write_traceback(error: Exception) -> str | None:
    import time
    import traceback

    try:
        from heritage_experiments.cache import cache_dir

        log = cache_dir() / "last-error.log"
        head = f"{time.strftime('%Y-%m-%d %H:%M:%S')} {' '.join(sys.argv)}\n"
        log.write_text(head + "".join(traceback.format_exception(error)), encoding="utf-8")
    except Exception:
        return None
    return str(log)
