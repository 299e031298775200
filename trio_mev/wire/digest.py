"""One number for a set of findings, whatever the order in which they were made."""

from __future__ import annotations

import hashlib

import attrs
import msgspec

from ..model.event import DataEvent
from ..model.export import to_dict
from ..model.opportunity import Opportunity

_MODULUS = 2**256
_ARRIVAL = ("received_at", "size")
"""What differs between a live run and its replay, or between a socket and a file."""


@attrs.define(eq=False)
class Digest:
    """The sum, modulo 2**256, of the SHA-256 of every finding.

    Each is hashed with its cause, its detector and its ordinal, without arrival times and without
    what lies between two of them: the lead of a prediction. A sum needs no order and no memory,
    and a finding that comes twice changes it.
    """

    total: int = 0
    count: int = 0

    def add(self, event: DataEvent) -> None:
        """Take one finding in."""
        fields = to_dict(event)
        for name in _ARRIVAL:
            del fields[name]
        data = event.data
        if isinstance(data, Opportunity) and data.outcome is not None:
            del fields["data"]["outcome"]["lead"]
        raw = msgspec.json.encode(fields, order="sorted", enc_hook=repr)
        self.total += int.from_bytes(hashlib.sha256(raw).digest(), "big")
        self.total %= _MODULUS
        self.count += 1

    def hex(self) -> str:
        """64 hexadecimal digits."""
        return f"{self.total:064x}"
