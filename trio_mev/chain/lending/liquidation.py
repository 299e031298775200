"""What a liquidation takes and gives (LiquidationLogic.executeLiquidationCall)."""

from __future__ import annotations

from collections.abc import Mapping

from ...model.noun import Noun
from .account import Account, Position, account_of, applies, owed, supplied
from .market import Market, Reserve
from .maths import LARGEST, RAY, WAD, WHOLE, ceil_div, percent_mul

CLOSE_FACTOR = 5000
"""Basis points of the debt, above a health factor of 0.95."""
WHOLE_BELOW = 95 * WAD // 100
"""Health factor up to which all of the debt may be repaid."""
SMALL = 2000 * 10**8
"""Of the base currency's units: a smaller debt or collateral may be closed whole, from 3.3 on."""
LEFTOVER = SMALL // 2
"""What must at least be left of both, unless nothing is left of one."""


class Amounts(Noun, frozen=True):
    """What a liquidation comes to."""

    debt: int
    """What the liquidator pays."""
    collateral: int
    """What the liquidator gets."""
    fee: int
    """What the protocol gets of the collateral."""
    bonus: int
    """Basis points: of the debt's value, what is seized."""
    health: int
    written_off: tuple[tuple[str, int], ...] = ()
    """Debt that nothing secures any more, by asset; from 3.3 on it is burned."""


class Refused(Noun, frozen=True):
    """Why there is no liquidation."""

    reason: str


class Pair(Noun, frozen=True):
    """What is repaid, and what is seized for it."""

    collateral: Reserve
    debt: Reserve


class _Case(Noun, frozen=True):
    """All that amounts follow from."""

    market: Market
    position: Position
    account: Account
    pair: Pair
    time: int
    balance: int
    owed: int
    collateral_price: int
    debt_price: int
    bonus: int

    def collateral_value(self, amount: int) -> int:
        return amount * self.collateral_price // self.pair.collateral.unit

    def debt_value(self, amount: int) -> int:
        return self.market.rules.debt_value(amount * self.debt_price, self.pair.debt.unit)


def liquidate(
    market: Market, position: Position, pair: Pair, time: int, asked: int = LARGEST
) -> Amounts | Refused:
    """What a liquidation in a block of that time comes to.

    Args:
        market: the pool, with the prices of that moment.
        position: whose debt is repaid.
        pair: which debt, and what is seized for it.
        time: of the block.
        asked: how much debt the liquidator offers to repay.

    Raises:
        KeyError: a reserve, price or efficiency mode of it is not known.
    """
    account = account_of(market, position, time)
    case = _case(market, position, account, pair, time)
    refused = _refused(case)
    if refused is not None:
        return Refused(refused)
    amounts = _amounts(case, min(asked, _most(case)))
    if amounts.debt == 0 or amounts.collateral == 0:
        return Refused("it would move nothing")
    if market.rules.has_dust_rule and _leaves_dust(case, amounts):
        return Refused("it would leave dust")
    return amounts


def best_of(market: Market, position: Position, pair: Pair, time: int) -> Amounts | Refused:
    """The largest liquidation that is allowed: all that may be repaid or, where that would leave
    dust, so much that none is left.

    Raises:
        KeyError: as ``liquidate``.
    """
    whole = liquidate(market, position, pair, time)
    if whole != Refused("it would leave dust"):
        return whole
    # Both leftovers shrink as more is repaid: the largest amount that leaves enough is found by
    # halving.
    low, high = 0, _most(_case(market, position, account_of(market, position, time), pair, time))
    while high - low > 1:
        middle = (low + high) // 2
        if isinstance(liquidate(market, position, pair, time, middle), Amounts):
            low = middle
        else:
            high = middle
    return liquidate(market, position, pair, time, low)


def pairs_of(market: Market, position: Position) -> list[Pair]:
    """Every debt of a user with every collateral.

    Raises:
        KeyError: a reserve is not known.
    """
    return [
        Pair(market.by_id[collateral], market.by_id[debt])
        for debt in position.debts
        for collateral in position.collaterals
    ]


def _case(market: Market, position: Position, account: Account, pair: Pair, time: int) -> _Case:
    rules, (collateral, debt) = market.rules, (pair.collateral, pair.debt)
    mode = market.categories[position.category] if position.category else None
    own = applies(rules, position, mode, collateral)
    prices = [market.prices[collateral.asset], market.prices[debt.asset]]
    bonus = collateral.terms.bonus
    if mode is not None and own:
        bonus = mode.bonus
    if mode is not None and mode.price_source:
        prices[1] = market.prices[mode.price_source]
        prices[0] = prices[1] if own else prices[0]
    return _Case(
        market,
        position,
        account,
        pair,
        time,
        supplied(market, position, collateral, time),
        owed(market, position, debt, time),
        prices[0],
        prices[1],
        bonus,
    )


def _refused(case: _Case) -> str | None:
    rules, terms = case.market.rules, (case.pair.collateral.terms, case.pair.debt.terms)
    if case.account.health >= WAD:
        return "the health factor is not below 1"
    if not all(one.active and not one.paused for one in terms):
        return "a reserve is paused or not active"
    if rules.has_sentinel and case.market.sentinel and case.account.health >= WHOLE_BELOW:
        return "a sentinel may stop it"
    until = max(case.pair.collateral.grace_until, case.pair.debt.grace_until)
    if rules.has_grace and until >= case.time:
        return "a grace period is not over"
    if rules.needs_threshold and terms[0].threshold == 0:
        return "the collateral has no threshold"
    if case.pair.collateral.id not in case.position.collaterals or case.owed == 0:
        return "the user has no such collateral or debt"
    if not (case.collateral_price and case.debt_price and case.bonus):
        return "a price or the bonus is 0"
    return None


def _most(case: _Case) -> int:
    """Of the debt, what may be repaid."""
    if not case.market.rules.has_dust_rule:
        factor = CLOSE_FACTOR if case.account.health > WHOLE_BELOW else WHOLE
        return percent_mul(case.owed, factor)
    value = case.debt_value(case.owed)
    small = min(value, case.collateral_value(case.balance)) < SMALL
    cap = percent_mul(case.account.debt, CLOSE_FACTOR)
    if small or case.account.health <= WHOLE_BELOW or value <= cap:
        return case.owed
    return cap * case.pair.debt.unit // case.debt_price


def _amounts(case: _Case, debt: int) -> Amounts:
    """What so much debt gives (_calculateAvailableCollateralToLiquidate)."""
    rules, bonus = case.market.rules, case.bonus
    units = case.pair.collateral.unit, case.pair.debt.unit
    base = case.debt_price * debt * units[0] // (case.collateral_price * units[1])
    seized = rules.most_collateral(base * bonus, WHOLE)
    if seized > case.balance:
        seized = case.balance
        covered = case.collateral_price * seized * units[1] // (case.debt_price * units[0])
        debt = rules.debt_needed(covered * WHOLE, bonus)
    part = case.pair.collateral.terms.fee
    fee = 0
    if part:
        fee = rules.fee((seized - rules.bonus_base(seized * WHOLE, bonus)) * part, WHOLE)
    amounts = Amounts(debt, seized - fee, fee, bonus, case.account.health)
    if rules.has_dust_rule and _takes_all(case, amounts):
        return Amounts(debt, seized - fee, fee, bonus, case.account.health, _rest(case, debt))
    return amounts


def _leaves_dust(case: _Case, amounts: Amounts) -> bool:
    debt = case.owed - amounts.debt
    collateral = case.balance - amounts.collateral - amounts.fee
    if debt <= 0 or collateral == 0:
        return False
    return min(case.debt_value(debt), case.collateral_value(collateral)) < LEFTOVER


def _takes_all(case: _Case, amounts: Amounts) -> bool:
    """Whether no collateral is left."""
    seized = case.collateral_value(amounts.collateral + amounts.fee)
    if not case.market.rules.scaled_end:
        return case.account.collateral == seized
    index = case.pair.collateral.income(case.time)
    shares = sum(ceil_div(one * RAY, index) for one in (amounts.collateral, amounts.fee))
    alone = case.account.collateral == case.collateral_value(case.balance)
    return alone and shares >= case.position.supplied.get(case.pair.collateral.id, 0)


def _rest(case: _Case, paid: int) -> tuple[tuple[str, int], ...]:
    """The debts that are left, by asset."""
    reserves = [case.market.by_id[place] for place in case.position.debts]
    rest: Mapping[str, int] = {
        one.asset: owed(case.market, case.position, one, case.time)
        - (paid if one.id == case.pair.debt.id else 0)
        for one in reserves
    }
    return tuple((asset, debt) for asset, debt in rest.items() if debt > 0)
