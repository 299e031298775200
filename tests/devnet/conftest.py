"""A real node for the tests in this folder; where there is none they are skipped, but not in CI."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.devnet.chain import Chain
from tests.devnet.deploy import devnet
from tests.devnet.node import Node, Options, anvil
from tests.devnet.rpc import Rpc, open_rpc
from tests.support.installed import require_node


@pytest.fixture(scope="session", autouse=True)
def installed() -> None:
    """Skip where anvil is not installed."""
    require_node()


@pytest.fixture
async def node() -> AsyncIterator[Node]:
    """An empty node that makes a block only when told."""
    async with anvil(Options(mining=False)) as running:
        yield running


@pytest.fixture
async def rpc(node: Node) -> AsyncIterator[Rpc]:
    """A client of ``node``."""
    async with open_rpc(node.ws_url) as client:
        yield client


@pytest.fixture
async def chain() -> AsyncIterator[Chain]:
    """A chain with every contract on it, whose node makes a block of each transaction."""
    async with devnet(Options()) as running, open_rpc(running.ws_url) as client:
        yield Chain(client)
