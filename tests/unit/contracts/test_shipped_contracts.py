"""What ships: artefacts of the sources in this tree, and calldata that fits their ABI."""

import hashlib
import re
from pathlib import Path

import pytest
from eth_abi import encode

from heritage_contracts import calldata, describe
from heritage_contracts.compiled import CONTRACTS, MAX_CODE_BYTES, error_names, load, signature
from heritage_contracts.hashing import keccak256, selector

ROOT = Path(__file__).parents[3]
PACKAGE = ROOT / "contracts" / "heritage_contracts"


def abi_signatures(kind):
    return {signature(e) for name in CONTRACTS for e in load(name)["abi"] if e["type"] == kind}


@pytest.mark.parametrize("contract", CONTRACTS)
def test_artefact_is_of_the_source_in_this_tree(contract):
    artefact = load(contract)
    source = (ROOT / "contracts" / artefact["source"]).read_bytes().replace(b"\r\n", b"\n")
    assert artefact["source_sha256"] == hashlib.sha256(source).hexdigest()
    assert artefact["evm_version"] == "cancun"
    assert artefact["solc"].startswith("0.8.37")


def test_every_signature_the_client_uses_is_in_the_abi():
    text = "".join((PACKAGE / name).read_text() for name in ("calldata.py", "web3_ledger.py"))
    used = set(re.findall(r"\"(\w+\([\w,\[\]()]*\))\"", text))
    assert len(used) >= 10
    assert used <= abi_signatures("function") | abi_signatures("event")


def test_describe_names_sizes_and_hashes():
    about = describe()
    assert [c["name"] for c in about["contracts"]] == list(CONTRACTS)
    assert all(0 < c["code_bytes"] < MAX_CODE_BYTES for c in about["contracts"])
    assert error_names()[selector("WindowOpen(uint256)")] == "WindowOpen"


def test_packed_calldata_equals_a_general_abi_coder():
    ids, accounts = [bytes([i]) * 32 for i in range(3)], [bytes([i + 1]) * 20 for i in range(3)]
    hexed = ["0x" + a.hex() for a in accounts]
    assert calldata.register_payees(ids, accounts)[4:] == encode(["bytes32[]", "address[]"], [ids, hexed])
    claims = [(ids[0], 5, []), (ids[1], 2**100, [ids[2]]), (ids[2], 7, [ids[0], ids[1]])]
    assert calldata.claim_many(claims)[4:] == encode(["(bytes32,uint256,bytes32[])[]"], [claims])
    assert calldata.claim(*claims[2])[4:] == encode(["bytes32", "uint256", "bytes32[]"], claims[2])
    for length in (1, 31, 32, 33, 100):
        data = bytes(range(length))
        assert calldata.register_batch(ids[1], data)[4:] == encode(["bytes32", "bytes"], [ids[1], data])
    assert calldata.claimed_of(ids)[4:] == encode(["bytes32[]"], [ids])
    assert calldata.array_of(encode(["uint256[]"], [[3, 2**200]])) == [3, 2**200]
    assert keccak256(b"Claimed(bytes32,address,uint256,uint256)") == calldata.CLAIMED_TOPIC
