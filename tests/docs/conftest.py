"""What the tests of the documentation share."""

from __future__ import annotations

import pytest

from tests.support.installed import require_node


@pytest.fixture(autouse=True)
def _node_for_its_page(request: pytest.FixtureRequest) -> None:
    """The code on one page needs a real node."""
    if request.node.name == "test_python_runs[docs/howto/devnet.md]":
        require_node()
