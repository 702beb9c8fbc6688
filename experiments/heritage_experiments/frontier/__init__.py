"""What faster money costs: epoch length, challenge window and claiming, set against gas and time left to dispute."""

from heritage_experiments.frontier.asked import numbers_of, price_of
from heritage_experiments.frontier.gas import Gas, measure_gas
from heritage_experiments.frontier.grid import POLICIES, Assumed, Point, Price, frontier

__all__ = [
    "POLICIES",
    "Assumed",
    "Gas",
    "Point",
    "Price",
    "frontier",
    "measure_gas",
    "numbers_of",
    "price_of",
]
