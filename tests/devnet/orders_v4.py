"""Random swaps of Uniswap V4 by the Universal Router."""

from __future__ import annotations

from tests.devnet.addresses import DAI, USDC, WETH
from tests.devnet.commands import (
    ALL,
    Step,
    settle,
    settle_all,
    sweep,
    take,
    take_all,
    v2,
    v3,
    v4,
    v4_path,
    v4_single,
)
from tests.devnet.orders import MOST, Limit
from tests.devnet.orders_plans import Planned, PlanOrders
from tests.devnet.routers import ROUTER, SENDER
from trio_mev.model.intents import ETHER

WAYS = (
    [ETHER, USDC],
    [USDC, WETH],
    [DAI, USDC],
    [ETHER, USDC, WETH],
    [ETHER, USDC, DAI],
    [DAI, USDC, WETH],
)


class V4Orders(PlanOrders):
    """Orders for it."""

    def plan_v4_single(self) -> Planned:
        return self._v4(out=False, single=True)

    def plan_v4_path(self) -> Planned:
        return self._v4(out=False, single=False)

    def plan_v4_out_single(self) -> Planned:
        return self._v4(out=True, single=True)

    def plan_v4_out_path(self) -> Planned:
        return self._v4(out=True, single=False)

    def _v4(self, out: bool, single: bool) -> Planned:
        """A swap whose limit is its own, or that of what is paid or taken in the end."""
        way = self.rng.choice(WAYS)
        way = way[:: self.rng.choice([1, -1])][: 2 if single else 3]
        amount = min(self.amount(way[-1] if out else way[0]), 2**120) or 1
        later, pays = self.rng.random() < 0.3, way[0] == ETHER
        code = (0x08 if single else 0x09) if out else (0x06 if single else 0x07)

        def steps(limit: Limit) -> list[Step]:
            open_ = MOST if out else 0
            own, last = (open_, limit) if later else (limit, open_)
            swap = v4_single(way, amount, own) if single else v4_path(way, amount, own, out)
            most, least = (last, 0) if out else (MOST, last)
            ends = [settle_all(way[0], most), take_all(way[-1], least)]
            return [v4([(code, swap), *ends]), *([sweep(ETHER, SENDER, 0)] if pays else [])]

        return Planned(steps, out, 0 if out or not pays else amount, out and pays)

    def plan_v4_open(self) -> Planned:
        """Paid in first, then swapped whole, twice, and taken whole."""
        way = self.rng.choice([[DAI, USDC, WETH], [WETH, USDC, DAI]])
        amount = self.amount(way[0]) or 1

        def steps(limit: Limit) -> list[Step]:
            return [
                v4(
                    [
                        settle(way[0], amount, user=True),
                        (0x06, v4_single(way[:2], 0, 0)),
                        (0x06, v4_single(way[1:], 0, limit)),
                        take(way[2], SENDER),
                    ]
                )
            ]

        return Planned(steps)

    def plan_v4_mixed(self) -> Planned:
        """From pools of V3 into one of V4 with all of it, and on into pairs."""
        first = self.way(end=DAI)
        amount, second = self.amount(first[0][0]), self.flat(USDC)

        def steps(limit: Limit) -> list[Step]:
            middle = [
                settle(DAI, ALL, user=False),
                (0x06, v4_single([DAI, USDC], 0, 0)),
                take(USDC, ROUTER),
            ]
            return [
                v3(ROUTER, amount, 0, first),
                v4(middle),
                v2(SENDER, ALL, limit, second, user=False),
            ]

        return Planned(steps)


PLAN_KINDS = tuple(f"ur {name[5:]}" for name in sorted(dir(V4Orders)) if name.startswith("plan_"))
