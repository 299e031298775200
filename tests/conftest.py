"""What every test shares."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import settings

# How long an example takes says more about what else the machine does than about the code.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="session")
def corpus() -> Path:
    """The folder of recorded data; the test is skipped where it is absent, but never in CI."""
    path = Path(os.environ.get("TRIO_MEV_CORPUS", ROOT.parent / "shared" / "corpus"))
    if not path.is_dir():
        message = f"recorded data is not at {path}; set TRIO_MEV_CORPUS"
        if os.environ.get("CI"):
            pytest.fail(message)
        pytest.skip(message)
    return path
