"""A small world for client tests: one token, and mints whose sum shows which came how often.

Intent ``i`` mints ``2**i`` units, so that the balance read in binary says of each of up to 255 intents whether it was
mined exactly once: a lost one leaves a hole, a doubled one a carry.
"""

from heritage_contracts.compiled import load
from heritage_contracts.hashing import selector, word
from heritage_contracts.sending.chain import Call, role_signer
from heritage_contracts.wallets import contract_address

GENESIS_S = 1_767_225_600
ROLES = ("admin", "treasury", "relayer")
FUNDED = [role_signer(role).address for role in ROLES]
TOKEN = contract_address(role_signer("admin").address, 0)
HOLDER = b"\x11" * 20


def deploy_call():
    name = word(1) + b"T".ljust(32, b"\0")
    minter = role_signer("treasury").address.rjust(32, b"\0")
    code = bytes.fromhex(load("SettlementToken")["bytecode"])
    return Call("admin", b"", code + word(96) + word(96 + len(name)) + minter + name + name, 4_000_000, "deploy")


def mint_call(i, gas=100_000):
    data = selector("mint(address,uint256)") + HOLDER.rjust(32, b"\0") + word(1 << i)
    return Call("treasury", TOKEN, data, gas, f"mint|{i}")


def deploy(chain, at_s=GENESIS_S + 1):
    chain.block([deploy_call()], at_s)


def mint(chain, first, count, at_s=0):
    return chain.block([mint_call(i) for i in range(first, first + count)], at_s)


def minted_once(chain):
    """Return which intents stand in the balance, each exactly once; anything else is a wrong set of bits."""
    data = selector("balanceOf(address)") + HOLDER.rjust(32, b"\0")
    balance = int.from_bytes(chain.read(TOKEN, data), "big")
    return [i for i in range(256) if balance >> i & 1]
