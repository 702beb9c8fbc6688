"""What the report says of a run, as data: comparisons with their findings and money, and the cells side by side."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

from heritage_experiments.report.money import MoneyRow, by_community, by_kind, by_rank
from heritage_experiments.report.run_data import CellFacts, ComparisonFacts, RunData
from heritage_experiments.report.words import LABELS
from heritage_experiments.statistics import STATIC, Finding, compare, correct, student_t_interval

ARM_OUTCOMES = (
    "plays_per_session",
    "seconds_per_session",
    "abandonment_rate",
    "plays_share_archive",
    "plays_share_human",
    "plays_share_generated",
    "works_recorded",
    "works_generated",
    "works_rereleased",
    "commissions_refused",
    "violations_per_generated_piece",
    "consistency_generated_mean",
    "payout_gap_communities",
)
"""What is shown of arms side by side."""
_BY_COMMUNITY = ("payout_share_community_", "bearers_community_", "bearers_change_community_")
"""How outcomes of single communities begin that are compared."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A comparison with all that is said of it."""

    facts: ComparisonFacts
    primary: Finding | None
    findings: tuple[Finding, ...]
    communities: tuple[MoneyRow, ...]
    kinds: tuple[MoneyRow, ...]
    bands: tuple[MoneyRow, ...]


@dataclass(frozen=True, slots=True)
class Level:
    """An outcome in one cell: mean and Student-t interval over replications."""

    mean: float
    low: float
    high: float
    n: int


class Findings:
    """The findings of a run, each computed once."""

    def __init__(self, run: RunData) -> None:
        self.run = run

    @cached_property
    def answers(self) -> tuple[Answer, ...]:
        """Return one answer for each comparison, Holm-corrected together over their primary outcomes."""
        run = self.run
        shown = [n for n in run.outcomes["name"].unique() if n.removeprefix(STATIC) == n and self._is_shown(n)]
        wanted = run.outcomes["name"].isin(shown) | run.outcomes["name"].str.startswith(STATIC)
        outcomes = run.outcomes.loc[wanted, :]
        found = correct(
            [
                finding
                for c in run.comparisons
                for finding in compare(outcomes, c.name, c.treatment.name, c.control.name, (c.outcome,))
            ]
        )
        return tuple(
            Answer(
                facts=c,
                primary=next((f for f in found if f.comparison == c.name and f.primary), None),
                findings=tuple(f for f in found if f.comparison == c.name),
                communities=tuple(by_community(run, c)),
                kinds=tuple(by_kind(run, c)),
                bands=tuple(by_rank(run, c)),
            )
            for c in run.comparisons
        )

    @property
    def num_primary(self) -> int:
        """Return how many primary outcomes are judged together."""
        return sum(a.primary is not None for a in self.answers)

    @cached_property
    def rule_cells(self) -> tuple[CellFacts, ...]:
        """Return the largest set of cells that differ in rule alone."""
        arm = Counter(c.arm for c in self.run.cells).most_common(1)[0][0]
        return _first_of_each([c for c in self.run.cells if c.arm == arm], lambda c: c.rule)

    @cached_property
    def arm_cells(self) -> tuple[CellFacts, ...]:
        """Return the largest set of cells that differ in arm alone."""
        rule = Counter(c.rule for c in self.run.cells).most_common(1)[0][0]
        return _first_of_each([c for c in self.run.cells if c.rule == rule], lambda c: c.arm)

    def level(self, cell: CellFacts, outcome: str) -> Level:
        """Return an outcome's level in a cell; NaN where it is not defined."""
        values = self.run.values(cell.name, outcome).dropna().to_numpy()
        low, high = student_t_interval(values)
        return Level(float(values.mean()) if values.size else float("nan"), low, high, int(values.size))

    def unit(self, outcome: str) -> str:
        """Return an outcome's unit; empty for one that the run does not have."""
        rows = self.run.outcomes.loc[self.run.outcomes["name"] == outcome, "unit"]
        return str(rows.iloc[0]) if len(rows) else ""

    def _is_shown(self, outcome: str) -> bool:
        primaries = {c.outcome for c in self.run.comparisons}
        if outcome.startswith("adversary_") and not self.run.ring.any():
            return outcome in primaries
        return outcome in LABELS or outcome in primaries or outcome.startswith(_BY_COMMUNITY)


def _first_of_each(cells: list[CellFacts], key: Callable[[CellFacts], str]) -> tuple[CellFacts, ...]:
    kept: dict[str, CellFacts] = {}
    for cell in cells:
        kept.setdefault(key(cell), cell)
    return tuple(kept.values())
