"""What a comparison's ``sweep`` may say, and how the cells that it stands for are called."""

from __future__ import annotations

from itertools import pairwise
from typing import Self

from pydantic import Field, model_validator

from heritage_sim.base import Section


class SweepConfig(Section):
    """One key of the scenario, and the values at which a comparison is made again, on both of its sides."""

    key: str = Field(
        pattern=r"^[a-z]\w*(\.[\w\-]+)+$",
        description="Dotted key that is swept, such as listeners.consistency_taste_mean.",
    )
    values: tuple[int | float, ...] = Field(
        min_length=2, max_length=50, description="Its values, ascending, in the key's own unit."
    )

    @model_validator(mode="after")
    def _ascending(self) -> Self:
        if any(after <= before for before, after in pairwise(self.values)):
            raise ValueError("the values of a sweep must ascend, each but once")
        return self

    @property
    def leaf(self) -> str:
        """Return the last part of the key."""
        return self.key.rpartition(".")[2]

    def cell_name(self, cell: str, value: float) -> str:
        """Return the name of a cell at one of the values; other keys, cells and values have other names."""
        size = f"{abs(value):g}".replace(".", "_").replace("+", "")
        return f"{cell}-{self.key.replace('.', '-').lower()}-{'minus' if value < 0 else ''}{size}"
