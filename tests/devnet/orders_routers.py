"""Random swaps by the V2 routers, the V3 SwapRouter and SwapRouter02."""

from __future__ import annotations

from collections.abc import Callable

from tests.devnet.abi import Address, call_data, raw
from tests.devnet.addresses import (
    NOBODY,
    ROUTER_02,
    SUSHISWAP_ROUTER,
    UNISWAP_V2_ROUTER,
    V3_ROUTER,
    WETH,
)
from tests.devnet.cast import TRADERS
from tests.devnet.commands import path
from tests.devnet.orders import FLAT, STAR, Limit, Made, Maker, Order
from tests.devnet.routers import (
    NEW_PATH,
    NEW_SINGLE,
    NEW_V2,
    ROUTER,
    V2_METHODS,
    V3_PATH,
    V3_SINGLE,
)
from tests.devnet.uniswap import ordered, units


class RouterOrders(Maker):
    """Orders for them, by the kind that a method's name begins with."""

    # The V2 routers.

    def _v2(self, kind: str) -> Order:
        _, venue, index = kind.split()
        method = V2_METHODS[int(index)]
        pays, gets = "ETHFor" in method, "ForETH" in method or "ForExactETH" in method
        pairs = FLAT if venue == "uniswap" else STAR
        way = self.flat(WETH if pays else None, WETH if gets else None, pairs)
        out = "ForExact" in method
        trader, until = self.trader(), self.deadline()
        amount = self.amount(way[-1] if out else way[0])

        def make(limit: Limit) -> Made:
            ends = (way, trader, until)
            if pays:
                value = min(limit, 10**23) if out else amount
                return method, (amount if out else limit, *ends), value
            return method, (amount, limit, *ends), 0

        router = UNISWAP_V2_ROUTER if venue == "uniswap" else SUSHISWAP_ROUTER
        return Order(kind, trader, router, make, out)

    # The V3 SwapRouter.

    def _v3(self, kind: str) -> Order:
        what, trader, until = kind.split()[1], self.trader(), self.deadline()
        out, single = "out" in what, "single" in what
        unwraps, wraps = "unwrap" in what, "refund" in what
        tokens, fees = self.way(
            WETH if wraps else None, WETH if unwraps else None, 1 if single else 3
        )
        amount = self.amount(tokens[-1] if out else tokens[0])
        price = self.price(tokens) if single and self.rng.random() < 0.3 else 0
        kept = unwraps or "sweep" in what
        to = NOBODY if kept else trader
        name = "exactOutput" if out else "exactInput"

        def swap(limit: Limit) -> str:
            if single:
                given = (tokens[0], tokens[1], fees[0], to, until, amount, limit, price)
                return call_data(f"{name}Single({V3_SINGLE})", given)
            way = path(tokens, fees, backward=out)
            return call_data(f"{name}({V3_PATH})", (way, to, until, amount, limit))

        def make(limit: Limit) -> Made:
            if not kept and not wraps:
                return swap(limit), (), 0
            if wraps:
                value = min(limit, 10**23) if out else amount
                calls = [raw(swap(value if out else limit)), raw(call_data("refundETH()"))]
                return "multicall(bytes[])", (calls,), value
            least = 0 if out else limit
            calls = [
                raw(swap(limit if out else 0)),
                raw(self.give(what, tokens[-1], least, trader)),
            ]
            return "multicall(bytes[])", (calls,), 0

        return Order(kind, trader, V3_ROUTER, make, out)

    @staticmethod
    def give(what: str, token: Address, least: int, to: Address) -> str:
        """The step that hands over what the router holds."""
        if "fee" in what:
            if "unwrap" in what:
                method = "unwrapWETH9WithFee(uint256,address,uint256,address)"
                return call_data(method, least, to, 37, TRADERS[0])
            method = "sweepTokenWithFee(address,uint256,address,uint256,address)"
            return call_data(method, token, least, to, 100, TRADERS[0])
        if "unwrap" in what:
            return call_data("unwrapWETH9(uint256,address)", least, to)
        return call_data("sweepToken(address,uint256,address)", token, least, to)

    def price(self, tokens: list[Address]) -> int:
        """A square root somewhere about the pools' prices at the start, mostly beyond them."""
        one, two = ordered(*tokens)
        root = (units(two, 10**6) / units(one, 10**6)) ** 0.5 * 2**96
        away = self.rng.uniform(-0.002, 0.02) * (-1 if tokens[0] == one else 1)
        return int(root * (1 + away))

    # SwapRouter02.

    def _new(self, kind: str) -> Order:
        what, trader, until = kind.split()[1], self.trader(), self.deadline()
        out, single, flat = "out" in what, "single" in what, "v2" in what
        tokens, fees = (self.flat(), []) if flat else self.way(most=1 if single else 3)
        amount = self.amount(tokens[-1] if out else tokens[0])
        price = self.price(tokens) if single and self.rng.random() < 0.3 else 0
        parent = self.parent if self.rng.random() < 0.9 else f"0x{1:064x}"

        def make(limit: Limit) -> Made:
            swap = new_swap(tokens, fees, trader, amount, limit, out, single, price)
            if "until" in what:
                return "multicall(uint256,bytes[])", (until, [raw(swap)]), 0
            if "after" in what:
                return "multicall(bytes32,bytes[])", (raw(parent), [raw(swap)]), 0
            return swap, (), 0

        return Order(kind, trader, ROUTER_02, make, out)

    def _newer(self, kind: str) -> Order:
        """Multicalls of several steps."""
        what, trader, until = kind.split()[1], self.trader(), self.deadline()
        first, fees = self.way(WETH if what == "wrap" else None)
        second = self.flat(first[-1])
        amount = self.amount(first[0])
        value = amount if what == "wrap" else 0
        steps: Callable[[Limit], list[str]]
        if what in {"wrap", "pull"}:
            pay = call_data("wrapETH(uint256)", amount)
            if what == "pull":
                pay = call_data("pull(address,uint256)", first[0], amount)

            def steps(limit: Limit) -> list[str]:
                return [pay, new_swap(first, fees, trader, 0, limit)]

        elif what == "joint":
            other, others = self.way(end=first[-1])
            more = self.amount(other[0])

            def steps(limit: Limit) -> list[str]:
                return [
                    new_swap(first, fees, ROUTER, amount, 0),
                    new_swap(other, others, ROUTER, more, 0),
                    call_data("sweepToken(address,uint256)", first[-1], limit),
                ]

        else:  # One after the other, with all that the first one gave.

            def steps(limit: Limit) -> list[str]:
                return [
                    new_swap(first, fees, ROUTER, amount, 0),
                    new_swap(second, [], trader, 0, limit),
                ]

        def make(limit: Limit) -> Made:
            return "multicall(uint256,bytes[])", (until, list(map(raw, steps(limit)))), value

        return Order(kind, trader, ROUTER_02, make)


def new_swap(
    tokens: list[Address],
    fees: list[int],
    to: Address,
    amount: int,
    limit: int,
    out: bool = False,
    single: bool = False,
    price: int = 0,
) -> str:
    """A swap of SwapRouter02; without fees through pairs."""
    if not fees:
        name = "swapTokensForExactTokens" if out else "swapExactTokensForTokens"
        return call_data(name + NEW_V2, amount, limit, tokens, to)
    name = "exactOutput" if out else "exactInput"
    if single:
        given = (tokens[0], tokens[1], fees[0], to, amount, limit, price)
        return call_data(f"{name}Single({NEW_SINGLE})", given)
    return call_data(f"{name}({NEW_PATH})", (path(tokens, fees, out), to, amount, limit))


_V3 = (
    "single path out_single out_path single_unwrap path_unwrap single_sweep path_sweep unwrap_fee "
    "sweep_fee out_single_refund out_path_refund single_refund out_single_sweep"
)
_NEW = (
    "single path out_single out_path v2 v2_out until_single until_path until_v2 after_v2_out "
    "after_single after_out_path"
)
ROUTER_KINDS = (
    *(f"v2 {venue} {n}" for venue in ("uniswap", "sushi") for n in range(len(V2_METHODS))),
    *(f"v3 {what}" for what in _V3.split(" ")),
    *(f"new {what}" for what in _NEW.split(" ")),
    *(f"newer {what}" for what in ("wrap", "pull", "joint", "chain")),
)
