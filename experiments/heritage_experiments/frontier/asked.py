"""What a user asks the frontier for, read from text."""

from __future__ import annotations

import math

from heritage_experiments.frontier.grid import Price
from heritage_sim.base import InputError


def numbers_of(text: str, where: str, at_least: float) -> tuple[float, ...]:
    """Return numbers with commas between, ascending, each once.

    Parameters
    ----------
    text : str
        Such as ``1,7,30``.
    where : str
        Option it was given to.
    at_least : float
        Smallest that makes sense.

    Returns
    -------
    tuple of float

    Raises
    ------
    InputError
        If one is no number, or too small.
    """
    found: set[float] = set()
    for part in text.split(","):
        try:
            value = float(part)
        except ValueError:
            raise InputError(f"{part.strip()!r} is no number", where, "Write numbers with commas: 1,7,30.") from None
        if not (math.isfinite(value) and value >= at_least):
            raise InputError(f"{part.strip()} is out of range", where, f"Write numbers from {at_least:.3g} on.")
        found.add(value)
    return tuple(sorted(found))


def price_of(gas_gwei: float | None, coin: float | None, unit: str) -> Price | None:
    """Return the price of gas, None where none is given.

    Parameters
    ----------
    gas_gwei : float or None
        Price of a gas, in 10^-9 coins.
    coin : float or None
        Price of a coin.
    unit : str
        Unit of the coin's price.

    Returns
    -------
    Price or None

    Raises
    ------
    InputError
        If only a part is given.
    """
    if gas_gwei is None and coin is None and not unit:
        return None
    if gas_gwei is None or coin is None or not unit:
        raise InputError(
            "a cost needs three things: price of gas, price of the coin, and its unit",
            "--gas-price-gwei, --coin-price, --unit",
            "Give all three, such as --gas-price-gwei 0.05 --coin-price 2500 --unit EUR, or none for gas alone.",
        )
    return Price(gas_gwei, coin, unit)
