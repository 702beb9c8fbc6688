"""Sending: local signing, one nonce for each role, blocks made when the ledger says so.

web3.py's ``transact`` asks the node for nonce, fee, gas and chain id again for every transaction; here they are known,
so a transaction costs one request, and a block of several transactions is closed once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from eth_account import Account

from heritage_contracts.compiled import error_names
from heritage_contracts.deployment import ROLES, role_address, role_key
from heritage_contracts.schedule import next_block_s
from heritage_sim.base import LedgerError

if TYPE_CHECKING:
    from web3 import Web3

_MAX_FEE_WEI = 10**13
_TIP_WEI = 10**9


@dataclass(frozen=True, slots=True)
class Call:
    """A transaction to be sent.

    Parameters
    ----------
    role : str
        Who signs.
    to : bytes
        20-byte address; empty to create a contract.
    data : bytes
        Calldata or creation code.
    gas : int
        Gas it asks for.
    """

    role: str
    to: bytes
    data: bytes
    gas: int


@dataclass(frozen=True, slots=True)
class Mined:
    """A transaction that a block holds.

    Parameters
    ----------
    gas_used : int
        Gas it used.
    logs : tuple of (topics, data)
        Events it emitted.
    """

    gas_used: int
    logs: tuple[tuple[tuple[bytes, ...], bytes], ...]


class Chain:
    """A chain seen by the one party that writes to it.

    Parameters
    ----------
    w3 : Web3
        On a node that mines when told to.
    """

    def __init__(self, w3: Web3) -> None:
        self._w3 = w3
        self.chain_id = int(w3.eth.chain_id)
        self._nonces: dict[str, int] = dict.fromkeys(ROLES, 0)
        self.last_s = int(w3.eth.get_block("latest")["timestamp"])  # pyright: ignore[reportTypedDictNotRequiredAccess]

    def block(self, calls: Sequence[Call], at_s: int) -> list[Mined]:
        """Put calls into one block at ``at_s``, or at the first free second after the last block.

        Parameters
        ----------
        calls : sequence of Call
            In order.
        at_s : int
            Wished timestamp, seconds.

        Returns
        -------
        list of Mined
            What became of each call.

        Raises
        ------
        LedgerError
            If a contract refuses one of them, with the name of its error.
        """
        wanted_s = next_block_s(at_s, self.last_s)
        self._request("evm_setNextBlockTimestamp", [wanted_s])
        hashes = [self._w3.eth.send_raw_transaction(self._sign(call)) for call in calls]
        self._request("evm_mine", [])
        receipts: list[Any] = [self._w3.eth.get_transaction_receipt(h) for h in hashes]
        head: Any = self._w3.eth.get_block(receipts[-1]["blockNumber"] if receipts else "latest")
        self.last_s = int(head["timestamp"])
        for call, receipt in zip(calls, receipts, strict=True):
            if int(receipt["status"]) != 1:
                self.read(call.to, call.data, call.role)
                raise LedgerError("a transaction failed on the chain and not when asked again", "EVM")
        return [
            Mined(
                gas_used=int(receipt["gasUsed"]),
                logs=tuple((tuple(bytes(t) for t in log["topics"]), bytes(log["data"])) for log in receipt["logs"]),
            )
            for receipt in receipts
        ]

    def read(self, to: bytes, data: bytes, role: str = "relayer") -> bytes:
        """Return what a call answers on the state after the last block, without writing.

        Parameters
        ----------
        to : bytes
            20-byte address of the contract.
        data : bytes
            Calldata.
        role : str
            Who asks.

        Returns
        -------
        bytes

        Raises
        ------
        LedgerError
            If the contract refuses, with the name of its error.
        """
        from web3.exceptions import Web3RPCError

        request = {"to": "0x" + to.hex(), "from": "0x" + role_address(role).hex(), "data": "0x" + data.hex()}
        try:
            return bytes.fromhex(self._request("eth_call", [request, "latest"]).removeprefix("0x"))
        except Web3RPCError as error:
            answer: Any = error.rpc_response or {}
            name = _error_name(answer.get("error", {}).get("data"))
            raise LedgerError(f"the contract refused: {name}", "EVM") from None

    def head_hash(self) -> bytes:
        """Return the hash of the last block, which commits to the whole chain."""
        head: Any = self._w3.eth.get_block("latest")
        return bytes(head["hash"])

    def logs(self, contract: bytes, topics: Sequence[bytes]) -> list[bytes]:
        """Return the data of a contract's events with these first topics, oldest first."""
        wanted: Any = {
            "fromBlock": 0,
            "toBlock": "latest",
            "address": self._w3.to_checksum_address(contract),
            "topics": ["0x" + topic.hex() for topic in topics],
        }
        found: list[Any] = list(self._w3.eth.get_logs(wanted))
        return [bytes(log["data"]) for log in found]

    def _sign(self, call: Call) -> bytes:
        transaction: dict[str, Any] = {
            "type": 2,
            "chainId": self.chain_id,
            "nonce": self._nonces[call.role],
            "maxFeePerGas": _MAX_FEE_WEI,
            "maxPriorityFeePerGas": _TIP_WEI,
            "gas": call.gas,
            "to": call.to,
            "value": 0,
            "data": call.data,
        }
        self._nonces[call.role] += 1
        signed = Account.sign_transaction(transaction, role_key(call.role).to_bytes(32, "big"))
        return bytes(signed.raw_transaction)

    def _request(self, method: str, params: list[Any]) -> Any:
        """Return the node's answer to a request that needs none of web3.py's formatting."""
        name: Any = method
        return self._w3.manager.request_blocking(name, params)


def _error_name(data: str | None) -> str:
    raw = bytes.fromhex((data or "").removeprefix("0x"))
    return error_names().get(raw[:4], "0x" + raw.hex() if raw else "no reason given")
