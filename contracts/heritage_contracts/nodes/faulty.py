"""A provider that breaks: it stands before a real one and injects the faults of a schedule.

Every fault is done to a real node or is what a real node does: a dropped transaction is answered with its hash and goes
nowhere; a hang is sent and then times out; a reorganisation and an eviction are asked of the node itself. The k-th
occasion of a kind of fault strikes or not by the keyed number of (kind, k), so that a run can be repeated.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, cast

from requests import ConnectionError as BrokenConnectionError
from requests import ReadTimeout

from heritage_contracts.hashing import keccak256
from heritage_contracts.nodes.faults import FaultSchedule
from heritage_contracts.sending.rpc import Provider
from heritage_sim.base.rng import Keys

_SEND = "eth_sendRawTransaction"


class FaultInjector:
    """The faults of one run: counts their occasions, across all providers it is put around.

    Parameters
    ----------
    schedule : FaultSchedule
        Which faults, how often.
    replication : int
        Its faults are those of no other replication.

    Notes
    -----
    ``kill`` is what kills the node, such as `ManagedAnvil.kill`; it is set once there is one.
    """

    def __init__(self, schedule: FaultSchedule, replication: int = 0) -> None:
        self.schedule = schedule
        self.struck: dict[str, int] = {}
        self.kill: Callable[[], None] | None = None
        self._keys = Keys(schedule.seed, replication)
        self._occasions: dict[str, int] = {}

    def wrap(self, provider: Provider) -> FaultyProvider:
        """Return a provider that breaks as scheduled."""
        return FaultyProvider(provider, self)

    def strikes(self, kind: str) -> bool:
        """Return whether the next occasion of a fault strikes, and count it."""
        occasion = self._next(kind)
        probability: float = getattr(self.schedule, kind)
        if not probability or float(self._keys.stream("ledger-fault", kind).uniform(occasion, 0)[0]) >= probability:
            return False
        self.struck[kind] = self.struck.get(kind, 0) + 1
        return True

    def choose(self, kind: str, high: int) -> int:
        """Return a number in ``[0, high)`` that belongs to the last occasion of a fault."""
        return int(self._keys.stream("ledger-fault", kind).integer(self._occasions[kind] - 1, 1, high)[0])

    def _next(self, kind: str) -> int:
        occasion = self._occasions.get(kind, 0)
        self._occasions[kind] = occasion + 1
        return occasion


class FaultyProvider:
    """A provider before a real one.

    Parameters
    ----------
    provider : Provider
        The real one.
    faults : FaultInjector
        What strikes when.
    """

    has_batches = True

    def __init__(self, provider: Provider, faults: FaultInjector) -> None:
        self._provider = provider
        self._faults = faults

    def make_request(self, method: Any, params: Any) -> Any:
        """Return the response to one request, or break."""
        if method == _SEND:
            return self._send([(method, params)])[0]
        if method == "evm_mine":
            return self._mine(params)
        return self._provider.make_request(method, params)

    def make_batch_request(self, requests: Sequence[tuple[Any, Any]]) -> list[Any]:
        """Return the responses to a batch, or break."""
        if requests and requests[0][0] == _SEND:
            return self._send(requests)
        return self._pass_on(requests)

    def _send(self, requests: Sequence[tuple[Any, Any]]) -> list[Any]:
        faults = self._faults
        if len(requests) > 1 and faults.strikes("half_batch"):
            self._pass_on(requests[: len(requests) // 2])
            raise BrokenConnectionError("broken on purpose")
        answers: list[Any] = [self._unsent(params[0]) for _, params in requests]
        passed = [i for i, answer in enumerate(answers) if answer is None]
        taken = self._pass_on([requests[i] for i in passed])
        if passed and faults.strikes("duplicate"):
            # The second answer is the one that arrives: the node calls everything known.
            taken = self._pass_on([requests[i] for i in passed])
        for i, answer in zip(passed, taken, strict=True):
            answers[i] = answer
        if faults.strikes("hang"):
            raise ReadTimeout("silent on purpose")
        return answers

    def _unsent(self, raw: str) -> dict[str, Any] | None:
        """Return the answer for a transaction that does not reach the node, None if it may."""
        if self._faults.strikes("drop"):
            return {"jsonrpc": "2.0", "id": 0, "result": "0x" + keccak256(bytes.fromhex(raw[2:])).hex()}
        if self._faults.strikes("underpriced"):
            error = {"code": -32000, "message": "replacement transaction underpriced"}
            return {"jsonrpc": "2.0", "id": 0, "error": error}
        return None

    def _mine(self, params: Any) -> Any:
        faults = self._faults
        if faults.kill is not None and faults.strikes("kill"):
            faults.kill()
        if faults.strikes("evicted"):
            self._evict()
        answer = self._provider.make_request("evm_mine", params)
        if faults.strikes("reorg"):
            self._reorganise(1 + faults.choose("reorg", faults.schedule.max_reorg_depth))
        return answer

    def _evict(self) -> None:
        pool: Any = self._provider.make_request("txpool_content", [])["result"]
        waiting = sorted(t["hash"] for kind in pool.values() for of_one in kind.values() for t in of_one.values())
        if waiting:
            victim = waiting[self._faults.choose("evicted", len(waiting))]
            self._provider.make_request("anvil_dropTransaction", [victim])

    def _reorganise(self, depth: int) -> None:
        height = int(self._provider.make_request("eth_blockNumber", [])["result"], 16)
        if height:
            self._provider.make_request("anvil_reorg", [min(depth, height), []])

    def _pass_on(self, requests: Sequence[tuple[Any, Any]]) -> list[Any]:
        if not requests:
            return []
        if len(requests) == 1:
            return [self._provider.make_request(*requests[0])]
        batch: Any = self._provider
        answers: Any = batch.make_batch_request(list(requests))
        return cast("list[Any]", answers) if isinstance(answers, list) else [answers] * len(requests)
