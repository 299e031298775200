"""Programs whose lines are not counted: what they run others run too, and counting makes a replay
more than twice as dear."""

from __future__ import annotations

import os


def uncounted(**more: str) -> dict[str, str]:
    """The environment of a program that is to run at its own speed.

    Args:
        more: variables that it gets beside ours.
    """
    ours = {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE_")}
    return {**ours, **more}
