"""What is run without counting lines: others run the same, and counting makes a replay more than
twice as dear."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import Any

import pytest


def uncounted(**more: str) -> dict[str, str]:
    """The environment of a program that is to run at its own speed.

    Args:
        more: variables that it gets beside ours.
    """
    ours = {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE_")}
    return {**ours, **more}


def first_counted(seeds: Iterable[int]) -> list[Any]:
    """Seeds for a test's parameters, of which the lines of the first one's run are counted."""
    first, *others = seeds
    return [first, *(pytest.param(seed, marks=pytest.mark.no_cover) for seed in others)]
