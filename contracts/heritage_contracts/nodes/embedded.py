"""The embedded chain: py-evm in this process, asked like a node, with time set from outside.

eth-tester's own mining reads the wall clock and draws ``prevrandao`` from the system, and mines a block for each
transaction. Here the JSON-RPC calls that Anvil knows as well (``evm_setNextBlockTimestamp``, ``evm_mine``) set the
time and close a block, so that one client serves both and equal intents give equal blocks. Answers are made from
py-evm's own objects, without the formatting layers between.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from eth.vm.spoof import SpoofTransaction
from eth_tester import EthereumTester, PyEVMBackend  # pyright: ignore[reportMissingTypeStubs]
from eth_utils.exceptions import ValidationError
from web3 import Web3
from web3.providers.eth_tester import EthereumTesterProvider

from heritage_contracts.deployment import EMBEDDED_CHAIN_ID, ROLES, role_address
from heritage_contracts.hashing import keccak256
from heritage_contracts.schedule import BLOCK_GAS

_FUNDS_WEI = 10**24


class EmbeddedProvider(EthereumTesterProvider):
    """A web3 provider around a fresh py-evm chain.

    Parameters
    ----------
    genesis_s : int
        Timestamp of block 0.
    funded : sequence of bytes
        Addresses that own ether, 20 bytes each.
    """

    def __init__(self, genesis_s: int, funded: Sequence[bytes]) -> None:
        account: dict[str, Any] = {"balance": _FUNDS_WEI, "nonce": 0, "code": b"", "storage": {}}
        make_backend: Any = PyEVMBackend
        backend = make_backend(
            genesis_parameters=make_backend.generate_genesis_params({"timestamp": genesis_s}),
            genesis_state={address: dict(account) for address in funded},
        )
        super().__init__(EthereumTester(backend))
        self._backend = backend
        self._chain: Any = backend.chain
        self._pending: list[bytes] = []
        self._receipts: dict[str, dict[str, Any]] = {}
        self._own: dict[str, Callable[[Any], Any]] = {
            "eth_chainId": lambda _: hex(EMBEDDED_CHAIN_ID),
            "evm_setNextBlockTimestamp": self._set_time,
            "evm_mine": self._mine,
            "eth_sendRawTransaction": self._send_raw,
            "eth_call": self._call,
            "eth_getTransactionReceipt": lambda params: self._receipts.get(params[0]),
            "eth_getTransactionCount": self._count,
            "eth_getBlockByNumber": self._block_by_number,
            "eth_getBlockByHash": lambda params: self._block(
                self._chain.get_block_by_hash(bytes.fromhex(params[0][2:])).header
            ),
            "eth_getLogs": self._logs,
        }

    def make_request(self, method: Any, params: Any) -> Any:
        """Return the JSON-RPC answer; what a ledger asks is answered here, anything else by eth-tester."""
        own = self._own.get(method)
        if own is None:
            return super().make_request(method, params)
        try:
            return {"id": 1, "jsonrpc": "2.0", "result": own(params)}
        except _RevertedError as error:
            return {"id": 1, "jsonrpc": "2.0", "error": error.args[0]}
        except ValidationError as error:
            return {"id": 1, "jsonrpc": "2.0", "error": {"code": -32003, "message": str(error)}}

    def _set_time(self, params: Any) -> None:
        self._chain.set_header_timestamp(int(params[0]))

    def _mine(self, _: Any) -> str:
        # py-evm carries a transaction out when it is given one, so they wait here until the block's second is known.
        waiting, self._pending = self._pending, []
        for raw in waiting:
            self._backend.send_raw_transaction(raw)
        # prevrandao would otherwise come from the operating system; no contract here reads it.
        self._chain.mine_block(coinbase=b"\0" * 20, mix_hash=b"\0" * 32, blob_gas_used=0)
        block = self._chain.get_canonical_block_by_number(self._chain.get_canonical_head().block_number)
        before = 0
        receipts = block.get_receipts(self._chain.chaindb)
        for transaction, receipt in zip(block.transactions, receipts, strict=True):
            hash_ = "0x" + transaction.hash.hex()
            self._receipts[hash_] = {
                "transactionHash": hash_,
                "blockHash": "0x" + block.hash.hex(),
                "blockNumber": hex(block.number),
                "status": "0x1" if receipt.state_root == b"\x01" else "0x0",
                "gasUsed": hex(receipt.gas_used - before),
                "effectiveGasPrice": hex(
                    min(
                        transaction.max_fee_per_gas,
                        block.header.base_fee_per_gas + transaction.max_priority_fee_per_gas,
                    )
                ),
                "logs": [
                    {
                        "address": "0x" + log.address.hex(),
                        "topics": ["0x" + topic.to_bytes(32, "big").hex() for topic in log.topics],
                        "data": "0x" + log.data.hex(),
                        "blockNumber": hex(block.number),
                        "transactionHash": hash_,
                    }
                    for log in receipt.logs
                ],
            }
            before = receipt.gas_used
        return "0x0"

    def _send_raw(self, params: Any) -> str:
        raw = bytes.fromhex(params[0].removeprefix("0x"))
        self._pending.append(raw)
        return "0x" + keccak256(raw).hex()

    def _count(self, params: Any) -> str:
        state = self._chain.get_vm(self._chain.get_canonical_head()).state
        return hex(state.get_nonce(bytes.fromhex(params[0][2:])))

    def _block_by_number(self, params: Any) -> dict[str, Any]:
        if params[0] == "latest":
            return self._block(self._chain.get_canonical_head())
        return self._block(self._chain.get_canonical_block_header_by_number(int(params[0], 16)))

    @staticmethod
    def _block(header: Any) -> dict[str, Any]:
        return {
            "number": hex(header.block_number),
            "hash": "0x" + header.hash.hex(),
            "parentHash": "0x" + header.parent_hash.hex(),
            "timestamp": hex(header.timestamp),
            "baseFeePerGas": hex(header.base_fee_per_gas),
            "gasUsed": hex(header.gas_used),
        }

    def _logs(self, params: Any) -> list[dict[str, Any]]:
        address, topics = params[0]["address"], params[0].get("topics", [])
        return [
            log
            for receipt in self._receipts.values()
            for log in receipt["logs"]
            if log["address"] == address and log["topics"][: len(topics)] == topics
        ]

    def _call(self, params: Any) -> str:
        """Answer a call after the last block, at its time or at the one asked for; a revert carries its bytes."""
        call = params[0]
        sender = bytes.fromhex(call["from"].removeprefix("0x"))
        head = self._chain.get_canonical_head()
        if len(params) > 3 and "time" in params[3]:
            head = head.copy(timestamp=int(params[3]["time"], 16))
        # The state object is made for this call and thrown away, so nothing has to be undone.
        state = self._chain.get_vm(head).state
        # A call pays for nothing: whoever asks, such as nobody (address 0), can afford it.
        state.set_balance(sender, _FUNDS_WEI)
        unsigned = self._chain.create_unsigned_transaction(
            nonce=state.get_nonce(sender),
            gas_price=state.base_fee,
            gas=BLOCK_GAS,
            to=bytes.fromhex(call["to"].removeprefix("0x")),
            value=0,
            data=bytes.fromhex(call["data"].removeprefix("0x")),
        )
        computation = state.apply_transaction(SpoofTransaction(unsigned, from_=sender))
        output: str = "0x" + computation.output.hex()
        if computation.is_error:
            raise _RevertedError({"code": 3, "message": "execution reverted", "data": output})
        return output


class _RevertedError(Exception):
    """A call that the contract refused; carries the JSON-RPC error."""


def embedded_web3(genesis_s: int, funded: Sequence[bytes] | None = None) -> Web3:
    """Return web3 on a fresh embedded chain; no formatting middleware is put on.

    Parameters
    ----------
    genesis_s : int
        Timestamp of block 0.
    funded : sequence of bytes or None
        Addresses that own ether; None: every role's.

    Returns
    -------
    Web3
    """
    addresses = [role_address(role) for role in ROLES] if funded is None else funded
    return Web3(EmbeddedProvider(genesis_s, addresses), middleware=[])
