"""Tests of a real node are skipped where there is none, and say why; in CI they fail."""

from __future__ import annotations

import os

import pytest

from tests.devnet.node import NoNode, program


def require_node() -> None:
    """Skip the test, or fail it where ``CI`` is set, unless the node's program is installed."""
    try:
        program()
    except NoNode as missing:
        if os.environ.get("CI"):
            pytest.fail(str(missing))
        pytest.skip(str(missing))
