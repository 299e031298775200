"""What a pending transaction will make of the pools, before it is in any block; without I/O.

Its intents are carried out one after the other on an overlay of the pools; the pools themselves
stay as they are. Whatever is not known is said to be unknown, with the reason.
"""

from .apply import apply
from .impact import price_impact
from .outcome import (
    Doubt,
    Effect,
    Fill,
    Refusal,
    Revert,
    SwapOutcome,
    Terms,
    Unknown,
    Verdict,
)
from .overlay import Overlay, PoolView
from .pending import PendingBook, PendingEffect

__all__ = [
    "Doubt",
    "Effect",
    "Fill",
    "Overlay",
    "PendingBook",
    "PendingEffect",
    "PoolView",
    "Refusal",
    "Revert",
    "SwapOutcome",
    "Terms",
    "Unknown",
    "Verdict",
    "apply",
    "price_impact",
]
