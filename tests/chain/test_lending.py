"""Aave's rules by version. That those of 3.0 and of 3.6 are the contracts' is tested in
tests/devnet; here are figures worked by hand, and what is between them."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.chain.lending_markets import (
    ALL,
    BORROWER,
    DAI,
    DOLLAR,
    ETHER,
    TIME,
    USDC,
    USER,
    WETH,
    address,
    market,
    position,
)
from trio_mev.chain.lending import maths
from trio_mev.chain.lending.account import Stable, account_of, flagged
from trio_mev.chain.lending.findings import assets_of, find
from trio_mev.chain.lending.liquidation import Amounts, Pair, Refused, best_of, liquidate, pairs_of
from trio_mev.chain.lending.market import Category, Market, terms_of
from trio_mev.chain.lending.maths import LARGEST, RAY, WAD, YEAR
from trio_mev.chain.lending.screen import Screen

HALF_UP, EXACT = 979591836734693878, 979591836734693877
NEWER = [revision for revision in ALL if revision != 1]
numbers = st.integers(0, 2**120)
parts = st.integers(1, 20_000)


def pair(of: Market, collateral: str = WETH, debt: str = USDC) -> Pair:
    return Pair(of.reserves[collateral], of.reserves[debt])


@given(numbers, st.integers(1, 2**100))
def test_roundings_are_what_they_are_called(value: int, by: int):
    exact = Fraction(value, by)
    assert maths.floor_div(value, by) == exact.__floor__()
    assert maths.ceil_div(value, by) == exact.__ceil__()
    near = maths.half_up_div(value, by)
    assert near in {exact.__floor__(), exact.__ceil__()}
    assert abs(near - exact) <= Fraction(1, 2)


@given(numbers, parts)
def test_percentages_and_rays_are_divisions(value: int, percent: int):
    assert maths.percent_mul(value, percent) == (value * percent + 5000) // 10**4
    assert maths.percent_div(value, percent) == (value * 10**4 + percent // 2) // percent
    low, near, high = (
        f(value, percent * RAY // 7)
        for f in (maths.ray_mul_floor, maths.ray_mul, maths.ray_mul_ceil)
    )
    assert low <= near <= high <= low + 1


@given(st.integers(0, 10 * RAY), st.integers(0, 30 * 86_400))
def test_both_ways_to_compound_are_nearly_the_exponential_and_more_than_the_line(rate, seconds):
    binomial = maths.binomial_interest(rate, seconds)
    exponential = maths.exponential_interest(rate, seconds)
    line = maths.linear_interest(rate, seconds)
    assert line <= binomial <= exponential
    x = Decimal(rate) / RAY * seconds / YEAR
    assert abs(Decimal(exponential) / RAY - x.exp()) <= x**4 / 8 + Decimal("1e-20")
    assert abs(binomial - exponential) <= RAY * x / 10**5 + 2


def test_nothing_grows_in_no_time():
    assert maths.binomial_interest(RAY, 0) == maths.exponential_interest(RAY, 0) == RAY
    assert maths.binomial_interest(RAY, 1) == RAY + RAY // YEAR
    assert Stable(0, RAY, 0).owed(TIME, market().rules) == 0
    assert Stable(10**6, RAY, TIME - YEAR).owed(TIME, market().rules) == 2_666_664


def test_a_reserves_indices_grow_from_its_last_update():
    of = market(10).reserves[WETH]
    grown = msgspec.structs.replace(
        of, updated=TIME - YEAR, liquidity_rate=RAY // 10, variable_rate=RAY
    )
    assert of.income(TIME) == of.debt_index(TIME, market().rules) == RAY
    assert grown.income(TIME) == RAY * 11 // 10
    assert grown.debt_index(TIME, market(10).rules) == RAY + RAY + RAY // 2 + RAY // 6


def test_a_configurations_word_is_read_by_its_bits():
    word = 7500 | 8000 << 16 | 10_500 << 32 | 6 << 48 | 1 << 56 | 1 << 60 | 1000 << 152 | 3 << 168
    told = terms_of(word)
    assert (told.threshold, told.bonus, told.decimals) == (8000, 10_500, 6)
    assert (told.active, told.paused, told.fee, told.category) == (True, True, 1000, 3)
    assert list(flagged(0b100110, 0)) == [1]
    assert list(flagged(0b100110, 1)) == [0, 2]


@pytest.mark.parametrize("revision", ALL)
def test_a_health_factor_is_rounded_as_its_version_does(revision: int):
    account = account_of(market(revision), BORROWER, TIME)
    assert (account.collateral, account.debt) == (3000 * 10**8, 2450 * 10**8)
    assert account.threshold == 8000
    assert account.health == (EXACT if revision >= 9 else HALF_UP)


def test_who_owes_nothing_has_no_end_of_health():
    assert account_of(market(), position({}, {}), TIME).health == LARGEST


@pytest.mark.parametrize("revision", ALL)
def test_collateral_without_a_threshold_counts_where_the_version_counts_it(revision: int):
    of = market(revision, reserves={WETH: {"threshold": 0}})
    account = account_of(of, BORROWER, TIME)
    assert account.collateral == (3000 * 10**8 if revision >= 10 else 0)
    assert account.health == 0


@pytest.mark.parametrize("revision", ALL)
def test_half_of_a_debt_is_repaid_with_bonus_and_fee(revision: int):
    of = market(revision)
    found = liquidate(of, BORROWER, pair(of), TIME)
    health = EXACT if revision >= 9 else HALF_UP
    fee = 2_041_666_666_666_667
    got = 426_708_333_333_333_333 - (revision == 11)
    assert found == Amounts(1225 * DOLLAR, got, fee, 10_500, health)
    small = liquidate(of, BORROWER, pair(of), TIME, 100 * DOLLAR)
    assert isinstance(small, Amounts)
    assert small.debt == 100 * DOLLAR


def test_without_a_fee_the_liquidator_gets_all_that_is_seized():
    of = market(reserves={WETH: {"fee": 0}})
    found = liquidate(of, BORROWER, pair(of), TIME)
    assert found == Amounts(1225 * DOLLAR, 428_750_000_000_000_000, 0, 10_500, HALF_UP)


@pytest.mark.parametrize("revision", ALL)
def test_at_95_percent_all_of_it_may_be_repaid(revision: int):
    of = market(revision, eth=2850)
    owing = position({0: ETHER}, {1: 2400 * DOLLAR})
    assert account_of(of, owing, TIME).health == 95 * WAD // 100
    found = liquidate(of, owing, pair(of), TIME)
    assert isinstance(found, Amounts)
    assert found.debt == 2400 * DOLLAR


@pytest.mark.parametrize("revision", ALL)
def test_a_small_debt_may_be_closed_whole_from_3_3_on(revision: int):
    of = market(revision, eth=2300)
    owing = position({0: ETHER}, {1: 1900 * DOLLAR})
    found = liquidate(of, owing, pair(of), TIME)
    assert isinstance(found, Amounts)
    assert found.debt == (950 if revision == 1 else 1900) * DOLLAR


@pytest.mark.parametrize("revision", NEWER)
def test_the_close_factor_is_of_the_whole_position_from_3_3_on(revision: int):
    of = market(revision, eth=8600)
    owing = position({0: ETHER}, {1: 2300 * DOLLAR, 2: 4700 * ETHER})
    found = liquidate(of, owing, pair(of), TIME)
    assert isinstance(found, Amounts)
    assert found.debt == 2300 * DOLLAR
    other = liquidate(of, owing, pair(of, debt=DAI), TIME)
    assert isinstance(other, Amounts)
    assert other.debt == 3500 * ETHER


@pytest.mark.parametrize("revision", NEWER)
def test_no_dust_may_be_left_from_3_3_on_so_less_is_repaid(revision: int):
    """Of 2000 dollars half of 2010 would leave 995; a thousand must be left of both."""
    of = market(revision, eth=2412)
    owing = position({0: ETHER}, {1: 2000 * DOLLAR, 2: 10 * ETHER})
    assert liquidate(of, owing, pair(of), TIME) == Refused("it would leave dust")
    found = best_of(of, owing, pair(of), TIME)
    assert isinstance(found, Amounts)
    assert found.debt == 1000 * DOLLAR
    assert isinstance(best_of(of, owing, pair(of, debt=DAI), TIME), Amounts)


def test_in_3_0_dust_may_be_left():
    of = market(eth=2412)
    owing = position({0: ETHER}, {1: 2000 * DOLLAR, 2: 10 * ETHER})
    assert isinstance(liquidate(of, owing, pair(of), TIME, 1900 * DOLLAR), Amounts)


@pytest.mark.parametrize("revision", ALL)
def test_all_of_the_collateral_and_what_it_does_not_cover(revision: int):
    of = market(revision, eth=1000)
    found = liquidate(of, BORROWER, pair(of), TIME)
    assert isinstance(found, Amounts)
    paid = 952_380_952 + (revision >= 9)
    assert found.debt == paid
    assert found.collateral + found.fee == ETHER
    rest = ((USDC, 2450 * DOLLAR - paid),)
    assert found.written_off == (() if revision == 1 else rest)


def test_in_3_7_collateral_is_gone_when_its_shares_are():
    of = market(11, eth=1000)
    more = position({0: ETHER, 2: ETHER}, {1: 2450 * DOLLAR})
    found = liquidate(of, more, pair(of), TIME)
    assert isinstance(found, Amounts)
    assert found.written_off == ()


def refusals():
    paused, dead = {WETH: {"paused": True}}, {USDC: {"active": False}}
    late = {USDC: {"grace_until": TIME}}
    return [
        (market(eth=4000), "the health factor is not below 1"),
        (market(reserves=paused), "a reserve is paused or not active"),
        (market(reserves=dead), "a reserve is paused or not active"),
        (market(10, sentinel=True), "a sentinel may stop it"),
        (market(10, reserves=late), "a grace period is not over"),
        (market(reserves={WETH: {"threshold": 0}}), "the collateral has no threshold"),
        (market(reserves={WETH: {"bonus": 0}}), "a price or the bonus is 0"),
    ]


@pytest.mark.parametrize(("of", "reason"), refusals())
def test_what_the_pool_would_refuse_is_refused(of: Market, reason: str):
    assert liquidate(of, BORROWER, pair(of), TIME) == Refused(reason)
    assert find(of, BORROWER, TIME) is None


def test_what_a_version_does_not_know_does_not_stop_it():
    """3.0 knows no grace, 3.7 no sentinel; and below 0.95 none asks one."""
    for of in (
        market(1, reserves={WETH: {"grace_until": TIME}}),
        market(11, sentinel=True),
        market(10, eth=2500, sentinel=True),
        market(10, reserves={WETH: {"grace_until": TIME - 1}}),
    ):
        assert isinstance(liquidate(of, BORROWER, pair(of), TIME), Amounts)


def test_what_the_user_has_not_cannot_be_taken():
    of = market()
    reason = Refused("the user has no such collateral or debt")
    assert liquidate(of, BORROWER, pair(of, collateral=DAI), TIME) == reason
    assert liquidate(of, BORROWER, pair(of, debt=DAI), TIME) == reason
    assert liquidate(of, BORROWER, pair(of), TIME, 0) == Refused("it would move nothing")


def test_an_efficiency_mode_has_its_own_terms_for_its_own_collateral():
    owing = position({2: 1000 * ETHER}, {1: 950 * DOLLAR}, 1)
    members = {1: Category(9300, 10_100, 1 << 2)}
    inside = market(10, categories=members)
    assert account_of(inside, owing, TIME).threshold == 9300
    found = liquidate(inside, owing, pair(inside, DAI), TIME)
    assert isinstance(found, Amounts)
    assert found.bonus == 10_100
    outside = market(10, categories={1: Category(9300, 10_100, 1)})
    assert account_of(outside, owing, TIME).threshold == 8000
    old = market(1, reserves={DAI: {"category": 1}}, categories={1: Category(9300, 10_100)})
    assert account_of(old, owing, TIME).threshold == 9300


def test_a_mode_of_3_0_may_have_a_price_of_its_own():
    source = address(0x77)
    mode = {1: Category(9300, 10_100, 0, source)}
    of = market(1, reserves={DAI: {"category": 1}}, categories=mode)
    assert of.priced == (*DECIMALS_IN_ORDER, source)
    of = of.with_prices({source: 10**8 * 9 // 10})
    owing = position({2: 1000 * ETHER}, {1: 900 * DOLLAR}, 1)
    account = account_of(of, owing, TIME)
    assert (account.collateral, account.debt) == (900 * 10**8, 900 * 10**8)
    found = liquidate(of, owing, pair(of, DAI), TIME, 100 * DOLLAR)
    assert isinstance(found, Amounts)
    assert found.collateral + found.fee == 101 * ETHER
    other = position({0: ETHER}, {1: 3000 * DOLLAR}, 1)
    mixed = liquidate(of, other, pair(of), TIME, 100 * DOLLAR)
    assert isinstance(mixed, Amounts)
    assert mixed.collateral + mixed.fee == 31_500_000_000_000_000
    assert assets_of(of, owing) == {DAI, USDC, source}
    assert account_of(of.with_prices({source: 0}), owing, TIME).collateral == 1000 * 10**8


DECIMALS_IN_ORDER = (WETH, USDC, DAI)


def test_the_best_pair_is_found_and_what_it_brings():
    of = market(1, eth=1000, reserves={DAI: {"bonus": 11_000}})
    owing = position({0: ETHER, 2: 2000 * ETHER}, {1: 2600 * DOLLAR})
    found = find(of, owing, TIME)
    assert found is not None
    assert (found.pair.collateral.asset, found.others) == (DAI, 1)
    assert found.gross == {USDC: -found.amounts.debt, DAI: found.amounts.collateral}
    got = Fraction(found.amounts.collateral, ETHER) - Fraction(found.amounts.debt, DOLLAR)
    assert found.gain == got * 10**8 // 1
    assert find(market(), position({}, {}), TIME) is None


def test_a_lesser_pair_after_the_best_one_changes_nothing():
    of = market(1, eth=1000, reserves={WETH: {"bonus": 12_000}})
    found = find(of, position({0: ETHER, 2: 100 * ETHER}, {1: 2600 * DOLLAR}), TIME)
    assert found is not None
    assert (found.pair.collateral.asset, found.others) == (WETH, 1)


def test_a_debt_in_its_own_collateral_is_one_token():
    of = market(1)
    owing = position({1: 1000 * DOLLAR}, {1: 900 * DOLLAR})
    found = find(of, owing, TIME)
    assert found is not None
    assert found.gross == {USDC: found.amounts.collateral - found.amounts.debt}


amounts = st.integers(0, 10**24)
positions = st.builds(
    position,
    st.dictionaries(st.integers(0, 2), amounts, max_size=3),
    st.dictionaries(st.integers(0, 2), amounts, min_size=1, max_size=3),
)


@given(
    positions,
    st.sampled_from(ALL),
    st.integers(1, 10_000),
    st.lists(st.integers(1, 9900), min_size=3, max_size=3),
    st.sampled_from((1.0, 0.95)),
)
def test_the_screen_lets_nobody_through_who_can_be_liquidated(owing, revision, eth, terms, share):
    names = DECIMALS_IN_ORDER
    of = market(revision, eth, {one: {"threshold": t} for one, t in zip(names, terms, strict=True)})
    screen = Screen(of)
    screen.put(owing)
    health = account_of(of, owing, TIME).health
    if health * share < WAD:
        assert [user for _, _, user in screen.below(of, TIME, share)] == [USER]


@given(positions, st.sampled_from(ALL), st.integers(1, 5000))
def test_no_liquidation_takes_more_than_there_is(owing, revision, eth):
    of = market(revision, eth)
    for one in pairs_of(of, owing):
        found = best_of(of, owing, one, TIME)
        if isinstance(found, Amounts):
            assert found.collateral + found.fee <= owing.supplied[one.collateral.id]
            assert found.debt <= owing.borrowed[one.debt.id] + 1


def test_the_screen_looks_exactly_at_what_it_cannot_weigh():
    of = market(categories={2: Category(9000, 10_100, 0, WETH)})
    screen = Screen(of)
    strange = position({9: 1}, {1: 1}, user=address(1))
    unknown = position({0: ETHER}, {1: 1}, 7, user=address(2))
    stable = position({0: ETHER}, {}, 0, {1: Stable(1, 0, TIME)}, address(3))
    priced = position({0: ETHER}, {1: 1}, 2, user=address(4))
    safe = position({0: ETHER}, {1: 1}, user=address(5))
    idle = position({0: ETHER}, {}, user=address(6))
    for one in (strange, unknown, stable, priced, safe, idle):
        screen.put(one)
    everybody = {one.user for one in (strange, unknown, stable, priced)}
    assert {user for _, _, user in screen.below(of, TIME)} == everybody
    assert screen.of_assets([WETH, address(9)], of) == everybody | {safe.user}
    assert {user for _, _, user in screen.below(of, TIME, users={stable.user, safe.user})} == {
        stable.user
    }
    screen.drop(priced.user)
    assert priced.user not in screen.of_assets([WETH], of)
