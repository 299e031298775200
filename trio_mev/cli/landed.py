"""Tables of what landed, for people."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import attrs
from rich.console import Console
from rich.table import Table
from rich.text import Text

from ..model.intents import ETHER
from ..model.opportunity import Amounts, Kind
from ..sinks.amounts import amounts_text
from .tally import Sums, Tally
from .work import Seen

MOST_ROWS = 500
"""Of the table by block; more are stored, and not shown."""
MOST_TOKENS = 3
_ORDER = Kind.ARBITRAGE, Kind.SANDWICH, Kind.LIQUIDATION, Kind.JIT, Kind.CEX_DEX
_COLUMNS = ("count", "reverted", "gross", "net", "gas", "to builders")


@attrs.define(eq=False)
class ByBlock:
    """Rows by block and kind, up to a bound."""

    swaps: bool = False
    """Whether swaps have rows, too."""
    rows: list[tuple[int, str, Sums]] = attrs.Factory(list)
    more: int = 0
    """Rows for which there was no room."""

    def take(self, seen: Seen) -> None:
        """Add a block."""
        kinds: dict[Kind, Sums] = {}
        for one in seen.found.opportunities:
            kinds.setdefault(one.kind, Sums()).take(one)
        for kind in _ORDER:
            if kind in kinds:
                self._add(seen.found.block, kind.value, kinds[kind])
        if self.swaps and seen.found.swaps:
            self._add(
                seen.found.block,
                Kind.SWAP.value,
                Sums(len(seen.found.swaps), without_usd=len(seen.found.swaps)),
            )

    def _add(self, block: int, kind: str, sums: Sums) -> None:
        if len(self.rows) < MOST_ROWS:
            self.rows.append((block, kind, sums))
        else:
            self.more += 1


def print_landed(console: Console, by_block: ByBlock, tally: Tally, seconds: float) -> None:
    """The table by block and kind, and the totals."""
    worth = any(sums.count > sums.without_usd for sums in tally.kinds.values())
    if by_block.rows:
        table = _table(worth, "block>", "kind")
        for block, kind, sums in by_block.rows:
            table.add_row(str(block), kind, *_cells(sums, worth))
        console.print(table)
    if by_block.more:
        console.print(f"{by_block.more} more rows; --json or --out has all", style="dim")
    if by_block.rows:
        console.print()
    console.print(_totals(tally, worth))
    console.print()
    for line in _words(tally, seconds):
        console.print(line, markup=False, soft_wrap=True)


def _table(worth: bool, *first: str) -> Table:
    """With a column of what things are worth, where that is known of any."""
    made = Table(box=None, pad_edge=False, header_style="dim")
    for name in (*first, *_COLUMNS, *(["USD>"] if worth else [])):
        number = name.endswith(">") or name in {"count", "reverted"}
        made.add_column(name.rstrip(">"), justify="right" if number else "left", overflow="fold")
    return made


def _cells(sums: Sums, worth: bool) -> Iterable[Text]:
    known = sums.count > sums.without_net
    yield Text(str(sums.count))
    yield Text(str(sums.reverted) if sums.reverted else "", style="red")
    yield Text(_some(sums.gross))
    yield Text(_some(sums.net) if known else "", style="green")
    yield Text(_ether(sums.gas_wei))
    yield Text(_ether(sums.builder_wei))
    if worth:
        yield Text(_usd(sums), style="green")


def _usd(sums: Sums) -> str:
    """With how many it is of, where it is not of all."""
    told = sums.count - sums.without_usd
    part = f" (of {told})" if sums.without_usd else ""
    return f"{sums.usd:,.2f}{part}" if told else ""


def _some(amounts: Amounts) -> str:
    """The first few tokens, and how many others there are."""
    held = {token: amount for token, amount in amounts.items() if amount}
    first = dict(list(held.items())[:MOST_TOKENS])
    more = len(held) - len(first)
    return amounts_text(first) + (f", {more} other tokens" if more else "")


def _ether(wei: int) -> str:
    return amounts_text({ETHER: wei}).lstrip("+") if wei else ""


def _totals(tally: Tally, worth: bool) -> Table:
    made = _table(worth, "total")
    for kind in _ORDER:
        if kind in tally.kinds:
            made.add_row(kind.value, *_cells(tally.kinds[kind], worth))
    made.add_row(Kind.SWAP.value, str(tally.swaps))
    return made


def _words(tally: Tally, seconds: float) -> Iterable[str]:
    rate = tally.blocks / seconds if seconds else 0.0
    yield (
        f"{tally.blocks} blocks, {tally.transactions} transactions in {seconds:.1f} s: "
        f"{rate:.1f} blocks/s"
    )
    if tally.before:
        yield f"done before, and not again: {tally.before}"
    if tally.not_reached:
        yield f"not reached: {tally.not_reached}"
    for name, counts in (("not told", tally.left_out), ("unusable", tally.refused)):
        if counts:
            yield f"{name}: {_pairs(counts)}"
    if tally.cut:
        yield f"too long to look at all of it: {tally.cut} blocks"


def _pairs(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {count}" for name, count in sorted(counts.items()))
