"""A managed Anvil as a process: found, started, watched and stopped, whatever happens to us. About 5 s."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
from minting import FUNDED, GENESIS_S, deploy, mint, minted_once

from heritage_contracts.nodes.anvil import BLOCK_GAS_LIMIT, ManagedAnvil
from heritage_contracts.sending.chain import Call, Chain
from heritage_contracts.sending.rpc import http_rpc
from heritage_sim.base import LedgerError

pytestmark = pytest.mark.integration


def gone(pid):
    """Return whether a process ends within ten seconds."""
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        if not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE:
            return True
        time.sleep(0.02)
    return False


def test_the_chain_is_as_configured_and_listens_on_the_loopback_alone(anvil_binary):
    with ManagedAnvil(GENESIS_S, FUNDED, chain_id=4_242, program=anvil_binary) as node:
        rpc = http_rpc(node.url)
        first = rpc.ask("eth_getBlockByNumber", "0x0", False)
        assert int(rpc.ask("eth_chainId"), 16) == 4_242
        assert int(first["timestamp"], 16) == GENESIS_S
        assert int(first["gasLimit"], 16) == BLOCK_GAS_LIMIT
        assert int(rpc.ask("eth_getBalance", "0x" + FUNDED[0].hex(), "latest"), 16) == 10**24
        assert rpc.ask("eth_accounts") == []
        assert rpc.ask("anvil_nodeInfo")["hardFork"] == "Osaka"
        listening = [c for c in psutil.Process(node.pid).net_connections("tcp") if c.status == psutil.CONN_LISTEN]
        assert [c.laddr.ip for c in listening] == ["127.0.0.1"]
        assert os.getpgid(node.pid) == node.pid != os.getpgid(0)


def test_a_transaction_above_the_gas_cap_of_todays_chains_is_refused(anvil_binary):
    with ManagedAnvil(GENESIS_S, FUNDED, program=anvil_binary) as node:
        chain = Chain(node.rpc)
        with pytest.raises(LedgerError, match="refuses a transaction for good"):
            chain.block([Call("admin", b"\x22" * 20, b"", 16_777_217)], 0)
        chain.block([Call("admin", b"\x22" * 20, b"", 16_777_216)], 0)


def test_stopping_leaves_no_process_and_no_file(anvil_binary):
    node = ManagedAnvil(GENESIS_S, FUNDED, program=anvil_binary)
    pid, folder = node.pid, node._folder
    assert folder.is_dir()
    node.stop()
    node.stop()
    assert gone(pid)
    assert not folder.exists()
    with pytest.raises(LedgerError, match="is stopped"):
        node.revive(0)


def test_two_nodes_at_once_are_two_chains(anvil_binary):
    with (
        ManagedAnvil(GENESIS_S, FUNDED, program=anvil_binary) as one,
        ManagedAnvil(GENESIS_S, FUNDED, program=anvil_binary) as two,
    ):
        assert one.port != two.port
        first, second = Chain(one.rpc), Chain(two.rpc)
        deploy(first)
        deploy(second)
        mint(first, 0, 2)
        mint(second, 5, 1)
        assert (minted_once(first), minted_once(second)) == ([0, 1], [5])


def test_a_dead_node_is_started_again_when_it_is_next_needed(anvil_binary):
    with ManagedAnvil(GENESIS_S, FUNDED, program=anvil_binary) as node:
        chain = Chain(node.rpc, revive=node.revive)
        deploy(chain)
        mint(chain, 0, 2)
        os.kill(node.pid, signal.SIGKILL)
        mint(chain, 2, 2)
        assert minted_once(chain) == [0, 1, 2, 3]
        assert node.num_starts == 2


def test_a_node_that_hangs_is_replaced(anvil_binary):
    with ManagedAnvil(GENESIS_S, FUNDED, program=anvil_binary, timeout_s=0.4) as node:
        chain = Chain(node.rpc, revive=node.revive)
        deploy(chain)
        mint(chain, 0, 1)
        os.kill(node.pid, signal.SIGSTOP)
        while psutil.Process(node.pid).status() != psutil.STATUS_STOPPED:
            time.sleep(0.01)
        mint(chain, 1, 1)
        assert minted_once(chain) == [0, 1]
        assert node.num_starts == 2


@pytest.mark.parametrize("ending", ["os.kill(os.getpid(), signal.SIGKILL)", "sys.exit(3)", "raise RuntimeError"])
def test_however_we_die_the_node_dies_too(anvil_binary, ending):
    code = (
        "import os, signal, sys\n"
        "from heritage_contracts.nodes.anvil import ManagedAnvil\n"
        f"node = ManagedAnvil({GENESIS_S}, [], program={str(anvil_binary)!r})\n"
        "print(node.pid, node._folder, flush=True)\n"
        f"{ending}\n"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    pid, folder = ended.stdout.split()
    assert ended.returncode != 0
    assert gone(int(pid))
    until = time.monotonic() + 5
    while Path(folder).exists() and time.monotonic() < until:
        time.sleep(0.01)
    assert not Path(folder).exists()


def test_a_thread_that_started_the_node_may_end(anvil_binary):
    import threading

    nodes = []
    thread = threading.Thread(target=lambda: nodes.append(ManagedAnvil(GENESIS_S, FUNDED, program=anvil_binary)))
    thread.start()
    thread.join()
    with nodes[0] as node:
        assert int(node.rpc.ask("eth_chainId"), 16) == 31_337
        time.sleep(0.2)
        assert node.alive


def test_an_anvil_that_ends_at_once_says_why(anvil_binary):
    with pytest.raises(LedgerError, match=r"Anvil ended with code 2: .*expected u64"):
        ManagedAnvil(GENESIS_S, FUNDED, chain_id=-1, program=anvil_binary)
