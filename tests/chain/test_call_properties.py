"""Random calls: what eth-abi reads is what is read here, and nothing that comes from the network
raises."""

from __future__ import annotations

import random
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.encoding import (
    address,
    call,
    decoded,
    log,
    plain,
    types_of,
    values_of,
)
from trio_mev.chain.abi import arguments_of
from trio_mev.chain.calldata import CallDecoder, Kind, known_methods
from trio_mev.chain.calldata.plan import MAX_STEPS
from trio_mev.chain.logs import LogDecoder, LogEvent, known_events
from trio_mev.model.intents import (
    LendingIntent,
    LiquidityIntent,
    OracleUpdate,
    SwapIntent,
    Undecoded,
    Unread,
)

sys.path.insert(0, str(Path(__file__).parents[2] / "scripts"))
from calls.recorded import SETS  # the recordings' own reader is a script's

OTHERS = {address(0xC0000 + place): kind for place, kind in enumerate(Kind)}
DECODER = CallDecoder(OTHERS)
SENDER = address(0xA11CE)
NAMED = {DECODER.name(one): one for one in (*OTHERS, *DECODER.addresses())}
METHODS = [
    pytest.param(name, selector, signature, id=f"{name} {signature.partition('(')[0]} {selector}")
    for name, methods in known_methods().items()
    for selector, signature in methods.items()
]
QUICK = settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
KINDS = SwapIntent, LendingIntent, LiquidityIntent, OracleUpdate, Undecoded


def flat(value):
    """Every number and every address of arguments."""
    if isinstance(value, tuple):
        for one in value:
            yield from flat(one)
    else:
        yield value


@pytest.mark.parametrize(("name", "selector", "signature"), METHODS)
def test_arguments_are_those_that_eth_abi_reads(name, selector, signature):
    reader = arguments_of(signature)

    @QUICK
    @given(st.tuples(*[values_of(one) for one in types_of(signature)]))
    def agree(values):
        data = call(signature, *values)
        assert data[:4].hex() == selector[2:]
        assert plain(reader.read(data, 4)) == plain(decoded(signature, data[4:])) == plain(values)

    agree()


@pytest.mark.parametrize(("name", "selector", "signature"), METHODS)
def test_a_random_call_says_nothing_that_is_not_in_it(name, selector, signature):
    @QUICK
    @given(st.tuples(*[values_of(one) for one in types_of(signature)]), st.integers(0, 2**200))
    def hold(values, value):
        intents = DECODER.decode(NAMED[name], call(signature, *values), SENDER, value)
        assert intents
        known = {one for one in flat(plain(values)) if isinstance(one, int)} | {value, None, 0}
        for intent in intents:
            assert isinstance(intent, KINDS)
            if isinstance(intent, SwapIntent):
                assert intent.amount in known or abs(intent.amount) in map(abs, known - {None})
                assert intent.limit in known or -intent.limit in known
            if isinstance(intent, LendingIntent):
                assert intent.amount in known

    hold()


@pytest.mark.parametrize(
    ("topic", "event"),
    [pytest.param(topic, event, id=event.made.__name__) for topic, event in known_events()],
)
def test_random_logs_come_out_as_they_went_in(topic, event):
    types = types_of(event.signature)
    bare = [name.rstrip("*") for name in types]
    shares = address(0x5A4E)
    emitter = shares if "Shares" in event.made.__name__ else address(1)

    @QUICK
    @given(st.tuples(*[values_of(name) for name in bare]))
    def agree(values):
        found = LogDecoder([shares]).decode(log(event.signature, *values, emitter=emitter))
        assert type(found) is event.made
        ordered = [v for v, name in zip(values, types, strict=True) if name.endswith("*")]
        ordered += [v for v, name in zip(values, types, strict=True) if not name.endswith("*")]
        read = [getattr(found, name) for name in found.__struct_fields__]
        indexed = {
            p for p, name in enumerate(x for x in types if x.endswith("*")) if "bytes" in name
        }
        for place, (one, other) in enumerate(zip(read, ordered, strict=True)):
            wanted = "0x" + other.hex() if place in indexed else other
            assert plain(one) == plain(wanted)

    agree()


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(sorted(NAMED.values())), st.binary(max_size=700), st.integers(0, 2**256 - 1))
def test_random_bytes_at_any_contract_only_ever_say_why_not(to, data, value):
    assert all(isinstance(one, KINDS) for one in DECODER.decode(to, data, SENDER, value))


@settings(max_examples=300, deadline=None)
@given(st.sampled_from([one.values[:2] for one in METHODS]), st.binary(max_size=700))
def test_random_arguments_of_any_method_never_raise(method, data):
    name, selector = method
    intents = DECODER.decode(NAMED[name], bytes.fromhex(selector[2:]) + data, SENDER, 1)
    assert all(isinstance(one, KINDS) for one in intents)


@settings(max_examples=300, deadline=None)
@given(
    st.sampled_from(sorted({topic for topic, _ in known_events()})),
    st.lists(st.binary(min_size=32, max_size=32).map(lambda raw: "0x" + raw.hex()), max_size=4),
    st.binary(max_size=400),
)
def test_random_logs_never_raise(topic, topics, data):
    made = log("Sync(uint112,uint112)", 1, 2)
    one = type(made)(
        *[getattr(made, f) for f in made.__struct_fields__[:6]], (topic, *topics), data
    )
    found = LogDecoder().decode(one)
    assert found is None or isinstance(found, LogEvent | Undecoded)


@pytest.mark.parametrize("title", SETS)
def test_mutated_recorded_calls_never_raise_and_stay_in_bounds(corpus, title):
    """Each recorded call of a known contract, with bytes changed, cut off, or words repeated."""
    rng = random.Random(7)
    calls = [one for one in SETS[title](corpus) if one.to in NAMED.values() and one.data]
    assert len(calls) > 20
    reasons = set()
    for one in calls:
        for _ in range(100):
            data = bytearray(one.data)
            for _ in range(rng.randrange(1, 4)):
                at = rng.randrange(4, len(data))
                how = rng.randrange(4)
                if how == 0:
                    data[at] = rng.randrange(256)
                elif how == 1 and at > 40:
                    del data[at:]
                elif how == 2:
                    word = 4 + (at - 4) // 32 * 32
                    data[word : word + 32] = rng.choice(
                        [bytes(32), b"\xff" * 32, rng.randrange(1024).to_bytes(32, "big")]
                    )
                else:
                    data[at:at] = data[at : at + 64]
            intents = DECODER.decode(one.to, bytes(data), one.sender, one.value)
            assert intents
            assert len(intents) <= MAX_STEPS
            reasons |= {i.reason for i in intents if isinstance(i, Undecoded)}
    assert Unread.MALFORMED in reasons
