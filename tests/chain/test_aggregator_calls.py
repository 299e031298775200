"""Calls of 1inch, 0x, ParaSwap, Kyber, Odos, MetaMask, CoW, Balancer and Curve."""

from __future__ import annotations

import pytest

from tests.support.encoding import address, arguments, call
from trio_mev.chain.calldata import CallDecoder, Kind
from trio_mev.chain.calldata.plan import MAX_HOPS
from trio_mev.chain.contracts.uniswap_v2 import SUSHISWAP_FACTORY, UNISWAP_FACTORY
from trio_mev.chain.contracts.uniswap_v3 import FACTORY
from trio_mev.model.intents import ETHER, WETH, Basis, Hop, PoolKind, SwapIntent, Undecoded, Unread

A, B, ME, YOU, POOL, OTHER = (address(n) for n in (0xA, 0xB, 0x3E, 0x44, 0xF00, 0xF01))
EEE = "0x" + "e" * 40
UNTIL = 1_800_000_000
SETTLER, CURVE = address(0x5E77), address(0xC0)
DECODER = CallDecoder({SETTLER: Kind.SETTLER, CURVE: Kind.CURVE_POOL})
V6, V5, V4 = (
    "0x111111125421ca6dc452d289314280a0f8842a65",
    "0x1111111254eeb25477b68fb85ed929f73a960582",
    "0x1111111254fb6c44bac0bed2854e76f90643097d",
)
HOLDER, PROXY = (
    "0x0000000000001ff3684f28c67538d4d072c22734",
    "0xdef1c0ded9bec7f1a1670819833240f027b25eff",
)
PARASWAP, OLD_PARASWAP = (
    "0x6a000f20005980200259b80c5102003040001068",
    "0xdef171fe48cf0115b1d80b88dc8eab59176fee57",
)
KYBER, ODOS = (
    "0x6131b5fae19ea4f9d964eac0408e4408b66337b5",
    "0xcf5540fffcdc3d510b18bfca6d2b9987b0772559",
)
METAMASK, LIFI = (
    "0x881d40237659c251811cec9c364ef91dc08d300c",
    "0x1231deb6f5749ef6ce6943a275a1d3e7486f4eae",
)
COW, VAULT = (
    "0x9008d19f58aabd9ed0d60971565aa8510560ab41",
    "0xba12222222228d8ba445958a75a0704d566bf2c8",
)


def read(to: str, data: bytes, value: int = 0) -> tuple:
    return DECODER.decode(to, data, ME, value)


def number(text: str) -> int:
    return int(text, 16)


def opaque(venue: str, one, two, amount, limit, to=ME, **more) -> SwapIntent:
    """A swap whose route nobody says."""
    return SwapIntent(venue, (), one, two, False, amount, limit, to, **more)


# 1inch

FIRST, UNWRAPS, NOT_WRAPPED = 1 << 247, 1 << 252, 1 << 251
V2_WORD, V3_WORD = number(POOL), 1 << 253 | number(OTHER) | FIRST
V2_HOP = Hop(PoolKind.V2, fee=3000, pool=POOL, zero_for_one=False)
V3_HOP = Hop(PoolKind.V3, pool=OTHER, zero_for_one=True)


@pytest.mark.parametrize("count", [1, 2, 3])
@pytest.mark.parametrize("to", [False, True])
@pytest.mark.parametrize("ether", [False, True])
def test_the_twelve_unoswaps_of_version_6(count, to, ether):
    words = [V2_WORD, V3_WORD, V2_WORD][:count]
    given = [number(YOU)] * to + ([] if ether else [number(A), 10]) + [9, *words]
    name = ("ethU" if ether else "u") + "noswap" + "To" * to + ("" if count == 1 else str(count))
    (swap,) = read(V6, call(f"{name}({','.join(['uint256'] * len(given))})", *given), 10)
    hops, token = (V2_HOP, V3_HOP, V2_HOP)[:count], WETH if ether else A
    assert swap == SwapIntent("1inch v6", hops, token, None, False, 10, 9, YOU if to else ME)


@pytest.mark.parametrize(
    ("word", "hop"),
    [
        (V2_WORD | FIRST, Hop(PoolKind.V2, fee=3000, pool=POOL, zero_for_one=True)),
        (V2_WORD | 998_000_000 << 160, Hop(PoolKind.V2, fee=2000, pool=POOL, zero_for_one=False)),
        (
            2 << 253 | number(POOL) | 2 << 224 | 1 << 232,
            Hop(PoolKind.CURVE, pool=POOL, index_in=2, index_out=1),
        ),
        (
            2 << 253 | number(POOL) | 1 << 184 | 3 << 232,
            Hop(PoolKind.CURVE_UNDERLYING, pool=POOL, index_in=0, index_out=3),
        ),
        (2 << 253 | number(POOL) | 8 << 184, Hop(PoolKind.CURVE, pool=POOL)),
    ],
)
def test_a_word_of_version_6_is_a_pool(word, hop):
    (swap,) = read(V6, call("unoswap(uint256,uint256,uint256,uint256)", number(A), 10, 9, word))
    assert swap.hops == (hop,)


@pytest.mark.parametrize("word", [3 << 253, 7 << 253, 2 << 253 | 18 << 184])
def test_a_word_may_be_no_pool(word):
    (found,) = read(V6, call("unoswap(uint256,uint256,uint256,uint256)", number(A), 10, 9, word))
    assert found.reason is Unread.MALFORMED


def test_a_word_says_whether_ether_is_wrapped():
    (swap,) = read(V6, call("ethUnoswap(uint256,uint256)", 9, V2_WORD | NOT_WRAPPED), 10)
    assert swap.token_in == ETHER
    data = call("unoswap(uint256,uint256,uint256,uint256)", number(A), 10, 9, V2_WORD | UNWRAPS)
    assert read(V6, data)[0].token_out == ETHER


SIGN = 1 << 255
OLD_V2 = Hop(PoolKind.V2, fee=3000, pool=POOL, zero_for_one=True)


@pytest.mark.parametrize(
    ("method", "values", "to"),
    [
        ("unoswap(address,uint256,uint256,uint256[])", (), ME),
        ("unoswapTo(address,address,uint256,uint256,uint256[])", (YOU,), YOU),
        ("unoswapToWithPermit(address,address,uint256,uint256,uint256[],bytes)", (YOU,), YOU),
    ],
)
def test_the_unoswaps_of_version_5(method, values, to):
    after = (b"",) if "Permit" in method else ()
    word = SIGN | number(OTHER) | 998_000_000 << 160
    (swap,) = read(V5, call(method, *values, A, 10, 9, [number(POOL), word], *after))
    two = Hop(PoolKind.V2, fee=2000, pool=OTHER, zero_for_one=False)
    assert swap == SwapIntent("1inch v5", (OLD_V2, two), A, None, False, 10, 9, to)


def test_the_unoswap_of_version_4_may_unwrap():
    words = [(1 << 254 | number(POOL)).to_bytes(32, "big")]
    (swap,) = read(V4, call("unoswap(address,uint256,uint256,bytes32[])", A, 10, 9, words))
    assert swap == SwapIntent("1inch v4", (OLD_V2,), A, ETHER, False, 10, 9, ME)


@pytest.mark.parametrize(
    ("method", "before", "after", "to"),
    [
        ("uniswapV3Swap(uint256,uint256,uint256[])", (), (), ME),
        ("uniswapV3SwapTo(address,uint256,uint256,uint256[])", (YOU,), (), YOU),
    ],
)
def test_the_v3_swaps_of_version_5_do_not_say_the_token(method, before, after, to):
    words = [SIGN | 1 << 253 | number(POOL)]
    data = call(method, *before, 10, 9, words, *after)
    hop = Hop(PoolKind.V3, pool=POOL, zero_for_one=False)
    (swap,) = read(V5, data)
    assert swap == SwapIntent("1inch v5", (hop,), None, ETHER, False, 10, 9, to)
    assert read(V5, data, 10)[0].token_in == WETH


def test_the_v3_swap_with_a_permit_says_the_token():
    method = "uniswapV3SwapToWithPermit(address,address,uint256,uint256,uint256[],bytes)"
    (swap,) = read(V5, call(method, YOU, A, 10, 9, [number(POOL)], b""))
    assert (swap.token_in, swap.token_out, swap.recipient) == (A, None, YOU)


@pytest.mark.parametrize(
    ("pools", "reason"), [(0, Unread.MALFORMED), (MAX_HOPS + 1, Unread.TOO_LARGE)]
)
def test_an_older_unoswap_has_pools_and_not_too_many(pools, reason):
    words = [number(POOL)] * pools
    (found,) = read(V5, call("unoswap(address,uint256,uint256,uint256[])", A, 10, 9, words))
    assert found.reason is reason


DESCRIPTION = "(address,address,address,address,uint256,uint256,uint256{})"
DESCRIBED = [
    (V6, f"swap(address,{DESCRIPTION.format('')},bytes)", (), (b"",)),
    (V5, f"swap(address,{DESCRIPTION.format('')},bytes,bytes)", (), (b"", b"")),
    (V4, f"swap(address,{DESCRIPTION.format(',bytes')},bytes)", (b"",), (b"",)),
]


@pytest.mark.parametrize(("router", "method", "more", "after"), DESCRIBED)
@pytest.mark.parametrize(("flags", "limit"), [(0, 9), (4, 9), (1, None), (5, None)])
def test_a_described_swap_hides_its_route(router, method, more, after, flags, limit):
    described = (EEE, B, OTHER, YOU, 10, 9, flags, *more)
    (swap,) = read(router, call(method, POOL, described, *after))
    assert swap == opaque(DECODER.name(router), ETHER, B, 10, limit, YOU)
    (swap,) = read(router, call(method, POOL, (A, B, OTHER, ETHER, 10, 9, flags, *more), *after))
    assert swap.recipient == ME


def test_clippers_offer_and_a_permit_before_a_call():
    method = "clipperSwap(address,uint256,address,uint256,uint256,uint256,bytes32,bytes32)"
    data = call(method, POOL, number(A), EEE, 10, 9, UNTIL, b"", b"")
    expected = opaque("1inch v6", A, ETHER, 10, 9, deadline=UNTIL)
    assert read(V6, data) == (expected,)
    assert read(V6, call("permitAndCall(bytes,bytes)", b"permit", data)) == (expected,)
    cancelled = call("cancelOrder(uint256,bytes32)", 1, b"")
    assert read(V6, cancelled) == (Undecoded(Unread.NO_SWAP),)


# 0x

SLIPPAGE = "(address,address,uint256)"
SETTLES = [
    (f"execute({SLIPPAGE},bytes[],bytes32)", (b"",)),
    (f"executeMetaTxn({SLIPPAGE},bytes[],bytes32,address,bytes)", (b"", YOU, b"")),
    (f"executeWithPermit({SLIPPAGE},bytes[],bytes32,bytes)", (b"", b"")),
]
EXEC = "exec(address,address,uint256,address,bytes)"


@pytest.mark.parametrize(("method", "after"), SETTLES)
def test_the_settler_behind_the_allowance_holder_hides_its_route(method, after):
    inner = call(method, (YOU, EEE, 9), [b"action"], *after)
    expected = opaque("0x AllowanceHolder", A, ETHER, 10, 9, YOU)
    assert read(HOLDER, call(EXEC, SETTLER, A, 10, SETTLER, inner)) == (expected,)
    (swap,) = read(HOLDER, call(EXEC, SETTLER, ETHER, 0, SETTLER, inner), 7)
    assert (swap.token_in, swap.amount) == (ETHER, 7)
    # Called directly it does not say what is sold.
    (swap,) = read(SETTLER, inner)
    assert swap == opaque("0x Settler", None, ETHER, None, 9, YOU, basis=Basis.BALANCE)
    (swap,) = read(SETTLER, call(method, (ETHER, B, 9), [], *after), 7)
    assert swap == opaque("0x Settler", ETHER, B, 7, 9, None)


def test_another_contract_behind_the_allowance_holder_is_not_read():
    (found,) = read(HOLDER, call(EXEC, YOU, A, 10, YOU, b"\xde\xad\xbe\xef"))
    assert found == Undecoded(Unread.OPAQUE, "0xdeadbeef of another contract")


def test_the_legacy_proxy():
    name, transform = (
        "0x legacy proxy",
        "transformERC20(address,address,uint256,uint256,(uint32,bytes)[])",
    )
    data = call(transform, A, EEE, 10, 9, [(1, b"")])
    assert read(PROXY, data) == (opaque(name, A, ETHER, 10, 9),)
    (swap,) = read(PROXY, call(transform, A, B, 2**256 - 1, 9, []))
    assert (swap.amount, swap.basis) == (None, Basis.BALANCE)
    sell = "sellToUniswap(address[],uint256,uint256,bool)"
    for sushi, factory in ((False, UNISWAP_FACTORY), (True, SUSHISWAP_FACTORY)):
        (swap,) = read(PROXY, call(sell, [EEE, B], 10, 9, sushi), 10)
        hops = (Hop(PoolKind.V2, WETH, B, factory=factory),)
        assert swap == SwapIntent(name, hops, WETH, B, False, 10, 9, ME)
    path = bytes.fromhex(A[2:]) + (500).to_bytes(3, "big") + bytes.fromhex(B[2:])
    hops = (Hop(PoolKind.V3, A, B, 500, factory=FACTORY),)
    for method, given in (
        ("sellEthForTokenToUniswapV3(bytes,uint256,address)", (path, 9)),
        ("sellTokenForTokenToUniswapV3(bytes,uint256,uint256,address)", (path, 10, 9)),
        ("sellTokenForEthToUniswapV3(bytes,uint256,uint256,address)", (path, 10, 9)),
    ):
        for recipient, to in ((YOU, YOU), (ETHER, ME)):
            (swap,) = read(PROXY, call(method, *given, recipient), 10)
            assert swap == SwapIntent(name, hops, A, B, False, 10, 9, to)


# ParaSwap

TERMS = "address,address,uint256,uint256,uint256,bytes32,address"


def terms(one: str, two: str, to: str = YOU) -> tuple:
    """Tokens, what goes in, what comes out, a quote, an id, and who gets it."""
    return one, two, 10, 9, 11, b"", to


@pytest.mark.parametrize(("word", "exact_out"), [("In", False), ("Out", True)])
def test_the_general_swaps_of_paraswap_hide_their_route(word, exact_out):
    method = f"swapExactAmount{word}(address,({TERMS}),uint256,bytes,bytes)"
    amounts = (9, 10) if exact_out else (10, 9)
    for given, to in ((YOU, YOU), (ETHER, ME)):
        (swap,) = read(PARASWAP, call(method, POOL, terms(EEE, B, given), 0, b"", b""))
        assert swap == SwapIntent("ParaSwap v6.2", (), ETHER, B, exact_out, *amounts, to)


def word_of(token: str) -> bytes:
    return bytes(12) + bytes.fromhex(token[2:])


def v2_pool(one: str, two: str, first: bool) -> bytes:
    return bytes.fromhex(one[2:] + two[2:]) + bytes(23) + bytes([first])


def v3_pool(one: str, two: str, fee: int, first: bool) -> bytes:
    return bytes([first << 7]) + word_of(one)[1:] + word_of(two) + fee.to_bytes(32, "big")


@pytest.mark.parametrize(("word", "exact_out"), [("In", False), ("Out", True)])
def test_paraswaps_ways_through_pairs(word, exact_out):
    method = f"swapExactAmount{word}OnUniswapV2(({TERMS},bytes),uint256,bytes)"
    pools = [v2_pool(A, WETH, True), v2_pool(B, WETH, False)]
    hops = (
        Hop(PoolKind.V2, A, WETH, factory=UNISWAP_FACTORY, zero_for_one=True),
        Hop(PoolKind.V2, WETH, B, factory=UNISWAP_FACTORY, zero_for_one=False),
    )
    amounts = (9, 10) if exact_out else (10, 9)
    for order in (pools, pools[::-1]):
        (swap,) = read(PARASWAP, call(method, (*terms(A, B), b"".join(order)), 0, b""))
        assert swap == SwapIntent("ParaSwap v6.2", hops, A, B, exact_out, *amounts, YOU)
    ether = (*terms(EEE, B), v2_pool(B, WETH, False))
    (swap,) = read(PARASWAP, call(method, ether, 0, b""))
    assert (swap.token_in, swap.hops[0].token_in) == (ETHER, WETH)


@pytest.mark.parametrize(("word", "exact_out"), [("In", False), ("Out", True)])
def test_paraswaps_ways_through_v3_pools(word, exact_out):
    method = f"swapExactAmount{word}OnUniswapV3(({TERMS},bytes),uint256,bytes)"
    pools = v3_pool(A, WETH, 500, True) + v3_pool(B, WETH, 3000, False)
    (swap,) = read(PARASWAP, call(method, (*terms(A, B), pools), 0, b""))
    assert swap.hops == (
        Hop(PoolKind.V3, A, WETH, 500, factory=FACTORY, zero_for_one=True),
        Hop(PoolKind.V3, WETH, B, 3000, factory=FACTORY, zero_for_one=False),
    )
    assert swap.exact_out == exact_out


@pytest.mark.parametrize(
    ("pools", "reason"),
    [
        (b"", Unread.MALFORMED),
        (bytes(97), Unread.MALFORMED),
        (bytes(96 * (MAX_HOPS + 1)), Unread.TOO_LARGE),
        (bytes(64) + b"\x01" + bytes(31), Unread.MALFORMED),
        (bytes(32) + b"\x01" + bytes(63), Unread.MALFORMED),
    ],
)
def test_paraswaps_pools_are_whole_and_not_too_many(pools, reason):
    method = f"swapExactAmountInOnUniswapV3(({TERMS},bytes),uint256,bytes)"
    (found,) = read(PARASWAP, call(method, (*terms(A, B), pools), 0, b""))
    assert found.reason is reason


@pytest.mark.parametrize(("flag", "kind"), [(0, PoolKind.CURVE), (1, PoolKind.CURVE_UNDERLYING)])
def test_paraswaps_swaps_with_curve(flag, kind):
    packed, hop = number(POOL) | flag << 163, Hop(kind, pool=POOL, index_in=2, index_out=1)
    expected = SwapIntent("ParaSwap v6.2", (hop,), A, B, False, 10, 9, YOU)
    method = f"swapExactAmountInOnCurveV1((uint256,uint256,{TERMS}),uint256,bytes)"
    given = (packed, 2 << 128 | 1, *terms(A, B))
    assert read(PARASWAP, call(method, given, 0, b"")) == (expected,)
    method = f"swapExactAmountInOnCurveV2((uint256,uint256,uint256,address,{TERMS}),uint256,bytes)"
    given = (flag << 163, 2, 1, POOL, *terms(A, B))
    assert read(PARASWAP, call(method, given, 0, b"")) == (expected,)


VAULT_SWAP = (
    "swap((bytes32,uint8,address,address,uint256,bytes),(address,bool,address,bool),"
    "uint256,uint256)"
)
FUNDS = (ME, False, YOU, False)
IDENTITY = b"\x01" * 32
POOL_ID = "0x" + IDENTITY.hex()


@pytest.mark.parametrize("word", ["In", "Out"])
def test_paraswaps_swaps_with_balancer(word):
    given = "(uint256,uint256,uint256,bytes32,uint256),uint256,bytes,bytes"
    method = f"swapExactAmount{word}OnBalancerV2({given})"
    nested = call(VAULT_SWAP, (IDENTITY, int(word == "Out"), A, B, 10, b""), FUNDS, 9, UNTIL)
    hop = Hop(PoolKind.BALANCER, A, B, pool=POOL_ID)
    for packed, to in ((1 << 255 | number(OTHER), OTHER), (0, ME)):
        (swap,) = read(PARASWAP, call(method, (10, 9, 9, b"", packed), 0, b"", nested))
        assert swap == SwapIntent("ParaSwap v6.2", (hop,), A, B, word == "Out", 10, 9, to, UNTIL)
    (found,) = read(PARASWAP, call(method, (10, 9, 9, b"", 0), 0, b"", b"\xde\xad\xbe\xef"))
    assert found.reason is Unread.OPAQUE


@pytest.mark.parametrize(("router", "name"), [(OLD_PARASWAP, "ParaSwap v5"), (LIFI, "LiFi")])
def test_contracts_whose_methods_are_not_known_are_opaque(router, name):
    (found,) = read(router, b"\x01\x02\x03\x04")
    assert found == Undecoded(Unread.OPAQUE, f"methods of {name} are not known")


# Kyber, Odos, MetaMask, CoW

KYBER_TERMS = (
    "(address,address,address[],uint256[],address[],uint256[],address,"
    "uint256,uint256,uint256,bytes)"
)


@pytest.mark.parametrize(("flags", "limit"), [(0, 9), (1, None)])
def test_kyber_hides_its_route(flags, limit):
    given = (EEE, B, [POOL], [10], [], [], YOU, 10, 9, flags, b"")
    expected = opaque("Kyber MetaAggregationRouterV2", ETHER, B, 10, limit, YOU)
    whole = (POOL, POOL, b"", given, b"")
    for name in ("swap", "swapGeneric"):
        data = call(f"{name}((address,address,bytes,{KYBER_TERMS},bytes))", whole)
        assert read(KYBER, data) == (expected,)
    data = call(f"swapSimpleMode(address,{KYBER_TERMS},bytes,bytes)", POOL, given, b"", b"")
    assert read(KYBER, data) == (expected,)


def test_odos_hides_its_route():
    method = "swap((address,uint256,address,address,uint256,uint256,address),bytes,address,uint32)"
    data = call(method, (A, 10, POOL, ETHER, 11, 9, YOU), b"", POOL, 0)
    assert read(ODOS, data) == (opaque("Odos v2", A, ETHER, 10, 9, YOU),)
    several = "(address,uint256,address)[]"
    multi = f"swapMulti({several},{several},uint256,bytes,address,uint32)"
    inputs, output = [(A, 10, POOL), (ETHER, 11, POOL)], (B, 1, YOU)
    one, two = read(ODOS, call(multi, inputs, [output], 9, b"", POOL, 0))
    assert one == opaque("Odos v2", A, B, 10, None, YOU)
    assert two == opaque("Odos v2", ETHER, B, 11, None, YOU)
    (swap,) = read(ODOS, call(multi, inputs[:1], [output, output], 9, b"", POOL, 0))
    assert (swap.token_out, swap.recipient) == (None, ME)
    for method in ("swapCompact()", "swapMultiCompact()"):
        assert read(ODOS, call(method) + b"packed")[0].reason is Unread.OPAQUE


METASWAP = "swap(string,address,uint256,bytes)"
INNER = "address,address,uint256,uint256,uint256,uint256,address,bool"


@pytest.mark.parametrize(
    ("amount", "of_output", "least"), [(12, False, 9), (10, True, 7), (10, True, 1)]
)
def test_metamask_says_what_it_sells_and_wants(amount, of_output, least):
    """Its fee is of the input, beside the amount that goes on, or of the output."""
    fee, asked = (2, least) if not of_output else (8 - least, 8)
    inner = arguments(INNER, A, B, 10, asked, 288, fee, YOU, of_output)
    data = call(METASWAP, "someFeeDynamic", A, amount, inner)
    assert read(METAMASK, data) == (opaque("MetaMask swap", A, B, amount, least),)


@pytest.mark.parametrize(
    "inner",
    [
        b"",
        arguments(INNER, B, B, 10, 9, 288, 2, YOU, False),
        arguments(INNER, A, B, 10, 9, 288, 3, YOU, False),
        arguments(INNER, A, B, 10, 9, 256, 2, YOU, False),
    ],
)
def test_metamask_says_no_more_where_the_adapters_data_is_other(inner):
    data = call(METASWAP, "airswapLight2FeeDynamic", A, 12, inner)
    assert read(METAMASK, data) == (opaque("MetaMask swap", A, None, 12, None),)


ORDER = "(uint256,uint256,address,uint256,uint256,uint32,bytes32,uint256,uint256,uint256,bytes)"
SETTLE = f"settle(address[],uint256[],{ORDER}[],(address,uint256,bytes)[][3])"


def test_a_settlement_says_its_orders():
    def order(flags: int, to: str, sells: int = 0) -> tuple:
        return sells, 1, to, 10, 9, UNTIL, b"", 0, flags, 10, b"signature"

    orders = [order(0, YOU), order(1, ETHER)]
    data = call(SETTLE, [A, EEE], [1, 2], orders, [[], [(POOL, 0, b"")], []])
    one, two = read(COW, data)
    name = "CoW settlement"
    assert one == SwapIntent(name, (), A, ETHER, False, 10, 9, YOU, UNTIL)
    assert two == SwapIntent(name, (), A, ETHER, True, 9, 10, None, UNTIL)
    (found,) = read(COW, call(SETTLE, [A, EEE], [1, 2], [order(0, YOU, 2)], [[], [], []]))
    assert found.reason is Unread.MALFORMED


# Balancer and Curve


@pytest.mark.parametrize(("kind", "exact_out"), [(0, False), (1, True)])
def test_a_swap_of_the_vault(kind, exact_out):
    data = call(VAULT_SWAP, (IDENTITY, kind, A, ETHER, 10, b""), FUNDS, 9, UNTIL)
    hop = Hop(PoolKind.BALANCER, A, ETHER, pool=POOL_ID)
    name = "Balancer V2 vault"
    assert read(VAULT, data) == (SwapIntent(name, (hop,), A, ETHER, exact_out, 10, 9, YOU, UNTIL),)


BATCH = (
    "batchSwap(uint8,(bytes32,uint256,uint256,uint256,bytes)[],address[],"
    "(address,bool,address,bool),int256[],uint256)"
)


def batch(kind: int, steps: list[tuple[int, int, int]], limits=(10, 0, -9)) -> tuple:
    given = [(IDENTITY, one, two, amount, b"") for one, two, amount in steps]
    return read(VAULT, call(BATCH, kind, given, [A, WETH, B], FUNDS, limits, UNTIL))


def balancer(one: str, two: str) -> Hop:
    return Hop(PoolKind.BALANCER, one, two, pool=POOL_ID)


def test_a_batch_goes_on_where_a_step_has_no_amount():
    (swap,) = batch(0, [(0, 1, 10), (1, 2, 0)])
    assert swap.hops == (balancer(A, WETH), balancer(WETH, B))
    assert (swap.exact_out, swap.amount, swap.limit, swap.recipient) == (False, 10, 9, YOU)
    one, two = batch(0, [(0, 2, 4), (0, 2, 6)])
    assert [(s.amount, s.limit, len(s.hops)) for s in (one, two)] == [(4, 9, 1), (6, 9, 1)]


def test_a_batch_of_exact_outputs_is_written_backwards():
    (swap,) = batch(1, [(1, 2, 9), (0, 1, 0)])
    assert swap.hops == (balancer(A, WETH), balancer(WETH, B))
    assert (swap.exact_out, swap.amount, swap.limit) == (True, 9, 10)


def test_a_batch_may_set_no_limit():
    assert batch(0, [(0, 2, 4)], (10, 0, 5))[0].limit == 0


@pytest.mark.parametrize(
    ("kind", "steps", "reason"),
    [
        (0, [(0, 1, 0)], Unread.MALFORMED),
        (0, [(0, 1, 10), (0, 2, 0)], Unread.MALFORMED),
        (1, [(1, 2, 10), (0, 2, 0)], Unread.MALFORMED),
        (0, [(0, 3, 10)], Unread.MALFORMED),
        (2, [(0, 1, 10)], Unread.MALFORMED),
        (0, [(0, 1, 1), *[(1, 1, 0)] * MAX_HOPS], Unread.TOO_LARGE),
        (0, [], Unread.NO_SWAP),
    ],
)
def test_a_batch_that_does_not_hold_together_is_not_read(kind, steps, reason):
    (found,) = batch(kind, steps)
    assert found.reason is reason


def test_a_batch_has_a_limit_for_each_asset():
    (found,) = batch(0, [(0, 1, 10)], (10, 0))
    assert (found.reason, found.detail) == (Unread.MALFORMED, "not one limit for each asset")


@pytest.mark.parametrize(
    ("method", "after", "kind", "to"),
    [
        ("exchange(int128,int128,uint256,uint256)", (), PoolKind.CURVE, ME),
        ("exchange(uint256,uint256,uint256,uint256)", (), PoolKind.CURVE, ME),
        ("exchange(uint256,uint256,uint256,uint256,bool)", (True,), PoolKind.CURVE, ME),
        (
            "exchange(uint256,uint256,uint256,uint256,bool,address)",
            (True, YOU),
            PoolKind.CURVE,
            YOU,
        ),
        ("exchange(int128,int128,uint256,uint256,address)", (YOU,), PoolKind.CURVE, YOU),
        ("exchange_received(int128,int128,uint256,uint256,address)", (YOU,), PoolKind.CURVE, YOU),
        ("exchange_underlying(int128,int128,uint256,uint256)", (), PoolKind.CURVE_UNDERLYING, ME),
        ("exchange_underlying(uint256,uint256,uint256,uint256)", (), PoolKind.CURVE_UNDERLYING, ME),
    ],
)
def test_a_curve_pool_names_coins_by_their_places(method, after, kind, to):
    hop = Hop(kind, pool=CURVE, index_in=2, index_out=0)
    expected = SwapIntent("Curve pool", (hop,), None, None, False, 10, 9, to)
    assert read(CURVE, call(method, 2, 0, 10, 9, *after)) == (expected,)


def test_there_is_no_coin_before_the_first():
    (found,) = read(CURVE, call("exchange(int128,int128,uint256,uint256)", -1, 0, 10, 9))
    assert found.reason is Unread.MALFORMED
