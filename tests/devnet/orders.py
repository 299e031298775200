"""Random swaps by every router, with their limit still open."""

from __future__ import annotations

import random
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import attrs

from tests.devnet.abi import Address, call_data, encode, raw
from tests.devnet.addresses import (
    DAI,
    DECIMALS,
    ROUTER_02,
    SUSHISWAP_ROUTER,
    UNISWAP_V2_ROUTER,
    UNIVERSAL_ROUTER,
    USDC,
    V3_ROUTER,
    WBTC,
    WETH,
)
from tests.devnet.arena import NEWER_ROUTER
from tests.devnet.cast import TRADERS
from tests.devnet.routers import (
    NEW_PATH,
    NEW_SINGLE,
    NEW_V2,
    ROUTER,
    SENDER,
    UNIVERSAL,
    V2_METHODS,
    V3_PATH,
    V3_SINGLE,
)
from tests.devnet.uniswap import POOLS, ordered, units
from trio_mev.model.intents import ETHER

Limit = int
Made = tuple[str, tuple[Any, ...], int]
"""A signature, its arguments, and the ether that is sent along."""
MOST = 10**27
"""Of any token: no limit."""
ALL = 1 << 255
NONE = f"0x{0:040x}"
FEES = {frozenset(pool[:2]): [] for pool in POOLS}
for _one, _other, _fee in POOLS:
    FEES[frozenset((_one, _other))].append(_fee)
V4_FEES = {(ETHER, USDC): (3000, 60), (USDC, WETH): (500, 10), (DAI, USDC): (100, 1)}


@attrs.frozen
class Order:
    """A call of which only the limit is open."""

    kind: str
    sender: Address
    to: Address
    make: Callable[[Limit], Made]
    exact_out: bool = False
    takes: int = 0
    """Of what is got, how much is taken before the limit is looked at, in basis points."""

    @property
    def loosest(self) -> Limit:
        """A limit that holds always."""
        return MOST if self.exact_out else 0

    def left(self, got: int) -> int:
        """What is left for the limit."""
        return got - got * self.takes // 10_000


@attrs.define(eq=False)
class Orders:
    """A stream of them."""

    rng: random.Random
    time: int
    """Of the block that they are for."""
    parent: str
    """The hash of the one before."""
    pairs: dict[frozenset[Address], Address]
    """Those of Uniswap V2, by their tokens."""

    def next(self, kind: str) -> Order:
        """One of a kind."""
        return getattr(self, f"_{kind.partition(' ')[0]}")(kind)

    def trader(self) -> Address:
        return self.rng.choice(TRADERS)

    def deadline(self) -> int:
        """Over, now, or later."""
        choice = self.rng.random()
        if choice < 0.04:
            return self.time - self.rng.randrange(1, 1000)
        return self.time if choice < 0.3 else self.time + self.rng.randrange(1, 10**6)

    def amount(self, token: Address) -> int:
        """From dust to more than a pool has in its range."""
        choice = self.rng.random()
        most = 5.3 if choice < 0.85 else 6.3 if choice < 0.95 else 7.2
        least = -12 if choice < 0.2 else 0
        real = WETH if token == ETHER else token
        return max(units(real, 10 ** self.rng.uniform(least, most)), int(choice > 0.004))

    def flat(self, start: Address | None = None, end: Address | None = None) -> list[Address]:
        """A way through pairs: each is of ether and something."""
        others = [USDC, WBTC, DAI]
        one = start or self.rng.choice([WETH, *others])
        if one == WETH:
            return [WETH, self.rng.choice(others)]
        if end == WETH or (end is None and self.rng.random() < 0.5):
            return [one, WETH]
        two = self.rng.choice([token for token in others if token != one])
        return [one, WETH, two]

    def way(
        self, start: Address | None = None, end: Address | None = None, most: int = 3
    ) -> tuple[list[Address], list[int]]:
        """A way through pools of V3, with the fee of each; none comes twice."""
        while True:
            tokens, fees, used = [start or self.rng.choice(list(DECIMALS))], [], set()
            for _ in range(self.rng.randint(1, most)):
                ways = [
                    (other, fee)
                    for pair, each in FEES.items()
                    for fee in each
                    for other in pair - {tokens[-1]}
                    if tokens[-1] in pair and (pair, fee) not in used
                ]
                if not ways:
                    break
                other, fee = self.rng.choice(ways)
                used.add((frozenset((tokens[-1], other)), fee))
                tokens.append(other)
                fees.append(fee)
            if fees and (end is None or tokens[-1] == end):
                return tokens, fees

    # The V2 routers.

    def _v2(self, kind: str) -> Order:
        _, venue, index = kind.split()
        method = V2_METHODS[int(index)]
        pays, gets = "ETHFor" in method, "ForETH" in method or "ForExactETH" in method
        way = self.flat(WETH if pays else None, WETH if gets else None)
        if gets and way[-1] != WETH:
            way = [self.rng.choice([USDC, WBTC, DAI]), WETH]
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
        to = NONE if kept else trader
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

    # The Universal Router.

    def _ur(self, kind: str) -> Order:
        what, trader, until = kind.split()[1], self.trader(), self.deadline()
        plan = getattr(self, f"_plan_{what}")
        out, takes, value, steps = plan(trader)

        def make(limit: Limit) -> Made:
            worth = value if isinstance(value, int) else value(limit)
            plain = "execute(bytes,bytes[])"
            commands = steps(limit)
            given = bytes(code for code, _ in commands), [data for _, data in commands]
            if self.time == until:
                return plain, given, worth
            return UNIVERSAL, (*given, until), worth

        to = NEWER_ROUTER if what in {"v4path", "v4outpath"} else UNIVERSAL_ROUTER
        return Order(kind, trader, to, make, out, takes)

    def _plan_v2in(self, trader: Address) -> Any:
        way = self.flat()
        amount = self.amount(way[0])
        return False, 0, 0, lambda limit: [v2(SENDER, amount, limit, way)]

    def _plan_v2out(self, trader: Address) -> Any:
        way = self.flat()
        amount = self.amount(way[-1])
        return True, 0, 0, lambda limit: [v2(SENDER, amount, limit, way, out=True)]

    def _plan_v3in(self, trader: Address) -> Any:
        way = self.way()
        amount = self.amount(way[0][0])
        return False, 0, 0, lambda limit: [v3(SENDER, amount, limit, way)]

    def _plan_v3out(self, trader: Address) -> Any:
        way = self.way()
        amount = self.amount(way[0][-1])
        return True, 0, 0, lambda limit: [v3(SENDER, amount, limit, way, out=True)]

    def _plan_flagged(self, trader: Address) -> Any:
        """A swap that may fail by its flag, which means nothing."""
        way = self.flat()
        amount = self.amount(way[0])

        def steps(limit: Limit) -> Any:
            code, data = v2(SENDER, amount, limit, way)
            return [(code | 0x80, data)]

        return False, 0, 0, steps

    def _plan_wrapin(self, trader: Address) -> Any:
        way, amount = self.flat(WETH), self.amount(WETH)
        wrapped = self.rng.choice([amount, ALL])
        given = self.rng.choice([amount, ALL])
        return (
            False,
            0,
            amount,
            lambda limit: [wrap(wrapped), v2(SENDER, given, limit, way, user=False)],
        )

    def _plan_wrapout(self, trader: Address) -> Any:
        """What is left over is unwrapped again."""
        way = self.way(WETH)
        amount = self.amount(way[0][-1])

        def steps(limit: Limit) -> Any:
            most = min(limit, 10**23)
            swap = v3(SENDER, amount, most, way, out=True, user=False)
            return [wrap(most), swap, unwrap(SENDER, 0)]

        return True, 0, lambda limit: min(limit, 10**23), steps

    def _plan_pull(self, trader: Address) -> Any:
        """Taken by way of Permit2 first."""
        way = self.way()
        amount, token = self.amount(way[0][0]), way[0][0]

        def steps(limit: Limit) -> Any:
            pull = 0x02, encode(("address", "address", "uint160"), token, ROUTER, amount)
            return [pull, v3(SENDER, ALL, limit, way, user=False)]

        return False, 0, 0, steps

    def _plan_chain(self, trader: Address) -> Any:
        """Pools of V3, and then pairs with all that they gave; the limit is in a sweep, and before
        it somebody takes a part."""
        way = self.way()
        amount, second = self.amount(way[0][0]), self.flat(way[0][-1])
        takes = self.rng.choice([0, 1, 25, 300])

        def steps(limit: Limit) -> Any:
            token = second[-1]
            return [
                v3(ROUTER, amount, 0, way),
                v2(ROUTER, ALL, 0, second, user=False),
                *([portion(token, takes)] if takes else []),
                sweep(token, SENDER, limit),
            ]

        return False, takes, 0, steps

    def _plan_paid(self, trader: Address) -> Any:
        """The first pair is paid by the pool before it."""
        way = self.way(end=WETH)
        amount, second = self.amount(way[0][0]), self.flat(WETH)
        return (
            False,
            0,
            0,
            lambda limit: [
                v3(self.pairs[frozenset(second)], amount, 0, way),
                v2(SENDER, 0, limit, second),
            ],
        )

    def _plan_joint(self, trader: Address) -> Any:
        one = self.way()
        end = one[0][-1]
        two = self.way(end=end)
        first, second = self.amount(one[0][0]), self.amount(two[0][0])
        return (
            False,
            0,
            0,
            lambda limit: [
                v3(ROUTER, first, 0, one),
                v3(ROUTER, second, 0, two),
                unwrap(SENDER, limit) if end == WETH else sweep(end, SENDER, limit),
            ],
        )

    def _plan_sub(self, trader: Address) -> Any:
        """A plan within the plan, which may fail, and a swap that goes on without it."""
        one, two, three = self.way(), self.flat(), self.flat()
        amounts = [self.amount(one[0][0]), self.amount(two[0]), self.amount(three[0])]
        flag = self.rng.choice([0x80, 0x80, 0])
        hopeless = self.rng.random() < 0.5

        def steps(limit: Limit) -> Any:
            least = MOST if hopeless else 0
            inner = [v3(SENDER, amounts[0], 0, one), v2(SENDER, amounts[1], least, two)]
            return [sub(inner, flag), v2(SENDER, amounts[2], limit, three)]

        return False, 0, 0, steps

    # Uniswap V4 within it.

    def v4way(self) -> list[Address]:
        ways = [[ETHER, USDC], [USDC, WETH], [DAI, USDC], [ETHER, USDC, WETH], [ETHER, USDC, DAI]]
        way = self.rng.choice([*ways, [DAI, USDC, WETH]])
        return way if self.rng.random() < 0.5 else way[::-1]

    def _v4plan(self, out: bool, single: bool) -> Any:
        way = self.v4way()
        way = way[:2] if single else way
        amount = min(self.amount(way[-1] if out else way[0]), 2**120)
        pays = way[0] == ETHER
        name = {(0, 1): 0x06, (0, 0): 0x07, (1, 1): 0x08, (1, 0): 0x09}[out, single]

        def steps(limit: Limit) -> Any:
            swap = v4single(way, amount, limit) if single else v4path(way, amount, limit, out)
            ends = [
                (0x0C, encode(("address", "uint256"), way[0], MOST)),
                (0x0F, encode(("address", "uint256"), way[-1], 0)),
            ]
            more = [sweep(ETHER, SENDER, 0)] if pays else []
            return [v4([(name, swap), *ends]), *more]

        value = (lambda limit: min(limit, 10**23)) if out and pays else amount if pays else 0
        return out, 0, value, steps

    def _plan_v4single(self, trader: Address) -> Any:
        return self._v4plan(out=False, single=True)

    def _plan_v4path(self, trader: Address) -> Any:
        return self._v4plan(out=False, single=False)

    def _plan_v4outsingle(self, trader: Address) -> Any:
        return self._v4plan(out=True, single=True)

    def _plan_v4outpath(self, trader: Address) -> Any:
        return self._v4plan(out=True, single=False)

    def _plan_v4open(self, trader: Address) -> Any:
        """Paid in first, then swapped whole, twice; taken to the limit."""
        way = self.rng.choice([[DAI, USDC, WETH], [WETH, USDC, DAI]])
        amount = self.amount(way[0])

        def steps(limit: Limit) -> Any:
            return [
                v4(
                    [
                        (0x0B, encode(("address", "uint256", "bool"), way[0], amount, True)),
                        (0x06, v4single(way[:2], 0, 0)),
                        (0x06, v4single(way[1:], 0, 0)),
                        (0x0E, encode(("address", "address", "uint256"), way[2], SENDER, 0)),
                    ]
                ),
            ]

        return False, 0, 0, steps

    def _plan_v4mixed(self, trader: Address) -> Any:
        """From pools of V3 into one of V4 with all of it, and on into pairs."""
        first = self.way(end=DAI)
        amount, second = self.amount(first[0][0]), self.flat(USDC)

        def steps(limit: Limit) -> Any:
            return [
                v3(ROUTER, amount, 0, first),
                v4(
                    [
                        (0x0B, encode(("address", "uint256", "bool"), DAI, ALL, False)),
                        (0x06, v4single([DAI, USDC], 0, 0)),
                        (0x0E, encode(("address", "address", "uint256"), USDC, ROUTER, 0)),
                    ]
                ),
                v2(SENDER, ALL, limit, second, user=False),
            ]

        return False, 0, 0, steps


def path(tokens: list[Address], fees: list[int], backward: bool = False) -> bytes:
    """A way as V3 spells it."""
    if backward:
        tokens, fees = tokens[::-1], fees[::-1]
    text = raw(tokens[0])
    for fee, token in zip(fees, tokens[1:], strict=True):
        text += fee.to_bytes(3) + raw(token)
    return text


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


Step = tuple[int, bytes]


def v2(
    to: Address, amount: int, limit: int, way: Any, out: bool = False, user: bool = True
) -> Step:
    """A command of pairs."""
    types = ("address", "uint256", "uint256", "address[]", "bool")
    return 0x09 if out else 0x08, encode(types, to, amount, limit, way, user)


def v3(
    to: Address, amount: int, limit: int, way: Any, out: bool = False, user: bool = True
) -> Step:
    """A command of pools of V3."""
    types = ("address", "uint256", "uint256", "bytes", "bool")
    return int(out), encode(types, to, amount, limit, path(*way, out), user)


def wrap(amount: int) -> Step:
    return 0x0B, encode(("address", "uint256"), ROUTER, amount)


def unwrap(to: Address, least: int) -> Step:
    return 0x0C, encode(("address", "uint256"), to, least)


def sweep(token: Address, to: Address, least: int) -> Step:
    return 0x04, encode(("address", "address", "uint256"), token, to, least)


def portion(token: Address, bips: int) -> Step:
    return 0x06, encode(("address", "address", "uint256"), token, TRADERS[0], bips)


def sub(steps: list[Step], flag: int) -> Step:
    """A plan within the plan."""
    codes = bytes(code for code, _ in steps)
    return 0x21 | flag, encode(("bytes", "bytes[]"), codes, [data for _, data in steps])


def v4(actions: list[Step]) -> Step:
    """A command of V4."""
    codes = bytes(code for code, _ in actions)
    return 0x10, encode(("bytes", "bytes[]"), codes, [data for _, data in actions])


_KEY = "(address,address,uint24,int24,address)"


def _v4pool(one: Address, two: Address) -> tuple[Any, ...]:
    tokens = ordered(one, two)
    fee, spacing = next(v for k, v in V4_FEES.items() if set(k) == {one, two})
    return (*tokens, fee, spacing, NONE)


def v4single(way: list[Address], amount: int, limit: int) -> bytes:
    key = _v4pool(*way)
    first = way[0] == key[0]
    return encode((f"({_KEY},bool,uint128,uint128,bytes)",), (key, first, amount, limit, b""))


def v4path(way: list[Address], amount: int, limit: int, out: bool) -> bytes:
    """Keys of pools, each with the token on its far side."""
    keys = [(one if out else two, *_v4pool(one, two)[2:], b"") for one, two in pairwise(way)]
    start = way[-1] if out else way[0]
    types = "(address,(address,uint24,int24,address,bytes)[],uint256[],uint128,uint128)"
    return encode((types,), (start, keys, [], amount, limit))


V2_KINDS = [f"v2 {venue} {n}" for venue in ("uniswap", "sushi") for n in range(9)]
V3_KINDS = [
    f"v3 {what}"
    for what in [
        "single",
        "path",
        "out_single",
        "out_path",
        "single_unwrap",
        "path_unwrap",
        "single_sweep",
        "path_sweep",
        "unwrap_fee",
        "sweep_fee",
        "out_single_refund",
        "out_path_refund",
        "single_refund",
        "out_single_sweep",
    ]
]
NEW_KINDS = [
    f"new {what}"
    for what in [
        "single",
        "path",
        "out_single",
        "out_path",
        "v2",
        "v2_out",
        "until_single",
        "until_path",
        "until_v2",
        "after_v2_out",
        "after_single",
        "after_out_path",
    ]
]
NEWER_KINDS = [f"newer {what}" for what in ("wrap", "pull", "joint", "chain")]
PLANS = [
    f"ur {what}"
    for what in [
        "v2in",
        "v2out",
        "v3in",
        "v3out",
        "flagged",
        "wrapin",
        "wrapout",
        "pull",
        "chain",
        "paid",
        "joint",
        "sub",
        "v4single",
        "v4path",
        "v4outsingle",
        "v4outpath",
        "v4open",
        "v4mixed",
    ]
]
KINDS = (*V2_KINDS, *V3_KINDS, *NEW_KINDS, *NEWER_KINDS, *PLANS)
