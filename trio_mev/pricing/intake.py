"""What comes in: sources, their quotes, and why some are refused."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from math import inf

from ..model.identity import Instrument, Venue
from ..model.settings import MOST_SOURCES, PriceSettings
from .constituent import Constituent
from .joins import Joinable
from .panel import Panel
from .rules import RULES
from .scale import HIGHEST, LOWEST, deviation
from .sources import PATIENCE, UPDATE_INTERVALS, Refusal, Source

MOST_INSTRUMENTS = 10_000
MOST_NAMES = 1000
"""Of sources."""
BLAMELESS = frozenset({"repeated", "superseded", "too_many"})
"""Refusals that cost no reliability: what comes over two connections comes twice."""


class Intake:
    """The sources and their latest quotes, by canonical instrument."""

    def __init__(self, settings: PriceSettings) -> None:
        self._settings = settings
        self._sources: dict[Venue, Source] = {}
        self._panels: dict[Instrument, Panel] = {}
        self.joinable = Joinable(settings.bases, settings.joined)
        """Prices that can be had from two others."""

    def add_price_source(
        self, source_id: Venue, source_type: str = "venue", update_frequency: str = "normal"
    ) -> None:
        """Make a source known, or change its class.

        Args:
            source_id: its name.
            source_type: what it is, for the statistics.
            update_frequency: ``high_frequency``, ``normal`` or ``low_frequency``.

        Raises:
            ValueError: there is no such class, or there are too many sources.
        """
        if update_frequency not in UPDATE_INTERVALS:
            raise ValueError(f"{update_frequency!r} is not one of {', '.join(UPDATE_INTERVALS)}")
        max_age = min(self._settings.max_age, PATIENCE * UPDATE_INTERVALS[update_frequency])
        known = self._sources.get(source_id)
        if known is not None:
            known.type, known.update_class, known.max_age = source_type, update_frequency, max_age
        elif len(self._sources) >= MOST_NAMES:
            raise ValueError(f"there are {MOST_NAMES} sources; no more are taken")
        else:
            self._sources[source_id] = Source(source_id, source_type, update_frequency, max_age)

    def knows(self, source_id: Venue) -> bool:
        """Whether a source is known."""
        return source_id in self._sources

    def admit(self, source_id: Venue, source_type: str) -> bool:
        """Make a source of a type known, if there is room for it; whether there is."""
        if len(self._sources) >= MOST_NAMES:
            return False
        self.add_price_source(source_id, source_type)
        return True

    def set_active(self, source_id: Venue, active: bool) -> None:
        """Switch a source off or on. KeyError where it is not known."""
        self._sources[source_id].is_active = active

    def max_age(self, source_id: Venue) -> float:
        """Seconds for which a source's quote counts: ten of its intervals, at most the limit."""
        return self._sources[source_id].max_age

    def update_price(
        self,
        source_id: Venue,
        instrument: Instrument,
        price: Decimal,
        now: float,
        at: float | None = None,
    ) -> Refusal | None:
        """Take in a price without a spread, such as that of a last trade."""
        return self.update_quote(source_id, instrument, price, price, now, at)

    def update_quote(
        self,
        source_id: Venue,
        instrument: Instrument,
        bid: Decimal,
        ask: Decimal,
        now: float,
        at: float | None = None,
        tick: Decimal | None = None,
        stamp: int | None = None,
    ) -> Refusal | None:
        """Take in a source's bid and ask. An unknown source is added as a normal one.

        Args:
            source_id: whose it is.
            instrument: what is quoted.
            bid: in quote units.
            ask: likewise.
            now: the time, in seconds of the stream's clock, which is that of the receipt.
            at: that of the event at the source, on the same clock; None where it is not told,
                then the receipt's counts.
            tick: the least step of the price, in quote units, where it is known.
            stamp: the source's own time of the event, in any unit that rises, by which quotes are
                put in order: ``at`` moves with our own clock. None where it is not told.

        Returns:
            None where it was taken; else why not, which is counted for the source.
        """
        panel = self._panels.get(instrument)
        one = None if panel is None else panel.constituents.get(source_id)
        if panel is None or one is None:
            admitted = self._admit(source_id, instrument, now)
            if admitted is None:
                return "too_many"
            panel, one = admitted
        reason = _disordered(one, at, stamp, bid, ask)
        reason = reason or _mistimed(one, now, at, self._settings.clock_slack)
        reason = reason or _misquoted(bid, ask, tick)
        source = one.source
        if reason is not None:
            self._refuse(one, reason)
            return reason
        one.bid, one.ask, one.tick, one.unread = bid, ask, tick, True
        one.received = now
        one.stamp = stamp
        one.time = now
        one.at = at
        if at is not None and at < now:
            one.time = at
        one.quotes += 1
        source.updates += 1
        source.last_update = now
        if source.first_update is None:
            source.first_update = now
        if now >= one.learn_at:
            panel.learn(one, now)
        return None

    def _admit(
        self, source_id: Venue, instrument: Instrument, now: float
    ) -> tuple[Panel, Constituent] | None:
        """Places for a source in an instrument; None where there is no room for it."""
        source = self._source(source_id)
        if source is None:
            return None
        panel = self._panels.get(instrument)
        if panel is None and len(self._panels) < MOST_INSTRUMENTS:
            panel = self._panels[instrument] = self._new_panel()
            self.joinable.learn(instrument)
        if panel is None or len(panel.constituents) >= MOST_SOURCES:
            source.refuse("too_many")
            return None
        return panel, panel.add(source, now)

    def _source(self, source_id: Venue) -> Source | None:
        if source_id not in self._sources and len(self._sources) < MOST_NAMES:
            self.add_price_source(source_id)
        return self._sources.get(source_id)

    def _new_panel(self) -> Panel:
        settings = self._settings
        return Panel(
            RULES[settings.rule],
            deviation(settings.max_deviation),
            settings.reliability_half_life,
            settings.min_sources,
        )

    def _refuse(self, one: Constituent, reason: str) -> None:
        one.source.refuse(reason)
        one.faults += reason not in BLAMELESS

    def withdraw(self, source_id: Venue, instrument: Instrument) -> None:
        """A source's quote no longer stands, and nothing is known in its place."""
        panel = self._panels.get(instrument)
        one = None if panel is None else panel.constituents.get(source_id)
        if one is not None:
            one.time = -inf

    def note_fault(self, source_id: Venue, instrument: Instrument | None, kind: str) -> None:
        """Let what was refused before it came here cost a source its reliability.

        Args:
            source_id: whose fault it is.
            instrument: in what; None where that cannot be told, then in all.
            kind: such as ``malformed``, for the statistics.
        """
        source = self._source(source_id)
        if source is None:
            return
        panel = None if instrument is None else self._panels.get(instrument)
        one = None if panel is None else panel.constituents.get(source_id)
        if one is not None:
            self._refuse(one, kind)
            return
        source.refuse(kind)
        source.faults += instrument is None and kind not in BLAMELESS


def _disordered(
    one: Constituent, at: float | None, stamp: int | None, bid: Decimal, ask: Decimal
) -> Refusal | None:
    """Why a quote cannot follow the source's last one.

    Two of one time may differ: a source's clock has its steps.
    """
    if stamp is not None and one.stamp is not None:
        if stamp == one.stamp:
            return "repeated" if one.bid == bid and one.ask == ask else None
        return "time_backwards" if stamp < one.stamp else None
    if at is None:  # in the order in which they come
        return None
    if one.at is None or stamp is not None or one.stamp is not None:
        # Two channels, of which one tells no time: what is older than the last is no news.
        return "superseded" if at < one.time else None
    if at == one.at:
        return "repeated" if one.bid == bid and one.ask == ask else None
    return "time_backwards" if at < one.at else None


def _mistimed(one: Constituent, now: float, at: float | None, slack: float) -> Refusal | None:
    """Why a quote's time cannot be."""
    if at is None:
        return None
    if not at <= now + slack:  # nor is it where it is not a number
        return "future"
    return "too_old" if now - at > one.source.max_age else None


def _misquoted(bid: Decimal, ask: Decimal, tick: Decimal | None) -> Refusal | None:
    """Why a bid and an ask cannot be. Too wide is as in Pyth's, over a third of the price."""
    try:
        if tick is not None and not 0 < tick <= ask:
            return "out_of_range"
        if LOWEST <= bid <= ask <= HIGHEST and ask <= bid + bid:
            return None
        if bid <= 0 or ask <= 0:
            return "not_positive"
        if min(bid, ask) < LOWEST or max(bid, ask) > HIGHEST:
            return "out_of_range"
    except InvalidOperation:  # it is not a number
        return "out_of_range"
    return "crossed" if bid > ask else "too_wide"
