"""Actions of 0x's Settlers: what they swap, and when nobody can say."""

from __future__ import annotations

import pytest
from eth_abi import encode
from eth_hash.auto import keccak
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.encoding import address, call, types_of, values_of
from trio_mev.chain.calldata import CallDecoder, Kind
from trio_mev.chain.calldata.plan import MAX_HOPS, MAX_STEPS
from trio_mev.chain.contracts import zerox
from trio_mev.chain.contracts.uniswap_v3 import FACTORY
from trio_mev.model.intents import ETHER, WETH, Basis, Hop, PoolKind, SwapIntent, Undecoded, Unread

A, B, C, ME, YOU, PAIR = (address(n) for n in (0xA, 0xB, 0xC, 0x3E, 0x44, 0xF00))
EEE, NOBODY = "0x" + "e" * 40, address(0)
SETTLER, HOLDER = address(0x5E77), "0x0000000000001ff3684f28c67538d4d072c22734"
DECODER = CallDecoder({SETTLER: Kind.SETTLER})
ACTION = {text.partition("(")[0]: text for text in zerox.ACTIONS.values()}
WHOLE = 10_000


def act(name: str, *values) -> bytes:
    return call(ACTION[name], *values)


def read(
    *actions: bytes, wanted: str = B, least: int = 9, to: str = YOU
) -> tuple[SwapIntent | Undecoded, ...]:
    """Of a Settler behind the AllowanceHolder, to which 10 of A are sold."""
    execute = "execute((address,address,uint256),bytes[],bytes32)"
    inner = call(execute, (to, wanted, least), list(actions), b"")
    outer = call("exec(address,address,uint256,address,bytes)", SETTLER, A, 10, SETTLER, inner)
    return DECODER.decode(HOLDER, outer, ME, 0)


def hidden(*actions: bytes, wanted: str = B) -> bool:
    """Whether nothing but what is sold for what is said."""
    bought = ETHER if wanted == EEE else wanted
    swap = SwapIntent("0x AllowanceHolder", (), A, bought, False, 10, 9, YOU)
    return read(*actions, wanted=wanted) == (swap,)


def paid(to: str, amount: int = 10, token: str = A) -> bytes:
    return act("TRANSFER_FROM", to, ((token, amount), 0, 0), b"")


def v2(share: int = 0, to: str = SETTLER, token: str = A, info: int = 30 << 8, least: int = 0):
    return act("UNISWAPV2", to, token, share, PAIR, info, least)


def v3_path(*parts: str | int, limit: bool = False) -> bytes:
    """Tokens, with fork times 2^24 plus fee between each two; and a price limit of 7."""
    raw = b""
    for part in parts:
        if isinstance(part, str):
            raw += bytes.fromhex(part[2:])
        else:
            raw += part.to_bytes(4, "big") + (7).to_bytes(20, "big") * limit
    return raw


def fill(token: str, follows: int, part: int = WHOLE, hook_data: int = 0) -> bytes:
    raw = part.to_bytes(2, "big") + bytes([follows]) + bytes.fromhex(token[2:])
    raw += (500).to_bytes(3, "big") + (10).to_bytes(3, "big") + bytes(20)
    return raw + hook_data.to_bytes(3, "big")


def v4(fills: bytes, token: str = A, to: str = SETTLER, share: int = WHOLE) -> bytes:
    return act("UNISWAPV4", to, token, share, False, 0, 0, fills, 0)


def test_a_pair_that_the_user_pays_gets_a_given_amount():
    (swap,) = read(paid(PAIR), v2())
    hop = Hop(PoolKind.V2, A, B, 3000, PAIR, zero_for_one=False)
    assert swap == SwapIntent("0x AllowanceHolder", (hop,), A, B, False, 10, 9, YOU)


def test_a_pairs_flags_are_its_direction_and_a_fee_of_the_token():
    (swap,) = read(paid(PAIR), v2(info=(25 << 8) + 3, to=ME, least=20))
    assert (swap.hops[0].fee, swap.hops[0].zero_for_one, swap.taxed) == (2500, True, True)
    # It is demanded of the pool as well, which pays somebody else at once.
    assert (swap.limit, swap.recipient) == (20, ME)


@pytest.mark.parametrize(
    ("sent", "share", "basis"),
    [
        (paid(PAIR, token=C), 0, Basis.PAID),
        (paid(PAIR, 2**256 - 5), 0, Basis.PAID),
        (paid(SETTLER), 0, Basis.PAID),
        (paid(SETTLER), WHOLE, Basis.SHARE),
    ],
)
def test_amounts_that_no_number_says(sent, share, basis):
    (swap,) = read(sent, v2(share))
    assert (swap.amount, swap.basis) == (None, basis)


def test_wrapped_ether_is_what_a_pair_gives_where_ether_is_wanted():
    unwrap = act("BASIC", WETH, WHOLE, WETH, 4, bytes.fromhex("2e1a7d4d") + bytes(32))
    fee = act("BASIC", EEE, 85, YOU, 0, b"")
    (swap,) = read(paid(PAIR), v2(), unwrap, fee, wanted=EEE)
    assert (swap.token_out, swap.hops[0].token_out, swap.limit) == (WETH, WETH, 9)


def test_ether_may_be_wrapped_in_the_end():
    wrap = act("BASIC", EEE, WHOLE, WETH, 4, bytes.fromhex("d0e30db0"))
    (swap,) = read(paid(SETTLER), v4(fill(EEE, 1)), wrap, wanted=WETH)
    assert (swap.token_out, swap.limit, swap.recipient) == (ETHER, 9, YOU)


@pytest.mark.parametrize("limit", [False, True])
def test_paths_of_v3_with_and_without_price_limits(limit):
    path = v3_path(A, 500, C, (1 << 24) + 3000, B, limit=limit)
    (swap,) = read(act("UNISWAPV3", SETTLER, WHOLE, path, 0))
    assert swap.hops == (
        Hop(PoolKind.V3, A, C, 500, None, FACTORY),
        # Of a fork, whose factory is not said.
        Hop(PoolKind.V3, C, B, 3000, None, None),
    )
    assert (swap.amount, swap.basis, swap.price_limit) == (None, Basis.SHARE, None)
    (swap,) = read(act("UNISWAPV3", SETTLER, WHOLE, v3_path(A, 500, B, limit=limit), 0))
    assert swap.price_limit == (7 if limit else None)


@pytest.mark.parametrize("path", [v3_path(A, 500, B), v3_path(500, B), v3_path(500, B, limit=True)])
def test_a_v3_pool_that_the_user_pays_at_once(path):
    permit = (A, 10), 0, 0
    (swap,) = read(act("UNISWAPV3_VIP", SETTLER, permit, path, b"", 0))
    assert (swap.token_in, swap.token_out, swap.amount, swap.basis) == (A, B, 10, Basis.GIVEN)
    permit = (A, 2**256 - 5), 0, 0
    (swap,) = read(act("UNISWAPV3_VIP", SETTLER, permit, path, b"", 0))
    assert (swap.amount, swap.basis) == (None, Basis.SHARE)


def test_fills_of_v4_that_follow_each_other_are_one_way():
    (swap,) = read(paid(SETTLER), v4(fill(C, 1) + fill(B, 2)))
    assert swap.hops == (
        Hop(PoolKind.V4, A, C, 500, None, None, 10, ETHER, zero_for_one=True),
        Hop(PoolKind.V4, C, B, 500, None, None, 10, ETHER, zero_for_one=False),
    )


def test_several_swaps_into_what_is_wanted_have_one_limit_together():
    one, two = read(paid(SETTLER), v4(fill(B, 1), share=5000), v4(fill(B, 1)))
    assert [(swap.limit, swap.joint_limit) for swap in (one, two)] == [(None, 9), (None, 9)]
    # A pair may give it as well.
    pair, other = read(paid(PAIR), v2(), v4(fill(B, 1), token=C))
    assert (pair.token_out, other.limit, other.joint_limit) == (None, None, 9)


def test_a_settler_that_checks_nothing_in_the_end():
    (swap,) = read(paid(SETTLER), v4(fill(B, 1), to=YOU), wanted=NOBODY, least=0)
    assert (swap.token_out, swap.limit, swap.recipient) == (B, None, YOU)


def test_the_caller_gets_what_is_for_nobody():
    (swap,) = read(paid(SETTLER), v4(fill(B, 1)), to=NOBODY)
    assert swap.recipient is None


def test_half_a_route_is_none():
    swap = paid(SETTLER), v4(fill(B, 1))
    payment = act("BASIC", B, 85, B, 36, bytes.fromhex("a9059cbb") + bytes(64))
    extra = call("POSITIVE_SLIPPAGE(address,address,uint256)", YOU, B, 1)
    assert not hidden(*swap, payment, extra)
    for other in (
        act("BASIC", A, WHOLE, C, 36, bytes.fromhex("3df02124") + bytes(128)),
        b"\xde\xad\xbe\xef",
        v2()[:-1],
        act("UNISWAPV3", SETTLER, 0, v3_path(A, 500, B), 0),
        act("UNISWAPV3", SETTLER, WHOLE, b"", 0),
        act("UNISWAPV3", SETTLER, WHOLE, v3_path(A), 0),
        act("UNISWAPV3", SETTLER, WHOLE, v3_path(A, 500, B)[:-1], 0),
        # As many bytes as eleven pools have, or six with price limits.
        act("UNISWAPV3", SETTLER, WHOLE, v3_path(A, *[500, B] * 11), 0),
        act("UNISWAPV3", SETTLER, WHOLE, v3_path(A, *[500, B] * (MAX_HOPS + 1)), 0),
        v4(b""),
        v4(fill(B, 1)[:-1]),
        v4(fill(B, 1), share=0),
        v4(fill(B, 2)),
        v4(fill(C, 1) + fill(B, 1)),
        v4(fill(B, 1, part=5000)),
        v4(fill(B, 1, hook_data=1)),
        v4(fill(C, 1) + fill(B, 2) * MAX_HOPS),
    ):
        assert hidden(*swap, other)
    # Nothing, or two pairs that do not say what they give.
    assert hidden()
    assert hidden(paid(PAIR), v2(), v2(WHOLE, token=C))
    (none,) = read(paid(YOU), wanted=NOBODY, least=0)
    assert none.hops == ()


def test_a_settler_has_so_many_actions_and_no_more():
    (found,) = read(*[paid(YOU)] * (MAX_STEPS + 1))
    assert found.reason is Unread.TOO_LARGE


@st.composite
def any_action(draw) -> bytes:
    """Of a known kind, with arguments as they should be, or not."""
    signature = draw(st.sampled_from(sorted(zerox.ACTIONS.values())))
    selector = keccak(signature.encode())[:4]
    if draw(st.booleans()):
        return selector + draw(st.binary(max_size=400))
    values = [draw(values_of(name)) for name in types_of(signature)]
    return selector + encode(types_of(signature), values)


@settings(max_examples=300, deadline=None)
@given(st.lists(any_action(), max_size=4))
def test_random_actions_never_raise(actions):
    assert all(isinstance(one, SwapIntent | Undecoded) for one in read(*actions))
