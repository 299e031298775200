"""Random plans of the Universal Router."""

from __future__ import annotations

from collections.abc import Callable

import attrs

from tests.devnet.addresses import DAI, DECIMALS, UNIVERSAL_ROUTER, USDC, WBTC, WETH
from tests.devnet.arena import NEWER_ROUTER
from tests.devnet.commands import (
    ALL,
    Step,
    portion,
    pull,
    sub,
    sweep,
    transfer,
    unwrap,
    v2,
    v3,
    wrap,
)
from tests.devnet.orders import MOST, Limit, Made, Maker, Order
from tests.devnet.routers import ROUTER, SENDER, UNIVERSAL

Steps = Callable[[Limit], list[Step]]
AFFORDABLE = 10**23
"""Ether that may be sent along for an exact output."""


@attrs.frozen
class Planned:
    """A plan, by its limit."""

    steps: Steps
    exact_out: bool = False
    value: int = 0
    """Ether that goes along."""
    limit_is_value: bool = False
    """Whether as much ether goes along as the limit says."""
    takes: int = 0
    """What is taken of the output before the limit is looked at, in basis points."""


class PlanOrders(Maker):
    """Orders for it; each method that begins with ``plan_`` is a kind."""

    def _ur(self, kind: str) -> Order:
        what, trader, until = kind.split()[1], self.trader(), self.deadline()
        plan: Planned = getattr(self, f"plan_{what}")()

        def make(limit: Limit) -> Made:
            commands = plan.steps(limit)
            value = min(limit, AFFORDABLE) if plan.limit_is_value else plan.value
            given = bytes(code for code, _ in commands), [data for _, data in commands]
            if self.time == until:
                return "execute(bytes,bytes[])", given, value
            return UNIVERSAL, (*given, until), value

        to = NEWER_ROUTER if what in {"v4_path", "v4_out_path"} else UNIVERSAL_ROUTER
        return Order(kind, trader, to, make, plan.exact_out, plan.takes)

    def plan_v2_in(self) -> Planned:
        way = self.flat()
        amount = self.amount(way[0])
        return Planned(lambda limit: [v2(SENDER, amount, limit, way)])

    def plan_v2_out(self) -> Planned:
        way = self.flat()
        amount = self.amount(way[-1])
        return Planned(lambda limit: [v2(SENDER, amount, limit, way, out=True)], exact_out=True)

    def plan_v3_in(self) -> Planned:
        way = self.way()
        amount = self.amount(way[0][0])
        return Planned(lambda limit: [v3(SENDER, amount, limit, way)])

    def plan_v3_out(self) -> Planned:
        way = self.way()
        amount = self.amount(way[0][-1])
        return Planned(lambda limit: [v3(SENDER, amount, limit, way, out=True)], exact_out=True)

    def plan_flagged(self) -> Planned:
        """Its flag lets the swap fail, and means nothing."""
        way = self.flat()
        amount = self.amount(way[0])

        def steps(limit: Limit) -> list[Step]:
            code, data = v2(SENDER, amount, limit, way)
            return [(code | 0x80, data)]

        return Planned(steps)

    def plan_wrap_in(self) -> Planned:
        way, amount = self.flat(WETH), self.amount(WETH)
        wrapped, given = self.rng.choice([amount, ALL]), self.rng.choice([amount, ALL])

        def steps(limit: Limit) -> list[Step]:
            return [wrap(wrapped), v2(SENDER, given, limit, way, user=False)]

        return Planned(steps, value=amount)

    def plan_wrap_out(self) -> Planned:
        """What is left over is unwrapped again."""
        way = self.way(WETH)
        amount = self.amount(way[0][-1])

        def steps(limit: Limit) -> list[Step]:
            most = min(limit, AFFORDABLE)
            swap = v3(SENDER, amount, most, way, out=True, user=False)
            return [wrap(most), swap, unwrap(SENDER, 0)]

        return Planned(steps, exact_out=True, limit_is_value=True)

    def plan_pull(self) -> Planned:
        """All that was taken by way of Permit2 before, less what was sent on."""
        way = self.way()
        token, amount = way[0][0], self.amount(way[0][0])
        less = self.rng.choice([0, amount // 3])

        def steps(limit: Limit) -> list[Step]:
            swap = v3(SENDER, ALL, limit, way, user=False)
            return [pull(token, amount), transfer(token, less), swap]

        return Planned(steps)

    def plan_leave(self) -> Planned:
        """Something stays with the router."""
        way = self.way(DAI)
        amount = self.amount(DAI) + 2

        def steps(limit: Limit) -> list[Step]:
            return [pull(DAI, amount), v3(SENDER, amount // 2, limit, way, user=False)]

        return Planned(steps)

    def plan_rest(self) -> Planned:
        """What somebody before has left there, if anything."""
        way = self.way(DAI)
        return Planned(lambda limit: [v3(SENDER, ALL, limit, way, user=False)])

    def plan_nothing(self) -> Planned:
        """An exact output of nothing, for which the router computes an input of one."""
        way = self.rng.choice([[WETH, USDC], [USDC, WETH], [WBTC, WETH]])
        return Planned(lambda limit: [v2(SENDER, 0, limit, way, out=True)], exact_out=True)

    def plan_locked(self) -> Planned:
        """A pool that is needed while it waits to be paid."""
        way = self.way(most=1)
        amount = self.amount(way[0][0]) // 10**3
        there_and_back = [*way[0], way[0][0]], way[1] * 2
        return Planned(
            lambda limit: [v3(SENDER, amount, limit, there_and_back, out=True)], exact_out=True
        )

    def plan_chain(self) -> Planned:
        """Pools of V3, and then pairs with all that they gave; the limit is in a sweep, and before
        it somebody takes a part."""
        way = self.way()
        amount, second = self.amount(way[0][0]), self.flat(way[0][-1])
        token, takes = second[-1], self.rng.choice([0, 1, 25, 300])

        def steps(limit: Limit) -> list[Step]:
            return [
                v3(ROUTER, amount, 0, way),
                v2(ROUTER, ALL, 0, second, user=False),
                *([portion(token, takes)] if takes else []),
                unwrap(SENDER, limit) if token == WETH else sweep(token, SENDER, limit),
            ]

        return Planned(steps, takes=takes)

    def plan_paid(self) -> Planned:
        """The first pair is paid by the pool before it."""
        way = self.way()
        amount, second = self.amount(way[0][0]), self.flat(way[0][-1])
        pair = self.pairs[frozenset(second[:2])]
        return Planned(
            lambda limit: [v3(pair, amount, 0, way), v2(SENDER, 0, limit, second)],
        )

    def plan_joint(self) -> Planned:
        """Two swaps with one limit; one may be of an exact output."""
        one = self.way()
        end = one[0][-1]
        two, out = self.way(end=end), self.rng.random() < 0.3
        first, second = self.amount(one[0][0]), self.amount(end if out else two[0][0])

        def steps(limit: Limit) -> list[Step]:
            return [
                v3(ROUTER, first, 0, one),
                v3(ROUTER, second, MOST if out else 0, two, out=out),
                unwrap(SENDER, limit) if end == WETH else sweep(end, SENDER, limit),
            ]

        return Planned(steps)

    def plan_sub(self) -> Planned:
        """A plan within the plan that may fail, sometimes two deep, and a swap that goes on."""
        one, two, three = self.way(), self.flat(), self.flat()
        amounts = [self.amount(one[0][0]), self.amount(two[0]), self.amount(three[0])]
        flag, deep = self.rng.choice([0x80, 0x80, 0]), self.rng.random() < 0.4
        hopeless = MOST if self.rng.random() < 0.5 else 0

        def steps(limit: Limit) -> list[Step]:
            first = v3(SENDER, amounts[0], 0, one)
            second = v2(SENDER, amounts[1], hopeless, two)
            inner = [first, sub([second], 0x80)] if deep else [first, second]
            return [sub(inner, flag), v2(SENDER, amounts[2], limit, three)]

        return Planned(steps)

    def plan_sub_chain(self) -> Planned:
        """What a plan within the plan brings, or does not, is what goes on."""
        one = self.way()
        amount, two = self.amount(one[0][0]), self.flat(one[0][-1])
        hopeless = MOST if self.rng.random() < 0.4 else 0

        def steps(limit: Limit) -> list[Step]:
            inner = sub([v3(ROUTER, amount, hopeless, one)], 0x80)
            return [inner, v2(SENDER, ALL, limit, two, user=False)]

        return Planned(steps)

    def plan_twice(self) -> Planned:
        """A given amount of what a swap brought, and then all that is left of it."""
        one, token = self.way(), self.rng.choice(list(DECIMALS))
        one = self.way(end=token)
        amount, part = self.amount(one[0][0]), self.amount(token) // 1000
        two, three = self.way(token), self.flat(token)

        def steps(limit: Limit) -> list[Step]:
            return [
                pull(token, part),
                v3(ROUTER, amount, 0, one),
                v3(SENDER, part, 0, two, user=False),
                v2(SENDER, ALL, limit, three, user=False),
            ]

        return Planned(steps)
