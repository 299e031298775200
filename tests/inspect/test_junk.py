"""Whatever the logs are, nothing is raised, and what is said is consistent and cheap to come by."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.inspect.blocks import (
    ANN,
    BOT,
    EVE,
    KNOWN,
    ROUTER,
    V2,
    V3_BURN,
    V3_MINT,
    A,
    B,
    P,
    Q,
    S,
    act,
    block,
    hash_of,
    inspect,
    sent,
    swapped,
)
from tests.support.counted import steps_of
from tests.support.encoding import address, addresses, log, types_of, values_of
from trio_mev.chain.logs import known_events
from trio_mev.inspect import Inspection, Known, inspect_block
from trio_mev.model.chain import Log
from trio_mev.model.opportunity import Kind

AAVE = log(
    "LiquidationCall(address*,address*,address*,uint256,uint256,address,bool)",
    A,
    B,
    ANN,
    50,
    60,
    BOT,
    False,
    emitter="0x87870bca3f3fd6335c3f4ce8392d69350b4fa4e2",
)

EVENTS = [event for _, event in known_events()]
FEW = st.sampled_from([P, Q, S, A, B, EVE, BOT, ROUTER])
"""Few, so that they meet."""


@st.composite
def events(draw: st.DrawFn) -> Log:
    """Logs of known events, from the wrong contracts, with any values."""
    signature = draw(st.sampled_from(EVENTS)).signature
    values = [draw(_value(name.removesuffix("*"))) for name in types_of(signature)]
    return log(signature, *values, emitter=draw(FEW))


def _value(name: str) -> st.SearchStrategy:
    if name == "address":
        return FEW
    return st.integers(1, 3) | values_of(name) if name == "uint256" else values_of(name)


TOPICS = st.sampled_from([topic for topic, _ in known_events()]) | st.binary(
    min_size=32, max_size=32
).map(lambda raw: "0x" + raw.hex())


@st.composite
def junk(draw: st.DrawFn) -> Log:
    """Any topics, any data."""
    topics = draw(st.lists(TOPICS, max_size=4))
    data = draw(st.binary(max_size=300))
    return Log(hash_of(0), 7, 0, hash_of(0), 0, draw(addresses()), tuple(topics), data)


ACTS = st.lists(
    st.builds(
        lambda sender, to, logs: act(sender, to, *logs),
        st.none() | FEW,
        st.none() | FEW,
        st.lists(events() | junk(), max_size=12),
    ),
    max_size=6,
)


@given(ACTS, st.booleans())
def test_no_logs_make_it_raise_and_what_it_says_is_consistent(acts, knows: bool):
    known = KNOWN if knows else Known()
    one = inspect(*acts, known=known)
    names = {mined.hash for mined in block(*acts).transactions}
    for swap in one.swaps:
        assert min(swap.amount_in, swap.amount_out) > 0
        assert swap.token_in != swap.token_out
    labels: dict[str, Kind] = {}
    for opportunity in one.opportunities:
        assert names.issuperset((*opportunity.transactions, *opportunity.victims))
        assert not set(opportunity.transactions) & set(opportunity.victims)
        assert opportunity.kind not in opportunity.alternatives
        for name in opportunity.transactions:
            assert labels.setdefault(name, opportunity.kind) is opportunity.kind
    assert len({opportunity.id for opportunity in one.opportunities}) == len(one.opportunities)
    assert inspect(*acts, known=known) == one


def _repeated(signature: str, *values: object, emitters: int) -> list[Log]:
    return [log(signature, *values, emitter=address(0x5000 + n)) for n in range(emitters)]


SHAPES = {
    "transfers": _repeated("Transfer(address*,address*,uint256)", ANN, BOT, 5, emitters=97),
    "swaps": [swapped(address(0x5000 + n % 40), 10 + n % 3, 10, n % 2 == 0) for n in range(240)],
    "mints": [log(V3_MINT, BOT, BOT, -60 - n % 50, 60, 5, 6, 7, emitter=P) for n in range(200)],
    "liquidations": [AAVE, sent(B, BOT, P, 5)],
    "odd": _repeated(V2, ANN, 1, 1, 0, 0, BOT, emitters=7),
}
"""Logs that are made again and again."""
FEWER = 1_000


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("transactions", ["one", "some", "as many as logs"])
def test_junk_costs_no_more_than_its_length(shape: str, transactions: str):
    """Four times as much takes four times the work; what grows with the square takes sixteen."""

    def cost(count: int) -> int:
        logs = [SHAPES[shape][n % len(SHAPES[shape])] for n in range(count)]
        size = {"one": count, "some": 100, "as many as logs": 1}[transactions]
        made = block(*[act(EVE, BOT, *logs[at : at + size]) for at in range(0, count, size)])
        return steps_of(lambda: inspect_block(made, same))

    same = Known(tokens_of=lambda _: (A, B))
    assert cost(4 * FEWER) < 4.5 * cost(FEWER)


def unborne(count: int) -> list[dict[str, Any]]:
    """Liquidations of nobody's protocol, each of which is sought among all transfers."""
    logs = [msgspec.structs.replace(AAVE, address=S), sent(B, BOT, P, 5)]
    return [act(EVE, BOT, *logs * (count // 2))]


def around_each_other(count: int) -> list[dict[str, Any]]:
    """Everybody goes there before anybody goes back."""
    whole = [(address(0x5000 + n), address(0x9000 + n)) for n in range(count // 2)]
    there = [act(one, to, swapped(P, 10, 9, who=to)) for one, to in whole]
    return there + [act(one, to, swapped(P, 9, 10, down=False, who=to)) for one, to in whole]


def within_each_other(count: int) -> list[dict[str, Any]]:
    """Liquidity in ranges of its own each, all swaps between, and out of it again."""
    third = range(count // 3)
    put = [log(V3_MINT, BOT, BOT, -60 - n, 60, 5, 6, 7, emitter=P) for n in third]
    out = [log(V3_BURN, BOT, -60 - n, 60, 5, 6, 7, emitter=P) for n in third]
    swaps = [act(address(0x5000 + n), ROUTER, swapped(P, 10, 9, who=ROUTER)) for n in third]
    return [*(act(EVE, BOT, one) for one in put), *swaps, *(act(EVE, BOT, one) for one in out)]


def knotted(count: int) -> list[dict[str, Any]]:
    """As many swaps in one transaction as are looked at, any of which may follow any other."""
    swaps = [swapped(address(0x5000 + n), 10, 10, down=n % 2 == 0) for n in range(200)]
    return [act(EVE, BOT, *swaps) for _ in range(count // 200)]


@pytest.mark.parametrize("made", [unborne, around_each_other, within_each_other, knotted])
def test_what_would_be_looked_through_again_and_again_is_bounded(made: Callable[[int], Any]):
    """What is left out for it is said."""

    def inspection(count: int) -> Inspection:
        return inspect_block(block(*made(count)), Known(tokens_of=lambda _: (A, B)))

    few, many = steps_of(lambda: inspection(600)), steps_of(lambda: inspection(2_400))
    assert many < 5 * few
    assert inspection(2_400).cut
