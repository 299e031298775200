"""The main network's contracts on a node of our own, and a cache of that state."""

from __future__ import annotations

import gzip
import hashlib
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import attrs

from tests.devnet import abi, addresses, artifacts, cast, chain, lending, uniswap
from tests.devnet.abi import raw
from tests.devnet.addresses import DEPLOYER, PRODUCER
from tests.devnet.cast import assemble
from tests.devnet.chain import Chain
from tests.devnet.lending import deploy_feeds, deploy_lending
from tests.devnet.node import MODULES, Node, Options, anvil
from tests.devnet.rpc import Rpc, open_rpc
from tests.devnet.uniswap import add_liquidity, deploy_exchanges, deploy_tokens

GENESIS = 1_767_225_600
"""The first block's time: the beginning of 2026."""
BLOCK_TIME = 12
GWEI = 10**9
BASE_FEE = 12 * GWEI
"""Of the last block that is deployed; what comes after follows from the chain's own rule."""
GAS_LIMIT = 3_000_000
"""Of a block from then on: a tenth of the real one, for blocks of some ten transactions."""
DEPLOYMENT_GAS = 12_000_000
CACHE = MODULES / ".cache" / "devnet"
SOURCES = (abi, addresses, artifacts, cast, chain, lending, uniswap)


async def deploy(to: Chain) -> None:
    """Put everything on an empty chain whose node makes a block of each transaction."""
    to = attrs.evolve(to, gas=DEPLOYMENT_GAS)
    await to.rpc.call("anvil_setBlockTimestampInterval", BLOCK_TIME)
    await to.rpc.call("anvil_setCoinbase", PRODUCER)
    await to.fund(DEPLOYER)
    await deploy_tokens(to)
    await deploy_exchanges(to)
    await add_liquidity(to)
    await deploy_feeds(to)
    await deploy_lending(to)
    await assemble(to)
    await to.rpc.call("evm_setBlockGasLimit", hex(GAS_LIMIT))
    await to.rpc.call("anvil_setNextBlockBaseFeePerGas", hex(BASE_FEE))
    await to.rpc.call("evm_mine")


def fingerprint() -> str:
    """A hash of all that the state is made of."""
    paths = [Path(str(module.__file__)) for module in SOURCES]
    paths += [Path(__file__), MODULES.parent / "package.json", *artifacts.our_sources()]
    return hashlib.sha256(b"\0".join(path.read_bytes() for path in paths)).hexdigest()[:20]


async def cached_state() -> Path:
    """The file with the deployed state; made where it is not there yet."""
    path = CACHE / f"{fingerprint()}.json"
    if path.exists():
        return path
    async with anvil(Options(timestamp=GENESIS)) as node, open_rpc(node.ws_url) as rpc:
        await deploy(Chain(rpc))
        state = gzip.decompress(raw(await rpc.call("anvil_dumpState")))
    CACHE.mkdir(parents=True, exist_ok=True)
    # Whoever looks for the file sees all of it or none.
    part = path.with_suffix(f".{os.getpid()}")
    part.write_bytes(state)
    part.replace(path)
    for old in set(CACHE.glob("*.json")) - {path}:
        old.unlink(missing_ok=True)  # of contracts and people that are no more
    return path


@asynccontextmanager
async def devnet(options: Options | None = None, start: int | None = None) -> AsyncIterator[Node]:
    """A node on which everything is deployed, and which makes a block only when told.

    Args:
        options: how it is started otherwise; the state is added.
        start: the next block's time in seconds; without it, twelve after the last one's.
    """
    chosen = options or Options(mining=False)
    # The node's clock would begin with today, and does not go back.
    started = attrs.evolve(chosen, state=await cached_state(), timestamp=GENESIS)
    async with anvil(started) as node:
        async with open_rpc(node.ws_url) as rpc:
            await _continue(rpc, start)
        yield node


async def _continue(rpc: Rpc, start: int | None) -> None:
    """What a node does not keep with its state."""
    head = await rpc.call("eth_getBlockByNumber", "latest", False)
    following = int(head["timestamp"], 16) + BLOCK_TIME
    await rpc.call("anvil_setBlockTimestampInterval", BLOCK_TIME)
    await rpc.call("evm_setNextBlockTimestamp", start or following)
    await rpc.call("anvil_setCoinbase", PRODUCER)
    await rpc.call("evm_setBlockGasLimit", hex(GAS_LIMIT))
