"""What landed: a block's logs or traces to swaps, and these to MEV. Pure: no I/O, no clock, no
waiting."""

from .block import Mined, MinedBlock, mined_block
from .inspector import Inspection, inspect_block
from .known import Known
from .prices import Prices, read_prices
from .reading import read_receipts, read_recorded
from .tracing import read_call_tracer, read_parity_file, read_trace_block

__all__ = [
    "Inspection",
    "Known",
    "Mined",
    "MinedBlock",
    "Prices",
    "inspect_block",
    "mined_block",
    "read_call_tracer",
    "read_parity_file",
    "read_prices",
    "read_receipts",
    "read_recorded",
    "read_trace_block",
]
