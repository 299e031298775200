"""The rows of the table, and what they must hold."""

from __future__ import annotations

import attrs

# Every measure is a cost: less is better, and a bound is an upper one.
TEXT, WEBSOCKETS, PICOWS = (
    "text's design, mended",
    "websockets + uvloop + timeout",
    "picows + uvloop + timeout",
)
PEERS = {"text": TEXT, "websockets": WEBSOCKETS, "picows": PICOWS}

FLOOD = {"text": (1 / 8, 1 / 14), "websockets": (0.55, 0.35), "picows": (0.7, 0.45)}
ENGINE = 1 / 15, 1 / 30
PACED = 1.3, 1.0
LOWER = 2.0, 0.5
HIGH = 3.0, 1.5
IDLE = 1.0, 0.3
DECODE = 1 / 10, 1 / 20
ETH_ABI = "eth-abi"
POOLS = 1 / 5, 1 / 10
PREDICT = None, 1000.0
"""Microseconds, of the median from a pending transaction's frame to what is found about it."""
MEV_INSPECT = 1e6 / 10_300
"""Microseconds a trace of mev-inspect-py 0.1, JSON load apart, measured elsewhere on such a machine
and on blocks of the same kind; it is on no package index, and is not run here."""
INSPECT = 1 / 5, 1 / 15
WORKERS = 1 / 1.7, 1 / 1.9
RECORD = 5.0, 2.0
"""Percent of one processor that a tape takes beside a live run."""
PRICES = 12.5, 10.0
"""Of a bookTicker through everything: 80,000 and 100,000 a second."""


@attrs.frozen
class Row:
    """One measure. Where there is a peer, ``must`` and ``aim`` bound ``ratio``, else ``ours``."""

    bench: str
    measure: str
    unit: str
    ours: float
    peer: float | None
    peer_name: str | None
    ratio: float | None
    """Ours over the peer's."""
    must: float | None
    aim: float | None
    holds: bool
    """True where nothing must hold."""


def row(
    bench: str,
    measure: str,
    unit: str,
    ours: float,
    peer: float | None = None,
    peer_name: str | None = None,
    bounds: tuple[float | None, float] | None = None,
) -> Row:
    """A row with its ratio and its verdict."""
    must, aim = bounds or (None, None)
    ratio = ours / peer if peer else None
    bounded = ours if peer_name is None else ratio
    holds = must is None or (bounded is not None and bounded <= must)
    rounded = [None if v is None else round(v, 4) for v in (ours, peer, ratio, must, aim)]
    return Row(bench, measure, unit, rounded[0] or 0.0, rounded[1], peer_name, *rounded[2:], holds)
