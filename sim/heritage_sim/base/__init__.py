"""The shared words: types, protocols, keyed random numbers, integer apportionment, calendar, errors.

Standard library, NumPy and pydantic only. Every package may import it; it grows no behaviour.
"""

from heritage_sim.base.acting import CommunityTerms, CommunityView, CreatorAction, CreatorView
from heritage_sim.base.apportion import largest_remainder, sum_exactly
from heritage_sim.base.catalogue import MAX_PARENTS, NO_ONE, Catalogue, WorkBatch
from heritage_sim.base.clock import DAY_S, Calendar
from heritage_sim.base.config import Section
from heritage_sim.base.errors import (
    ConsentError,
    GenerationError,
    HeritageError,
    InputError,
    LedgerError,
    MissingPartError,
    StoppedError,
    StorageError,
)
from heritage_sim.base.listening import TALLY, DayTally, HistoryVectors, TasteVectors, Usage, WorkFeatures, World
from heritage_sim.base.money import (
    BPS,
    Consent,
    Currency,
    Payments,
    ProvenanceRecord,
    Rights,
    Settlement,
    Statement,
)
from heritage_sim.base.music import REST, Commission, Fidelity, Intent, Notes, Origin, Piece, Receipt
from heritage_sim.base.outcome import Outcome
from heritage_sim.base.protocols import (
    CommunityPolicy,
    CreatorPolicy,
    Encoder,
    Executor,
    Generator,
    Ledger,
    People,
    Population,
    ProvenanceSink,
    Recommender,
    RecommenderState,
    RoyaltyRule,
    State,
    Sums,
)
from heritage_sim.base.rng import Keys, Stream, philox4x32, stream_key

__all__ = [
    "BPS",
    "DAY_S",
    "MAX_PARENTS",
    "NO_ONE",
    "REST",
    "TALLY",
    "Calendar",
    "Catalogue",
    "Commission",
    "CommunityPolicy",
    "CommunityTerms",
    "CommunityView",
    "Consent",
    "ConsentError",
    "CreatorAction",
    "CreatorPolicy",
    "CreatorView",
    "Currency",
    "DayTally",
    "Encoder",
    "Executor",
    "Fidelity",
    "GenerationError",
    "Generator",
    "HeritageError",
    "HistoryVectors",
    "InputError",
    "Intent",
    "Keys",
    "Ledger",
    "LedgerError",
    "MissingPartError",
    "Notes",
    "Origin",
    "Outcome",
    "Payments",
    "People",
    "Piece",
    "Population",
    "ProvenanceRecord",
    "ProvenanceSink",
    "Receipt",
    "Recommender",
    "RecommenderState",
    "Rights",
    "RoyaltyRule",
    "Section",
    "Settlement",
    "State",
    "Statement",
    "StoppedError",
    "StorageError",
    "Stream",
    "Sums",
    "TasteVectors",
    "Usage",
    "WorkBatch",
    "WorkFeatures",
    "World",
    "largest_remainder",
    "philox4x32",
    "stream_key",
    "sum_exactly",
]
