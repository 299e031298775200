"""What the tests of the command share."""

from __future__ import annotations

from pathlib import Path

import pytest

from trio_mev.feeds.tapes import Tape
from trio_mev.loopback.demo import TAPE
from trio_mev.wire.tape import encode_header, encode_record, pack


@pytest.fixture(scope="session")
def short_tape(tmp_path_factory) -> Path:
    """The first hundred seconds of the demo's tape."""
    tape = Tape(TAPE)
    path = tmp_path_factory.mktemp("tapes") / "short.tape"
    early = [record for record in tape.records() if record.mono < 100 * 10**9]
    path.write_bytes(pack([encode_header(tape.header), *map(encode_record, early)]))
    return path
