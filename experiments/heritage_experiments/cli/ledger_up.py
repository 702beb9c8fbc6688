"""``heritage ledger up`` and ``claim``: a ledger that answers on the loopback, and what it pays."""

from __future__ import annotations

import signal
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from heritage_experiments.cli.ledger_places import ledger_at
from heritage_experiments.cli.options import Json, print_json

if TYPE_CHECKING:
    from heritage_contracts.at_rest.folder import LedgerFolder
    from heritage_contracts.at_rest.live import LiveLedger

_LOOK_S = 0.2
Ledger = Annotated[Path, typer.Argument(help="Folder of the ledger.")]


def up(
    path: Ledger = Path("ledger"),
    payees: Annotated[
        int | None, typer.Option("--payees", min=1, help="New ledger: number of payees.", show_default=False)
    ] = None,
    names: Annotated[
        Path | None,
        typer.Option("--names", help="New ledger: a file with a payee's name in each line; only their number is kept."),
    ] = None,
    source: Annotated[
        Path | None,
        typer.Option("--from", help="New ledger: the same as this one, such as a run has left.", show_default=False),
    ] = None,
    rpc: Annotated[str, typer.Option("--rpc", help="Use this node instead of an Anvil of our own.")] = "",
    for_s: Annotated[
        float, typer.Option("--for", help="Seconds to stay up; 0 until it is interrupted.", min=0.0)
    ] = 0.0,
    as_json: Json = False,
) -> None:
    """Bring a ledger up: a new one, or the one in the folder with all that its outbox holds; Ctrl-C takes it down."""
    from heritage_contracts.at_rest.live import LiveLedger
    from heritage_sim.base import StoppedError

    folder = _prepared(path, payees, names, source, rpc)
    # A shell that starts it in the background makes it deaf to Ctrl-C; being told to end is the same thing.
    for stop in (signal.SIGINT, signal.SIGTERM):
        signal.signal(stop, signal.default_int_handler)
    try:
        with LiveLedger(folder, rpc or folder.at.config.rpc_url) as live:
            _show(folder, live, as_json)
            live.watch(_LOOK_S, lambda what: None if as_json else print(what, flush=True), for_s or None)
    except KeyboardInterrupt:
        raise StoppedError(
            "the ledger is down", str(folder.path), f"heritage ledger up {folder.path} goes on where it was"
        ) from None


def _prepared(path: Path, payees: int | None, names: Path | None, source: Path | None, rpc: str) -> LedgerFolder:
    """Return the ledger to bring up, made if it is new."""
    from heritage_contracts.at_rest.folder import OUTBOX, is_ledger, open_folder
    from heritage_contracts.at_rest.live import copy_for_anvil
    from heritage_sim.base import InputError

    is_new = not is_ledger(path)
    # An outbox alone is a ledger whose making was interrupted: what it holds is taken up by making it again.
    if is_new and path.exists() and (not path.is_dir() or any(p.name != OUTBOX for p in path.iterdir())):
        raise InputError("this folder holds something else than a ledger", str(path), "Name a new folder.")
    if source is not None:
        copy_for_anvil(ledger_at(source), path)
    elif is_new:
        _make(path, payees or _num_names(names), rpc)
    elif payees or names:
        raise InputError("this ledger has its payees already", str(path), "Leave --payees and --names out.")
    folder = open_folder(path)
    if folder.at.config.kind in ("reference", "evm"):
        raise InputError(
            "this ledger's chain was embedded in the process of its run, where nobody else could reach it",
            str(path),
            f"Bring the same ledger up on an Anvil: heritage ledger up live --from {path}",
        )
    return folder


def _make(path: Path, num_payees: int, rpc: str) -> None:
    from heritage_contracts import make_ledger
    from heritage_contracts.at_rest.folder import put_down
    from heritage_contracts.config import LedgerConfig
    from heritage_contracts.ledgers.web3_ledger import Web3Ledger
    from heritage_contracts.nodes.anvil_binary import find_anvil
    from heritage_sim.base import Calendar, InputError

    if not num_payees:
        raise InputError(
            "there is no ledger in this folder yet",
            str(path),
            "Say whom it pays: --payees N or --names FILE; or --from.",
        )
    if not rpc:
        find_anvil()
    config = LedgerConfig(kind="rpc", rpc_url=rpc) if rpc else LedgerConfig(kind="anvil")
    payees = [f"payee {i}" for i in range(num_payees)]
    ledger = make_ledger(config, payees, Calendar().genesis_s, work_dir=path)
    assert isinstance(ledger, Web3Ledger), "both kinds are chains"
    try:
        put_down(ledger, path)
    finally:
        ledger.close()


def _num_names(names: Path | None) -> int:
    from heritage_sim.base import InputError

    if names is None:
        return 0
    try:
        lines = [line.strip() for line in names.read_text(encoding="utf-8").splitlines()]
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(
            f"the names cannot be read ({error})", str(names), "Give a text file, a name a line."
        ) from None
    for number, line in enumerate(lines, 1):
        if not line:
            raise InputError("a payee without a name", f"{names}, line {number}", "Give each line a name.")
        if line in lines[: number - 1]:
            raise InputError(f"{line!r} comes twice", f"{names}, line {number}", "Name each payee once.")
    return len(lines)


def _show(folder: LedgerFolder, live: LiveLedger, as_json: bool) -> None:
    from heritage_contracts.at_rest.folder import addresses
    from heritage_contracts.deployment import ROLES, role_address
    from heritage_contracts.sending.rpc import public_name

    roles = {role: "0x" + role_address(role).hex() for role in ROLES}
    facts: dict[str, Any] = {
        "url": public_name(live.url),
        "chain_id": folder.at.chain_id,
        "payees": folder.at.num_payees,
        "contracts": addresses(folder.at),
        "roles": roles,
    }
    if as_json:
        print_json({"path": str(folder.path)} | facts)
        return
    print(f"{folder.path} is up at {facts['url']} (chain {folder.at.chain_id}, {folder.at.num_payees:,} payees)")
    for name, address in facts["contracts"].items():
        print(f"  {name:<12} {address}")
    for role, address in roles.items():
        print(f"  {role:<12} {address}")
    print(f"from another window: heritage ledger status {folder.path}; Ctrl-C takes it down", flush=True)


def claim(
    path: Ledger,
    payee: Annotated[str, typer.Option("--payee", help="Numbers of payees, with commas between; or all.")],
    as_json: Json = False,
) -> None:
    """Pay payees all that is due to them, to their registered accounts, on a ledger that is up; anybody may."""
    from heritage_contracts.at_rest.claiming import claim as pay
    from heritage_contracts.at_rest.live import endpoint_of, opened
    from heritage_contracts.sending.rpc import http_rpc
    from heritage_contracts.verification import books_at_rest
    from heritage_sim.base import InputError

    folder = ledger_at(path)
    wanted = _payees(payee, folder.at.num_payees)
    endpoint = endpoint_of(folder.path)
    if endpoint is None:
        raise InputError(
            "this ledger is not up", str(folder.path), f"First, in another window: heritage ledger up {path}"
        )
    with opened(folder, http_rpc(endpoint.url), tries=50) as chain:
        books, _ = books_at_rest(folder)
        claims = pay(folder, books, chain, wanted)
    total = sum(paid.units for paid in claims.paid)
    if as_json:
        print_json(
            {
                "path": str(folder.path),
                "currency": folder.at.config.currency.code,
                "paid": [{"payee": paid.payee, "units": paid.units} for paid in claims.paid],
                "units": total,
                "gas": claims.gas,
                "paid_s": claims.paid_s,
            }
        )
        return
    show = folder.at.config.currency.show
    for paid in claims.paid:
        print(f"payee {paid.payee}: {show(paid.units)}")
    if claims.paid:
        print(f"{show(total)} to {len(claims.paid):,} payees, {claims.gas:,} gas")
    else:
        print("nothing is due")


def _payees(text: str, num_payees: int) -> list[int]:
    from heritage_sim.base import InputError

    if text.strip() == "all":
        return list(range(num_payees))
    try:
        return [int(part) for part in text.split(",")]
    except ValueError:
        raise InputError(
            f"{text!r} names no payees", "--payee", f"Give numbers from 0 to {num_payees - 1} with commas, or all."
        ) from None
