"""The scenario: one frozen model composed of every package's own section, with the arms, cells and comparisons on top.

A *cell* is what gets run: an arm (a named set of overrides) with a few more keys set. `resolve_cell` returns the
scenario a cell stands for, in which no name of an arm or a cell is left: what a run does cannot depend on what it is
called.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import Field, field_validator, model_validator
from pydantic_core import PydanticCustomError

from heritage_agents.adversaries.config import AdversariesConfig
from heritage_agents.config import CommunityConfig, CreatorsConfig, ListenersConfig, TransmissionConfig
from heritage_agents.demand.config import DemandConfig
from heritage_contracts.config import LedgerConfig
from heritage_experiments.registry import OWN_WRITTEN, content_sha256
from heritage_experiments.sweeps.config import SweepConfig
from heritage_models.config import GeneratorConfig, RecommenderConfig, TraditionConfig
from heritage_serving.config import ServingConfig
from heritage_sim.base import Section, parameter
from heritage_sim.config import EconomyConfig, EvaluationConfig, MoneyChainConfig, RoyaltyConfig
from heritage_sim.outcomes import outcome_names
from heritage_sim.royalty import OWN_KIND

NAME = r"^[a-z0-9][a-z0-9_\-]*$"
PRIMARY_OUTCOME = "payout_gap_communities"
FIXED_FOR_ALL_CELLS = (
    *("name", "question", "seed", "replications", "traditions", "runtime", "own_parts", "extends"),
    *("arms", "cells", "comparisons"),
)
"""Keys that no arm or cell may change: cells are compared in pairs on one world and one set of random numbers."""
FIXED_OF_COMMUNITIES = ("name", "tradition", "listener_share", "activity", "num_members", "bearers_at_start")
"""What of a community makes the world, and is the same in all cells; its terms and conduct may differ."""
SAME_IN_A_COMPARISON = (
    *("economy.days", "economy.epoch_days", "economy.session_sample", "listeners.num_listeners"),
    *("evaluation.split_share", "evaluation.cold_days", "evaluation.horizon_s"),
)
"""What two cells must share to be compared: amounts and times of unequal worlds have no difference that means much."""

Overrides = dict[str, Any]


class Cell(Section):
    """One thing to run: an arm, and keys set on top of it."""

    name: str = Field(pattern=NAME, description="Name of the cell in tables and comparisons.")
    arm: str = Field(default="", description="Arm whose overrides apply; empty for the scenario as it stands.")
    set: Overrides = Field(default_factory=dict, description="Dotted keys and their values, applied after the arm's.")


class Comparison(Section):
    """A paired difference, treatment minus control, of one outcome."""

    name: str = Field(pattern=NAME, description="Name of the comparison.")
    treatment: str = Field(description="Cell whose outcome comes first in the difference.")
    control: str = Field(description="Cell whose outcome is subtracted.")
    question: str = Field(default="", description="The question it answers, as the report asks it.")
    outcome: str = Field(default=PRIMARY_OUTCOME, description="Primary outcome that answers it.")
    sweep: SweepConfig | None = Field(
        default=None, description="One key, and values at which both cells are run again, to see where the sign turns."
    )

    def cells_at(self) -> dict[str, tuple[str, float]]:
        """Return the cells that the sweep makes: name to (cell it is made of, value); none without a sweep."""
        if self.sweep is None:
            return {}
        sides = (self.treatment, self.control)
        return {self.sweep.cell_name(side, v): (side, v) for v in self.sweep.values for side in sides}


class RuntimeConfig(Section):
    """How a scenario is run. No key here ever changes an outcome."""

    executor: Literal["auto", "local", "ray"] = parameter(
        "auto",
        "Where replications run: this process, Ray workers, or whichever is cheaper.",
        unit="name",
        source="the operator's choice",
    )
    shards: int = parameter(
        1, "Parts the listeners are divided into.", unit="shards", source="the operator's choice", ge=1, le=256
    )
    threads: int = parameter(
        1,
        "Shards of one process that work at once, each in a thread.",
        unit="threads",
        source="the operator's choice",
        ge=1,
        le=256,
    )
    workers: int | Literal["auto"] = parameter(
        "auto",
        "Replications run at once on Ray; auto: one per core that this process may use.",
        unit="processes",
        source="the operator's choice",
    )
    object_store_mb: int = parameter(
        256, "Ray's shared object store.", unit="MiB", source="the operator's choice", ge=80, le=1_000_000
    )
    tries: int = parameter(
        3,
        "Times a replication is tried when its worker dies.",
        unit="times",
        source="the operator's choice",
        ge=1,
        le=10,
    )
    listener_engine: Literal["compiled", "torch"] = parameter(
        "compiled",
        "What lives the listeners' days: the compiled kernel, or the same step in torch.",
        unit="name",
        source="the operator's choice",
    )
    listener_device: Literal["auto", "cpu", "cuda"] = parameter(
        "auto",
        "Where the torch engine works; auto: the GPU where there is one, else the CPU.",
        unit="name",
        source="the operator's choice",
    )

    @field_validator("workers")
    @classmethod
    def _positive(cls, workers: int | str) -> int | str:
        if isinstance(workers, int) and not 1 <= workers <= 1024:
            raise ValueError("workers must be `auto` or a number from 1 to 1024")
        return workers


class Scenario(Section):
    """A scenario file, checked. See ``experiments/scenarios/quickstart.yaml`` for a commented one."""

    name: str = Field(pattern=NAME, description="Name; results lie in a folder of this name.")
    question: str = Field(default="", description="The question that the run answers, as the report asks it.")
    seed: int = parameter(1, "Root seed of every random stream.", unit="1", source="the scenario", ge=0, lt=2**63)
    replications: int = parameter(
        1, "Paired replications of every cell.", unit="runs", source="the scenario", ge=1, le=100_000
    )
    traditions: tuple[TraditionConfig, ...] = Field(min_length=1, description="Traditions with their archives.")
    communities: tuple[CommunityConfig, ...] = Field(min_length=1, description="Communities, each with one tradition.")
    listeners: ListenersConfig = Field(default_factory=ListenersConfig, description="The listening population.")
    creators: CreatorsConfig = Field(default_factory=CreatorsConfig, description="Who records and commissions.")
    transmission: TransmissionConfig = Field(
        default_factory=TransmissionConfig, description="How a practice is learnt and forgotten."
    )
    adversaries: AdversariesConfig = Field(
        default_factory=AdversariesConfig, description="Who cheats; nobody by default."
    )
    economy: EconomyConfig = Field(default_factory=EconomyConfig, description="Days, epochs.")  # pyright: ignore
    generator: GeneratorConfig = Field(
        default_factory=GeneratorConfig, description="What answers commissions to derive."
    )
    recommender: RecommenderConfig = Field(default_factory=RecommenderConfig, description="What fills the slates.")
    royalty: RoyaltyConfig = Field(default_factory=RoyaltyConfig, description="The rule in force, and shadow rules.")
    ledger: LedgerConfig = Field(default_factory=LedgerConfig, description="The chain or the reference books.")
    money_chain: MoneyChainConfig = Field(
        default_factory=MoneyChainConfig, description="Steps from the play to money in hand."
    )
    evaluation: EvaluationConfig = Field(
        default_factory=EvaluationConfig, description="How recommendations and engagement are measured."
    )
    serving: ServingConfig = Field(default_factory=ServingConfig, description="The generation service.")
    demand: DemandConfig = Field(default_factory=DemandConfig, description="Who asks the service for pieces, and when.")
    arms: dict[str, Overrides] = Field(default_factory=dict, description="Named sets of overrides.")
    cells: tuple[Cell, ...] = Field(default=(), description="What is run; without any, the scenario as it stands.")
    comparisons: tuple[Comparison, ...] = Field(
        default=(), description="Paired differences that the report answers with."
    )
    runtime: RuntimeConfig = Field(
        default_factory=RuntimeConfig, description="How it is run; never changes an outcome."
    )
    own_parts: dict[str, str] = Field(
        default_factory=dict,
        description="Parts of the user's own (`kind: file.py:Class`), by section; filled in on reading.",
    )

    @model_validator(mode="after")
    def _names_agree(self) -> Self:
        for what, where, names in (
            ("tradition", "traditions", [t.name for t in self.traditions]),
            ("community", "communities", [c.name for c in self.communities]),
            ("cell", "cells", [c.name for c in self.cells]),
            ("comparison", "comparisons", [c.name for c in self.comparisons]),
        ):
            for i, name in enumerate(names):
                if name in names[:i]:
                    raise _wrong(f"the {what} name {name!r} stands twice; every {what} needs its own", where, i, "name")
        for i, community in enumerate(self.communities):
            if community.share_bps > community.share_max_bps:
                raise _wrong(
                    f"community {community.name!r} begins with share_bps {community.share_bps}, above its own "
                    f"share_max_bps {community.share_max_bps}",
                    *("communities", i, "share_bps"),
                    remedy="lower it, or raise share_max_bps beside it",
                )
        traditions = [t.name for t in self.traditions]
        for i, community in enumerate(self.communities):
            if community.tradition not in traditions:
                raise _wrong(
                    f"community {community.name!r} names the tradition {community.tradition!r}; "
                    f"the scenario has {', '.join(traditions)}",
                    *("communities", i, "tradition"),
                )
        for i, tradition in enumerate(traditions):
            if tradition not in {c.tradition for c in self.communities}:
                raise _wrong(
                    f"no community has the tradition {tradition!r}; give it one or leave it out", "traditions", i
                )
        for name in self.demand.tradition_weights:
            if name not in traditions:
                raise _wrong(
                    f"buyers ask for the tradition {name!r}; the scenario has {', '.join(traditions)}",
                    *("demand", "tradition_weights", name),
                )
        self._the_ring_is_there()
        for i, cell in enumerate(self.cells):
            if cell.arm and cell.arm not in self.arms:
                raise _wrong(
                    f"cell {cell.name!r} names the arm {cell.arm!r}; the scenario has {', '.join(self.arms) or 'none'}",
                    *("cells", i, "arm"),
                )
        cells = [c.name for c in self.cells]
        for i, comparison in enumerate(self.comparisons):
            for side in ("treatment", "control"):
                if getattr(comparison, side) not in cells:
                    raise _wrong(
                        f"comparison {comparison.name!r} names the cell {getattr(comparison, side)!r}; "
                        f"the scenario has {', '.join(cells) or 'none'}",
                        *("comparisons", i, side),
                    )
            for made in comparison.cells_at():
                if made in cells:
                    raise _wrong(
                        f"the sweep of comparison {comparison.name!r} makes a cell {made!r}, which is there already",
                        *("comparisons", i, "sweep"),
                        remedy="give the cell another name",
                    )
        return self

    def _the_ring_is_there(self) -> None:
        ring, num_creators = self.adversaries, self.creators.num_per_community * len(self.communities)
        if (ring.is_on or ring.sybils) and ring.colluder >= num_creators:
            raise _wrong(
                f"there is no creator {ring.colluder} to collude; creators are 0 to {num_creators - 1}",
                *("adversaries", "colluder"),
                remedy="name another, or raise creators.num_per_community",
            )
        plans = [plan.name for plan in self.listeners.plans]
        if ring.bot_plan and ring.bot_plan not in plans:
            raise _wrong(
                f"there is no plan {ring.bot_plan!r} for bots to pay; listeners have {', '.join(plans)}",
                *("adversaries", "bot_plan"),
            )

    @property
    def cells_to_run(self) -> tuple[Cell, ...]:
        """Return the cells and those that sweeps make of them, or the one cell that the scenario itself is."""
        return (*self.cells, *self.swept_cells) or (Cell(name="scenario"),)

    @property
    def swept_cells(self) -> tuple[Cell, ...]:
        """Return the cells at the values of all sweeps, each once, in the order of comparisons and values."""
        made: dict[str, Cell] = {}
        for comparison in self.comparisons:
            for name, (side, value) in comparison.cells_at().items():
                cell = next(c for c in self.cells if c.name == side)
                swept = {comparison.sweep.key: value} if comparison.sweep else {}
                made.setdefault(name, Cell(name=name, arm=cell.arm, set=cell.set | swept))
        return tuple(made.values())

    def cell(self, name: str) -> Cell:
        """Return a cell by name."""
        return next(c for c in self.cells_to_run if c.name == name)


def _wrong(
    message: str, *path: str | int, remedy: str = "correct the name, or add what it names"
) -> PydanticCustomError:
    # The key path travels in the context, so that the reader can find the line.
    return PydanticCustomError("scenario", "{message}", {"message": message, "path": path, "remedy": remedy})


def as_data(scenario: Scenario, *, defaults: bool = True) -> dict[str, Any]:
    """Return a scenario as plain data, own parts back in their ``kind:``, such that it reads back as itself.

    Parameters
    ----------
    scenario : Scenario
        What to write down.
    defaults : bool
        Whether keys that were left to their default are written too.

    Returns
    -------
    dict
    """
    data = scenario.model_dump(mode="json", exclude_unset=not defaults, exclude={"own_parts"})
    for section, kind in scenario.own_parts.items():
        node = data
        for key in section.split("."):
            node = node.setdefault(key, {})
        node["kind"] = kind
    return data


def scenario_sha256(scenario: Scenario) -> str:
    """Return the hash of everything that can change an outcome: all keys but ``runtime``, and the text of own parts.

    Own parts count by their text wherever they are named, in arms and cells and among the shadow rules too, and not by
    the folder they lie in.
    """
    data = as_data(scenario)
    data.pop("runtime")
    return hashlib.sha256(json.dumps(_with_texts(data), sort_keys=True, ensure_ascii=True).encode()).hexdigest()


def _with_texts(node: Any) -> Any:
    """Return plain data with every part of the user's own as the hash of its text."""
    if isinstance(node, dict):
        return {key: _with_texts(value) for key, value in node.items()}
    if isinstance(node, list):
        return [_with_texts(item) for item in node]
    match = OWN_WRITTEN.match(node) if isinstance(node, str) else None
    if match and Path(match["file"]).is_file():
        return f"{content_sha256(match['file'] + ':' + match['name'])}{match['parameters'] or ''}"
    return node


def json_schema() -> dict[str, Any]:
    """Return the JSON Schema of scenario files, for editors; ``kind`` also admits ``file.py:Class``."""
    schema = Scenario.model_json_schema()
    schema["properties"].pop("own_parts")
    schema["properties"]["extends"] = {"type": "string", "description": "Scenario file that this one builds on."}
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    schema["title"] = "heritage scenario"
    schema["$defs"]["Comparison"]["properties"]["outcome"]["examples"] = list(outcome_names(1))
    definitions, own = schema["$defs"], {"type": "string", "pattern": OWN_KIND.pattern}
    definitions["RegisteredRule"] = definitions["RuleConfig"]
    definitions["RuleConfig"] = {
        "description": "A royalty rule, registered or of one's own, with its parameters beside it or in brackets.",
        "anyOf": [
            {"$ref": "#/$defs/RegisteredRule"},
            # A rule of the user's own has parameters that no schema knows.
            {"type": "object", "properties": {"kind": own}, "required": ["kind"]},
            {"type": "string"},
        ],
    }
    for definition in ("GeneratorConfig", "RecommenderConfig", "LedgerConfig", "TransmissionConfig"):
        kind = schema.get("$defs", {}).get(definition, {}).get("properties", {}).get("kind")
        if kind and "enum" in kind:
            kind["anyOf"] = [{"enum": kind.pop("enum")}, own]
            kind.pop("type", None)
    return schema
