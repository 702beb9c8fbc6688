"""What ships: artefacts of the sources in this tree, and calldata that fits their ABI."""

import hashlib
import re
from pathlib import Path

import pytest
from eth_abi import encode

from heritage_contracts import calldata, describe
from heritage_contracts.compiled import CONTRACTS, MAX_CODE_BYTES, error_names, load, signature
from heritage_contracts.hashing import keccak256, selector
from heritage_contracts.refusals import SENTENCES

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
    text = "".join(
        (PACKAGE / name).read_text() for name in ("calldata.py", "ledgers/contract_calls.py", "ledgers/web3_ledger.py")
    )
    used = set(re.findall(r"\"(\w+\([\w,\[\]()]*\))\"", text))
    assert len(used) >= 30
    assert used <= abi_signatures("function") | abi_signatures("event")


def test_describe_names_sizes_and_hashes():
    about = describe()
    assert [c["name"] for c in about["contracts"]] == list(CONTRACTS)
    assert all(0 < c["code_bytes"] < MAX_CODE_BYTES for c in about["contracts"])
    assert error_names()[selector("WindowOpen(uint256)")] == "WindowOpen"


def test_packed_calldata_equals_a_general_abi_coder():
    ids, accounts = [bytes([i]) * 32 for i in range(3)], [bytes([i + 1]) * 20 for i in range(3)]
    rows = b"".join(i + a + c.to_bytes(4, "big") for i, a, c in zip(ids, accounts, (0, 1, 70_000), strict=True))
    assert calldata.register_payees(ids, accounts, (0, 1, 70_000))[4:] == encode(["bytes"], [rows])
    claims = [(ids[0], 5, []), (ids[1], 2**100, [ids[2]]), (ids[2], 7, [ids[0], ids[1]])]
    assert calldata.claim_many(claims)[4:] == encode(["(bytes32,uint256,bytes32[])[]"], [claims])
    assert calldata.claim(*claims[2])[4:] == encode(["bytes32", "uint256", "bytes32[]"], claims[2])
    multi = (ids, [1, 2, 3], ids[:1], [True, False, True])
    assert calldata.claim_multi(*multi)[4:] == encode(["bytes32[]", "uint256[]", "bytes32[]", "bool[]"], multi)
    payments = [(3, 0, 10, b"x" * 75, ids), (4, 4, 11, b"", [])]
    assert calldata.pay_recorded(payments)[4:] == encode(["(uint256,uint256,uint256,bytes,bytes32[])[]"], [payments])
    signatures = [b"", b"s" * 65, b"t" * 64]
    assert calldata.encode(ids[0], calldata.blobs(signatures)) == encode(["bytes32", "bytes[]"], [ids[0], signatures])
    assert calldata.encode(calldata.text("hUSD")) == encode(["string"], ["hUSD"])
    for length in (1, 31, 32, 33, 100):
        data = bytes(range(length))
        assert calldata.register_batch(ids[1], data)[4:] == encode(["bytes32", "bytes"], [ids[1], data])
    assert calldata.claimed_of(ids)[4:] == calldata.balances_of(ids)[4:] == encode(["bytes32[]"], [ids])
    assert calldata.array_of(encode(["uint256[]"], [[3, 2**200]])) == [3, 2**200]


def test_every_topic_the_client_reads_is_an_event_of_the_contracts():
    topics = {keccak256(name.encode()) for name in abi_signatures("event")}
    named = {name: value for name, value in vars(calldata).items() if name.endswith("_TOPIC")}
    assert len(named) >= 4
    assert {name for name, topic in named.items() if topic not in topics} == set()


def test_every_reason_of_a_refusal_is_an_error_of_the_contracts_or_said_by_the_client():
    own = {"UnknownWork", "WrongLabel", "WrongPayment", "WrongRecord", "WrongStatement"}
    assert set(SENTENCES) - own <= set(error_names().values())
    reasons = {
        reason for path in PACKAGE.rglob("*.py") for reason in re.findall(r'RefusalError\(\s*"(\w+)"', path.read_text())
    }
    assert len(reasons) > 20
    assert reasons <= set(error_names().values()) | own
