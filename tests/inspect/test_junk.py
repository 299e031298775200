"""Whatever the logs are, nothing is raised, and what is said is consistent and cheap to come by."""

from __future__ import annotations

import time

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
from tests.support.encoding import address, addresses, log, types_of, values_of
from trio_mev.chain.logs import known_events
from trio_mev.inspect import Known, inspect_block
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


def _repeated(signature: str, *values: object, emitters: int, count: int) -> list[Log]:
    made = [log(signature, *values, emitter=address(0x5000 + n)) for n in range(emitters)]
    return [made[n % emitters] for n in range(count)]


COUNT = 20_000
TO_AND_FRO = [swapped(address(0x5000 + n % 40), 10 + n % 3, 10, n % 2 == 0) for n in range(240)]
SHAPES = {
    "transfers": _repeated(
        "Transfer(address*,address*,uint256)", ANN, BOT, 5, emitters=97, count=COUNT
    ),
    "swaps": [TO_AND_FRO[n % 240] for n in range(COUNT)],
    "mints": [log(V3_MINT, BOT, BOT, -60 - n % 50, 60, 5, 6, 7, emitter=P) for n in range(200)]
    * (COUNT // 200),
    "liquidations": [AAVE, sent(B, BOT, P, 5)] * (COUNT // 2),
    "odd": _repeated(V2, ANN, 1, 1, 0, 0, BOT, emitters=7, count=COUNT),
}


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("size", [1, 100, COUNT])
def test_junk_costs_no_more_than_its_length(shape: str, size: int):
    """In one transaction or in thousands: a bound of a minute that takes a second or so; what grows
    with the square would take hours."""
    logs = SHAPES[shape]
    acts = [act(EVE, BOT, *logs[at : at + size]) for at in range(0, COUNT, size)]
    made = block(*acts)
    same = Known(tokens_of=lambda _: (A, B))
    start = time.process_time()
    inspect_block(made, same)
    assert time.process_time() - start < 60
