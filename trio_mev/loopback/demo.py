"""The tape that ships: a recording of real contracts on a private development chain."""

from __future__ import annotations

from pathlib import Path

TAPE = Path(__file__).parent / "demo.tape"
"""Blocks, logs and pending transactions are what a node said on which Uniswap's and Aave's
contracts ran; the exchanges' quotes are simulated around the prices of its pools. None of it
happened on the main network. ``scripts/demo-tape`` writes it."""

SETTINGS = TAPE.with_suffix(".toml")
"""What was watched when it was recorded."""
