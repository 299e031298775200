"""In virtual time what never comes would be waited for without end."""

from __future__ import annotations

import pytest
import trio

LIMIT = 40 * 3600


@pytest.fixture
async def nursery(nursery):
    """Pytest-trio's, which here ends the test after forty hours of its clock."""

    async def give_up():
        await trio.sleep(LIMIT)
        pytest.fail(f"not done after {LIMIT} s of the test's clock")

    nursery.start_soon(give_up)
    return nursery
