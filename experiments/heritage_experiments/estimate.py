"""What a run will cost, before it is begun: CPU time, memory and disk, from measured rates.

The rates are those of the quickstart as measured on two idle cores of a server (x86-64, no GPU): the
first run took 137 CPU seconds and 100 s of wall time, the second 93 and 59 s; on another such machine 150 to 165 and
105 to 115 CPU seconds, and up to 150 where others keep the same cores busy. They are for planning; a run's manifest has
what it really took.
"""

from __future__ import annotations

from dataclasses import dataclass

from heritage_experiments.scenario import Scenario

LISTENER_DAYS_PER_CPU_S = 900_000
"""Listener-days a core lives through in a second, choices, statistics of four rules and settlement included."""
CPU_S_PER_CREATOR_DAY = 40e-6
CPU_S_PER_REPLICATION = 0.12
"""Making the economy, closing its books, writing its parts."""
CPU_S_PER_EVM_REPLICATION = 5.0
"""Weekly epochs of some 60 payees on the embedded EVM."""
CPU_S_OF_START = 18.0
"""Interpreter, libraries, corpora, pools from the cache, in the driver and two Ray workers; Ray; the report."""
CPU_S_OF_TRAINING_STEP = 0.14
CPU_S_OF_PIECE = 0.007
BYTES_PER_PART_SET = 60_000
BYTES_PER_WORK = 40
BYTES_PER_PAYEE_EPOCH_RULE = 6
BYTES_PER_NOTED_LISTENER_DAY = 8
"""Sessions of the sample, compressed."""
BYTES_PER_LEDGER = 1_300_000
"""What an EVM replication of 60 payees and nine epochs leaves: signed transactions, receipts, published epochs."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """Expected cost of a run.

    Parameters
    ----------
    num_replications : int
        Replications over all cells.
    cpu_s : float
        CPU seconds with a full cache.
    first_time_cpu_s : float
        CPU seconds that training and piece pools add, in cells for which the cache does not hold them.
    disk_bytes : int
        What is written to the run's folder.
    """

    num_replications: int
    cpu_s: float
    first_time_cpu_s: float
    disk_bytes: int

    def wall_s(self, workers: int) -> float:
        """Return seconds of wall time on so many workers, one core each: start and first-time work is one core's."""
        return CPU_S_OF_START + max(0.0, self.cpu_s - CPU_S_OF_START) / max(1, workers) + self.first_time_cpu_s


def estimate(scenario: Scenario, resolved: dict[str, Scenario], cached: frozenset[str] = frozenset()) -> Estimate:
    """Return the expected cost of a scenario.

    Parameters
    ----------
    scenario : Scenario
        What is to be run.
    resolved : dict of str to Scenario
        The scenario of each cell.
    cached : frozenset of str
        Cells whose network and pieces are in the cache.

    Returns
    -------
    Estimate
    """
    cpu_s, disk, first = CPU_S_OF_START, 0.0, 0.0
    trained: set[str] = set()
    pools: set[str] = set()
    for name, cell in resolved.items():
        creators = cell.creators.num_per_community * len(cell.communities)
        archive = sum(t.num_works for t in cell.traditions)
        evm = min(cell.ledger.evm_replications, scenario.replications) if cell.ledger.kind == "evm" else 0
        cpu_s += scenario.replications * (
            CPU_S_PER_REPLICATION
            + cell.listeners.num_listeners * cell.economy.days / LISTENER_DAYS_PER_CPU_S
            + creators * cell.economy.days * CPU_S_PER_CREATOR_DAY
        )
        cpu_s += evm * CPU_S_PER_EVM_REPLICATION
        disk += evm * BYTES_PER_LEDGER
        rules = 1 + len(cell.royalty.shadow)
        payees = creators + len(cell.communities)
        noted = min(cell.economy.session_sample, cell.listeners.num_listeners)
        disk += scenario.replications * (
            BYTES_PER_PART_SET
            + BYTES_PER_WORK * (archive + creators * cell.economy.days * 0.1)
            + BYTES_PER_PAYEE_EPOCH_RULE * payees * cell.economy.num_epochs * rules
            + BYTES_PER_NOTED_LISTENER_DAY * noted * cell.economy.days
        )
        if cell.generator.kind == "archive" or name in cached:
            continue
        # One network serves the arms that differ in decoding alone; each has a pool of its own.
        network = cell.generator.model_dump_json(exclude={"kind", "takes", "masks", "conditioning"})
        pool = cell.generator.model_dump_json()
        first += cell.generator.steps * CPU_S_OF_TRAINING_STEP * (network not in trained)
        first += archive * cell.generator.takes * CPU_S_OF_PIECE * (pool not in pools)
        trained.add(network)
        pools.add(pool)
    return Estimate(scenario.replications * len(resolved), cpu_s, first, int(disk) + 3_000_000)
