"""What is found, in one line for people."""

from __future__ import annotations

from decimal import Decimal

from ..model.chain import TransactionAnalysis
from ..model.intents import ETHER, WETH, Basis, SwapIntent
from ..model.market import Spread
from ..model.simulation import SimulatedTransaction
from .mempool import describe_outlook
from .plain import text

SHOWN_SWAPS = 3
"""In a line for people; the others are counted."""
_AMOUNTS = {
    Basis.GIVEN: "an amount",
    Basis.BALANCE: "all that is left",
    Basis.PAID: "what was paid before",
    Basis.OPEN: "what is owed",
    Basis.SHARE: "a share",
}
_ETHERS = {ETHER: "ETH", WETH: "WETH"}


def describe_spread(spread: Spread) -> str:
    """A spread in one line for people."""
    size = "size unknown" if spread.size is None else f"size {text(spread.size)}"
    return (
        f"{spread.instrument}: buy {spread.buy_venue} at {text(spread.buy_price)}, "
        f"sell {spread.sell_venue} at {text(spread.sell_price)}: "
        f"{spread.net_ratio:.3%} net of fees, {size}"
    )


def describe_analysis(found: TransactionAnalysis) -> str:
    """A pending transaction in one line for people."""
    name = (found.method or found.selector or "").partition("(")[0]
    if found.to is None:
        what = "creation of a contract"
    elif name:
        what = f"{name} at {found.router or found.to}"
    else:
        what = f"transfer to {found.router or found.to}"
    usd = "USD value unknown" if found.value_usd is None else f"${found.value_usd:,.0f}"
    moved = _describe_swaps(found.swaps) or _amount(found.value, ETHER)
    told = describe_outlook(found.outlook)
    return f"{what}: {moved} ({usd}), urgency {found.urgency.value}{told}"


def _describe_swaps(swaps: tuple[SwapIntent, ...]) -> str:
    """What is exchanged for what; nothing where nothing is."""
    words = [describe_swap(swap) for swap in swaps[:SHOWN_SWAPS]]
    if len(swaps) > SHOWN_SWAPS:
        words.append(f"{len(swaps) - SHOWN_SWAPS} more swaps")
    return "; ".join(words)


def describe_swap(swap: SwapIntent) -> str:
    """A swap in a few words. Decimals of a token are nowhere in a call, so its amount is in its
    smallest unit, beside its address; ether and wrapped ether are known to have 18."""
    limit = swap.limit
    if swap.exact_out:
        most = f"at most {_amount(limit, swap.token_in)}" if limit else _token(swap.token_in)
        return f"{most} for {_amount(swap.amount, swap.token_out, swap.basis)}"
    least = f"at least {_amount(limit, swap.token_out)}" if limit else _token(swap.token_out)
    if swap.joint_limit:
        least += f", together at least {_amount(swap.joint_limit, swap.token_out)}"
    return f"{_amount(swap.amount, swap.token_in, swap.basis)} for {least}"


def _token(token: str | None) -> str:
    return "another token" if token is None else _ETHERS.get(token, token)


def _amount(amount: int | None, token: str | None, basis: Basis = Basis.GIVEN) -> str:
    if amount is None:
        return f"{_AMOUNTS[basis]} of {_token(token)}"
    if token in _ETHERS:
        return f"{Decimal(amount).scaleb(-18):.4f} {_token(token)}"
    return f"{amount} of {_token(token)}"


def describe_simulated(tried: SimulatedTransaction) -> str:
    """What a transaction would do, in one line for people."""
    found = tried.analysis
    block = tried.block if tried.number is None else tried.number
    where = f"on block {block}, a call of {found.router or found.to}"
    if not tried.succeeded:
        return f"{where} would revert: {tried.reason}"
    words = [
        f"{_amount(swap.amount_in, swap.token_in)} for "
        f"{_amount(swap.amount_out, swap.token_out)} in {swap.kind.value} pool {swap.pool}"
        for swap in tried.swaps[:SHOWN_SWAPS]
    ]
    if len(tried.swaps) > SHOWN_SWAPS:
        words.append(f"{len(tried.swaps) - SHOWN_SWAPS} more swaps")
    return f"{where} would swap {'; '.join(words)}"
