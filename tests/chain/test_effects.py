"""What is said of a transaction, and what is not. The amounts are held against real contracts in
tests/devnet."""

from __future__ import annotations

import msgspec
import pytest

from trio_mev.chain.effects import (
    Effect,
    Overlay,
    Revert,
    Terms,
    Unknown,
    Verdict,
    apply,
    price_impact,
    walk,
)
from trio_mev.chain.effects.walk import settled
from trio_mev.chain.pools.book import PoolBook
from trio_mev.chain.pools.pool import Pool, Protocol, key_of
from trio_mev.chain.pools.powers import ONE
from trio_mev.chain.pools.product import LARGEST, Fee, ProductPool
from trio_mev.chain.pools.ticked import TickedPool
from trio_mev.chain.pools.tickmap import Liquidity, tick_map
from trio_mev.chain.pools.ticks import sqrt_at
from trio_mev.chain.pools.weighted import WeightedPool
from trio_mev.model.intents import (
    ETHER,
    Basis,
    Hop,
    Lending,
    LendingIntent,
    OracleUpdate,
    PoolKind,
    SwapIntent,
    Undecoded,
    Unread,
)

A, B, C, D = (f"0x{n:040x}" for n in (0xA, 0xB, 0xC, 0xD))
ME, FACTORY = f"0x{0x111:040x}", f"0x{0xF:040x}"
AB, BC, V3, V4, WEIGHTED = (f"0x{n:040x}" for n in range(1, 6))
V2_ROUTER, V3_ROUTER, NEWER = "Uniswap V2 Router02", "Uniswap V3 SwapRouter", "Uniswap SwapRouter02"
UNIVERSAL = "Universal Router 2.0"
UNIT = 10**18


def ticked(fee: int = 3000) -> TickedPool:
    ends = {-6000: Liquidity(UNIT, UNIT), 6000: Liquidity(UNIT, -UNIT)}
    return TickedPool(sqrt_at(0), 0, UNIT, fee, tick_map(60, ends, complete=True))


POOLS = {
    AB: (Pool(AB, Protocol.UNISWAP_V2, (A, B), (18, 18), FACTORY), ProductPool(UNIT, 2 * UNIT)),
    BC: (Pool(BC, Protocol.UNISWAP_V2, (B, C), (18, 18), FACTORY), ProductPool(UNIT, UNIT)),
    V3: (Pool(V3, Protocol.UNISWAP_V3, (B, C), (18, 18), FACTORY, 3000, 60), ticked()),
    V4: (
        Pool(V4, Protocol.UNISWAP_V4, (C, D), (18, 18), None, 500, 10, ETHER),
        ticked(500),
    ),
    WEIGHTED: (
        Pool(WEIGHTED, Protocol.BALANCER_WEIGHTED, (A, C, D), (18, 18, 18)),
        WeightedPool((UNIT, UNIT, UNIT), (ONE // 2, ONE // 4, ONE // 4), (1, 1, 1), ONE // 100),
    ),
}


@pytest.fixture
def book() -> PoolBook:
    found = PoolBook()
    found.begin(1, "1")
    for pool, state in POOLS.values():
        assert found.load(pool, state, "1")
    return found


def pair(one: str, two: str) -> Hop:
    return Hop(PoolKind.V2, one, two, factory=FACTORY)


def v3(one: str, two: str) -> Hop:
    return Hop(PoolKind.V3, one, two, 3000, factory=FACTORY)


def v4(one: str, two: str) -> Hop:
    return Hop(PoolKind.V4, one, two, 500, tick_spacing=10, hooks=ETHER)


def swap(*hops: Hop, amount: int | None = 1000, out: bool = False, **more) -> SwapIntent:
    given = {"venue": UNIVERSAL, "limit": None} | more
    ends = (hops[0].token_in, hops[-1].token_out) if hops else (None, None)
    return SwapIntent(given.pop("venue"), hops, *ends, out, amount, given.pop("limit"), **given)


def doubt_of(effect: Effect, place: int = 0) -> Unknown | None:
    doubt = effect.swaps[place].doubt
    return doubt.reason if doubt else None


def test_a_swap_makes_new_states_and_leaves_the_old(book: PoolBook):
    effect = apply([swap(pair(A, B), v3(B, C))], book)
    assert effect.verdict is Verdict.SUCCEEDS
    (one,) = effect.swaps
    first = POOLS[AB][1].swap(0, 1, 1000)
    second = POOLS[V3][1].swap(0, 1, first.amount_out)
    assert [(f.amount_in, f.amount_out) for f in one.fills] == [
        (1000, first.amount_out),
        (first.amount_out, second.amount_out),
    ]
    assert (one.amount_in, one.amount_out) == (1000, second.amount_out)
    assert effect.changed == {AB: first.after, V3: second.after}
    assert book[AB].state == POOLS[AB][1]
    assert effect.pools.find(pair(A, B)).state == first.after
    assert effect.pools.find(v4(C, D)).state == POOLS[V4][1]
    assert effect.pools.find(pair(A, D)) is None


def test_one_transaction_follows_another(book: PoolBook):
    large = swap(pair(A, B), amount=10**16)
    one = apply([large], book)
    two = apply([large], one.pools)
    assert two.swaps[0].amount_out < one.swaps[0].amount_out
    assert set(two.changed) == set(two.pools.changed) == {AB}
    assert one.pools.find(pair(A, B)).state == one.changed[AB]


def test_what_one_transaction_leaves_in_doubt_is_in_doubt_for_the_next(book: PoolBook):
    sent = apply([swap(v3(C, B), recipient=BC)], book)
    for following in (apply([swap(v3(B, C))], sent.pools), apply([], sent.pools)):
        assert following.pools.doubtful == {BC}
        assert doubt_of(apply([swap(pair(B, C))], following.pools)) is Unknown.QUARANTINED
    assert doubt_of(apply([swap(pair(B, C))], book)) is None


def test_what_reverts_changes_nothing(book: PoolBook):
    good = swap(pair(A, B))
    got = apply([good], book).swaps[0].amount_out
    effect = apply([good, swap(pair(B, C), limit=10**6)], book)
    assert effect.verdict is Verdict.REVERTS
    assert effect.refusal.reason is Revert.LIMIT
    assert not effect.pools.changed
    assert apply([msgspec.structs.replace(good, limit=got)], book).verdict is Verdict.SUCCEEDS
    effect = apply([msgspec.structs.replace(good, limit=got + 3)], book)
    assert effect.refusal.by == 3
    assert effect.swaps[0].refusal == effect.refusal
    assert effect.swaps[0].amount_out == got


def test_the_block_must_be_one_that_the_call_is_for(book: PoolBook):
    late = swap(pair(A, B), deadline=100)
    assert apply([late], book).verdict is Verdict.SUCCEEDS
    assert apply([late], book, Terms(100)).verdict is Verdict.SUCCEEDS
    effect = apply([late], book, Terms(107))
    assert (effect.refusal.reason, effect.refusal.by) == (Revert.DEADLINE, 7)
    after = swap(pair(A, B), parent="0xaa")
    assert apply([after], book).verdict is Verdict.SUCCEEDS
    assert apply([after], book, Terms(parent="0xaa")).verdict is Verdict.SUCCEEDS
    assert apply([after], book, Terms(parent="0xbb")).refusal.reason is Revert.PARENT


def test_an_exact_output_of_pairs_is_as_the_router_counts(book: PoolBook):
    """The old one gives the amount, the newer ones what the input brings, others nobody knows."""
    exact = swap(pair(A, B), pair(B, C), out=True, venue=V2_ROUTER)
    (one,) = apply([exact], book).swaps
    assert one.amount_out == 1000
    (two,) = apply([msgspec.structs.replace(exact, venue=NEWER)], book).swaps
    assert two.amount_in == one.amount_in
    assert two.amount_out >= 1000
    strict = msgspec.structs.replace(exact, venue=NEWER, limit=one.amount_in - 1)
    assert apply([strict], book).refusal.by == 1
    strict = msgspec.structs.replace(exact, limit=one.amount_in - 1)
    assert apply([strict], book).refusal.by == 1
    other = msgspec.structs.replace(exact, venue="ParaSwap v6.2")
    assert doubt_of(apply([other], book)) is Unknown.UNSUPPORTED


@pytest.mark.parametrize("out", [False, True])
@pytest.mark.parametrize("amount", [0, 10**30])
@pytest.mark.parametrize("venue", [V2_ROUTER, NEWER])
def test_pairs_refuse_nothing_and_too_much(book: PoolBook, out, amount, venue):
    effect = apply([swap(pair(A, B), pair(B, C), amount=amount, out=out, venue=venue)], book)
    if amount and not out:
        # Within the bounds of a reserve.
        assert effect.verdict is Verdict.SUCCEEDS
    else:
        assert effect.refusal.reason is Revert.POOL


def test_the_universal_router_takes_an_output_of_nothing(book: PoolBook):
    effect = apply([swap(pair(A, B), amount=0, out=True)], book)
    assert effect.swaps[0].fills[0].amount_in == 1


def test_a_pair_that_follows_on_itself_is_refused(book: PoolBook):
    for venue in (V2_ROUTER, NEWER):
        effect = apply([swap(pair(A, B), pair(B, A), venue=venue)], book)
        assert effect.refusal.reason is Revert.POOL


def test_amounts_that_were_computed_must_keep_the_product(book: PoolBook):
    state = POOLS[AB][1]
    assert (
        settled(state, 0, 1000, state.swap(0, 1, 1000).amount_out) == state.swap(0, 1, 1000).after
    )
    assert settled(state, 1, 1000, 490) is not None
    assert settled(state, 0, 1000, state.swap(0, 1, 1000).amount_out + 1) is None
    assert settled(state, 0, 0, 1) is None
    even = ProductPool(100, 100, Fee(1, 1))
    assert settled(even, 0, 100, 50) == ProductPool(200, 50, Fee(1, 1))  # the same product
    assert settled(even, 0, 100, 51) is None
    assert settled(state, 0, LARGEST, 1) is None
    # In a circle the second time is computed as if it were the first.
    circle = [pair(A, B), v2_circle(), pair(A, B)]
    book.load(*CIRCLE, "1")
    effect = apply([swap(*circle, amount=UNIT, venue=V2_ROUTER)], book)
    assert effect.refusal.reason is Revert.POOL
    assert apply([swap(*circle, amount=UNIT)], book).verdict is Verdict.SUCCEEDS


CIRCLE = Pool("0x7", Protocol.UNISWAP_V2, (A, B), (18, 18), D), ProductPool(UNIT, UNIT)


def v2_circle() -> Hop:
    return Hop(PoolKind.V2, B, A, factory=D)


def test_an_exact_output_goes_backwards(book: PoolBook):
    for hops in ([v3(B, C)], [v4(C, D)], [v3(B, C), v4(C, D)], [weighted(A, C), weighted(C, D)]):
        (one,) = apply([swap(*hops, out=True)], book).swaps
        assert one.amount_out == 1000
        assert [f.token_in for f in one.fills] == [h.token_in for h in hops]


def weighted(one: str, two: str) -> Hop:
    return Hop(PoolKind.BALANCER, one, two, pool=WEIGHTED)


def test_a_pool_of_v3_is_locked_while_it_waits_to_be_paid(book: PoolBook):
    effect = apply([swap(v3(B, C), v3(C, B), out=True)], book)
    assert effect.refusal.reason is Revert.LOCKED
    assert apply([swap(v3(B, C), v3(C, B))], book).verdict is Verdict.SUCCEEDS
    assert apply([swap(v4(C, D), v4(D, C), out=True)], book).verdict is Verdict.SUCCEEDS


def test_more_than_a_range_holds(book: PoolBook):
    """An input is taken in part, an output is refused; of V4 nobody knows what the call makes of
    it."""
    (one,) = apply([swap(v3(B, C), amount=10**20)], book).swaps
    assert one.fills[0].partial
    assert one.amount_in < 10**20
    effect = apply([swap(v3(B, C), amount=10**20, out=True)], book)
    assert effect.refusal.reason is Revert.UNFILLED
    assert effect.refusal.by == 10**20 - one.amount_out
    assert doubt_of(apply([swap(v4(C, D), amount=10**20)], book)) is Unknown.UNFILLED


def test_a_limit_of_the_price_ends_a_swap(book: PoolBook):
    for out in (False, True):
        given = swap(v3(B, C), amount=10**17, out=out, price_limit=sqrt_at(-10))
        (one,) = apply([given], book).swaps
        assert one.fills[0].partial
        assert one.fills[0].after.root == sqrt_at(-10)
    beyond = swap(v3(B, C), price_limit=sqrt_at(10))
    assert apply([beyond], book).refusal.reason is Revert.POOL


def test_a_pool_without_liquidity_asks_for_nothing_and_is_not_paid(book: PoolBook):
    empty = TickedPool(sqrt_at(0), 0, 0, 3000, tick_map(60, {}, complete=True))
    book.load(POOLS[V3][0], empty, "1")
    assert apply([swap(v3(B, C))], book).refusal.reason is Revert.POOL


def test_ticks_that_nobody_has_read_are_not_known(book: PoolBook):
    known = msgspec.structs.replace(ticked(), ticks=tick_map(60, {}, words=(-1, 0)))
    book.load(POOLS[V3][0], known, "1")
    assert apply([swap(v3(B, C))], book).verdict is Verdict.SUCCEEDS
    effect = apply([swap(v3(B, C), amount=10**24), swap(v3(B, C))], book)
    assert effect.verdict is Verdict.UNKNOWN
    assert doubt_of(effect) is Unknown.TICKS
    # What became of the pool is not known either.
    assert doubt_of(effect, 1) is Unknown.QUARANTINED
    assert effect.pools.doubtful == {V3}
    assert not effect.changed


def test_no_more_steps_are_followed_than_a_block_has_gas_for(book: PoolBook, monkeypatch):
    every, once = [swap(v3(B, C))] * 7, walk.A_SWAP + 1
    monkeypatch.setattr(walk, "MOST_STEPS", 1 + 5 * once)  # the first begins at a word's edge
    effect = apply(every, book)
    doubts = [doubt_of(effect, n) for n in range(7)]
    assert doubts == [None] * 5 + [Unknown.STEPS] * 2
    assert effect.verdict is Verdict.UNKNOWN
    assert effect.pools.lost  # where the last one goes is not even looked at
    monkeypatch.setattr(walk, "MOST_STEPS", once)
    assert doubt_of(apply([swap(v3(B, C), amount=10**20)], book)) is Unknown.STEPS


def test_steps_are_counted_whatever_comes_of_a_swap(book: PoolBook):
    def taken(*intents: SwapIntent) -> int:
        steps = walk.Steps()
        apply(intents, book, steps=steps)
        return steps.taken

    assert taken(swap(pair(A, B), pair(B, C))) == 2 * walk.A_SWAP
    assert taken(swap(v3(B, C))) == walk.A_SWAP + 2
    assert taken(swap(pair(A, D))) == walk.A_SWAP  # no such pool
    limited = swap(v3(B, C), price_limit=sqrt_at(10))
    assert taken(limited) == walk.A_SWAP  # refused at once
    far = swap(v3(B, C), amount=10**20, out=True)
    assert taken(far) > walk.A_SWAP + 50  # refused in the end


def test_a_transaction_is_followed_as_far_as_it_may_be(book: PoolBook):
    steps = walk.Steps(walk.A_SWAP + 3)
    effect = apply([swap(v3(B, C), amount=10**20)], book, steps=steps)
    assert doubt_of(effect) is Unknown.STEPS
    assert steps.over
    assert steps.taken == walk.A_SWAP + 4
    assert walk.Steps(10**9).most == walk.MOST_STEPS
    assert walk.steps_of(300_000) == 100


def test_every_tick_that_is_crossed_is_a_step(book: PoolBook, monkeypatch):
    """Five of them, within one word of the map."""
    monkeypatch.setattr(walk, "MOST_STEPS", walk.A_SWAP + 5)
    state = ticked()
    for tick in range(-300, 0, 60):
        state = state.with_liquidity(tick, 6000, UNIT)
    state = msgspec.structs.replace(state, root=sqrt_at(-1), tick=-1)
    book.load(POOLS[V3][0], state, "1")

    def until(tick: int) -> Effect:
        return apply([swap(v3(B, C), amount=UNIT, price_limit=sqrt_at(tick))], book)

    assert doubt_of(until(-210)) is None
    assert doubt_of(until(-310)) is Unknown.STEPS


@pytest.mark.parametrize(
    ("hop", "reason"),
    [
        (pair(A, D), Unknown.NO_POOL),
        (Hop(PoolKind.V2, A, B, factory=ME), Unknown.NO_POOL),
        (Hop(PoolKind.V2, pool=ME, zero_for_one=True), Unknown.NO_POOL),
        (Hop(PoolKind.V2, factory=FACTORY), Unknown.NO_POOL),
        (Hop(PoolKind.V2, A, C, pool=AB), Unknown.ROUTE),
        (Hop(PoolKind.V2, A, A, pool=AB), Unknown.ROUTE),
        (Hop(PoolKind.V2, pool=AB), Unknown.ROUTE),
        (Hop(PoolKind.V2, pool=AB, index_in=0, index_out=5), Unknown.ROUTE),
        (Hop(PoolKind.V2, pool=AB, index_in=1, index_out=1), Unknown.ROUTE),
        (Hop(PoolKind.V2, pool=V3, zero_for_one=True), Unknown.ROUTE),
        (Hop(PoolKind.V3, pool=AB, zero_for_one=True), Unknown.ROUTE),
        (Hop(PoolKind.V3, pool=V4, zero_for_one=True), Unknown.ROUTE),
        (Hop(PoolKind.V2, pool=AB, zero_for_one=True, fee=2500), Unknown.UNSUPPORTED),
        (Hop(PoolKind.CURVE_UNDERLYING, A, C, pool=WEIGHTED), Unknown.UNSUPPORTED),
        (Hop(PoolKind.V4, C, D, 500, tick_spacing=10, hooks=ME), Unknown.NO_POOL),
        (Hop(PoolKind.V2, pool=AB, zero_for_one=True, fee=3000), None),
        (Hop(PoolKind.CURVE, pool=WEIGHTED, index_in=2, index_out=0), None),
    ],
)
def test_a_pool_must_be_what_the_call_says(book: PoolBook, hop, reason):
    effect = apply([swap(hop)], book)
    assert doubt_of(effect) is reason
    # What hooks do is not known, and they may trade anywhere.
    assert effect.pools.lost == (hop.hooks == ME)


def test_an_exact_output_of_curve_is_not_known(book: PoolBook):
    given = swap(Hop(PoolKind.CURVE, pool=WEIGHTED, index_in=0, index_out=1), out=True)
    assert doubt_of(apply([given], book)) is Unknown.UNSUPPORTED


def test_pairs_and_other_pools_on_one_way_are_known_only_forwards(book: PoolBook):
    both = swap(pair(A, B), v3(B, C), out=True, venue=V2_ROUTER)
    assert doubt_of(apply([both], book)) is Unknown.UNSUPPORTED


def test_pools_must_follow_on_each_other(book: PoolBook):
    effect = apply([swap(pair(A, B), v4(C, D))], book)
    assert doubt_of(effect) is Unknown.ROUTE
    assert AB in effect.pools.doubtful
    effect = apply([swap(pair(A, D), pair(D, ME), pair(A, B))], book)
    assert effect.swaps[0].doubt.detail == f"v2 of {A} and {D}"


def test_a_pool_in_quarantine_is_not_used(book: PoolBook):
    book.begin(2, "2")
    assert doubt_of(apply([swap(pair(A, B))], book)) is Unknown.QUARANTINED


def test_a_hidden_route_may_go_through_any_pool(book: PoolBook):
    effect = apply([swap(), swap(pair(A, B))], book)
    assert [doubt_of(effect), doubt_of(effect, 1)] == [Unknown.HIDDEN_ROUTE, Unknown.QUARANTINED]
    assert effect.pools.lost
    assert effect.pools.changed == {}
    assert doubt_of(apply([swap(v3(B, C))], effect.pools)) is Unknown.QUARANTINED


@pytest.mark.parametrize(
    ("intent", "verdict", "lost"),
    [
        (Undecoded(Unread.NO_SWAP), Verdict.SUCCEEDS, False),
        (Undecoded(Unread.OPAQUE), Verdict.UNKNOWN, True),
        (LendingIntent("Aave V3", Lending.SUPPLY, ME, ME), Verdict.UNKNOWN, False),
        (LendingIntent("Aave V3", Lending.FLASH_LOAN, ME, ME), Verdict.UNKNOWN, True),
        (OracleUpdate(ME, 1, 1), Verdict.UNKNOWN, False),
    ],
)
def test_what_is_no_swap_may_succeed_or_not(book: PoolBook, intent, verdict, lost):
    effect = apply([intent], book)
    assert (effect.verdict, effect.pools.lost, effect.swaps) == (verdict, lost, ())


def test_tokens_that_may_take_a_fee_are_not_guessed_at(book: PoolBook):
    taxed = swap(pair(A, B), taxed=True, venue=V2_ROUTER)
    assert doubt_of(apply([taxed], book)) is Unknown.TAXED
    assert apply([taxed], book, Terms(untaxed=frozenset({A, B}))).verdict is Verdict.SUCCEEDS
    assert doubt_of(apply([taxed], book, Terms(untaxed=frozenset({A})))) is Unknown.TAXED


def of_all(*hops: Hop, **more) -> SwapIntent:
    return swap(*hops, amount=None, basis=Basis.BALANCE, **more)


def test_all_that_the_router_holds_is_what_the_call_brought_it(book: PoolBook):
    first = swap(pair(A, B), recipient=ME)
    effect = apply([first, of_all(pair(B, C), sources=(0,), funded=7)], book)
    one, two = effect.swaps
    assert two.amount_in == one.amount_out + 7
    assert two.presumed
    # What it held before counts once.
    terms = Terms(held={B: 100})
    every = [first, of_all(pair(B, C), sources=(0,)), of_all(v3(B, C), funded=9)]
    _, two, three = apply(every, book, terms).swaps
    assert (two.amount_in, three.amount_in) == (one.amount_out + 100, 9)
    assert not two.presumed


def test_what_is_owed_is_what_swaps_left_open(book: PoolBook):
    owed = swap(pair(B, C), amount=None, basis=Basis.OPEN, sources=(0,))
    one, two = apply([swap(pair(A, B)), owed], book).swaps
    assert (two.amount_in, two.presumed) == (one.amount_out, False)


@pytest.mark.parametrize(
    "given",
    [
        swap(pair(B, C), amount=None),
        swap(pair(B, C), amount=None, basis=Basis.PAID),
        of_all(pair(B, C), funded=None),
        of_all(pair(B, C), sources=(0,)),
    ],
)
def test_an_amount_that_the_call_does_not_say_is_not_known(book: PoolBook, given):
    effect = apply([swap(pair(A, D)), given], book)
    assert doubt_of(effect, 1) is Unknown.AMOUNT


def test_what_a_pool_leaves_to_the_router_is_not_guessed_at(book: PoolBook):
    effect = apply([swap(v3(B, C), amount=10**20), of_all(pair(B, C), funded=5)], book)
    assert doubt_of(effect, 1) is Unknown.AMOUNT


def test_a_limit_may_be_kept_by_what_the_router_held(book: PoolBook):
    given = swap(pair(A, B), limit=2000)
    assert apply([given], book, Terms(held={B: 1})).refusal.reason is Revert.LIMIT
    assert doubt_of(apply([given], book, Terms(held={B: 10}))) is Unknown.AMOUNT


def test_what_the_router_held_does_not_pay_for_an_exact_output(book: PoolBook):
    dear = swap(v3(B, C), out=True, limit=1)
    effect = apply([dear], book, Terms(held={B: 10**9, C: 10**9}))
    assert effect.refusal.reason is Revert.LIMIT


def test_a_pair_swaps_all_that_it_has_been_sent(book: PoolBook):
    sent = swap(v3(C, B), recipient=BC)
    paid = swap(pair(B, C), amount=None, basis=Basis.PAID)
    one, two = apply([sent, paid], book).swaps
    assert two.amount_in == one.amount_out
    one, _, two = apply([sent, sent, swap(pair(B, C))], book).swaps
    assert two.amount_in > 1000 + one.amount_out
    # Routers that have computed the amounts, or the input, do not count on it.
    computed = swap(pair(B, C), venue=V2_ROUTER)
    assert doubt_of(apply([sent, computed], book), 1) is Unknown.AMOUNT
    computed = swap(pair(B, C), out=True)
    assert doubt_of(apply([sent, computed], book), 1) is Unknown.AMOUNT


def test_what_a_pair_was_sent_is_there_for_whoever_comes_next(book: PoolBook):
    assert apply([swap(v3(C, B), recipient=BC)], book).pools.doubtful == {BC}
    assert apply([swap(pair(A, D), recipient=BC)], book).pools.doubtful == {BC}
    # A pool of another kind counts by itself.
    assert apply([swap(pair(A, B), recipient=V3)], book).pools.doubtful == set()


def part(*parts: int, **more) -> dict:
    return {"parts": parts, "may_fail": True} | more


def test_a_part_that_fails_is_undone_and_the_rest_goes_on(book: PoolBook):
    good = swap(pair(A, B), **part(1))
    bad = swap(pair(B, C), limit=10**6, **part(1))
    never = swap(v3(B, C), **part(1))
    after = of_all(v3(B, C), sources=(0,), funded=9)
    effect = apply([good, bad, never, after], book)
    assert effect.verdict is Verdict.SUCCEEDS
    assert [one.undone for one in effect.swaps] == [True, True, True, False]
    assert effect.swaps[3].amount_in == 9
    assert set(effect.changed) == {V3}


def test_a_part_within_a_part_fails_alone(book: PoolBook):
    inner = swap(pair(B, C), limit=10**6, **part(1, 2))
    effect = apply([swap(pair(A, B), **part(1)), inner, swap(v3(B, C), **part(1))], book)
    assert [one.undone for one in effect.swaps] == [False, True, False]


def test_of_a_part_that_may_fail_nothing_is_known_where_a_swap_is_not(book: PoolBook):
    effect = apply([swap(pair(A, B), **part(1)), swap(pair(A, D), **part(1))], book)
    assert [doubt_of(effect, n) for n in (0, 1)] == [Unknown.NO_POOL] * 2
    assert effect.pools.doubtful == {AB}
    inner = swap(pair(B, C), limit=10**6, **part(1, 2))
    effect = apply([inner, swap(pair(A, D), **part(1))], book)
    assert effect.swaps[0].undone
    assert doubt_of(effect, 0) is None


def test_swaps_with_one_limit_must_keep_it_together(book: PoolBook):
    def two(least: int, *more: dict) -> list[SwapIntent]:
        first, second = more or ({}, {})
        return [
            swap(pair(B, C), joint_limit=least, recipient=ME, **first),
            swap(v3(B, C), joint_limit=least, recipient=ME, **second),
        ]

    got = sum(one.amount_out for one in apply(two(0), book).swaps)
    assert apply(two(got), book).verdict is Verdict.SUCCEEDS
    effect = apply(two(got + 2), book)
    assert (effect.refusal.reason, effect.refusal.by) == (Revert.JOINT_LIMIT, 2)
    # The router may hold what is missing; a part that fails may have demanded it.
    effect = apply(two(got + 2), book, Terms(held={C: 2}))
    assert effect.verdict is Verdict.UNKNOWN
    effect = apply(two(got, part(1, limit=10**6), {}), book)
    assert effect.verdict is Verdict.UNKNOWN
    assert effect.pools.doubtful == {V3}
    # Where one of them is not known, nothing can be said.
    unknown = swap(pair(D, C), joint_limit=got * 9, recipient=ME)
    assert apply([*two(got * 9), unknown], book).verdict is Verdict.UNKNOWN


def test_the_price_impact_is_what_is_lost_to_the_fee_and_to_depth(book: PoolBook):
    (small,) = apply([swap(pair(A, B), v3(B, C), amount=10**12)], book).swaps
    assert price_impact(small) == pytest.approx(0.006, abs=1e-4)
    (large,) = apply([swap(v3(C, B), amount=10**17)], book).swaps
    assert 0.09 < price_impact(large) < 0.1
    assert price_impact(apply([swap(weighted(A, C))], book).swaps[0]) is None
    assert price_impact(apply([swap(pair(A, D))], book).swaps[0]) is None


def test_the_price_impact_is_the_same_in_both_directions(book: PoolBook):
    """At prices that are far from one."""
    high = TickedPool(sqrt_at(5000), 5000, UNIT, 3000, ticked().ticks)
    book.load(POOLS[V3][0], high, "1")
    for hops in ([pair(A, B)], [pair(B, A)], [v3(B, C)], [v3(C, B)], [v3(C, B), pair(B, A)]):
        (small,) = apply([swap(*hops, amount=10**12)], book).swaps
        assert price_impact(small) == pytest.approx(0.003 * len(hops), abs=1e-4)


def test_a_pool_is_named_by_what_tells_it_from_others():
    assert key_of(Pool(AB, Protocol.UNISWAP_V2, (A, B), (18, 18))) is None
    keys = {key_of(pool) for pool, _ in POOLS.values()}
    assert len(keys) == len(POOLS)


def test_an_overlay_leaves_what_is_below_it(book: PoolBook):
    below = Overlay(book)
    above = Overlay(below)
    above.put({AB: ProductPool(1, 1)})
    assert below.find(pair(A, B)).state == POOLS[AB][1]
    assert above.since(below) == {AB}
