"""Where ccxt and cryptofeed are, and why one is not."""

from __future__ import annotations

from pathlib import Path

HOME = Path(__file__).parents[2] / ".venv" / "peers"
"""Their environment, which scripts/bench prepares."""
NAMES = "ccxt", "cryptofeed"


def python() -> str:
    """Their Python."""
    return str(HOME / "bin" / "python")


def missing(name: str) -> str | None:
    """Why one is left out; None where it is there."""
    if (HOME / f"{name}.there").exists():
        return None
    log = HOME / f"{name}.log"
    said = log.read_text(errors="replace").split("\n") if log.exists() else []
    errors = [line for line in said if line.lower().startswith("error")]
    return errors[0][:100] if errors else "scripts/bench has not installed it"
