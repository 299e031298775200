"""Swaps told by calls: of every kind of pool that says enough, and of none that does not."""

from __future__ import annotations

import attrs
import pytest
from eth_abi import encode
from eth_hash.auto import keccak

from tests.inspect.blocks import ANN, BEN, BOT, EVE, MANAGER, VAULT, WETH, A, B, C, P, Q
from tests.inspect.calling import Made, asked, balance, inspected, paid, pulled
from tests.support.encoding import address
from trio_mev.inspect import Inspection, Known
from trio_mev.inspect.fills import FILLS
from trio_mev.inspect.swapping import POOLS
from trio_mev.model.intents import ETHER

V2 = "swap(uint256,uint256,address,bytes)"
V3 = "swap(address,bool,int256,uint160,bytes)"
NETWORK = "0x2f9ec37d6ccfff1cab21733bdadede11c823ccb0"
PROXY = "0xdef1c0ded9bec7f1a1670819833240f027b25eff"
EEEE = "0x" + "e" * 40
BYTES32 = bytes(range(32))


def pair_call(pool: str, got: int, down: bool = True, to: str = BOT, *more: Made) -> Made:
    """A pair's swap, with what it reads of itself."""
    out = (0, got) if down else (got, 0)
    return asked(BOT, pool, V2, *out, to, b"").holding(
        paid(B if down else A, pool, to, got),
        *more,
        balance(A, pool, 1_000),
        balance(B, pool, 1_000),
    )


def pair_swap(pool: str, spent: int, got: int, down: bool = True) -> list[Made]:
    """A transfer to a pair and its swap."""
    return [paid(A if down else B, BOT, pool, spent), pair_call(pool, got, down)]


def tick_swap(
    pool: str, spent: int, got: int, down: bool = True, callback: str = "uniswapV3"
) -> Made:
    """A V3 pool's swap: it reads its balance, is paid when it calls back, and reads it again."""
    tokens = (A, B) if down else (B, A)
    amounts = (spent, -got) if down else (-got, spent)
    return asked(
        BOT, pool, V3, ANN, down, spent, 0, b"", answers=("int256,int256", amounts)
    ).holding(
        paid(tokens[1], pool, ANN, got),
        balance(tokens[0], pool, 7),
        asked(pool, BOT, f"{callback}SwapCallback(int256,int256,bytes)", *amounts, b"").holding(
            paid(tokens[0], BOT, pool, spent)
        ),
        balance(tokens[0], pool, 7 + spent),
    )


def one(*calls: Made, known: Known | None = None) -> tuple:
    """The only swap: pool, protocol, what was paid, what was got, sender, recipient."""
    (swap,) = found(*calls, known=known).swaps
    paid_, got = (swap.token_in, swap.amount_in), (swap.token_out, swap.amount_out)
    return swap.pool, swap.protocol, paid_, got, swap.sender, swap.recipient


def found(*calls: Made, known: Known | None = None) -> Inspection:
    return inspected(Made(EVE, BOT).holding(*calls), known=known)


# Uniswap V2


@pytest.mark.parametrize("down", [True, False])
def test_a_pairs_swap(down: bool):
    tokens = (A, B) if down else (B, A)
    assert one(*pair_swap(P, 10, 9, down)) == (
        P, "uniswap_v2", (tokens[0], 10), (tokens[1], 9), BOT, BOT,
    )  # fmt: skip


def test_a_fork_has_the_name_by_which_it_is_known():
    known = Known(protocol_of={P: "sushiswap"}.get)
    assert one(*pair_swap(P, 10, 9), known=known)[1] == "sushiswap"


def test_what_a_pair_is_paid_in_several_transfers_is_summed_up():
    assert one(paid(A, ANN, P, 4), *pair_swap(P, 10, 9))[2] == (A, 14)


def test_what_paid_for_a_swap_pays_for_no_other():
    first, second = found(*pair_swap(P, 10, 9), *pair_swap(P, 20, 19)).swaps
    assert (first.amount_in, second.amount_in) == (10, 20)


def test_a_flash_swap_is_paid_while_it_runs():
    later = asked(P, BOT, "uniswapV2Call(address,uint256,uint256,bytes)", BOT, 0, 9, b"").holding(
        paid(A, BOT, P, 11)
    )
    assert one(pair_call(P, 9, True, BOT, later))[2:4] == ((A, 11), (B, 9))


def test_a_flash_swap_that_gives_back_a_part_of_what_it_took_is_netted():
    later = asked(P, BOT, "uniswapV2Call(address,uint256,uint256,bytes)", BOT, 0, 9, b"").holding(
        paid(A, BOT, P, 11), paid(B, BOT, P, 2)
    )
    assert one(pair_call(P, 9, True, BOT, later))[2:4] == ((A, 11), (B, 7))


def test_a_transfer_that_swaps_itself_pays_when_it_is_done():
    """Some tokens sell what they have withheld on the way: the swap within is paid by the inner
    transfer alone, and the outer transfer pays for the swap after it."""
    outer = pulled(A, ANN, ANN, P, 100).holding(paid(A, A, P, 5), pair_call(P, 4, True, A))
    inner, after = found(outer, pair_call(P, 90)).swaps
    assert (inner.amount_in, after.amount_in) == (5, 100)


def test_a_pair_that_is_paid_without_a_call_is_told_by_its_balances():
    """What it has written before, others have read; what it has now, it reads itself."""
    read = asked(
        BOT, P, "getReserves()", answers=("uint112,uint112,uint32", (990, 1_009, 0)),
        kind="staticcall",
    )  # fmt: skip
    assert one(read, pair_call(P, 9))[2:4] == ((A, 10), (B, 9))
    assert found(pair_call(P, 9)).left_out == {"odd": 1}


def test_balances_after_one_swap_are_those_before_the_next():
    """Of another transaction too."""
    pair = pair_call(P, 9)
    pair.inner[-2:] = [balance(A, P, 1_020), balance(B, P, 991)]
    block = inspected(Made(EVE, BOT).holding(*pair_swap(P, 10, 9)), Made(ANN, BOT).holding(pair))
    assert [swap.amount_in for swap in block.swaps] == [10, 20]


def test_a_pair_that_reads_nothing_is_told_by_what_it_moves():
    bare = asked(BOT, P, V2, 0, 9, BOT, b"").holding(paid(B, P, BOT, 9))
    assert one(paid(A, BOT, P, 10), bare)[2:4] == ((A, 10), (B, 9))
    assert found(paid(A, BOT, P, 10), paid(C, BOT, P, 10), bare).left_out == {"without_tokens": 1}


def test_a_pair_that_reads_nothing_and_gives_both_is_not_told():
    call = asked(BOT, P, V2, 4, 9, BOT, b"").holding(paid(A, P, BOT, 4), paid(B, P, BOT, 9))
    assert found(paid(A, BOT, P, 10), call).left_out == {"without_tokens": 1}


def test_a_pair_that_is_known_needs_no_reading():
    bare = asked(BOT, P, V2, 0, 9, BOT, b"").holding(paid(B, P, BOT, 9))
    known = Known(tokens_of={P: (A, B)}.get)
    assert one(paid(A, BOT, P, 10), paid(C, BOT, P, 10), bare, known=known)[2] == (A, 10)


# Uniswap V3


@pytest.mark.parametrize("down", [True, False])
def test_a_v3_pools_swap(down: bool):
    tokens = (A, B) if down else (B, A)
    assert one(tick_swap(P, 10, 9, down)) == (
        P, "uniswap_v3", (tokens[0], 10), (tokens[1], 9), BOT, ANN,
    )  # fmt: skip


def test_whose_pool_it_is_shows_in_how_it_calls_back():
    assert one(tick_swap(P, 10, 9, callback="pancakeV3"))[1] == "pancake_v3"


def test_a_v3_pool_that_moved_nothing_is_left_out():
    empty = tick_swap(P, 10, 9)
    empty.inner.clear()
    assert found(empty).left_out == {"without_tokens": 1}
    known = Known(tokens_of={P: (A, B)}.get)
    assert one(empty, known=known)[2:4] == ((A, 10), (B, 9))


# Uniswap V4


def test_a_v4_pools_swap_has_its_id_and_ether():
    key = (ETHER, A, 3000, 60, address(0))
    word = (-5 << 128) | 40
    call = asked(
        BOT, MANAGER, FILLS["0xf3cd914c"][0], key, (True, -5, 0), b"", answers=("int256", [word])
    )
    name = "0x" + keccak(encode(["(address,address,uint24,int24,address)"], [key])).hex()
    assert one(call) == (name, "uniswap_v4", (ETHER, 5), (A, 40), BOT, None)
    assert found(attrs.evolve(call, target=Q)).swaps == ()


# Curve


@pytest.mark.parametrize(("name", "protocol"), [
    ("exchange", "curve"), ("exchange_underlying", "curve_underlying"),
])  # fmt: skip
def test_a_curve_pools_swap(name: str, protocol: str):
    moved = (pulled(A, P, BOT, P, 10), paid(B, P, BOT, 9))
    for text, _ in POOLS.values():
        if text.startswith(f"{name}(") and text.count(",") == 3:
            call = asked(BOT, P, text, 0, 1, 10, 8, answers=("uint256", [9])).holding(*moved)
            assert one(call)[:4] == (P, protocol, (A, 10), (B, 9))


def test_an_older_curve_pool_answers_nothing():
    text = POOLS["0x3df02124"][0]
    call = asked(BOT, P, text, 0, 1, 10, 8).holding(pulled(A, P, BOT, P, 10), paid(B, P, BOT, 9))
    assert one(call)[2:4] == ((A, 10), (B, 9))


def test_ether_in_a_curve_pool_has_no_log_and_is_seen():
    text = POOLS["0x3df02124"][0]
    call = asked(BOT, P, text, 0, 1, 10, 8, answers=("uint256", [9]), value=10)
    assert one(call.holding(paid(B, P, BOT, 9)))[2:4] == ((ETHER, 10), (B, 9))
    back = asked(BOT, P, text, 1, 0, 10, 8, answers=("uint256", [9])).holding(
        pulled(B, P, BOT, P, 10), Made(P, BOT, value=9)
    )
    assert one(back)[2:4] == ((B, 10), (ETHER, 9))


def test_whoever_is_named_gets_it():
    call = asked(
        BOT, P, POOLS["0xddc1f59d"][0], 0, 1, 10, 8, ANN, answers=("uint256", [9])
    ).holding(pulled(A, P, BOT, P, 10), paid(B, P, ANN, 9))
    assert one(call)[3:] == ((B, 9), BOT, ANN)


def test_a_curve_pool_may_have_been_paid_before():
    call = asked(
        BOT, P, POOLS["0xafb43012"][0], 0, 1, 10, 8, ANN, answers=("uint256", [9])
    ).holding(paid(B, P, ANN, 9))
    assert one(paid(A, BOT, P, 10), call)[2] == (A, 10)


def test_what_says_it_swaps_and_moves_nothing_is_left_out():
    call = asked(BOT, P, POOLS["0x3df02124"][0], 0, 1, 10, 8, answers=("uint256", [9]))
    assert found(call).left_out == {"without_tokens": 1}


# Balancer


def test_balancer_v1_says_all():
    moved = (pulled(A, P, BOT, P, 10), paid(B, P, BOT, 9))
    into = asked(
        BOT, P, FILLS["0x8201aa3f"][0], A, 10, B, 1, 2, answers=("uint256,uint256", (9, 1))
    )
    out = asked(
        BOT, P, FILLS["0x7c5e9ea4"][0], A, 99, B, 9, 2, answers=("uint256,uint256", (10, 1))
    )
    for call in (into, out):
        assert found(call).swaps == ()  # it has moved nothing
        assert one(call.holding(*moved)) == (P, "balancer_v1", (A, 10), (B, 9), BOT, BOT)


@pytest.mark.parametrize("given_in", [True, False])
@pytest.mark.parametrize("among", [True, False])
def test_balancers_vault_asks_pools_for_each_step(given_in: bool, among: bool):
    request = (int(not given_in), A, B, 10 if given_in else 9, BYTES32, 0, BOT, BOT, b"x")
    text = FILLS["0x01ec954a" if among else "0x9d2c110c"][0]
    rest = ([1, 2], 0, 1) if among else (1, 2)
    answer = ("uint256", [9 if given_in else 10])
    step = asked(VAULT, P, text, request, *rest, answers=answer)
    assert one(step)[:4] == ("0x" + BYTES32.hex(), "balancer_v2", (A, 10), (B, 9))
    assert found(attrs.evolve(step, source=BOT)).swaps == ()


def test_balancers_third_vault_answers_both_amounts():
    vault = "0xba1333333333a1ba1108e8412f11850a5c319ba9"
    call = asked(
        BOT, vault, FILLS["0x2bfb780c"][0], (0, P, A, B, 10, 0, b""),
        answers=("uint256,uint256,uint256", (9, 10, 9)),
    )  # fmt: skip
    assert one(call)[:4] == (P, "balancer_v3", (A, 10), (B, 9))
    assert found(attrs.evolve(call, target=Q)).swaps == ()


# Bancor, 0x and others


def test_bancor_converts_along_a_path():
    call = asked(
        BOT, NETWORK, FILLS["0xb77d239b"][0], [EEEE, C, A], 10, 1, address(0), address(0), 0,
        answers=("uint256", [9]),
    )  # fmt: skip
    assert one(call) == (NETWORK, "bancor", (ETHER, 10), (A, 9), BOT, BOT)
    assert found(attrs.evolve(call, target=Q)).swaps == ()
    assert found(attrs.evolve(call, data=call.data[: 10 + 6 * 64 + 64])).left_out == {"odd": 1}
    short = asked(
        BOT, NETWORK, FILLS["0xb77d239b"][0], [EEEE, A], 10, 1, address(0), address(0), 0,
        answers=("uint256", [9]),
    )  # fmt: skip
    assert found(short).left_out == {"odd": 1}


@pytest.mark.parametrize(("selector", "given", "answered"), [
    ("0xd3a4acd3", 10, 9), ("0x45d6602c", 9, 10),
])  # fmt: skip
def test_bancors_third_version(selector: str, given: int, answered: int):
    network = "0xeef417e1d5cc832e619ae18d2f140de2999dd4fb"
    call = asked(
        BOT, network, FILLS[selector][0], A, EEEE, given, 1, 2, ANN, answers=("uint256", [answered])
    )
    assert one(call) == (network, "bancor_v3", (A, 10), (ETHER, 9), BOT, ANN)
    assert found(attrs.evolve(call, target=Q)).swaps == ()


LIMIT = (B, A, 90, 100, 0, ANN, address(0), address(0), address(0), BYTES32, 1, 2)
RFQ = (B, A, 90, 100, ANN, address(0), EVE, BYTES32, 1, 2)
SIGNED = (2, 27, BYTES32, BYTES32)


@pytest.mark.parametrize(("selector", "order", "more", "answers", "who"), [
    ("0xf6274f66", LIMIT, (), (10, 9), BOT),
    ("0xaa77476c", RFQ, (), (10, 9), BOT),
    ("0x9240529c", LIMIT, (), (9,), BOT),
    ("0x438cdfc5", RFQ, (), (9,), BOT),
    ("0x414e4ccf", LIMIT, (EVE, BOT), (10, 9), EVE),
    ("0xa656186b", RFQ, (EVE,), (10, 9), EVE),
    ("0xaa6b21cd", RFQ, (EVE, False, BOT), (10, 9), EVE),
])  # fmt: skip
def test_orders_of_0x_are_filled(
    selector: str, order: tuple, more: tuple, answers: tuple, who: str
):
    """The taker is who it is, and not the proxy that fills its order."""
    types = ",".join(["uint128"] * len(answers))
    call = asked(BOT, PROXY, FILLS[selector][0], order, SIGNED, 10, *more, answers=(types, answers))
    assert one(call) == (PROXY, "0x", (A, 10), (B, 9), who, who)
    assert found(attrs.evolve(call, target=Q)).swaps == ()


def test_dodo_was_paid_before():
    call = asked(BOT, P, POOLS["0xbd6015b4"][0], ANN, answers=("uint256", [9]))
    call.holding(paid(B, P, ANN, 9))
    assert one(paid(A, BOT, P, 10), call)[1:4] == ("dodo", (A, 10), (B, 9))
    assert found(paid(A, BOT, P, 10), paid(C, BOT, P, 1), call).left_out == {"without_tokens": 1}


@pytest.mark.parametrize("selector", ["0xc51c9029", "0x3eece7db"])
def test_maverick_answers_both_amounts(selector: str):
    more = (10, True, False, 0, b"") if selector == "0xc51c9029" else ((10, True, False, 5), b"")
    call = asked(
        BOT, P, POOLS[selector][0], ANN, *more, answers=("uint256,uint256", (10, 9))
    ).holding(paid(B, P, ANN, 9), asked(P, BOT, "called()").holding(paid(A, BOT, P, 10)))
    assert one(call)[1:4] == ("maverick", (A, 10), (B, 9))


def test_uniswap_v1_trades_ether():
    bought = asked(BOT, P, POOLS["0xf39b5b9b"][0], 1, 2, answers=("uint256", [9]), value=10)
    assert one(bought.holding(paid(A, P, BOT, 9)))[1:4] == ("uniswap_v1", (ETHER, 10), (A, 9))
    sold = asked(BOT, P, POOLS["0x95e3c50b"][0], 10, 1, 2, answers=("uint256", [9]))
    sold.holding(pulled(A, P, BOT, P, 10), Made(P, BOT, value=9))
    assert one(sold)[1:4] == ("uniswap_v1", (A, 10), (ETHER, 9))


def test_mooniswap_says_all():
    call = asked(BOT, P, FILLS["0xd5bcb9b5"][0], A, B, 10, 1, address(0), answers=("uint256", [9]))
    assert found(call).swaps == ()
    call.holding(pulled(A, P, BOT, P, 10), paid(B, P, BOT, 9))
    assert one(call) == (P, "mooniswap", (A, 10), (B, 9), BOT, BOT)


# Whatever takes no effect, and whoever hands on


def test_a_swap_within_a_reverted_call_is_none():
    assert found(Made(BOT, Q).failing().holding(*pair_swap(P, 10, 9))).swaps == ()
    assert found(paid(A, BOT, P, 10), pair_call(P, 9).failing()).swaps == ()


@pytest.mark.parametrize("refused", [paid(A, BOT, P, 5), pulled(A, BEN, BOT, P, 5)])
def test_a_transfer_that_says_false_is_none(refused: Made):
    said = attrs.evolve(refused, output="0x" + "0" * 64)
    assert one(said, *pair_swap(P, 10, 9))[2] == (A, 10)


def test_what_is_called_like_a_transfer_and_is_none_moves_nothing():
    cut = paid(A, BOT, P, 5)
    for end in (10, 60, 100):
        assert one(attrs.evolve(cut, data=cut.data[:end]), *pair_swap(P, 10, 9))[2] == (A, 10)


def test_balances_of_others_and_answers_that_are_cut_say_nothing():
    own = pair_call(P, 9)
    cut = attrs.evolve(balance(C, P, 1), output="0x12")
    other = attrs.evolve(balance(C, BEN, 1), source=P)
    own.inner[:0] = [other, cut]
    assert one(paid(A, BOT, P, 10), own)[2:4] == ((A, 10), (B, 9))


def test_what_came_is_the_transfer_of_what_was_offered():
    """Not another one before it, and none where nothing fits."""
    for first in (paid(C, BOT, P, 3), paid(A, BOT, P, 10)):
        call = asked(BOT, P, POOLS["0x3df02124"][0], 0, 1, 10, 1).holding(
            first, pulled(A, P, BOT, P, 10), paid(B, P, BOT, 9), paid(C, P, BEN, 2)
        )
        assert one(call)[2:4] == ((A, 10), (B, 9))
    call = asked(BOT, P, POOLS["0x3df02124"][0], 0, 1, 10, 1).holding(paid(C, BOT, P, 3))
    assert found(call).left_out == {"without_tokens": 1}


def test_a_proxy_hands_on_and_counts_once():
    """By a delegate call, or by a call with the same data."""
    for kind in ("delegatecall", "call"):
        swap = pair_call(P, 9)
        inner = attrs.evolve(swap, source=P, target=C, kind=kind)
        outer = Made(BOT, P, swap.data).holding(inner)
        assert one(paid(A, BOT, P, 10), outer)[:4] == (P, "uniswap_v2", (A, 10), (B, 9))
        token = paid(A, BOT, P, 10)
        token.holding(attrs.evolve(token, source=A, target=C, kind=kind, inner=[]))
        assert one(token, pair_call(P, 9))[2] == (A, 10)


def test_a_static_call_swaps_nothing():
    quote = tick_swap(P, 10, 9)
    quote.kind = "staticcall"
    assert found(quote).swaps == ()


def test_data_that_is_cut_short_is_odd():
    for call in (pair_call(P, 9), tick_swap(P, 10, 9)):
        assert found(attrs.evolve(call, data=call.data[:80], output="0x12")).left_out == {"odd": 1}


# In the order in which logs would be


def test_a_swap_within_another_ends_before_it():
    later = asked(P, BOT, "uniswapV2Call(address,uint256,uint256,bytes)", BOT, 0, 9, b"").holding(
        *pair_swap(Q, 9, 12, down=False), paid(A, BOT, P, 11)
    )
    pools = [swap.pool for swap in found(pair_call(P, 9, True, BOT, later)).swaps]
    assert pools == [Q, P]
    assert found(pair_call(P, 9, True, BOT, later)).opportunities[0].gross == {A: 1}


def test_ether_that_is_wrapped_does_not_move():
    wrapped = Made(BOT, WETH, "0xd0e30db0", value=10)
    assert [swap.amount_in for swap in found(wrapped, *pair_swap(P, 10, 9)).swaps] == [10]
