"""Calls of the V2 and V3 routers, method by method."""

from __future__ import annotations

from itertools import pairwise

import pytest

from tests.support.encoding import address, call
from trio_mev.chain.calldata import CallDecoder, Kind
from trio_mev.chain.calldata.plan import MAX_HOPS
from trio_mev.chain.contracts import uniswap_v3
from trio_mev.chain.contracts.uniswap_v2 import SUSHISWAP_FACTORY, UNISWAP_FACTORY
from trio_mev.model.intents import WETH, Basis, Hop, PoolKind, SwapIntent, Undecoded, Unread

V2, SUSHI = (
    "0x7a250d5630b4cf539739df2c5dacb4c659f2488d",
    "0xd9e1ce17f2641f24ae83637ab66a2cca9c378b9f",
)
V3, NEWER = (
    "0xe592427a0aece92de3edee1f18e0157c05861564",
    "0x68b3465833fb72a70ecdf485e0e4c7bd8665fc45",
)
A, B, ME, YOU, PAIR = (address(n) for n in (0xA, 0xB, 0x3E, 0x44, 0xF0))
ZERO, ONE, TWO = address(0), address(1), address(2)
UNTIL = 1_800_000_000
FIVE = "(uint256,uint256,address[],address,uint256)"
FOUR = "(uint256,address[],address,uint256)"
TAXED = "SupportingFeeOnTransferTokens"


def read(to: str, data: bytes, value: int = 0) -> tuple:
    return CallDecoder({PAIR: Kind.V2_PAIR, address(0xF3): Kind.V3_POOL}).decode(
        to, data, ME, value
    )


@pytest.mark.parametrize(
    ("method", "values", "value", "exact_out", "amount", "limit"),
    [
        (f"swapExactTokensForTokens{FIVE}", (10, 9), 0, False, 10, 9),
        (f"swapTokensForExactTokens{FIVE}", (9, 10), 0, True, 9, 10),
        (f"swapExactETHForTokens{FOUR}", (9,), 10, False, 10, 9),
        (f"swapTokensForExactETH{FIVE}", (9, 10), 0, True, 9, 10),
        (f"swapExactTokensForETH{FIVE}", (10, 9), 0, False, 10, 9),
        (f"swapETHForExactTokens{FOUR}", (9,), 10, True, 9, 10),
        (f"swapExactTokensForTokens{TAXED}{FIVE}", (10, 9), 0, False, 10, 9),
        (f"swapExactETHForTokens{TAXED}{FOUR}", (9,), 10, False, 10, 9),
        (f"swapExactTokensForETH{TAXED}{FIVE}", (10, 9), 0, False, 10, 9),
    ],
)
def test_each_of_the_nine_methods_of_a_v2_router(method, values, value, exact_out, amount, limit):
    data = call(method, *values, (A, WETH, B), YOU, UNTIL)
    hops = (
        Hop(PoolKind.V2, A, WETH, factory=UNISWAP_FACTORY),
        Hop(PoolKind.V2, WETH, B, factory=UNISWAP_FACTORY),
    )
    taxed = TAXED in method
    assert read(V2, data, value) == (
        SwapIntent(
            "Uniswap V2 Router02", hops, A, B, exact_out, amount, limit, YOU, UNTIL, taxed=taxed
        ),
    )


def test_another_router_uses_the_pairs_of_another_factory():
    (swap,) = read(SUSHI, call(f"swapExactTokensForTokens{FIVE}", 10, 9, (A, B), YOU, UNTIL))
    assert (swap.venue, swap.hops[0].factory) == ("SushiSwap router", SUSHISWAP_FACTORY)


@pytest.mark.parametrize(
    ("tokens", "reason"), [(0, Unread.MALFORMED), (1, Unread.MALFORMED), (34, Unread.TOO_LARGE)]
)
def test_a_way_has_a_pool_and_not_too_many(tokens, reason):
    method = f"swapExactTokensForTokens{FIVE}"
    (found,) = read(V2, call(method, 10, 9, (A,) * tokens, YOU, UNTIL))
    assert found.reason is reason
    (swap,) = read(V2, call(method, 10, 9, (A,) * (MAX_HOPS + 1), YOU, UNTIL))
    assert len(swap.hops) == MAX_HOPS


def path(*parts: str | int) -> bytes:
    return b"".join(
        bytes.fromhex(part[2:]) if isinstance(part, str) else part.to_bytes(3, "big")
        for part in parts
    )


def v3(one: str, two: str, fee: int) -> Hop:
    return Hop(PoolKind.V3, one, two, fee, factory=uniswap_v3.FACTORY)


SINGLE = "(address,address,uint24,address,uint256,uint256,uint256,uint160)"
PATH = "(bytes,address,uint256,uint256,uint256)"
NEW_SINGLE = "(address,address,uint24,address,uint256,uint256,uint160)"
NEW_PATH = "(bytes,address,uint256,uint256)"
NEW_V2 = "(uint256,uint256,address[],address)"
NAME, NEW_NAME = "Uniswap V3 SwapRouter", "Uniswap SwapRouter02"


@pytest.mark.parametrize(("method", "exact_out"), [("exactInput", False), ("exactOutput", True)])
@pytest.mark.parametrize("price_limit", [0, 2**96])
def test_a_single_v3_pool(method, exact_out, price_limit):
    data = call(f"{method}Single({SINGLE})", (A, B, 500, YOU, UNTIL, 10, 9, price_limit))
    hops = (v3(A, B, 500),)
    assert read(V3, data) == (
        SwapIntent(NAME, hops, A, B, exact_out, 10, 9, YOU, UNTIL, price_limit=price_limit or None),
    )


def test_a_path_of_v3_pools_is_written_backwards_where_the_output_is_exact():
    hops = (v3(A, WETH, 500), v3(WETH, B, 3000))
    forwards, backwards = path(A, 500, WETH, 3000, B), path(B, 3000, WETH, 500, A)
    data = call(f"exactInput({PATH})", (forwards, YOU, UNTIL, 10, 9))
    assert read(V3, data) == (SwapIntent(NAME, hops, A, B, False, 10, 9, YOU, UNTIL),)
    data = call(f"exactOutput({PATH})", (backwards, YOU, UNTIL, 9, 10))
    assert read(V3, data) == (SwapIntent(NAME, hops, A, B, True, 9, 10, YOU, UNTIL),)
    data = call(f"exactInput({NEW_PATH})", (forwards, ONE, 10, 9))
    assert read(NEWER, data) == (SwapIntent(NEW_NAME, hops, A, B, False, 10, 9, ME),)
    data = call(f"exactOutput({NEW_PATH})", (backwards, YOU, 9, 10))
    assert read(NEWER, data) == (SwapIntent(NEW_NAME, hops, A, B, True, 9, 10, YOU),)


@pytest.mark.parametrize(
    ("way", "reason"),
    [
        (path(A), Unread.MALFORMED),
        (b"", Unread.MALFORMED),
        (path(A, 500, B) + b"\x00", Unread.MALFORMED),
        (path(A, *(500, B) * (MAX_HOPS + 1)), Unread.TOO_LARGE),
    ],
)
def test_a_path_that_is_no_way_through_pools_is_not_read(way, reason):
    (found,) = read(V3, call(f"exactInput({PATH})", (way, YOU, UNTIL, 10, 9)))
    assert found.reason is reason


@pytest.mark.parametrize("pools", [1, 2, 3, MAX_HOPS])
def test_a_path_of_any_length_is_the_same_way_backwards(pools):
    tokens = [address(0x100 + place) for place in range(pools + 1)]
    fees = [100 + place for place in range(pools)]
    forwards = [part for pair in zip(tokens, [*fees, 0], strict=True) for part in pair][:-1]
    there = read(V3, call(f"exactInput({PATH})", (path(*forwards), YOU, UNTIL, 10, 9)))[0].hops
    back = read(V3, call(f"exactOutput({PATH})", (path(*forwards[::-1]), YOU, UNTIL, 10, 9)))[0]
    assert there == back.hops
    assert [(hop.token_in, hop.token_out, hop.fee) for hop in there] == list(
        zip(tokens, tokens[1:], fees, strict=False)
    )


@pytest.mark.parametrize("pairs", [1, 2, 3, MAX_HOPS])
def test_a_way_through_any_number_of_pairs(pairs):
    tokens = tuple(address(0x100 + place) for place in range(pairs + 1))
    (swap,) = read(V2, call(f"swapExactTokensForTokens{FIVE}", 10, 9, tokens, YOU, UNTIL))
    assert [(hop.token_in, hop.token_out) for hop in swap.hops] == list(pairwise(tokens))


@pytest.mark.parametrize(("method", "exact_out"), [("exactInput", False), ("exactOutput", True)])
def test_the_newer_router_knows_the_caller_and_itself_by_numbers(method, exact_out):
    for given, to in ((ONE, ME), (TWO, NEWER), (YOU, YOU)):
        data = call(f"{method}Single({NEW_SINGLE})", (A, B, 500, given, 10, 9, 0))
        hops = (v3(A, B, 500),)
        assert read(NEWER, data) == (SwapIntent(NEW_NAME, hops, A, B, exact_out, 10, 9, to),)


def test_an_exact_input_of_zero_is_all_that_the_newer_router_holds():
    data = call(f"exactInputSingle({NEW_SINGLE})", (A, B, 500, ONE, 0, 9, 0))
    (swap,) = read(NEWER, data)
    assert (swap.amount, swap.basis) == (None, Basis.BALANCE)
    (swap,) = read(NEWER, call(f"exactOutputSingle({NEW_SINGLE})", (A, B, 500, ONE, 0, 9, 0)))
    assert (swap.amount, swap.basis) == (0, Basis.GIVEN)


@pytest.mark.parametrize(
    ("method", "exact_out"),
    [("swapExactTokensForTokens", False), ("swapTokensForExactTokens", True)],
)
def test_the_newer_router_trades_with_pairs_too(method, exact_out):
    data = call(f"{method}{NEW_V2}", 10, 9, (A, B), ONE)
    hops = (Hop(PoolKind.V2, A, B, factory=UNISWAP_FACTORY),)
    assert read(NEWER, data) == (SwapIntent(NEW_NAME, hops, A, B, exact_out, 10, 9, ME),)


def single(recipient: str, limit: int = 0, token: str = WETH, newer: bool = False) -> bytes:
    if newer:
        return call(f"exactInputSingle({NEW_SINGLE})", (A, token, 500, recipient, 10, limit, 0))
    return call(f"exactInputSingle({SINGLE})", (A, token, 500, recipient, UNTIL, 10, limit, 0))


def multicall(*calls: bytes) -> bytes:
    return call("multicall(bytes[])", calls)


@pytest.mark.parametrize(
    ("token", "step"),
    [
        (WETH, call("unwrapWETH9(uint256,address)", 8, YOU)),
        (WETH, call("unwrapWETH9WithFee(uint256,address,uint256,address)", 8, YOU, 100, ME)),
        (B, call("sweepToken(address,uint256,address)", B, 8, YOU)),
        (B, call("sweepTokenWithFee(address,uint256,address,uint256,address)", B, 8, YOU, 1, ME)),
    ],
)
def test_the_least_amount_may_be_in_the_step_that_hands_over(token, step):
    (swap,) = read(V3, multicall(single(ZERO, 0, token), step))
    assert (swap.limit, swap.recipient, swap.joint_limit) == (8, YOU, None)
    (swap,) = read(V3, multicall(single(ZERO, 9, token), step))
    assert swap.limit == 9
    # What somebody else got is not handed over.
    (swap,) = read(V3, multicall(single(ME, 5, token), step))
    assert (swap.limit, swap.recipient) == (5, ME)


def test_another_token_is_not_handed_over():
    step = call("sweepToken(address,uint256,address)", A, 8, YOU)
    (swap,) = read(V3, multicall(single(ZERO, 0, B), step))
    assert (swap.limit, swap.recipient) == (0, V3)


def test_two_swaps_into_one_token_share_what_is_demanded():
    step = call("unwrapWETH9(uint256,address)", 8, YOU)
    one, two = read(V3, multicall(single(ZERO), single(ZERO), step))
    assert [(s.limit, s.joint_limit, s.recipient) for s in (one, two)] == [(0, 8, YOU)] * 2


def test_an_exact_output_keeps_its_own_limit():
    swap_call = call(f"exactOutputSingle({SINGLE})", (A, WETH, 500, ZERO, UNTIL, 9, 10, 0))
    step = call("unwrapWETH9(uint256,address)", 9, YOU)
    (swap,) = read(V3, multicall(swap_call, step, call("refundETH()")))
    assert (swap.amount, swap.limit, swap.recipient, swap.joint_limit) == (9, 10, YOU, None)


def test_the_newer_routers_multicalls_hand_over_to_the_caller():
    steps = [
        call("pull(address,uint256)", A, 10),
        call("wrapETH(uint256)", 10),
        single(TWO, newer=True),
        call("unwrapWETH9(uint256)", 8),
    ]
    data = call("multicall(uint256,bytes[])", UNTIL, steps)
    (swap,) = read(NEWER, data)
    assert (swap.limit, swap.recipient, swap.deadline) == (8, ME, UNTIL)
    steps = [single(TWO, token=B, newer=True), call("sweepToken(address,uint256)", B, 8)]
    (swap,) = read(NEWER, call("multicall(bytes32,bytes[])", b"\x01" * 32, steps))
    assert (swap.limit, swap.recipient, swap.deadline) == (8, ME, None)


def test_a_multicall_that_exchanges_nothing_says_so():
    permit = call(
        "selfPermit(address,uint256,uint256,uint8,bytes32,bytes32)", A, 1, 2, 27, b"", b""
    )
    assert read(V3, multicall(permit, call("refundETH()"))) == (Undecoded(Unread.NO_SWAP),)
    assert read(V3, multicall()) == (Undecoded(Unread.NO_SWAP),)


def test_an_unknown_part_of_a_multicall_stands_in_its_place():
    unknown = bytes.fromhex("deadbeef")
    one, two = read(V3, multicall(unknown, single(ME)))
    assert one == Undecoded(Unread.UNKNOWN_METHOD, "0xdeadbeef")
    assert two.recipient == ME


def test_a_malformed_part_of_a_multicall_makes_it_malformed():
    assert read(V3, multicall(single(ME), single(ME)[:-1])) == (
        Undecoded(Unread.MALFORMED, "shorter than its arguments"),
    )


def test_multicalls_nest_within_bounds():
    data = single(ME)
    for _ in range(4):
        data = multicall(data)
    assert len(read(V3, data)) == 1
    (found,) = read(V3, multicall(data))
    assert found.reason is Unread.TOO_LARGE


def test_a_pair_or_pool_that_is_called_itself():
    pair = "swap(uint256,uint256,address,bytes)"
    (swap,) = read(PAIR, call(pair, 0, 9, YOU, b""))
    hop = Hop(PoolKind.V2, pool=PAIR, zero_for_one=True)
    assert swap == SwapIntent("V2 pair", (hop,), None, None, True, 9, None, YOU)
    (swap,) = read(PAIR, call(pair, 9, 0, YOU, b""))
    assert (swap.hops[0].zero_for_one, swap.amount) == (False, 9)
    for amounts in ((0, 0), (1, 2)):
        assert read(PAIR, call(pair, *amounts, YOU, b""))[0].reason is Unread.MALFORMED
    pool = "swap(address,bool,int256,uint160,bytes)"
    for amount, exact_out in ((10, False), (-10, True)):
        (swap,) = read(address(0xF3), call(pool, YOU, True, amount, 7, b""))
        assert (swap.exact_out, swap.amount, swap.price_limit) == (exact_out, 10, 7)


def test_what_is_no_call_of_a_known_contract_says_so():
    decoder = CallDecoder()
    assert decoder.decode(None, b"code", ME, 0) == (Undecoded(Unread.NO_CALL),)
    assert decoder.decode(V2, b"\x38\xed\x17", ME, 0) == (Undecoded(Unread.NO_CALL),)
    assert decoder.decode(YOU, bytes(4), ME, 0) == (Undecoded(Unread.UNKNOWN_CONTRACT),)
    assert decoder.decode(V2, b"\xde\xad\xbe\xef", ME, 0) == (
        Undecoded(Unread.UNKNOWN_METHOD, "0xdeadbeef"),
    )


def test_contracts_are_known_by_name_and_methods_by_contract():
    decoder = CallDecoder({YOU: Kind.CURVE_POOL})
    assert (decoder.name(V2), decoder.name(YOU), decoder.name(ME)) == (
        "Uniswap V2 Router02",
        "Curve pool",
        None,
    )
    aave = "0x87870bca3f3fd6335c3f4ce8392d69350b4fa4e2"
    assert (decoder.router(V2), decoder.router(aave), decoder.router(ME)) == (
        "Uniswap V2 Router02",
        None,
        None,
    )
    swap = bytes.fromhex("38ed1739")
    assert decoder.method(V2, swap) == f"swapExactTokensForTokens{FIVE}"
    assert (decoder.method(V3, swap), decoder.method(ME, swap)) == (None, None)
    assert V2 in set(decoder.addresses())
