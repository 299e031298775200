"""Swaps from logs: which tokens they are of, and which of them are left without."""

from __future__ import annotations

import msgspec
import pytest

from tests.inspect.blocks import (
    ANN,
    BOT,
    EVE,
    KNOWN,
    MANAGER,
    ROUTER,
    V2,
    V3,
    VAULT,
    WETH,
    A,
    B,
    C,
    P,
    Q,
    act,
    inspect,
    sent,
    swapped,
)
from tests.support.encoding import address, log
from trio_mev.inspect import Known
from trio_mev.inspect.makers import made_by
from trio_mev.model.intents import ETHER
from trio_mev.model.opportunity import SwapRecord

UNKNOWN = Known()
CURVE = "TokenExchange(address*,int128,uint256,int128,uint256)"
UNDERLYING = "TokenExchangeUnderlying(address*,int128,uint256,int128,uint256)"
V4 = "Swap(bytes32*,address*,int128,int128,uint160,uint128,int24,uint24)"


def tokens(*logs, known=UNKNOWN):
    """In and out, of each swap of one transaction."""
    return [(s.token_in, s.token_out) for s in inspect(act(ANN, ROUTER, *logs), known=known).swaps]


def left_out(*logs, known=UNKNOWN):
    return inspect(act(ANN, ROUTER, *logs), known=known).left_out


def test_a_swap_says_who_swapped_what_where():
    (swap,) = inspect(act(ANN, ROUTER, swapped(P, 10, 9))).swaps
    assert swap == SwapRecord(
        P, "uniswap_v2", A, 10, B, 9, f"0x{0:064x}", 0, sender=BOT, recipient=BOT
    )
    (back,) = inspect(act(ANN, ROUTER, swapped(P, 10, 9, down=False))).swaps
    assert (back.token_in, back.token_out) == (B, A)


def test_a_fork_has_its_own_name_where_somebody_knows_it():
    known = Known(tokens_of=KNOWN.tokens_of, protocol_of={P: "sushiswap"}.get)
    swaps = inspect(act(ANN, ROUTER, swapped(P, 10, 9), swapped(Q, 10, 9)), known=known).swaps
    assert [swap.protocol for swap in swaps] == ["sushiswap", "uniswap_v2"]


def test_tokens_are_told_by_transfers_of_exactly_the_amounts():
    moved = (sent(A, ANN, P, 10), sent(B, P, ANN, 9), sent(C, ANN, BOT, 10))
    assert tokens(*moved, swapped(P, 10, 9)) == [(A, B)]


def test_a_payment_may_come_in_parts():
    moved = (sent(A, ANN, P, 4), sent(A, BOT, P, 6), sent(B, P, ANN, 9))
    assert tokens(*moved, swapped(P, 10, 9)) == [(A, B)]


def test_two_tokens_that_fit_are_neither_of_them():
    moved = (sent(B, P, ANN, 9), sent(C, P, ANN, 9), sent(A, ANN, P, 10))
    assert tokens(*moved, swapped(P, 10, 9)) == []
    assert left_out(*moved, swapped(P, 10, 9)) == {"without_tokens": 1}


def test_the_order_of_addresses_settles_which_is_meant():
    """The pool's second token is above its first, so what is paid for A can only be B."""
    moved = (sent(B, ANN, P, 10), sent(A, P, ANN, 9), sent(C, P, ANN, 9))
    assert tokens(*moved, swapped(P, 10, 9, down=False)) == [(B, A)]
    assert tokens(sent(B, ANN, P, 10), sent(A, P, ANN, 9), swapped(P, 10, 9)) == []


def test_a_token_that_logs_less_than_it_moves_is_told_by_being_the_only_one():
    taxed_out = (sent(A, ANN, P, 10), sent(B, P, ANN, 8))
    taxed_in = (sent(A, ANN, P, 11), sent(B, P, ANN, 9))
    both = (sent(A, ANN, P, 11), sent(B, P, ANN, 8))
    another = (*taxed_out, sent(C, P, ANN, 1))
    assert tokens(*taxed_out, swapped(P, 10, 9)) == [(A, B)]
    assert tokens(*taxed_in, swapped(P, 10, 9)) == [(A, B)]
    assert tokens(*both, swapped(P, 10, 9)) == []
    assert tokens(*another, swapped(P, 10, 9)) == []


def test_some_forks_log_first_and_move_the_tokens_then():
    v3 = log(V3, ANN, ANN, 10, -9, 2**96, 7, -1, emitter=P)
    assert tokens(v3, sent(A, ANN, P, 10), sent(B, P, ANN, 9)) == [(A, B)]


def test_what_one_swap_tells_of_a_pool_holds_for_its_others():
    told = (sent(A, ANN, P, 10), sent(B, P, ANN, 9), swapped(P, 10, 9))
    assert tokens(*told, swapped(P, 3, 4, down=False)) == [(A, B), (B, A)]


def test_a_pool_that_tells_two_different_things_tells_nothing():
    one = (sent(A, ANN, P, 10), sent(B, P, ANN, 9), swapped(P, 10, 9))
    other = (sent(A, ANN, P, 20), sent(C, P, ANN, 19), swapped(P, 20, 19))
    again = (sent(A, ANN, P, 30), sent(B, P, ANN, 29), swapped(P, 30, 29))
    assert left_out(*one, *other, *again) == {"without_tokens": 3}


def test_what_is_known_of_a_pool_is_believed_over_transfers():
    moved = (sent(A, ANN, P, 10), sent(C, P, ANN, 9))
    assert tokens(*moved, swapped(P, 10, 9), known=KNOWN) == [(A, B)]


def test_a_swap_that_gives_nothing_or_takes_nothing_is_odd():
    flash = log(V2, ANN, 10, 3, 9, 2, ANN, emitter=P)
    nothing = log(V3, ANN, ANN, 10, 0, 2**96, 7, -1, emitter=P)
    same = log(CURVE, ANN, 1, 10, 1, 9, emitter=P)
    assert left_out(flash, nothing, same) == {"odd": 3}


def test_both_sides_of_a_pair_may_be_paid():
    """A token that pays its pool on the way in: what counts is the difference."""
    (swap,) = inspect(act(ANN, ROUTER, log(V2, ANN, 5, 10, 25, 0, ANN, emitter=P))).swaps
    assert (swap.token_in, swap.amount_in, swap.token_out, swap.amount_out) == (B, 10, A, 20)


@pytest.mark.parametrize(
    "signature",
    [
        CURVE,
        "TokenExchange(address*,uint256,uint256,uint256,uint256)",
        "TokenExchange(address*,uint256,uint256,uint256,uint256,uint256,uint256)",
    ],
)
def test_coins_of_curve_are_those_at_their_places(signature):
    more = (0, 0) if signature.count("uint256") == 6 else ()
    known = Known(tokens_of={P: (A, B, C)}.get)
    found = inspect(act(ANN, P, log(signature, ANN, 2, 10, 0, 9, *more, emitter=P)), known=known)
    (swap,) = found.swaps
    assert (swap.protocol, swap.token_in, swap.token_out) == ("curve", C, A)
    (swap,) = inspect(
        act(
            ANN,
            P,
            sent(C, ANN, P, 10),
            sent(A, P, ANN, 9),
            log(signature, ANN, 2, 10, 0, 9, *more, emitter=P),
        ),
        known=UNKNOWN,
    ).swaps
    assert (swap.token_in, swap.token_out) == (C, A)


def test_a_place_that_the_pool_does_not_have_is_no_coin():
    known = Known(tokens_of={P: (A, B)}.get)
    assert left_out(log(CURVE, ANN, 0, 10, 2, 9, emitter=P), known=known) == {"without_tokens": 1}
    negative = log(CURVE, ANN, -1, 10, 0, 9, emitter=P)
    assert left_out(negative, known=known) == {"without_tokens": 1}


def test_coins_underneath_are_not_those_of_the_pool():
    known = Known(tokens_of={P: (A, B)}.get)
    under = log(UNDERLYING, ANN, 0, 10, 1, 9, emitter=P)
    assert left_out(under, known=known) == {"without_tokens": 1}
    assert tokens(sent(C, ANN, P, 10), sent(B, P, ANN, 9), under, known=known) == [(C, B)]


def test_a_list_of_coins_with_one_twice_gives_no_swap():
    known = Known(tokens_of={P: (A, A)}.get)
    assert left_out(swapped(P, 10, 9), known=known) == {"without_tokens": 1}


def test_balancer_names_its_tokens():
    v2 = log("Swap(bytes32*,address*,address*,uint256,uint256)", b"\1" * 32, A, B, 10, 9)
    v3 = log(
        "Swap(address*,address*,address*,uint256,uint256,uint256,uint256)", P, B, A, 8, 7, 1, 0
    )
    v1 = log("LOG_SWAP(address*,address*,address*,uint256,uint256)", ANN, A, C, 6, 5, emitter=Q)
    v3_vault = "0xba1333333333a1ba1108e8412f11850a5c319ba9"
    moved = [emitted(v2, VAULT), emitted(v3, v3_vault), v1, sent(A, ANN, Q, 6), sent(C, Q, ANN, 5)]
    swaps = inspect(act(ANN, VAULT, *moved), known=UNKNOWN).swaps
    assert [(s.protocol, s.pool, s.token_in, s.token_out) for s in swaps] == [
        ("balancer_v2", "0x" + "01" * 32, A, B),
        ("balancer_v3", P, B, A),
        ("balancer_v1", Q, A, C),
    ]


NAMING = {
    "balancer_v1": log("LOG_SWAP(address*,address*,address*,uint256,uint256)", ANN, A, B, 10, 9),
    "dodo": log("DODOSwap(address,address,uint256,uint256,address,address)", A, B, 10, 9, ANN, BOT),
    "mooniswap": log(
        "Swapped(address*,address*,address*,uint256,uint256,uint256,uint256,uint256,address)",
        *(ANN, A, B, 10, 9, 1, 1, 1, C),
    ),
    "1inch": log(
        "Swapped(address*,address*,address*,address,uint256,uint256,uint256,uint256,address)",
        *(ANN, BOT, A, B, 10, 9, 1, 1, C),
    ),
}


@pytest.mark.parametrize("who", NAMING)
def test_what_a_pool_names_must_have_moved(who):
    """Anybody can log names."""
    protocol = "mooniswap" if who == "1inch" else who
    said, paid, got = emitted(NAMING[who], P), sent(A, ANN, P, 10), sent(B, P, ANN, 9)
    (swap,) = inspect(act(ANN, P, said, paid, got), known=UNKNOWN).swaps
    assert (swap.protocol, swap.pool) == (protocol, P)
    assert (swap.token_in, swap.amount_in, swap.token_out, swap.amount_out) == (A, 10, B, 9)
    assert left_out(said) == left_out(said, paid) == {"without_tokens": 1}
    assert left_out(said, paid, sent(C, P, ANN, 9)) == {"without_tokens": 1}


MAVERICK = "Swap(address,address,bool,bool,uint256,uint256,int32)"
MAVERICK_V2 = "PoolSwap(address,address,(uint256,bool,bool,int32),uint256,uint256)"


@pytest.mark.parametrize("first", [True, False])
@pytest.mark.parametrize("signature", [MAVERICK, MAVERICK_V2])
def test_maverick_says_which_of_its_tokens_is_paid(signature, first):
    asked = ((10, first, False, 7), 10, 9) if signature == MAVERICK_V2 else (first, True, 10, 9, 7)
    paid, got = (A, B) if first else (B, A)
    moved = sent(paid, ANN, P, 10), sent(got, P, BOT, 9)
    (swap,) = inspect(act(ANN, P, *moved, log(signature, ANN, BOT, *asked, emitter=P))).swaps
    assert (swap.protocol, swap.token_in, swap.token_out) == ("maverick", paid, got)
    assert (swap.amount_in, swap.amount_out, swap.recipient) == (10, 9, BOT)


def test_a_pair_of_solidlys_descendants_is_told_by_its_transfers():
    signature = "Swap(address*,address*,uint256,uint256,uint256,uint256)"
    moved = sent(B, ANN, P, 10), sent(A, P, BOT, 9)
    (swap,) = inspect(
        act(ANN, P, *moved, log(signature, ANN, BOT, 0, 10, 9, 0, emitter=P)), known=UNKNOWN
    ).swaps
    assert (swap.protocol, swap.token_in, swap.amount_in) == ("solidly", B, 10)
    assert (swap.token_out, swap.amount_out, swap.recipient) == (A, 9, BOT)


def test_ether_at_mooniswap_is_in_its_log():
    signature = (
        "Swapped(address*,address*,address*,address,uint256,uint256,uint256,uint256,address)"
    )
    said = log(signature, ANN, BOT, ETHER, B, 10, 9, 1, 1, C, emitter=P)
    assert tokens(sent(B, P, BOT, 9), said) == [(ETHER, B)]
    assert left_out(said) == {"without_tokens": 1}


def test_ether_at_uniswap_v1_is_in_its_log():
    bought = log("TokenPurchase(address*,uint256*,uint256*)", ANN, 10, 9, emitter=P)
    sold = log("EthPurchase(address*,uint256*,uint256*)", ANN, 9, 8, emitter=P)
    assert tokens(sent(A, P, ANN, 9), bought) == [(ETHER, A)]
    assert tokens(sold, sent(A, ANN, P, 9)) == [(A, ETHER)]
    assert left_out(bought) == left_out(sold) == {"without_tokens": 1}


NETWORK, NETWORK_V3 = (
    "0x2f9ec37d6ccfff1cab21733bdadede11c823ccb0",
    "0xeef417e1d5cc832e619ae18d2f140de2999dd4fb",
)
PROXY = "0xdef1c0ded9bec7f1a1670819833240f027b25eff"
EEEE = "0x" + "e" * 40


def step(paid, given, got, taken):
    signature = "Conversion(address*,address*,address*,uint256,uint256,address)"
    return log(signature, P, paid, got, given, taken, BOT, emitter=NETWORK)


def test_a_path_through_bancor_is_one_swap():
    """As a call of it says: the steps between are the network's own."""
    (swap,) = inspect(act(ANN, NETWORK, step(EEEE, 10, C, 9), step(C, 9, A, 8))).swaps
    assert (swap.pool, swap.protocol, swap.recipient) == (NETWORK, "bancor", BOT)
    assert (swap.token_in, swap.amount_in, swap.token_out, swap.amount_out) == (ETHER, 10, A, 8)
    assert tokens(step(A, 10, C, 9), step(C, 7, B, 8)) == [(A, C), (C, B)]
    assert tokens(step(A, 10, C, 9), step(C, 9, A, 8)) == [(A, C), (C, A)]
    assert tokens(emitted(step(A, 10, C, 9), Q)) == []


def test_bancors_third_version_says_all_of_a_trade():
    signature = (
        "TokensTraded(bytes32*,address*,address*,uint256,uint256,uint256,uint256,uint256,address)"
    )
    said = log(signature, b"\1" * 32, A, EEEE, 10, 9, 5, 1, 1, ANN, emitter=NETWORK_V3)
    (swap,) = inspect(act(ANN, NETWORK_V3, said)).swaps
    assert (swap.pool, swap.protocol) == (NETWORK_V3, "bancor_v3")
    assert (swap.token_in, swap.amount_in, swap.token_out, swap.amount_out) == (A, 10, ETHER, 9)


LIMIT = (
    "LimitOrderFilled(bytes32,address,address,address,address,address,"
    "uint128,uint128,uint128,uint256,bytes32)"
)
RFQ = "RfqOrderFilled(bytes32,address,address,address,address,uint128,uint128,bytes32)"


@pytest.mark.parametrize("signature", [LIMIT, RFQ])
def test_whoever_takes_an_order_of_0x_pays_what_it_takes(signature):
    fees, more = ((C,), (1, 2)) if signature == LIMIT else ((), ())
    values = (b"\1" * 32, ANN, BOT, *fees, B, A, 10, 9, *more, b"\2" * 32)
    said = log(signature, *values, emitter=PROXY)
    (swap,) = inspect(act(EVE, PROXY, said)).swaps
    assert (swap.protocol, swap.sender, swap.recipient) == ("0x", BOT, BOT)
    assert (swap.token_in, swap.amount_in, swap.token_out, swap.amount_out) == (A, 10, B, 9)
    assert tokens(emitted(said, P)) == []


def emitted(one, by):
    return msgspec.structs.replace(one, address=by)


def test_a_pool_of_v4_is_settled_at_the_end():
    pool = b"\7" * 32
    swap = log(V4, pool, ANN, -10, 9, 2**96, 7, 0, 500, emitter=MANAGER)
    moved = (sent(B, MANAGER, ANN, 9), sent(A, ANN, MANAGER, 10))
    assert tokens(swap, *moved) == [(A, B)]
    known = Known(tokens_of={"0x" + "07" * 32: (address(0), WETH)}.get)
    assert tokens(swap, known=known) == [(address(0), WETH)]


def test_ether_leaves_no_transfer_so_its_swap_has_no_tokens():
    swap = log(V4, b"\7" * 32, ANN, -10, 9, 2**96, 7, 0, 500, emitter=MANAGER)
    assert left_out(swap, sent(B, MANAGER, ANN, 9)) == {"without_tokens": 1}


def test_an_event_of_a_contract_that_only_pretends_says_nothing():
    swap = log(V4, b"\7" * 32, ANN, -10, 9, 2**96, 7, 0, 500, emitter=P)
    v2 = log("Swap(bytes32*,address*,address*,uint256,uint256)", b"\1" * 32, A, B, 10, 9)
    numbered = log("IncreaseLiquidity(uint256*,uint128,uint256,uint256)", 1, 2, 3, 4)
    assert inspect(act(ANN, P, swap, v2, numbered)).swaps == ()
    assert left_out(swap, v2, numbered) == {}


def test_among_very_many_tokens_none_is_looked_for():
    fits = [sent(address(0xD000 + n), ANN, P, 10) for n in range(9)]
    moves = [sent(address(0xD000 + n), ANN, P, 1 + n) for n in range(65)]
    out = sent(address(0xFFFF), P, ANN, 9)
    assert left_out(*fits, out, swapped(P, 10, 9)) == {"without_tokens": 1}
    assert left_out(*moves, sent(A, ANN, P, 10), out, swapped(P, 10, 9)) == {"without_tokens": 1}


def test_malformed_logs_are_counted():
    bad = emitted(sent(A, ANN, P, 10), A)
    topics = (bad.topics[0], "0x" + "ff" * 32, bad.topics[2])
    assert left_out(msgspec.structs.replace(bad, topics=topics)) == {"malformed": 1}


def test_whose_pair_it_is_shows_in_where_it_is():
    """USDC and WETH at SushiSwap and Uniswap, and a contract that is anywhere."""
    usdc = "0xa0b86991c6218b36c1d19d4a2e9eb0ce3606eb48"
    pairs = {
        "0x397ff1542f962076d0bfe58ea045ffa2d347aca0": "sushiswap",
        "0xb4e16d0168e52d35cacd2c6185b44281ec28c9dc": "uniswap_v2",
        "0x20e95253e54490d8d30ea41574b24f741ee70201": "shibaswap",
    }
    for pool, name in pairs.items():
        assert made_by(pool, "uniswap_v2", WETH, usdc) == name
        assert made_by(pool, "uniswap_v2", usdc, WETH) == name
        assert made_by(pool, "uniswap_v2", usdc, P) is None
        assert made_by(pool, "uniswap_v3", usdc, WETH) is None
    assert made_by(P, "uniswap_v2", usdc, WETH) is None
    lookup = Known(protocol_of={P: "other"}.get)
    assert lookup.name(P, "uniswap_v2", usdc, WETH) == "other"
    assert lookup.name(Q, "curve", usdc, WETH) == "curve"
    best = "0x88e6a0c2ddd26feeb64f039a2c41296fcb3f5640"
    assert made_by(best, "uniswap_v3", usdc, WETH) == "uniswap_v3"
