"""Sandwiches: fronts, victims and backs, whoever the actor is, and what is none."""

from __future__ import annotations

import pytest

from tests.inspect.blocks import (
    ANN,
    BEN,
    BOT,
    COINS,
    EVE,
    KNOWN,
    ROUTER,
    V2,
    A,
    B,
    C,
    P,
    Q,
    R,
    S,
    act,
    block,
    found,
    hash_of,
    only,
    sent,
    swapped,
)
from tests.support.encoding import address, log
from trio_mev.inspect import Known, inspect_block
from trio_mev.inspect.budget import Budget
from trio_mev.model.opportunity import Kind, Sandwiched

FRONT = act(EVE, BOT, swapped(P, 100, 90))
VICTIM = act(ANN, ROUTER, swapped(P, 50, 40, who=ROUTER))
OTHER = act(BEN, ROUTER, swapped(P, 60, 45, who=ROUTER))
BACK = act(EVE, BOT, swapped(P, 90, 110, down=False))
IDLE = act(BEN, address(0x3002))


def test_one_victim():
    one = only(FRONT, VICTIM, BACK)
    assert (one.kind, one.gross, one.searcher) == (Kind.SANDWICH, {A: 10}, EVE)
    assert one.transactions == (hash_of(0), hash_of(2))
    assert one.victims == (hash_of(1),)
    assert one.pools == (P,)
    assert isinstance(one.detail, Sandwiched)
    parts = one.detail.frontrun, one.detail.victims, one.detail.backrun
    assert [[swap.amount_in for swap in part] for part in parts] == [[100], [50], [90]]


def test_several_victims_with_others_between():
    away = act(BEN, ROUTER, swapped(Q, 60, 45, who=ROUTER))
    against = act(BEN, ROUTER, swapped(P, 5, 6, down=False, who=ROUTER))
    one = only(IDLE, FRONT, VICTIM, away, IDLE, against, OTHER, BACK)
    assert one.victims == (hash_of(2), hash_of(6))


def test_who_sells_first_makes_it_in_the_other_token():
    """What was sold is bought back exactly, for less of what was got."""
    front = act(EVE, BOT, swapped(P, 100, 90))
    back = act(EVE, BOT, swapped(P, 80, 100, down=False))
    assert only(front, VICTIM, back).gross == {B: 10}


def test_what_is_sold_beyond_what_was_bought_is_said():
    back = act(EVE, BOT, swapped(P, 95, 118, down=False))
    assert only(FRONT, VICTIM, back).gross == {A: 18, B: -5}


def test_a_sandwich_without_victims_is_none():
    assert found(FRONT, BACK) == ()
    assert found(VICTIM, FRONT, BACK, OTHER) == ()
    assert found(FRONT, act(BEN, ROUTER, swapped(P, 5, 6, down=False, who=ROUTER)), BACK) == ()


def test_one_s_own_swaps_are_no_victims():
    own = act(EVE, ROUTER, swapped(P, 50, 40, who=ROUTER))
    assert found(FRONT, own, act(EVE, BOT, swapped(P, 130, 160, down=False))) == ()


def test_several_fronts():
    second = act(EVE, BOT, swapped(P, 100, 80))
    back = act(EVE, BOT, swapped(P, 170, 230, down=False))
    one = only(FRONT, VICTIM, second, OTHER, back)
    assert one.transactions == (hash_of(0), hash_of(2), hash_of(4))
    assert one.gross == {A: 30}
    assert len(one.detail.frontrun) == 2


def test_what_was_swapped_long_before_is_no_front():
    before = act(EVE, BOT, swapped(P, 500, 400))
    one = only(before, IDLE, FRONT, VICTIM, BACK)
    assert one.transactions == (hash_of(2), hash_of(4))
    assert one.gross == {A: 10}


def test_several_backs():
    first = act(EVE, BOT, swapped(P, 40, 50, down=False))
    second = act(EVE, BOT, swapped(P, 50, 60, down=False))
    later = act(EVE, BOT, swapped(P, 30, 30, down=False))
    one = only(FRONT, VICTIM, first, OTHER, second, later)
    assert one.transactions == (hash_of(0), hash_of(2), hash_of(4))
    assert one.gross == {A: 10}
    assert len(one.victims) == 2


def test_one_after_the_other_are_two():
    found_ = found(FRONT, VICTIM, BACK, FRONT, OTHER, BACK)
    assert [one.gross for one in found_] == [{A: 10}, {A: 10}]
    assert [one.extra for one in found_] == [None, None]
    assert [one.victims for one in found_] == [(hash_of(1),), (hash_of(4),)]


def test_the_pools_of_one_sandwich_are_counted_once():
    """What the front bought is sold through a second pool, so its profit is inside the first's."""
    front = act(EVE, BOT, swapped(P, 100, 90), swapped(R, 90, 70))
    victims = (
        act(ANN, ROUTER, swapped(P, 50, 40, who=ROUTER)),
        act(BEN, ROUTER, swapped(R, 60, 40, who=ROUTER)),
    )
    back = act(EVE, BOT, swapped(R, 70, 95, down=False), swapped(P, 95, 120, down=False))
    one = only(front, *victims, back)
    assert one.gross == {A: 20}
    assert one.victims == (hash_of(1), hash_of(2))
    assert one.pools == (P, R)
    assert one.extra == {"at_pools": {P: {A: 20, B: -5}, R: {B: 5}}}
    assert len(one.detail.frontrun) == len(one.detail.backrun) == 2
    assert one.alternatives == ()


def test_two_pools_each_its_own_victims_and_fronts():
    """The transaction that ends one begins the other: together they are one."""
    middle = act(EVE, BOT, swapped(P, 90, 110, down=False), swapped(S, 100, 90))
    second = act(BEN, ROUTER, swapped(S, 50, 40, who=ROUTER))
    last = act(EVE, BOT, swapped(S, 90, 115, down=False))
    one = only(FRONT, VICTIM, middle, second, last)
    assert one.gross == {A: 25}
    assert one.transactions == (hash_of(0), hash_of(2), hash_of(4))


def test_another_sender_with_the_same_contract_is_the_same_actor():
    back = act(BEN, BOT, swapped(P, 90, 110, down=False))
    assert only(FRONT, VICTIM, back).gross == {A: 10}
    more = act(BEN, BOT, swapped(P, 70, 110, down=False))
    assert found(FRONT, VICTIM, more) == ()  # it does not end what the front began


def test_the_same_sender_through_a_router_must_end_where_it_began():
    front = act(EVE, ROUTER, swapped(P, 100, 90, who=ROUTER))
    back = act(EVE, ROUTER, swapped(P, 90, 110, down=False, who=ROUTER))
    half = act(EVE, ROUTER, swapped(P, 45, 60, down=False, who=ROUTER))
    assert only(front, VICTIM, back).gross == {A: 10}
    assert found(front, VICTIM, half) == ()


def test_a_router_or_a_pool_in_common_makes_nobody_the_same():
    front = act(EVE, ROUTER, swapped(P, 100, 90, who=ROUTER))
    back = act(BEN, ROUTER, swapped(P, 90, 110, down=False, who=ROUTER))
    assert found(front, VICTIM, back) == ()
    front = act(EVE, P, swapped(P, 100, 90, who=EVE))
    back = act(BEN, P, swapped(P, 90, 110, down=False, who=BEN))
    assert found(front, VICTIM, back) == ()


def test_a_worse_rate_on_the_way_back_is_no_sandwich_unless_it_closes():
    loss = act(EVE, BOT, swapped(P, 90, 95, down=False))
    half = act(EVE, BOT, swapped(P, 45, 45, down=False))
    assert only(FRONT, VICTIM, loss).gross == {A: -5}
    assert found(FRONT, VICTIM, half) == ()


def test_without_senders_the_callers_of_the_pool_tell():
    acts = [{**one, "sender": None, "to": None} for one in (FRONT, VICTIM, BACK)]
    one = only(*acts)
    assert (one.gross, one.searcher) == ({A: 10}, BOT)


def test_there_and_back_in_one_transaction_is_no_front():
    both = act(EVE, BOT, swapped(P, 100, 90), swapped(P, 90, 99, down=False))
    assert found(both, VICTIM) == ()


def test_a_pool_of_three_tokens_is_sandwiched_by_pairs():
    balancer = Known(tokens_of=COINS.get, vaults=frozenset({P}))
    signature = "Swap(bytes32*,address*,address*,uint256,uint256)"

    def hop(token_in, token_out, paid, got):
        return log(signature, b"\1" * 32, token_in, token_out, paid, got, emitter=P)

    front = act(EVE, BOT, hop(A, B, 100, 90))
    elsewhere = act(EVE, BOT, hop(A, C, 10, 9))
    back = act(EVE, BOT, hop(B, A, 90, 110))
    victim = act(ANN, ROUTER, hop(A, B, 50, 40))
    assert found(front, elsewhere, victim, back, known=balancer) == ()
    one = only(elsewhere, front, victim, back, known=balancer)
    assert (one.gross, one.transactions) == ({A: 10}, (hash_of(1), hash_of(3)))


def test_several_swaps_of_one_transaction_are_one_leg():
    front = act(EVE, BOT, swapped(P, 50, 46), swapped(P, 50, 44))
    one = only(front, VICTIM, BACK)
    assert one.gross == {A: 10}
    assert len(one.detail.frontrun) == 2


HIDDEN = address(0x100B)
UNNAMED = log(V2, BOT, 5, 0, 0, 5, BOT, emitter=HIDDEN)


def test_where_a_swap_has_no_tokens_the_transfers_tell_what_was_made():
    front = act(EVE, BOT, sent(A, BOT, P, 100), sent(B, P, BOT, 90), swapped(P, 100, 90), UNNAMED)
    back = act(
        EVE,
        BOT,
        sent(B, BOT, P, 90),
        sent(A, P, BOT, 110),
        sent(A, HIDDEN, BOT, 3),
        swapped(P, 90, 110, down=False),
    )
    assert only(front, VICTIM, back).gross == {A: 13}


def test_and_where_nobody_knows_the_addresses_nothing_does():
    front = {**act(EVE, BOT, swapped(P, 100, 90), UNNAMED), "sender": None, "to": None}
    back = {**BACK, "sender": None, "to": None}
    one = only(front, VICTIM, back)
    assert (one.gross, one.net) == (None, None)


@pytest.mark.parametrize(("least", "cut"), [(1, True), (4, False)])
def test_what_lies_between_is_looked_through_within_bounds(least, cut):
    made = block(FRONT, VICTIM, BACK)
    found_ = inspect_block(made, KNOWN, Budget(least, 0))
    assert found_.cut == cut
    assert bool(found_.opportunities) != cut
