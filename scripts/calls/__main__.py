"""How many of the recorded transactions go to known contracts, and what their calls say.

Exit code 0, or 2 where there are no recordings.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from trio_mev.chain.calldata import CallDecoder
from trio_mev.chain.contracts import tokens
from trio_mev.model.intents import (
    Intent,
    LendingIntent,
    LiquidityIntent,
    SwapIntent,
    Undecoded,
    Unread,
)

from .recorded import SETS, Call

BESIDE = Path(__file__).parents[3] / "shared" / "corpus"
COLUMNS = "calls", "route", "hidden", "loan", "unread"
"""Sent there; swaps with their pools; swaps without; changes of loans and
of positions in pools; the rest."""
MOVES = frozenset(tokens.METHODS)
"""Methods of tokens, which exchange nothing."""


def column_of(intents: tuple[Intent, ...]) -> str:
    """Where a call is counted; one that was read in part only counts as not read."""
    if any(isinstance(one, Undecoded) for one in intents):
        return "unread"
    swaps = [one for one in intents if isinstance(one, SwapIntent)]
    if swaps:
        return "route" if all(swap.hops for swap in swaps) else "hidden"
    assert all(isinstance(one, LendingIntent | LiquidityIntent) for one in intents)
    return "loan"


def table(calls: Iterable[Call]) -> Iterable[str]:
    """The lines of a table, and why calls were not read."""
    decoder = CallDecoder()
    counts: Counter[tuple[str, str]] = Counter()
    reasons: Counter[str] = Counter()
    total = plain = unknown = moved = 0
    for call in calls:
        total += 1
        intents = decoder.decode(call.to, call.data, call.sender, call.value)
        name = None if call.to is None else decoder.name(call.to)
        if name is None:
            plain += not call.data
            unknown += bool(call.data)
            moved += f"0x{call.data[:4].hex()}" in MOVES
            continue
        where = column_of(intents)
        counts[name, "calls"] += 1
        counts[name, where] += 1
        for one in intents:
            if isinstance(one, Undecoded):
                detail = f" ({one.detail})" if one.reason is not Unread.NO_SWAP else ""
                reasons[f"{name}: {one.reason.value}{detail}"] += 1
    known = sum(count for (_, column), count in counts.items() if column == "calls")
    yield f"{total} transactions: {known} to known contracts, {unknown} calls of others,"
    yield f"{plain} without call data"
    yield f"of the calls of others {moved} move or allow tokens,"
    yield f"{unknown - moved} are of contracts that are not known here"
    yield ""
    yield f"{'contract':<30}" + "".join(f"{column:>8}" for column in COLUMNS)
    for name in (*sorted({name for name, _ in counts}), "all"):
        cells = [
            sum(n for (one, kind), n in counts.items() if kind == column and name in {one, "all"})
            for column in COLUMNS
        ]
        yield f"{name:<30}" + "".join(f"{cell or '':>8}" for cell in cells)
    yield ""
    for reason, count in sorted(reasons.items()):
        yield f"{count} {reason}"


def main() -> int:
    parser = argparse.ArgumentParser("scripts/read-calls", description=__doc__)
    parser.add_argument("folder", nargs="?", type=Path, help="of the recordings")
    folder = parser.parse_args().folder or Path(os.environ.get("TRIO_MEV_CORPUS", BESIDE))
    if not folder.is_dir():
        parser.error(f"there are no recordings at {folder}")
    for title, calls in SETS.items():
        sys.stdout.write("\n".join([title, "", *table(calls(folder))]) + "\n\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
