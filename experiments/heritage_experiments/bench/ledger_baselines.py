"""What the ledger bench measures against: how the same is done by a plain script."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from heritage_sim.base import Calendar

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from heritage_contracts.ledgers.web3_ledger import Web3Ledger

PUSH_ROWS = 1_000
"""Payees in one push: about two thirds of what fits a capped transaction, and every first payment fits too."""


def push_gas(ledger: Web3Ledger, amounts: Sequence[int]) -> int:
    """Return the gas of pushing amounts to a ledger's payees, all of whom hold tokens already.

    Parameters
    ----------
    ledger : Web3Ledger
        On a chain of its own; the splitter is deployed beside its contracts.
    amounts : sequence of int
        One for each payee, in the smallest unit, > 0.

    Returns
    -------
    int
        Sum over as many transactions as it takes.
    """
    from heritage_contracts import calldata
    from heritage_contracts.compiled import load
    from heritage_contracts.hashing import word
    from heritage_contracts.sending.chain import Call, role_signer
    from heritage_contracts.wallets import contract_address

    at, chain = ledger.deployment, ledger.chain
    payer = role_signer("treasury").address
    nonce = int(chain.rpc.ask("eth_getTransactionCount", "0x" + payer.hex(), "latest"), 16)
    splitter = contract_address(payer, nonce)
    code = bytes.fromhex(load("PushSplitter")["bytecode"]) + calldata.address_word(at.token)

    def block(to: bytes, data: bytes, gas: int) -> int:
        return chain.block([Call("treasury", to, data, gas)], chain.last_s + 1)[0].gas_used

    block(b"", code, 2_000_000)
    block(
        at.token, calldata.call("mint(address,uint256)", calldata.address_word(payer), word(3 * sum(amounts))), 200_000
    )
    block(at.token, calldata.call("approve(address,uint256)", calldata.address_word(splitter), b"\xff" * 32), 200_000)
    rows = [a + u.to_bytes(12, "big") for a, u in zip(at.payee_addresses, amounts, strict=True)]
    gas = 0
    for start in range(0, len(rows), PUSH_ROWS):
        part = slice(start, start + PUSH_ROWS)
        data = calldata.call("push(uint256,bytes)", word(sum(amounts[part])), word(64))
        packed = b"".join(rows[part])
        gas += block(splitter, data + word(len(packed)) + packed, 16_777_216)
    return gas


def transfers_per_s(num_transfers: int) -> float:
    """Return how many payees a second web3.py pays with its defaults: one `transact` each, and waiting for its receipt.

    Parameters
    ----------
    num_transfers : int
        How many are timed.

    Returns
    -------
    float
        Payees per second of wall time, on an Anvil that mines every transaction at once.
    """
    with _plain_chain() as (w3, token, sender):
        began = time.perf_counter()
        for payee in range(num_transfers):
            to = w3.to_checksum_address((payee + 1).to_bytes(20, "big"))
            sent = token.functions.mint(to, 1).transact({"from": sender})
            w3.eth.wait_for_transaction_receipt(sent)
        return num_transfers / (time.perf_counter() - began)


def transact_cpu_s(num_transactions: int) -> float:
    """Return web3.py's CPU seconds for one `transact` signed here; waiting for its receipt is not counted."""
    from eth_account import Account
    from web3.middleware import SignAndSendRawMiddlewareBuilder

    with _plain_chain() as (w3, token, _):
        signer = Account.from_key("0x" + "11" * 32)
        fund: Any = "anvil_setBalance"
        w3.provider.make_request(fund, [signer.address, hex(10**24)])
        build: Any = SignAndSendRawMiddlewareBuilder.build
        w3.middleware_onion.inject(build(signer), layer=0)
        spender = w3.to_checksum_address((7).to_bytes(20, "big"))
        spent_s = 0.0
        for amount in range(num_transactions):
            began = time.process_time()
            token.functions.approve(spender, amount).transact({"from": signer.address})
            spent_s += time.process_time() - began
    return spent_s / num_transactions


def plain_tree_cpu_s(num_payees: int) -> float:
    """Return the CPU seconds of tree and statement as general libraries make them, leaf by leaf and in Python lists."""
    import json

    from eth_abi.abi import encode
    from eth_utils.crypto import keccak

    ids = [keccak(i.to_bytes(32, "big")) for i in range(num_payees)]
    contract = "0x" + "11" * 20
    began = time.process_time()
    types = ["uint256", "address", "bytes32", "uint256"]
    layer = [keccak(keccak(encode(types, [31_337, contract, payee, i]))) for i, payee in enumerate(ids)]
    while len(layer) > 1:
        pairs = [sorted(layer[i : i + 2]) for i in range(0, len(layer), 2)]
        layer = [keccak(b"".join(pair)) if len(pair) == 2 else pair[0] for pair in pairs]
    keccak(json.dumps([["0x" + payee.hex(), i] for i, payee in enumerate(ids)]).encode())
    return time.process_time() - began


def _plain_chain() -> Any:
    """Return a context of an Anvil that mines at once: web3 with its defaults, a token on it, and who may mint."""
    from contextlib import contextmanager

    from web3 import HTTPProvider, Web3

    from heritage_contracts.compiled import load
    from heritage_contracts.nodes.anvil import ManagedAnvil

    @contextmanager
    def opened() -> Iterator[tuple[Any, Any, str]]:
        sender_bytes = b"\x22" * 20
        with ManagedAnvil(Calendar().genesis_s, [sender_bytes]) as node:
            w3 = Web3(HTTPProvider(node.url))
            sender = w3.to_checksum_address("0x" + sender_bytes.hex())
            node.rpc.ask("evm_setAutomine", True)
            node.rpc.ask("anvil_impersonateAccount", sender)
            shipped = load("SettlementToken")
            made = w3.eth.contract(abi=shipped["abi"], bytecode=shipped["bytecode"])
            deployed = made.constructor("bench", "BENCH", sender).transact({"from": sender})
            address: Any = w3.eth.wait_for_transaction_receipt(deployed)["contractAddress"]
            yield w3, w3.eth.contract(address=address, abi=shipped["abi"]), sender

    return opened()
