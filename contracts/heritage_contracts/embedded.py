"""The embedded chain: py-evm in this process behind web3.py, with time set from outside.

eth-tester's own mining reads the wall clock and draws ``prevrandao`` from the system, and mines a block for each
transaction. Here the JSON-RPC calls that Anvil knows as well (``evm_setNextBlockTimestamp``, ``evm_mine``) set the time
and close a block, so that one ledger class serves both and equal intents give equal blocks.
"""

from __future__ import annotations

from typing import Any

from eth.vm.spoof import SpoofTransaction
from eth_tester import EthereumTester, PyEVMBackend  # pyright: ignore[reportMissingTypeStubs]
from web3 import Web3
from web3.providers.eth_tester import EthereumTesterProvider

from heritage_contracts.deployment import ROLES, role_address
from heritage_contracts.schedule import BLOCK_GAS

_FUNDS_WEI = 10**24


class EmbeddedProvider(EthereumTesterProvider):
    """A web3 provider around a fresh py-evm chain.

    Parameters
    ----------
    genesis_s : int
        Timestamp of block 0.
    """

    def __init__(self, genesis_s: int) -> None:
        account: dict[str, Any] = {"balance": _FUNDS_WEI, "nonce": 0, "code": b"", "storage": {}}
        make_backend: Any = PyEVMBackend
        backend = make_backend(
            genesis_parameters=make_backend.generate_genesis_params({"timestamp": genesis_s}),
            genesis_state={role_address(role): dict(account) for role in ROLES},
        )
        super().__init__(EthereumTester(backend))
        self._backend = backend
        self._chain: Any = backend.chain

    def make_request(self, method: Any, params: Any) -> Any:
        """Return the JSON-RPC answer; time, mining, raw transactions and calls are answered here."""
        own = {
            "evm_setNextBlockTimestamp": self._set_time,
            "evm_mine": self._mine,
            "eth_sendRawTransaction": self._send_raw,
            "eth_call": self._call,
        }.get(method)
        if own is None:
            return super().make_request(method, params)
        return {"id": 1, "jsonrpc": "2.0"} | own(params)

    def _set_time(self, params: Any) -> dict[str, Any]:
        self._chain.set_header_timestamp(int(params[0]))
        return {"result": None}

    def _mine(self, params: Any) -> dict[str, Any]:
        # prevrandao would otherwise come from the operating system; no contract here reads it.
        self._chain.mine_block(coinbase=b"\0" * 20, mix_hash=b"\0" * 32, blob_gas_used=0)
        return {"result": "0x0"}

    def _send_raw(self, params: Any) -> dict[str, Any]:
        raw = params[0]
        data = bytes.fromhex(raw.removeprefix("0x")) if isinstance(raw, str) else bytes(raw)
        return {"result": "0x" + self._backend.send_raw_transaction(data).hex()}

    def _call(self, params: Any) -> dict[str, Any]:
        """Answer a call after the last block and at its time; a revert carries its bytes, as Anvil answers."""
        call = params[0]
        sender = bytes.fromhex(call["from"].removeprefix("0x"))
        # The state object is made for this call and thrown away, so nothing has to be undone.
        state = self._chain.get_vm(self._chain.get_canonical_head()).state
        unsigned = self._chain.create_unsigned_transaction(
            nonce=state.get_nonce(sender),
            gas_price=state.base_fee,
            gas=BLOCK_GAS,
            to=bytes.fromhex(call["to"].removeprefix("0x")),
            value=0,
            data=bytes.fromhex(call["data"].removeprefix("0x")),
        )
        computation = state.apply_transaction(SpoofTransaction(unsigned, from_=sender))
        if computation.is_error:
            reason = "0x" + computation.output.hex()
            return {"error": {"code": 3, "message": "execution reverted", "data": reason}}
        return {"result": "0x" + computation.output.hex()}


def embedded_web3(genesis_s: int) -> Web3:
    """Return web3 on a fresh embedded chain whose block 0 is at ``genesis_s``; no formatting middleware is put on."""
    return Web3(EmbeddedProvider(genesis_s), middleware=[])
