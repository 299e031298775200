"""Clocks for replays: time that the tape moves, and time that runs faster."""

from __future__ import annotations

import time

import attrs
import trio

_NEVER = 999_999_999.0


@attrs.define(eq=False)
class TapeClock(trio.abc.Clock):
    """Virtual time; stands still until ``advance_to`` moves it."""

    now: float = 0.0

    def start_clock(self) -> None:
        """Nothing to start."""

    def current_time(self) -> float:
        """Virtual seconds."""
        return self.now

    def deadline_to_sleep_time(self, deadline: float) -> float:
        """At once if the deadline has come; else until something else happens."""
        return 0.0 if deadline <= self.now else _NEVER

    def advance_to(self, when: float) -> None:
        """Move time forward; never back."""
        self.now = max(self.now, when)


@attrs.define(eq=False)
class PacedClock(trio.abc.Clock):
    """Real time, ``rate`` times as fast."""

    rate: float
    _origin: float = 0.0

    def start_clock(self) -> None:
        """Time begins at zero."""
        self._origin = time.perf_counter()

    def current_time(self) -> float:
        """Seconds since the start, times the rate."""
        return (time.perf_counter() - self._origin) * self.rate

    def deadline_to_sleep_time(self, deadline: float) -> float:
        """Real seconds until a deadline."""
        return (deadline - self.current_time()) / self.rate


def replay_clock(speed: float | None) -> trio.abc.Clock:
    """The clock to pass to ``trio.run`` for a replay: None is as fast as it goes."""
    return TapeClock() if speed is None else PacedClock(speed)
