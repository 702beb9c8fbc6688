"""Catalogue, money, errors, calendar and sections: small promises that everything else leans on."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import Field, ValidationError

from heritage_sim.base import (
    NO_ONE,
    Calendar,
    Catalogue,
    Currency,
    InputError,
    MissingPartError,
    Section,
    Usage,
    WorkBatch,
)


def batch(n: int, dim: int = 3, parent: int = NO_ONE, first: int = 0) -> WorkBatch:
    parents = np.full((n, 4), NO_ONE, dtype=np.int32)
    parents[:, 0] = parent
    ids = np.arange(first, first + n)
    return WorkBatch(
        vectors=np.tile(ids[:, None], (1, dim)).astype(np.float32),
        tradition=ids.astype(np.int32) % 2,
        community=ids.astype(np.int32) % 3,
        creator=np.full(n, NO_ONE, dtype=np.int32),
        origin=np.zeros(n, dtype=np.int8),
        synthetic=np.zeros(n, dtype=np.bool_),
        consistency=np.ones(n, dtype=np.float32),
        duration_s=np.full(n, 60, dtype=np.float32),
        day=np.zeros(n, dtype=np.int32),
        parents=parents,
        content_sha256=np.zeros((n, 32), dtype=np.uint8),
    )


def test_a_works_id_is_its_row_however_the_catalogue_grows() -> None:
    catalogue = Catalogue(dim=3)
    for first in range(0, 300, 50):
        assert catalogue.append(batch(50, first=first)).tolist() == list(range(first, first + 50))
    assert catalogue.vectors[:, 0].tolist() == list(range(300))
    assert catalogue.community.tolist() == [i % 3 for i in range(300)]


def test_a_child_cannot_be_older_than_its_parent() -> None:
    catalogue = Catalogue(dim=3)
    catalogue.append(batch(2))
    catalogue.append(batch(1, parent=1, first=2))
    with pytest.raises(ValueError, match="older"):
        catalogue.append(batch(1, parent=3, first=3))
    assert catalogue.num_works == 3


def test_vectors_of_another_width_are_refused() -> None:
    with pytest.raises(ValueError, match="shape"):
        Catalogue(dim=4).append(batch(1, dim=3))


def test_a_restored_catalogue_is_equal_and_independent() -> None:
    catalogue = Catalogue(dim=3)
    catalogue.append(batch(5))
    state = catalogue.snapshot()
    other = Catalogue.restore(state)
    other.append(batch(5, first=5))
    assert catalogue.num_works == 5
    assert (other.vectors[:5] == catalogue.vectors).all()
    assert (state["columns"]["vectors"] == catalogue.vectors).all()


@pytest.mark.parametrize(
    ("units", "shown"),
    [(12_500_000, "12.50 hUSD"), (1, "0.000001 hUSD"), (-3_000_000, "-3.00 hUSD"), (10**12, "1,000,000.00 hUSD")],
)
def test_amounts_are_shown_with_their_currency(units: int, shown: str) -> None:
    assert Currency().show(units) == shown


@given(st.integers(-(10**18), 10**18), st.integers(0, 8))
def test_shown_amounts_lose_no_unit(units: int, decimals: int) -> None:
    from decimal import Decimal

    shown = Currency("X", decimals).show(units).removesuffix(" X").replace(",", "")
    assert Decimal(shown).scaleb(decimals) == units


def test_an_error_says_what_where_and_the_remedy_and_has_its_exit_code() -> None:
    error = MissingPartError("torch is needed", "generator", "pip install torch")
    assert str(error).splitlines() == ["torch is needed", "  where:  generator", "  remedy: pip install torch"]
    assert error.exit_code == InputError("x").exit_code == 2


@given(st.integers(0, 10_000))
def test_days_and_timestamps_are_inverse(day: int) -> None:
    calendar = Calendar()
    assert calendar.days(calendar.start_of(day)) == day


def test_sections_are_frozen_and_forbid_unknown_keys() -> None:
    class Part(Section):
        size: int = Field(default=1, description="size")

    with pytest.raises(ValidationError):
        Part.model_validate({"sice": 2})
    with pytest.raises(ValidationError):
        Part().size = 3  # type: ignore[misc]


def test_plays_by_work_add_up_over_listeners() -> None:
    usage = Usage(
        epoch=0,
        num_works=3,
        listener_ids=np.arange(2),
        fee_units=np.ones(2, dtype=np.int64),
        indptr=np.array([0, 2, 4]),
        work_ids=np.array([0, 2, 1, 2], dtype=np.int32),
        plays=np.array([1, 2, 3, 4]),
        seconds=np.zeros(4, dtype=np.int64),
        plays_by_day=np.zeros((1, 3), dtype=np.int64),
    )
    assert usage.plays_by_work().tolist() == [1, 3, 6]
