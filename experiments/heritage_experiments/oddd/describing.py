"""The description of the model after ODD+D, put together from the code's own metadata.

ODD (Overview, Design concepts, Details) is the usual form in which agent-based models are described; +D adds how
human decisions are modelled. The headings and their order are the protocol's. Under them stand: the text of `text.md`,
whose every figure is looked up; tables of state variables from the docstrings of the classes that hold them; the day's
steps as `Economy.step` calls them; the random streams as the code asks for them; every parameter with unit, range,
default, value and source as its configuration section declares it; every outcome; and the docstrings, with their
formulas, of the modules that hold the submodels.

References
----------
Müller, Bohn, Dreßler, Groeneveld, Klassert, Martin, Schlüter, Schulze, Weise, Schwarz, "Describing human decisions in
agent-based models: ODD + D, an extension of the ODD protocol", Environmental Modelling & Software 48 (2013).
Grimm, Railsback, Vincenot et al., "The ODD protocol for describing agent-based and other simulation models: a second
update", JASSS 23(2) 7 (2020).
"""

from __future__ import annotations

import importlib.metadata
from collections.abc import Mapping, Sequence
from itertools import groupby

from heritage_agents.config import CommunityConfig
from heritage_experiments.oddd.document import Block, Bullets, Document, Paragraph, Part, Table
from heritage_experiments.oddd.parameters import Parameter, parameters_of, without_metadata
from heritage_experiments.oddd.schedule import steps_of_a_day
from heritage_experiments.oddd.state import ENTITIES, entity_blocks
from heritage_experiments.oddd.streams import streams
from heritage_experiments.oddd.submodels import submodels
from heritage_experiments.oddd.words import said_of, sections
from heritage_experiments.scenario import Scenario, scenario_sha256
from heritage_models.config import TraditionConfig
from heritage_sim.base import ASSUMED
from heritage_sim.outcomes import outcome_names

BLOCKS = {"I": "Overview", "II": "Design concepts", "III": "Details"}


def describe(scenario: Scenario | None = None) -> Document:
    """Return the description, with the values of a scenario if one is given.

    Parameters
    ----------
    scenario : Scenario or None
        A checked scenario.

    Returns
    -------
    Document
    """
    parameters = parameters_of(scenario)
    by_key = {p.key: p for p in parameters}
    parts: list[Part] = []
    for number, (heading, _) in sections().items():
        block = number.partition(".")[0]
        if block not in BLOCKS:
            continue
        if not any(part.number == block for part in parts):
            parts.append(Part(2, block, BLOCKS[block]))
        made = _made(number, by_key, scenario)
        parts.append(Part(3, number, heading, (*said_of(number, by_key), *made)))
        parts += _below(number, parameters, scenario)
    version = importlib.metadata.version("heritage-economy")
    facts = f"heritage-economy {version}"
    if scenario is not None:
        facts += f" · scenario {scenario.name}, {scenario_sha256(scenario)[:16]}"
    abstract = [b.text for b in said_of("0", by_key) if isinstance(b, Paragraph)]
    if scenario is not None and scenario.question:
        abstract.append(f"The scenario's question: {scenario.question}")
    return Document("The heritage music economy: model description (ODD+D)", facts, tuple(abstract), tuple(parts))


def _made(number: str, by_key: Mapping[str, Parameter], scenario: Scenario | None) -> list[Block]:
    """Return what is made from metadata under one of the protocol's headings."""
    match number:
        case "I.iii":
            return _schedule()
        case "II.ix":
            return _streams()
        case "II.x":
            return _outcomes(scenario)
        case "III.ii":
            return _values(by_key, scenario)
        case _:
            return []


def _below(number: str, parameters: Sequence[Parameter], scenario: Scenario | None) -> list[Part]:
    """Return the parts under one of the protocol's headings."""
    if number == "I.ii":
        return [Part(4, "", entity, tuple(entity_blocks(entity))) for entity in ENTITIES]
    if number == "III.iv":
        parts: list[Part] = []
        for heading, modules in submodels():
            parts.append(Part(4, "", heading))
            parts += [Part(5, "", f"`{source.name}`", tuple(said)) for source, said in modules]
        return parts + _parameter_tables(parameters, scenario)
    return []


def _schedule() -> list[Block]:
    items = []
    for step in steps_of_a_day():
        when = f"Where {step.when}: " if step.when else ""
        calls = f" Calls {', '.join(f'`{c}`' for c in step.calls)}." if step.calls else ""
        items.append(f"{when}{step.does or step.name}{calls}")
    return [Paragraph("A day is lived in this order:"), Bullets(tuple(items), numbered=True)]


def _streams() -> list[Block]:
    rows = []
    for kind, of_kind in groupby(streams(), key=lambda s: s.agent_kind):
        for decision, drawn in groupby(of_kind, key=lambda s: s.decision):
            rows.append((kind, decision, ", ".join(sorted({f"`{s.module}`" for s in drawn}))))
    caption = f"All {len(rows)} random streams, as the code asks for them. Braces stand for a name of the scenario."
    return [Table(caption, ("agent kind", "decision", "drawn in"), tuple(rows))]


def _outcomes(scenario: Scenario | None) -> list[Block]:
    from heritage_experiments.report.words import label

    communities = tuple(c.name for c in scenario.communities) if scenario else ()
    names = outcome_names(len(communities) or 1)
    rows = tuple((f"`{name}`", label(name, communities)) for name in names)
    caption = (
        "Outcomes of a replication. Those of a royalty rule's amounts are recorded for every shadow rule too, as "
        "`static.<rule>.<name>`"
    )
    return [Table(caption, ("outcome", "in words"), rows)]


def _values(by_key: Mapping[str, Parameter], scenario: Scenario | None) -> list[Block]:
    if scenario is None:
        return [Paragraph("No scenario was named: the tables of parameters show defaults.")]
    plain = {p.key: p.value for p in parameters_of(_with_defaults(scenario))}
    rows = tuple(
        (f"`{p.key}`", p.value, plain[p.key] or p.default, p.unit)
        for p in by_key.values()
        if p.value and p.value != plain[p.key]
    )
    return [Table(f"What the scenario {scenario.name} sets otherwise than the default", _SET, rows)] if rows else []


def _with_defaults(scenario: Scenario) -> Scenario:
    """Return a scenario of the same traditions and communities in which all else is left to its default."""
    return Scenario(
        name=scenario.name,
        traditions=tuple(TraditionConfig(name=t.name, kind=t.kind, path=t.path) for t in scenario.traditions),
        communities=tuple(CommunityConfig(name=c.name, tradition=c.tradition) for c in scenario.communities),
    )


_SET = ("key", "value", "default", "unit")
_HEAD = ("key", "meaning", "unit", "default", "value", "range", "source")


def _parameter_tables(parameters: Sequence[Parameter], scenario: Scenario | None) -> list[Part]:
    lacking = without_metadata(parameters)
    assumed = sum(p.source == ASSUMED for p in parameters)
    said = (
        f"All {len(parameters)} parameters. {assumed} of them no source gives: they are marked {ASSUMED}, and are "
        "there to be swept."
    )
    blocks: list[Block] = [Paragraph(said)]
    if lacking:
        blocks.append(Paragraph("Not said in the code yet:"))
        blocks.append(Bullets(tuple(lacking)))
    parts = [Part(4, "", "Parameters", tuple(blocks))]
    columns = [i for i, name in enumerate(_HEAD) if scenario is not None or name != "value"]
    head = tuple(_HEAD[i] for i in columns)
    for section, rows in groupby(parameters, key=lambda p: p.section):
        table = [
            tuple((f"`{p.key}`", p.meaning, p.unit, p.default, p.value, p.limits, p.source)[i] for i in columns)
            for p in rows
        ]
        parts.append(Part(4, "", f"Parameters: {section.replace('_', ' ')}", (Table("", head, tuple(table)),)))
    return parts
