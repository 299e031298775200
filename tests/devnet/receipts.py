"""What a receipt shows of a transaction: its swaps, or why it was refused."""

from __future__ import annotations

from tests.devnet.abi import decode, hexed, raw, selector
from tests.devnet.rpc import Json
from tests.devnet.test_pool_states import log_of
from trio_mev.chain.effects import Revert
from trio_mev.chain.logs import LogDecoder
from trio_mev.chain.logs.uniswap import V2Swap, V3Swap, V4Swap


def swaps_in(receipt: Json) -> list[tuple[str, int, int]]:
    """Pool, what went in, what came out."""
    decoder, found = LogDecoder(), []
    for one in receipt["logs"]:
        event = decoder.decode(log_of(one))
        if isinstance(event, V2Swap):
            paid, got = event.amount0_in + event.amount1_in, event.amount0_out + event.amount1_out
            found.append((one["address"], paid, got))
        elif isinstance(event, V3Swap):
            amounts = event.amount0, event.amount1
            found.append((one["address"], max(amounts), -min(*amounts, 0)))
        elif isinstance(event, V4Swap):
            amounts = event.amount0, event.amount1
            found.append((event.pool, -min(amounts), max(*amounts, 0)))
    return found


_ERROR, _IN_PLAN = selector("Error(string)"), selector("ExecutionFailed(uint256,bytes)")
_LIMITS = (
    "V2TooLittleReceived()",
    "V2TooMuchRequested()",
    "V3TooLittleReceived()",
    "V3TooMuchRequested()",
    "V4TooLittleReceived(uint256,uint256)",
    "V4TooMuchRequested(uint256,uint256)",
)
_SWEPT = {"InsufficientToken()", "InsufficientETH()", "Insufficient token", "Insufficient WETH9"}
_REFUSED = ("SwapAmountCannotBeZero()", "Panic(uint256)", "V3InvalidSwap()")
_KNOWN = (*_LIMITS, *_SWEPT, "TransactionDeadlinePassed()", "V3InvalidAmountOut()", *_REFUSED)
_NAMES = {selector(one): one for one in _KNOWN if one.endswith(")")}
_ROUTER = "UniswapV2Router: "
REASONS = {
    Revert.DEADLINE: {
        "TransactionDeadlinePassed()",
        "Transaction too old",
        _ROUTER + "EXPIRED",
    },
    Revert.PARENT: {"Blockhash"},
    Revert.JOINT_LIMIT: _SWEPT,
    Revert.LIMIT: {
        *_LIMITS,
        *_SWEPT,
        "Too little received",
        "Too much requested",
        _ROUTER + "EXCESSIVE_INPUT_AMOUNT",
        _ROUTER + "INSUFFICIENT_OUTPUT_AMOUNT",
    },
    Revert.LOCKED: {"LOK"},
    # A pool looks at it only when all before it have paid, so something else may come first.
    Revert.UNFILLED: {"", "IIA", "V3InvalidAmountOut()", "LOK", "V3TooMuchRequested()"},
    Revert.POOL: {
        "AS",
        "SPL",
        "",
        "UniswapV2: INSUFFICIENT_INPUT_AMOUNT",
        "UniswapV2: INSUFFICIENT_OUTPUT_AMOUNT",
        "UniswapV2: INSUFFICIENT_LIQUIDITY",
        "UniswapV2: K",
        "UniswapV2Library: INSUFFICIENT_INPUT_AMOUNT",
        "UniswapV2Library: INSUFFICIENT_OUTPUT_AMOUNT",
        "INSUFFICIENT_INPUT_AMOUNT",
        "INSUFFICIENT_OUTPUT_AMOUNT",
        *_REFUSED,
        "ds-math-sub-underflow",
    },
}
"""What contracts say for each of ours; nothing where they have no word for it."""


def reason_of(answer: str) -> str:
    """The reason that a contract gave."""
    data = raw(answer)
    if data[:4] == _IN_PLAN:
        return reason_of(hexed(decode("(uint256,bytes)", hexed(data[4:]))[1]))
    if data[:4] == _ERROR:
        # What follows the text is not always zero, as a decoder would have it.
        size = int.from_bytes(data[36:68])
        return data[68 : 68 + size].decode()
    return _NAMES.get(data[:4], data[:4].hex())
