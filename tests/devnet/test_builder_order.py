"""The next block as it is foretold is the one that the node makes, where the node orders alike.

anvil orders by the cap, ``maxFeePerGas`` or ``gasPrice``, where builders order by the tip. So here
everybody's tip is all that the cap has over the base fee, and both orders are one; the last test
has a transaction in which they differ. Nor do later nonces of a sender pay more here than earlier
ones: anvil would try those first, and throw them away.
"""

from __future__ import annotations

import random
from collections import Counter
from typing import Any

import msgspec

from tests.devnet.rpc import Hex, Rpc
from trio_mev.chain.fees import next_base_fee
from trio_mev.chain.mempool.order import PendingOrder
from trio_mev.wire.ethereum import parse_transaction

SENDERS = [f"0x{number:040x}" for number in range(0xA0, 0xAA)]
SINK = "0x" + "5e" * 20
GWEI = 10**9


async def funded(rpc: Rpc) -> None:
    for sender in SENDERS:
        await rpc.call("anvil_setBalance", sender, hex(10**21))


async def send(rpc: Rpc, sender: Hex, nonce: int, **fees: int) -> Hex:
    body: dict[str, Any] = {name: hex(value) for name, value in fees.items()}
    body |= {"from": sender, "to": SINK, "nonce": hex(nonce), "gas": hex(21_000), "value": "0x1"}
    return await rpc.call("eth_sendTransaction", body)


async def pending(rpc: Rpc, sent: list[Hex]) -> PendingOrder:
    """The bodies as the node tells them."""
    order = PendingOrder()
    for name in sent:
        told = await rpc.call("eth_getTransactionByHash", name)
        order.add(parse_transaction(msgspec.json.encode(told)))
    return order


async def next_fee(rpc: Rpc) -> int:
    """By our own rule, from the node's latest block."""
    head = await rpc.call("eth_getBlockByNumber", "latest", False)
    names = ("baseFeePerGas", "gasUsed", "gasLimit")
    return next_base_fee(*(int(head[name], 16) for name in names))


async def made(rpc: Rpc) -> dict[str, Any]:
    await rpc.call("evm_mine")
    return await rpc.call("eth_getBlockByNumber", "latest", False)


async def test_the_foretold_order_is_the_blocks(rpc: Rpc):
    """Senders with one and with several nonces, of both kinds, sent in any order."""
    rng = random.Random(7)
    await funded(rpc)
    await made(rpc)
    sent = []
    caps = sorted(rng.sample(range(3 * GWEI, 90 * GWEI), 40), reverse=True)
    turns: Counter[Hex] = Counter()
    for cap in caps:
        sender = rng.choice(SENDERS[:7])
        nonce, turns[sender] = turns[sender], turns[sender] + 1
        legacy = rng.random() < 0.4
        fees = {"gasPrice": cap} if legacy else {"maxFeePerGas": cap, "maxPriorityFeePerGas": cap}
        sent.append((sender, nonce, fees))
    # In any order that the node takes: the first nonce of each first, then the second.
    sent.sort(key=lambda one: one[1])
    sent = [await send(rpc, sender, nonce, **fees) for sender, nonce, fees in sent]
    block = (await pending(rpc, sent)).next_block(await next_fee(rpc), 30_000_000)
    mined = await made(rpc)
    assert list(block.transactions) == mined["transactions"]
    assert (len(sent), block.gas) == (40, int(mined["gasUsed"], 16))
    assert block.base_fee == int(mined["baseFeePerGas"], 16)


async def test_of_what_does_not_fit_the_best_is_in_and_who_cannot_pay_is_not(rpc: Rpc):
    await funded(rpc)
    await rpc.call("evm_setBlockGasLimit", hex(5 * 21_000 + 20_000))
    await made(rpc)
    caps = [30, 50, 19, 40, 60, 45, 25, 35]
    sent = [
        await send(rpc, sender, 0, gasPrice=cap * GWEI)
        for sender, cap in zip(SENDERS, caps, strict=False)
    ]
    await rpc.call("anvil_setNextBlockBaseFeePerGas", hex(20 * GWEI))
    block = (await pending(rpc, sent)).next_block(20 * GWEI, 5 * 21_000 + 20_000)
    mined = await made(rpc)
    assert list(block.transactions) == mined["transactions"]
    assert [caps[sent.index(name)] for name in mined["transactions"]] == [60, 50, 45, 40, 35]
    assert (block.tip_needed, block.unable) == (15 * GWEI + 1, 1)


async def test_anvil_looks_at_the_cap_where_a_builder_looks_at_the_tip(rpc: Rpc):
    await funded(rpc)
    await made(rpc)
    rich = await send(rpc, SENDERS[0], 0, maxFeePerGas=90 * GWEI, maxPriorityFeePerGas=GWEI)
    poor = await send(rpc, SENDERS[1], 0, maxFeePerGas=60 * GWEI, maxPriorityFeePerGas=50 * GWEI)
    order = await pending(rpc, [rich, poor])
    mined = await made(rpc)
    base_fee = int(mined["baseFeePerGas"], 16)
    assert mined["transactions"] == [rich, poor]
    block = order.next_block(base_fee, 30_000_000)
    assert block.transactions == (poor, rich)
    # What each is said to pay is what its receipt says.
    for name, tip in ((rich, GWEI), (poor, 50 * GWEI)):
        receipt = await rpc.call("eth_getTransactionReceipt", name)
        assert int(receipt["effectiveGasPrice"], 16) == base_fee + tip
    assert block.least_tip == GWEI
