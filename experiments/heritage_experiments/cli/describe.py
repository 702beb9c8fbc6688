"""``heritage describe``: the model's description after the ODD+D protocol, from the code's own metadata."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from heritage_experiments.cli.options import Json, Sets, print_json

_FORMS = {".md": "markdown", ".html": "page"}


def describe(
    scenario: Annotated[
        Path | None, typer.Argument(help="Scenario whose values are shown; without one, defaults.", show_default=False)
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out", help="File to write, .md or .html; without one, Markdown is printed.", show_default=False
        ),
    ] = None,
    sets: Sets = None,
    as_json: Json = False,
) -> None:
    """Describe the model after ODD+D: entities, schedule, decisions, random streams, all parameters with sources."""
    from heritage_experiments.oddd import describe as described
    from heritage_experiments.oddd import parameters_of, without_metadata
    from heritage_experiments.scenario_load import load_scenario
    from heritage_sim.base import InputError, StorageError

    if out is not None and out.suffix not in _FORMS:
        raise InputError(f"{out.name} is neither .md nor .html", "--out", "name a file such as odd.html")
    if scenario is None and sets:
        raise InputError("--set needs a scenario to set something in", "heritage describe", "name the scenario file")
    checked = load_scenario(scenario, sets or ()) if scenario else None
    document = described(checked)
    if out is not None and out.suffix == ".html":
        from heritage_experiments.oddd.page import as_html

        text = as_html(document)
    else:
        from heritage_experiments.oddd.markdown import as_markdown

        text = as_markdown(document)
    if out is not None:
        try:
            out.parent.mkdir(parents=True, exist_ok=True)
            out.write_text(text, encoding="utf-8")
        except OSError as error:
            raise StorageError(
                f"cannot write: {error.strerror}", str(out), "name a file that can be written"
            ) from error
    if as_json:
        parameters = parameters_of(checked)
        print_json(
            {
                "out": str(out) if out else None,
                "parts": [f"{p.number} {p.heading}".strip() for p in document.parts],
                "parameters": [
                    {
                        name: getattr(p, name)
                        for name in ("key", "meaning", "unit", "default", "value", "limits", "source")
                    }
                    for p in parameters
                ],
                "without_metadata": without_metadata(parameters),
            }
        )
    elif out is None:
        print(text, end="")
    else:
        print(f"description  {out}")
