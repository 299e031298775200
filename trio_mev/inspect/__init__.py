"""What landed: a block's logs to swaps, and these to MEV. Pure: no I/O, no clock, no waiting."""

from .block import Mined, MinedBlock, mined_block
from .inspector import Inspection, inspect_block
from .known import Known
from .reading import read_receipts, read_recorded

__all__ = [
    "Inspection",
    "Known",
    "Mined",
    "MinedBlock",
    "inspect_block",
    "mined_block",
    "read_receipts",
    "read_recorded",
]
