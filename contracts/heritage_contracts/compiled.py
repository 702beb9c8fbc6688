"""The compiled contracts that ship with the package."""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files
from typing import Any

from heritage_contracts.hashing import selector

CONTRACTS = ("SettlementToken", "PayeeRegistry", "ProvenanceRegistry", "EpochDistributor", "RoyaltyPool")
MAX_CODE_BYTES = 24_576
"""Largest contract a chain takes (EIP-170)."""


@cache
def load(contract: str) -> dict[str, Any]:
    """Return a contract's artefact: ABI, bytecode, storage layout, hashes of its sources and compiler settings."""
    return json.loads((files("heritage_contracts") / "artifacts" / f"{contract}.json").read_text(encoding="utf-8"))


def signature(entry: dict[str, Any]) -> str:
    """Return ``name(type,...)`` of an ABI entry, tuples written out."""

    def type_of(parameter: dict[str, Any]) -> str:
        kind: str = parameter["type"]
        if kind.startswith("tuple"):
            return "(" + ",".join(type_of(p) for p in parameter["components"]) + ")" + kind.removeprefix("tuple")
        return kind

    return f"{entry['name']}({','.join(type_of(p) for p in entry['inputs'])})"


@cache
def error_names() -> dict[bytes, str]:
    """Return the name of every custom error by its selector."""
    return {
        selector(signature(entry)): entry["name"]
        for contract in CONTRACTS
        for entry in load(contract)["abi"]
        if entry["type"] == "error"
    }


def describe() -> dict[str, Any]:
    """Return what the shipped contracts are: names, sizes, hashes, compiler.

    Returns
    -------
    dict
        ``solc``, ``openzeppelin``, ``evm_version``, ``optimizer_runs``, ``sources_sha256`` (over all sources that took
        part, OpenZeppelin's included) and ``contracts``: a list of ``name``, ``source``, ``source_sha256``,
        ``code_bytes``, ``code_limit_bytes`` and ``functions`` (signatures).
    """
    first = load(CONTRACTS[0])
    shared = ("solc", "openzeppelin", "evm_version", "optimizer_runs", "sources_sha256")
    return {key: first[key] for key in shared} | {
        "contracts": [
            {
                "name": name,
                "source": f"contracts/{load(name)['source']}",
                "source_sha256": load(name)["source_sha256"],
                "code_bytes": len(load(name)["deployed_bytecode"]) // 2,
                "code_limit_bytes": MAX_CODE_BYTES,
                "functions": [signature(e) for e in load(name)["abi"] if e["type"] == "function"],
            }
            for name in CONTRACTS
        ]
    }
