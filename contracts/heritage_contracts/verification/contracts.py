"""What stands on the chain, asked of the contracts themselves: their code, their settings, their own books."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from heritage_contracts import calldata
from heritage_contracts.calldata import address_word, call
from heritage_contracts.chain_books import ChainBooks
from heritage_contracts.chain_books.books import ALL_WORKS
from heritage_contracts.chain_books.difference import DifferenceError, require, shown
from heritage_contracts.compiled import load
from heritage_contracts.deployment import Deployment
from heritage_contracts.hashing import word
from heritage_contracts.sending.rpc import Rpc
from heritage_contracts.verification.execution import Progress
from heritage_sim.base import DAY_S

_PUSH_32 = 0x7F
_PAGE = 500
_ZEROS = bytes(32)


def check_code(at: Deployment, node: Rpc) -> None:
    """Hold the code that stands on the chain against the shipped artefacts, and its settings against the ledger's.

    Parameters
    ----------
    at : Deployment
        Where the contracts stand.
    node : Rpc
        The chain.

    Raises
    ------
    DifferenceError
        At the first byte of code, or the first setting, that is another.
    """
    for contract, address in contracts_of(at).items():
        found = bytes.fromhex(node.ask("eth_getCode", "0x" + address.hex(), "latest")[2:])
        shipped = bytes.fromhex(load(contract)["deployed_bytecode"].removeprefix("0x"))
        where = f"code of {contract} at {shown(address)}"
        require(f"length of the code of {contract}", len(shipped), len(found), where)
        position = first_difference(shipped, found)
        if position >= 0:
            raise DifferenceError(
                f"code of {contract}, which is the shipped artefact's",
                shipped[position : position + 1],
                found[position : position + 1],
                f"{where}, byte {position}",
            )
    _check_settings(at, node)


def contracts_of(at: Deployment) -> dict[str, bytes]:
    """Return the five contracts' addresses by name."""
    return {
        "SettlementToken": at.token,
        "PayeeRegistry": at.payees,
        "ProvenanceRegistry": at.registry,
        "EpochDistributor": at.distributor,
        "RoyaltyPool": at.pool,
    }


def first_difference(shipped: bytes, found: bytes) -> int:
    """Return the first byte in which code differs, -1 for none; settings fixed at creation do not count.

    The compiler leaves 32 zeros where such a setting (an immutable) is pushed; creation fills them in.

    Parameters
    ----------
    shipped : bytes
        Code of the artefact.
    found : bytes
        Code on the chain, as long.

    Returns
    -------
    int
    """
    position = 0
    while position < len(shipped):
        if shipped[position] == _PUSH_32 and shipped[position + 1 : position + 33] == _ZEROS:
            if found[position] != _PUSH_32:
                return position
            position += 33
            continue
        if shipped[position] != found[position]:
            return position
        # Data behind a push is no instruction: a 0x7f in it begins no setting.
        size = shipped[position] - 0x5F if 0x60 <= shipped[position] <= _PUSH_32 else 0
        for i in range(position + 1, min(position + 1 + size, len(shipped))):
            if shipped[i] != found[i]:
                return i
        position += 1 + size
    return -1


def _check_settings(at: Deployment, node: Rpc) -> None:
    config = at.config
    rule = ("lap", "decay", "lrp").index(config.payment_rule)
    expected: list[tuple[bytes, str, int | bytes]] = [
        (at.payees, "rotationDelay()", config.rotation_delay_s),
        (at.registry, "payees()", at.payees),
        (at.distributor, "token()", at.token),
        (at.distributor, "payees()", at.payees),
        (at.distributor, "provenance()", at.registry),
        (at.distributor, "challengeWindow()", config.challenge_window_s),
        (at.distributor, "silence()", config.silence_s),
        (at.distributor, "noticePeriod()", config.notice_s),
        (at.pool, "token()", at.token),
        (at.pool, "payees()", at.payees),
        (at.pool, "provenance()", at.registry),
        (at.pool, "rule()", rule),
        (at.pool, "everyPath()", int(config.payment_every_path)),
        (at.pool, "decay()", config.payment_decay_parts),
    ]
    for address, signature, value in expected:
        words = read(node, address, call(signature))[:32]
        found = words[12:] if isinstance(value, bytes) else int.from_bytes(words, "big")
        require(f"setting {signature}", value, found, f"contract {shown(address)}")


def check_books(at: Deployment, books: ChainBooks, node: Rpc, progress: Progress | None = None) -> None:
    """Hold books folded from events against the contracts' own.

    Parameters
    ----------
    at : Deployment
        Where the contracts stand.
    books : ChainBooks
        Folded from every event.
    node : Rpc
        The chain.
    progress : callable, optional
        Told of every page of payees.

    Raises
    ------
    DifferenceError
        At the first amount, account or label that is another.
    """
    require("number of registered payees", at.num_payees, len(books.accounts), "PayeeRegistered events")
    for payee, payee_id in enumerate(at.payee_ids):
        if payee_id not in books.accounts:
            raise DifferenceError(f"payee {payee}", payee_id, "not registered", "PayeeRegistered events")
    require("provenance head", books.works.head, read(node, at.registry, call("head()")), "ProvenanceRegistry")
    words = calldata.words_of(read(node, at.distributor, call("books()")))
    claimed = sum(books.claimed.values())
    require("units paid in", books.funded_units, words[0], "EpochDistributor, books()")
    require("units claimed", claimed, words[1], "EpochDistributor, books()")
    state = calldata.words_of(read(node, at.distributor, call("state()")))
    require("epochs posted and final", [len(books.epochs), books.num_final], state[:2], "EpochDistributor, state()")
    for holder, name in ((at.distributor, "EpochDistributor"), (at.pool, "RoyaltyPool")):
        _require_balance(node, at, books, holder, name)
    _check_payees(at, books, node, progress)
    _check_consent(at, books, node)


def _check_payees(at: Deployment, books: ChainBooks, node: Rpc, progress: Progress | None) -> None:
    ids = list(books.accounts)
    for first in range(0, len(ids), _PAGE):
        if progress is not None:
            progress("payees compared", first, len(ids))
        page = ids[first : first + _PAGE]
        paid = _amounts(node, at.distributor, calldata.claimed_of, page)
        left = _amounts(node, at.pool, calldata.balances_of, page)
        accounts = _amounts(node, at.payees, _accounts_of, page)
        for payee_id, units, balance, account in zip(page, paid, left, accounts, strict=True):
            name = f"payee {_number(at, payee_id)} ({shown(payee_id)})"
            require("units claimed", books.claimed.get(payee_id, 0), units, f"EpochDistributor, {name}")
            owed = books.credited.get(payee_id, 0) - books.withdrawn.get(payee_id, 0)
            require("balance of direct payments", owed, balance, f"RoyaltyPool, {name}")
            holder = account.to_bytes(20, "big")
            require("account of a payee", books.accounts[payee_id], holder, f"PayeeRegistry, {name}")
            _require_balance(node, at, books, holder, name)


def _number(at: Deployment, payee_id: bytes) -> int | str:
    return at.payee_of_id.get(payee_id, "of no number")


def _accounts_of(payee_ids: Sequence[bytes]) -> bytes:
    return call("accountsOf(bytes32[])", calldata.array(payee_ids))


def _amounts(node: Rpc, to: bytes, asked: Callable[[Sequence[bytes]], bytes], page: Sequence[bytes]) -> list[int]:
    return calldata.array_of(read(node, to, asked(page)))[: len(page)]


def _require_balance(node: Rpc, at: Deployment, books: ChainBooks, holder: bytes, name: str) -> None:
    found = int.from_bytes(read(node, at.token, call("balanceOf(address)", address_word(holder))), "big")
    require("tokens that an account holds", books.balances.get(holder, 0), found, f"{name}, account {shown(holder)}")


def _check_consent(at: Deployment, books: ChainBooks, node: Rpc) -> None:
    """Ask the registry what was permitted one second before, at and a day after every label."""
    first_work: dict[int, bytes] = {}
    for key, work in books.works.by_key.items():
        first_work.setdefault(work.community, key)
    for label in books.labels:
        key = label.key if label.key != ALL_WORKS else first_work.get(label.community, b"")
        if key not in books.works.by_key or books.works.by_key[key].community != label.community:
            continue
        uses = books.works.by_key[key].uses
        for at_s in (label.set_s - 1, label.set_s, label.set_s + DAY_S):
            if at_s > books.last_s:
                continue
            words = word(label.community), key, word(uses), word(at_s)
            answer = read(node, at.registry, call("consentAt(uint32,bytes32,uint8,uint48)", *words))
            where = f"ProvenanceRegistry, community {label.community - 1}, work {shown(key)}, second {at_s}"
            require("uses permitted", books.permitted(key, at_s), int.from_bytes(answer, "big"), where)


def read(node: Rpc, to: bytes, data: bytes) -> bytes:
    """Return what a contract answers to a call."""
    asked = {"to": "0x" + to.hex(), "from": "0x" + bytes(20).hex(), "data": "0x" + data.hex()}
    return bytes.fromhex(node.ask("eth_call", asked, "latest").removeprefix("0x"))
