"""A transaction with what its logs say, read once for all rules."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from functools import cached_property

import attrs

from ..chain.contracts import tokens
from ..chain.logs import LogDecoder, LogEvent, aave, fills, lenders, uniswap, venues
from ..model.chain import Log
from ..model.intents import ETHER, Undecoded
from ..model.noun import Noun
from ..model.opportunity import Amounts, SwapRecord
from .block import Mined, MinedBlock
from .known import Known


class Place(Noun, frozen=True):
    """Where a call says what a log would: of which contract, in which transaction."""

    address: str
    transaction: str
    transaction_index: int
    path: tuple[int, ...] = ()
    """The trace address of the call, where its order matters."""
    log_index: None = None


class Seized(LogEvent, frozen=True):
    """What calls tell of a liquidation at Compound V2 beside its log."""

    market: str
    """Whose shares are seized."""
    shares: int
    comptroller: str
    underlying: int | None
    """What the shares were worth then, in the market's token."""


Said = tuple[Log | Place, LogEvent]
Order = tuple[int, int, tuple[float, ...]]
"""Where in a block something happened; of calls by when they came to their end."""


def order_of(place: int, log_index: int | None, path: tuple[int, ...] | None) -> Order:
    """The order of something in the transaction at a place, by its log or else by its call."""
    if log_index is not None:
        return place, log_index, ()
    return place, 0, (*(path or ()), math.inf)


Paid = tuple[str, venues.Transfer]
"""A token, and one transfer of it."""
WRAPPED = frozenset(tokens.WRAPPED)
_LIQUIDITY = (
    uniswap.V2Mint,
    uniswap.V2Burn,
    uniswap.V3Mint,
    uniswap.V3Burn,
    uniswap.V4ModifyLiquidity,
    venues.BalancerBalances,
)
_LENDING = tuple(
    made
    for made, _, _ in (*aave.EVENTS, *lenders.EVENTS)
    # A flash loan moves the rates as well, and anybody's next call accrues interest.
    if made
    not in {
        aave.AaveReserve,
        lenders.CompoundAccrual,
        lenders.CompoundFirstAccrual,
        lenders.MorphoAccrual,
    }
)


@attrs.define(eq=False, slots=False)
class Act:
    """One transaction, what it says, and its swaps once they are known."""

    mined: Mined
    said: list[Said]
    swaps: list[SwapRecord] = attrs.Factory(list)
    """Those whose tokens are known."""
    exchanges: int = 0
    """All of them."""
    keys: frozenset[str] = frozenset()
    """Addresses that tell who is behind it."""
    moved: bool = False
    """Whether a call says that it moves liquidity, collateral or debt."""

    @cached_property
    def transfers(self) -> list[Paid]:
        """Of ERC-20 tokens, in order."""
        return [(log.address, event) for log, event in self.said if type(event) is venues.Transfer]

    @cached_property
    def keeps(self) -> bool:
        """Whether it moves liquidity, collateral or debt: then what is left over may be its own
        from before."""
        return self.moved or any(
            isinstance(event, (*_LIQUIDITY, *_LENDING)) for _, event in self.said
        )

    @cached_property
    def numbers(self) -> dict[int, int]:
        """Which one each of its swaps is, by identity, once all are known."""
        return {id(swap): number for number, swap in enumerate(self.swaps)}

    def flow(self, accounts: frozenset[str]) -> Amounts:
        """What accounts have more of, or less, by the transfers to and from them.

        Wrapping and unwrapping ether are no transfers: what is unwrapped counts as theirs still.
        So ether counts as what it is wrapped to where both have moved.
        """
        net: Counter[str] = Counter()
        for token, paid in self.transfers:
            net[token] += paid.amount * ((paid.target in accounts) - (paid.source in accounts))
        return {token: amount for token, amount in wrapped(net).items() if amount}

    def given(self, accounts: frozenset[str]) -> Amounts:
        """What accounts were given by those who got nothing from anybody; others may pay a pool,
        and what is minted comes from nobody."""
        paid = {one.target for _, one in self.transfers} | {swap.pool for swap in self.swaps}
        got: Counter[str] = Counter()
        for token, one in self.transfers:
            if one.target in accounts and one.source not in accounts | paid | {ETHER}:
                got[token] += one.amount
        return wrapped(got)

    def paid_out(self, accounts: frozenset[str], token: str) -> int:
        """All that accounts gave others of a token."""
        return sum(
            paid.amount
            for name, paid in self.transfers
            if name == token and paid.source in accounts and paid.target not in accounts
        )


def wrapped(net: Amounts) -> Amounts:
    """The same, with ether as what it is wrapped to where there is some of both."""
    total = dict(net)
    for token in WRAPPED & net.keys():
        total[token] += total.pop(ETHER, 0)
    return total


def delta(swaps: list[SwapRecord] | tuple[SwapRecord, ...]) -> Amounts:
    """What swaps bring together, by token; less is negative."""
    net: Counter[str] = Counter()
    for swap in swaps:
        net[swap.token_out] += swap.amount_out
        net[swap.token_in] -= swap.amount_in
    return {token: amount for token, amount in net.items() if amount}


def identify(acts: Sequence[Act], known: Known) -> None:
    """Say of each transaction which addresses tell who is behind it: who sent it and to which
    contract, or, where neither is known, who called its pools and who got what they gave.

    What anybody may call says nothing: routers, pools, and whatever ``known`` names as shared.
    """
    common = known.shared | {swap.pool for act in acts for swap in act.swaps}
    for act in acts:
        names = {act.mined.sender, act.mined.to}
        if names == {None}:
            names = {name for swap in act.swaps for name in (swap.sender, swap.recipient)}
        act.keys = frozenset(name for name in names if name is not None and name not in common)


def read_acts(block: MinedBlock, known: Known) -> tuple[list[Act], int]:
    """Every transaction with what it says, and how many logs are malformed."""
    decoder, malformed, acts = LogDecoder(known.shares), 0, []
    for mined in block.transactions:
        said: list[Said] = []
        for log in mined.logs:
            event = decoder.decode(log)
            if isinstance(event, Undecoded):
                malformed += 1
            elif event is not None and _holds(event, log.address, known):
                said.append((log, event))
        acts.append(Act(mined, said))
    return acts, malformed


def _holds(event: LogEvent, emitter: str, known: Known) -> bool:
    """Whether an event comes from where it must; anybody can log it."""
    if isinstance(event, uniswap.V4Swap | uniswap.V4ModifyLiquidity | uniswap.V4Initialize):
        return emitter in known.managers
    if isinstance(event, venues.BalancerSwap | venues.BalancerV3Swap | venues.BalancerBalances):
        return emitter in known.vaults
    if isinstance(event, uniswap.PositionIncreased | uniswap.PositionDecreased):
        return emitter in known.positions
    if isinstance(event, fills.BancorConversion | fills.BancorTrade):
        return emitter in known.networks
    if isinstance(event, fills.LimitFill | fills.RfqFill):
        return emitter in known.proxies
    return True
