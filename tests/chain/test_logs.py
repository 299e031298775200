"""Logs: told by topic, number of topics and length; real ones of the main network; bad ones."""

from __future__ import annotations

import gzip
import json
from collections import Counter

import msgspec
import pytest

from tests.support.encoding import address, log
from trio_mev.chain.abi import split
from trio_mev.chain.logs import (
    LogDecoder,
    LogEvent,
    _event,
    aave,
    known_events,
    lenders,
    uniswap,
    venues,
)
from trio_mev.chain.logs.aave import AaveLiquidation, AaveReserve, AaveSupply, AaveV2SharesMint
from trio_mev.chain.logs.lenders import CompoundLiquidation, CompoundMint
from trio_mev.chain.logs.uniswap import PancakeV3Swap, V2Mint, V2Swap, V2Sync, V3Swap, V4Swap
from trio_mev.chain.logs.venues import (
    AnswerUpdated,
    BalancerSwap,
    CurveExchange,
    FirstNewTransmission,
    NewTransmission,
    Transfer,
)
from trio_mev.model.chain import Log
from trio_mev.model.intents import Undecoded, Unread

A, B, POOL = address(0xA), address(0xB), address(0xF0)
DECODER = LogDecoder()


def test_a_pairs_swap():
    swap = log(
        "Swap(address*,uint256,uint256,uint256,uint256,address*)", A, 10, 0, 0, 9, B, emitter=POOL
    )
    assert DECODER.decode(swap) == V2Swap(A, B, 10, 0, 0, 9)
    assert DECODER.decode(log("Sync(uint112,uint112)", 5, 2**112 - 1)) == V2Sync(5, 2**112 - 1)


def test_v3_tells_what_the_pool_gets_and_v4_what_the_caller_gets():
    v3 = "Swap(address*,address*,int256,int256,uint160,uint128,int24)"
    assert DECODER.decode(log(v3, A, B, 10, -9, 2**96, 7, -1)) == V3Swap(A, B, 10, -9, 2**96, 7, -1)
    v4 = "Swap(bytes32*,address*,int128,int128,uint160,uint128,int24,uint24)"
    found = DECODER.decode(log(v4, b"\x01" * 32, A, -10, 9, 2**96, 7, 0, 500))
    assert found == V4Swap("0x" + "01" * 32, A, -10, 9, 2**96, 7, 0, 500)
    pancake = "Swap(address*,address*,int256,int256,uint160,uint128,int24,uint128,uint128)"
    found = DECODER.decode(log(pancake, A, B, 10, -9, 2**96, 7, -1, 3, 4))
    assert found == PancakeV3Swap(A, B, 10, -9, 2**96, 7, -1, 3, 4)


def test_one_topic_has_three_meanings():
    """By the number of topics, the length of the data, and who logs it."""
    pair = log("Mint(address*,uint256,uint256)", A, 1, 2, emitter=POOL)
    assert DECODER.decode(pair) == V2Mint(A, 1, 2)
    market = log("Mint(address,uint256,uint256)", A, 1, 2, emitter=POOL)
    assert DECODER.decode(market) == CompoundMint(A, 1, 2)
    assert LogDecoder([POOL]).decode(pair) == AaveV2SharesMint(A, 1, 2)
    assert LogDecoder([A]).decode(pair) == V2Mint(A, 1, 2)


def test_another_shape_of_a_known_topic_is_another_event():
    """An ERC-721 transfer has its number indexed."""
    token = log("Transfer(address*,address*,uint256*)", A, B, 7)
    assert DECODER.decode(token) is None
    assert DECODER.decode(log("Transfer(address*,address*,uint256)", A, B, 7)) == Transfer(A, B, 7)
    longer = msgspec.structs.replace(log("Sync(uint112,uint112)", 1, 2), data=bytes(96))
    assert DECODER.decode(longer) is None


def test_an_event_that_nobody_knows_says_nothing():
    assert DECODER.decode(log("Nothing(address*)", A)) is None
    assert DECODER.decode(msgspec.structs.replace(log("Nothing()"), topics=())) is None


@pytest.mark.parametrize(
    ("signature", "values", "change"),
    [
        ("Sync(uint112,uint112)", (1, 2), {"data": b"\x01" + bytes(63)}),
        (
            "Transfer(address*,address*,uint256)",
            (A, B, 7),
            {"topics": (1, "0x" + "01" * 32)},
        ),
        ("Mint(address*,uint256,uint256)", (A, 1, 2), {"topics": (1, "0x" + "01" * 32)}),
        (
            "Mint(address,address*,int24*,int24*,uint128,uint256,uint256)",
            (A, B, -1, 1, 5, 6, 7),
            {"topics": (2, "0x" + "7f" * 32)},
        ),
    ],
)
def test_a_value_that_does_not_fit_its_type_is_malformed(signature, values, change):
    made = log(signature, *values)
    assert isinstance(DECODER.decode(made), LogEvent)
    if "topics" in change:
        place, topic = change["topics"]
        topics = list(made.topics)
        topics[place] = topic
        change = {"topics": tuple(topics)}
    found = DECODER.decode(msgspec.structs.replace(made, **change))
    assert isinstance(found, Undecoded)
    assert found.reason is Unread.MALFORMED


def test_values_of_changing_size_are_read():
    signature = (
        "NewTransmission(uint32*,int192,address,uint32,int192[],bytes,int192,bytes32,uint40)"
    )
    found = DECODER.decode(log(signature, 7, 5, A, 9, [4, 5, 6], b"xyz", 1, b"\x02" * 32, 3))
    assert isinstance(found, NewTransmission)
    assert (found.round, found.answer, found.observations) == (7, 5, (4, 5, 6))
    assert bytes(found.observers) == b"xyz"
    made = log(signature, 7, 5, A, 9, [4], b"", 1, b"", 3)
    assert DECODER.decode(msgspec.structs.replace(made, data=made.data[:200])) is None


def test_an_event_without_a_signature_is_a_mistake_of_ours():
    with pytest.raises(LookupError, match="no event begins with Nothing"):
        _event((AaveSupply, {}, "Nothing"))


def test_every_event_class_is_read_and_has_its_signatures_fields():
    made = {event.made for _, event in known_events()}
    for module in (aave, lenders, uniswap, venues):
        named = {one for one in vars(module).values() if isinstance(one, type)}
        assert {one for one in named if issubclass(one, LogEvent)} - {LogEvent} <= made
    for _, event in known_events():
        fields = event.made.__struct_fields__
        assert len(fields) == event.topics - 1 + len(
            split(event.signature.partition("(")[2][:-1])
        ) - (event.topics - 1)


# Recorded logs


def recorded(one: dict, names: dict[str, str]) -> Log:
    def number(name: str) -> int:
        value = one[names[name]]
        return value if isinstance(value, int) else int(value, 16)

    return Log(
        one[names["block"]],
        number("number"),
        number("index"),
        one[names["transaction"]],
        0,
        one["address"].lower(),
        tuple(one["topics"]),
        bytes.fromhex(one["data"][2:]),
    )


SNAKE = {
    "block": "block_hash",
    "number": "block_number",
    "index": "log_index",
    "transaction": "transaction_hash",
}
CAMEL = {
    "block": "blockHash",
    "number": "blockNumber",
    "index": "logIndex",
    "transaction": "transactionHash",
}


def load(path):
    with gzip.open(path) as file:
        return json.load(file)


def test_the_swaps_of_a_whole_block_are_those_that_are_expected(corpus):
    logs = load(corpus / "mainnet" / "logs" / "17173049.json.gz")["logs"]
    expected = load(corpus / "mainnet" / "expected" / "logs_17173049.json.gz")["swaps"]
    kinds, swaps = Counter(), []
    for one in logs:
        made = recorded(one, SNAKE)
        found = DECODER.decode(made)
        kinds[type(found)] += 1
        if isinstance(found, V2Swap):
            amounts = found.amount0_in - found.amount0_out, found.amount1_in - found.amount1_out
            swaps.append((made.log_index, made.address, *amounts, found.sender, found.to))
        if isinstance(found, V3Swap):
            amounts = found.amount0, found.amount1
            swaps.append((made.log_index, made.address, *amounts, found.sender, found.recipient))
    assert swaps == [
        (s["log_index"], s["pool"], s["amount0"], s["amount1"], s["sender"], s["to"])
        for s in expected
    ]
    assert kinds[Undecoded] == 0
    assert (kinds[V2Sync], kinds[V2Swap], kinds[V3Swap]) == (27, 27, 5)
    assert (kinds[Transfer], kinds[AnswerUpdated], kinds[FirstNewTransmission]) == (106, 2, 2)


def test_recorded_receipts_hold_events_of_every_kind_of_protocol(corpus):
    receipts = load(corpus / "mainnet" / "logs" / "defi_receipts.json.gz")
    kinds = Counter()
    for pair in receipts.values():
        receipt = pair.get("receipt") or {}
        for one in receipt.get("logs", ()):
            kinds[type(DECODER.decode(recorded(one, CAMEL)))] += 1
    assert kinds[Undecoded] == 0
    for made in (
        V4Swap,
        PancakeV3Swap,
        CurveExchange,
        BalancerSwap,
        AaveLiquidation,
        AaveReserve,
        CompoundLiquidation,
    ):
        assert kinds[made] > 0, made
