"""Swaps by contracts that say all of them in a call's arguments and its answer: Balancer, Bancor,
0x's own orders, Uniswap V4."""

from __future__ import annotations

from ..chain.abi import arguments_of
from ..chain.keccak import keccak256
from ..model.intents import ETHER
from .calls import Call
from .trades import Pools, Read, Side, Spot, Trade, sides
from .view import account, word

_EEEE = "0x" + "e" * 40


def _token(text: str) -> str:
    """Some write ether in another way."""
    return ETHER if text == _EEEE else text


def _exact(spot: Spot, given_in: bool) -> Trade | None:
    """A Balancer V1 pool: token and amount in, token and amount out; one amount is the answer."""
    text = spot.call.input
    answered = word(spot.call.output, 0, 2)
    paid, got = (word(text, 1), answered) if given_in else (answered, word(text, 3))
    return _moved(spot, "balancer_v1", Side(account(text, 0), paid), Side(account(text, 2), got))


def _moved(spot: Spot, protocol: str, paid: Side, got: Side) -> Trade | None:
    """What a pool says of itself, where it has really moved as much."""
    call, view = spot.call, spot.view
    pool, who = call.target, call.source
    into, out = view.into(pool, spot.place), view.out_of(pool, spot.place)
    if not any((one.token, one.amount) == (paid.token, paid.amount) for one in into) or not any(
        (one.token, one.amount) == (got.token, got.amount) for one in out
    ):
        return None
    return Trade(pool, protocol, paid, got, who, who)


def _exact_in(spot: Spot, _: Pools) -> Trade | None:
    return _exact(spot, given_in=True)


def _exact_out(spot: Spot, _: Pools) -> Trade | None:
    return _exact(spot, given_in=False)


_ASKED = "(uint8,address,address,uint256,bytes32,uint256,address,address,bytes)"
_ON_SWAP = arguments_of(f"onSwap({_ASKED},uint256,uint256)")
_ON_SWAP_AMONG = arguments_of(f"onSwap({_ASKED},uint256[],uint256,uint256)")


def _asked(spot: Spot, pools: Pools) -> Trade | None:
    """The Balancer V2 vault asks a pool for each step's other amount."""
    call = spot.call
    if call.source not in pools.known.vaults:
        return None
    method = _ON_SWAP_AMONG if call.input.startswith("0x01ec954a") else _ON_SWAP
    asked = method.read(bytes.fromhex(call.input[10:]))[0]
    kind, token_in, token_out, amount, pool = asked[:5]
    answered = word(call.output, 0, 2)
    paid, got = (amount, answered) if kind == 0 else (answered, amount)
    name = pool if isinstance(pool, str) else "0x" + bytes(pool).hex()
    return Trade(name, "balancer_v2", Side(token_in, paid), Side(token_out, got), None, None)


def _vault_v3(spot: Spot, pools: Pools) -> Trade | None:
    """``swap((kind, pool, tokenIn, tokenOut, ...))`` of Balancer V3's vault answers the amount
    that was not given, what was paid and what was got."""
    call = spot.call
    if call.target not in pools.known.vaults:
        return None
    at = word(call.input, 0) // 32
    pool, token_in, token_out = (account(call.input, at + n) for n in (1, 2, 3))
    paid, got = word(call.output, 1, 2), word(call.output, 2, 2)
    return Trade(pool, "balancer_v3", Side(token_in, paid), Side(token_out, got), None, None)


def _path(spot: Spot, pools: Pools) -> Trade | None:
    """``convertByPath(address[] path, uint256 amount, ...)`` of Bancor's network, whose converters
    it calls."""
    call = spot.call
    if call.target not in pools.known.networks:
        return None
    at = word(call.input, 0) // 32
    last = at + word(call.input, at)
    if last - at < 3:
        raise ValueError("a path without an end")
    paid = Side(_token(account(call.input, at + 1)), word(call.input, 1))
    got = Side(_token(account(call.input, last)), word(call.output, 0, 2))
    return Trade(call.target, "bancor", paid, got, call.source, _somebody(call, 3))


def _somebody(call: Call, number: int) -> str:
    """Who is named to get it, or the caller."""
    named = account(call.input, number)
    return named if int(named, 16) else call.source


def _bancor_v3(given_in: bool) -> Read:
    def read(spot: Spot, pools: Pools) -> Trade | None:
        call = spot.call
        if call.target not in pools.known.networks:
            return None
        given, answered = word(call.input, 2), word(call.output, 0, 2)
        paid, got = (given, answered) if given_in else (answered, given)
        return Trade(
            call.target,
            "bancor_v3",
            Side(_token(account(call.input, 0)), paid),
            Side(_token(account(call.input, 1)), got),
            call.source,
            _somebody(call, 5),
        )

    return read


def _order(filled: int | None, taker: int | None) -> Read:
    """0x: an order's maker gives its first token for its second one.

    Args:
        filled: which argument is how much is paid, where the answer is what is got alone.
        taker: which argument is the taker, where it is not the caller.
    """

    def read(spot: Spot, pools: Pools) -> Trade | None:
        call = spot.call
        if call.target not in pools.known.proxies:
            return None
        if filled is None:
            paid, got = word(call.output, 0, 2), word(call.output, 1, 2)
        else:
            paid, got = word(call.input, filled), word(call.output, 0, 2)
        who = call.source if taker is None else account(call.input, taker)
        return Trade(
            call.target,
            "0x",
            Side(_token(account(call.input, 1)), paid),
            Side(_token(account(call.input, 0)), got),
            who,
            who,
        )

    return read


_V4 = arguments_of("swap((address,address,uint24,int24,address),(bool,int256,uint160),bytes)")


def _v4(spot: Spot, pools: Pools) -> Trade | None:
    """The PoolManager of Uniswap V4 answers both amounts in one word, as its caller sees them:
    what is paid is negative. Where a pool's hooks take or give something, that is in it."""
    call = spot.call
    if call.target not in pools.known.managers:
        return None
    data = bytes.fromhex(call.input[10:])
    key, _, _ = _V4.read(data)
    answer = word(call.output, 0, 2)
    amounts = -_half(answer >> 128), -_half(answer & _LOW)
    paid, got = sides(key[:2], amounts)
    return Trade(keccak256(data[: 5 * 32]), "uniswap_v4", paid, got, call.source, None)


_LOW = (1 << 128) - 1


def _half(value: int) -> int:
    """128 bits in two's complement."""
    return value - (1 << 128) if value >> 127 else value


def _mooniswap(spot: Spot, _: Pools) -> Trade | None:
    """``swap(src, dst, amount, minReturn, referral)`` answers what was got."""
    text = spot.call.input
    paid = Side(account(text, 0), word(text, 2))
    return _moved(spot, "mooniswap", paid, Side(account(text, 1), word(spot.call.output, 0, 2)))


_LIMIT = (
    "(address,address,uint128,uint128,uint128,"
    "address,address,address,address,bytes32,uint64,uint256)"
)
_RFQ = "(address,address,uint128,uint128,address,address,address,bytes32,uint64,uint256)"
_SIGNED = "(uint8,uint8,bytes32,bytes32),uint128"

FILLS: dict[str, tuple[str, Read]] = {
    "0x8201aa3f": ("swapExactAmountIn(address,uint256,address,uint256,uint256)", _exact_in),
    "0x7c5e9ea4": ("swapExactAmountOut(address,uint256,address,uint256,uint256)", _exact_out),
    "0x9d2c110c": (f"onSwap({_ASKED},uint256,uint256)", _asked),
    "0x01ec954a": (f"onSwap({_ASKED},uint256[],uint256,uint256)", _asked),
    "0x2bfb780c": ("swap((uint8,address,address,address,uint256,uint256,bytes))", _vault_v3),
    "0xf3cd914c": (
        "swap((address,address,uint24,int24,address),(bool,int256,uint160),bytes)",
        _v4,
    ),
    "0xd5bcb9b5": ("swap(address,address,uint256,uint256,address)", _mooniswap),
    "0xb77d239b": ("convertByPath(address[],uint256,uint256,address,address,uint256)", _path),
    "0xd3a4acd3": (
        "tradeBySourceAmount(address,address,uint256,uint256,uint256,address)",
        _bancor_v3(given_in=True),
    ),
    "0x45d6602c": (
        "tradeByTargetAmount(address,address,uint256,uint256,uint256,address)",
        _bancor_v3(given_in=False),
    ),
    "0xf6274f66": (f"fillLimitOrder({_LIMIT},{_SIGNED})", _order(None, None)),
    "0xaa77476c": (f"fillRfqOrder({_RFQ},{_SIGNED})", _order(None, None)),
    "0x9240529c": (f"fillOrKillLimitOrder({_LIMIT},{_SIGNED})", _order(16, None)),
    "0x438cdfc5": (f"fillOrKillRfqOrder({_RFQ},{_SIGNED})", _order(14, None)),
    "0x414e4ccf": (f"_fillLimitOrder({_LIMIT},{_SIGNED},address,address)", _order(None, 17)),
    "0xa656186b": (f"_fillRfqOrder({_RFQ},{_SIGNED},address)", _order(None, 15)),
    "0xaa6b21cd": (f"_fillRfqOrder({_RFQ},{_SIGNED},address,bool,address)", _order(None, 15)),
}
"""Selector to signature, and how it is read."""
