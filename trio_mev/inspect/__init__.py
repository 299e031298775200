"""What landed: a block's logs to swaps, and these to MEV. Pure: no I/O, no clock, no waiting."""
