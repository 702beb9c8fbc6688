"""The ledger as its chain tells it: books folded from the contracts' events, by nobody who wrote them."""

from heritage_contracts.chain_books.books import ChainBooks, Payout, Posted
from heritage_contracts.chain_books.difference import DifferenceError, require
from heritage_contracts.chain_books.events import EVENT_NAMES, Event, event_of
from heritage_contracts.chain_books.works import ChainWork

__all__ = [
    "EVENT_NAMES",
    "ChainBooks",
    "ChainWork",
    "DifferenceError",
    "Event",
    "Payout",
    "Posted",
    "event_of",
    "require",
]
