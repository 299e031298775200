"""Bounded priority lanes: where events wait for one consumer.

A consumer has one lane a priority, one for what is vital, and one doorbell. Putting is
synchronous and never waits: a full lane does what its policy says, says so in the books, and
tells a consumer of LOST in its own stream.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import trio

from ..errors import DataStreamError
from ..model.event import VITAL, DataEvent, EventPriority
from ..model.settings import LaneSettings, Overflow
from .books import Books, BooksSnapshot
from .doorbell import Doorbell
from .journal import Journal
from .lane import NOTHING, Lane, LaneSnapshot, LatestLane, Run
from .losses import Losses
from .outstanding import Outstanding
from .rpc import Question

OnLoss = Callable[[str, str, Sequence[DataEvent]], None]


def _lane(name: str, capacity: int, overflow: Overflow) -> Lane:
    if overflow == "latest":
        return LatestLane(name, capacity)
    return Lane(name, capacity, overflow)


class Lanes:
    """One consumer's lanes, its hand, and its books.

    The hand holds the events that were taken out together and the place of the one that is being
    worked on. What is in it from there on is still queued as far as the books go, so that a
    cancellation in the middle loses no counted event. Whenever anything else happens to the
    lanes, the events behind that one go back to where they were.

    Args:
        settings: bounds and policies.
        outstanding: where what is queued is counted for the whole stream.
        announce: whether the consumer wants to be told of losses, as LOST events.
        bell: rung when something was put; several lanes may share one.
    """

    def __init__(
        self,
        settings: LaneSettings,
        outstanding: Outstanding,
        announce: bool = False,
        bell: Doorbell | None = None,
    ) -> None:
        self.settings = settings
        self.books = Books()
        self.hand: Sequence[DataEvent] = NOTHING
        self.place = 0
        """In the hand: those before it are done. Whoever works on the hand moves it."""
        self.drawn: Lane | None = None
        """Where the hand came from; None for the news of a loss."""
        self.begun = False
        """Whether somebody works on the hand."""
        self.fresh = False
        """Set whenever the hand has been cut short; whoever works on it clears it before."""
        self.closed = False
        self.on_loss: OnLoss | None = None
        """Is told of what was given up, with its lane and the reason."""
        self.journal: Journal | None = None
        """Where the order is written down in which the consumer takes what comes."""
        self.noted = 0
        """Up to where in the hand that is done."""
        self.steps = 0
        """How often the consumer went on besides its events, answers apart."""
        self.desynchronised = False
        """Whether something vital was lost; whoever serves the lanes begins anew and clears it."""
        self.bell = bell or Doorbell()
        self._entered = 0
        """How far the books have an entry for what is in the hand."""
        self._max_bytes = settings.max_bytes
        self._outstanding = outstanding
        self._announce = announce
        self._losses = Losses()
        self._room: trio.Event | None = None
        self.vital = Lane("vital", settings.high)
        self._high = _lane("high", settings.high, settings.high_overflow)
        self._normal = _lane("normal", settings.normal, settings.normal_overflow)
        self._low = _lane("low", settings.low, settings.low_overflow)
        self._by_priority = {
            EventPriority.HIGH: self._high,
            EventPriority.NORMAL: self._normal,
            EventPriority.LOW: self._low,
        }
        self._in_order = (self.vital, self._high, self._normal, self._low)

    def attach(self, outstanding: Outstanding) -> None:
        """Count what is queued, and what comes, as outstanding here and nowhere else."""
        if outstanding is not self._outstanding:
            outstanding.count += self.queued
            self._outstanding = outstanding

    def _lane_of(self, event: DataEvent) -> Lane:
        if event.event_type in VITAL:
            return self.vital
        # An unknown priority is NORMAL.
        return self._by_priority.get(event.priority, self._normal)

    def put(self, event: DataEvent) -> None:
        """Queue an event; a full lane does what its policy says.

        Raises:
            DataStreamError: the lane is full and makes its producers wait; this one did not.
        """
        if self.hand:
            self.interrupt()
        self.books.received += 1
        # As _lane_of, and below as waiting, whose calls would cost as much again.
        if event.event_type in VITAL:
            lane = self.vital
        else:
            lane = self._by_priority.get(event.priority, self._normal)
        if (
            self.closed or lane.count >= lane.capacity or lane.bytes + event.size > self._max_bytes
        ) and not self._make_room(lane, event):
            return
        self._outstanding.count += 1
        bell = self.bell
        if (
            lane.count
            or self._normal.count
            or self._high.count
            or self._low.count
            or self.vital.count
            or self.hand
            or self._losses
            or not lane.in_runs
        ):
            lane.push(event)
            bell.crowded = True
        else:  # what has not to wait need not go through the channel
            self.hand, self.drawn = (event,), lane
        if not bell.rung:
            bell.ring()

    def put_run(self, run: Run) -> None:
        """Queue events of one type and priority, as ``put`` would one by one.

        Raises:
            DataStreamError: as ``put``; those before are queued.
        """
        lane, count = self._lane_of(run.events[0]), len(run.events)
        if self.hand:
            self.interrupt()
        if self.closed or not lane.in_runs:
            self._put_each(run)
            return
        if lane.count + count > lane.capacity or lane.bytes + run.size > self._max_bytes:
            sheds = lane.overflow == "drop_oldest" and lane is not self.vital
            if not sheds or count > lane.capacity or run.size > self._max_bytes:
                self._put_each(run)
                return
            self._shed(lane, count, run.size)
        self.books.received += count
        self._outstanding.count += count
        if self.waiting:
            lane.push_run(run)
            self.bell.crowded = True
        else:
            self.hand, self.drawn = run.events, lane
        self.bell.ring()

    def _put_each(self, run: Run) -> None:
        for event in run.events:
            self.put(event)

    def _shed(self, lane: Lane, count: int, size: int) -> None:
        """Make room for so many events of so many bytes: the oldest ones are lost."""
        while lane.count and (
            (over := lane.count + count - lane.capacity) > 0 or lane.bytes + size > self._max_bytes
        ):
            self._give_up(lane, "shed", lane.take_oldest(max(1, over)))

    def _give_up(self, lane: Lane, reason: str, events: Sequence[DataEvent]) -> None:
        """What was queued is lost."""
        self._lose(lane, reason, events)
        self._outstanding.done(len(events))

    def _make_room(self, lane: Lane, event: DataEvent) -> bool:
        """Whether the event can be queued after all."""
        if self.closed:
            self.books.lose(lane.name, "closed")
            return False
        if lane is self.vital:
            if lane.count:
                self._desynchronise()
            return True  # whatever its size
        if event.size > self._max_bytes:
            self._lose(lane, "oversized", (event,))
            return False
        return self._overflow(lane, event)

    def _overflow(self, lane: Lane, event: DataEvent) -> bool:
        if lane.overflow == "block":
            self.books.received -= 1
            raise DataStreamError(f"the lane {lane.name} is full and its producer did not wait")
        if lane.overflow == "drop_newest":
            self._lose(lane, "refused", (event,))
            return False
        replaced = lane.replace(event)
        if replaced is not None:
            self._lose(lane, "coalesced", (replaced,))
            self._shed(lane, 0, 0)  # the new one may be larger
            return False
        self._shed(lane, 1, event.size)
        return True

    def _desynchronise(self) -> None:
        """Give up what is vital: the consumer cannot go on from what it knows."""
        self.desynchronised = True
        while self.vital.count:
            self._give_up(self.vital, "desynchronised", self.vital.take_run())

    def _lose(self, lane: Lane, reason: str, events: Sequence[DataEvent]) -> None:
        self.books.lose(lane.name, reason, len(events))
        if self.on_loss is not None:
            self.on_loss(lane.name, reason, events)
        if self._announce:
            self._losses.note(lane.name, events)
            self.bell.crowded = True
            self.bell.ring()

    def has_room(self, event: DataEvent) -> bool:
        """Whether ``put`` would take the event at once; always, where nobody has to wait."""
        lane = self._lane_of(event)
        if lane.overflow != "block" or self.closed or event.size > self._max_bytes:
            return True
        if self.hand:
            self.interrupt()
        return lane.count < lane.capacity and lane.bytes + event.size <= self._max_bytes

    async def wait_room(self, event: DataEvent) -> None:
        """Return once there is room for the event. Whoever serves the lanes bounds the wait."""
        while not self.has_room(event):
            if self._room is None:
                self._room = trio.Event()
            await self._room.wait()

    def _tell_room(self) -> None:
        if self._room is not None:
            self._room.set()
            self._room = None

    def draw(self) -> DataEvent:
        """The event to work on: where the hand is empty it is filled from the highest lane.

        Raises:
            trio.WouldBlock: nothing waits.
        """
        if not self.hand:
            if self._losses:
                self.books.received += 1
                self._outstanding.count += 1
                self.drawn, self.hand = None, (self._losses.tell(),)
            else:
                lane = self.vital
                if not lane.count:
                    lane = self._high
                    if not lane.count:
                        lane = self._normal if self._normal.count else self._low
                self.drawn, self.hand = lane, lane.take_run()
                if self._room is not None:
                    self._tell_room()
        self.begun = True
        return self.hand[self.place]

    def note(self, end: int) -> None:
        """Those of the hand up to this place are done, or begun."""
        if self.journal is not None and end > self.noted:
            self.journal.took(self.hand[self.noted : end])
            self.noted = end

    def made(self, event: DataEvent) -> None:
        """The consumer has made this of the event that it works on."""
        if self.journal is not None:
            self.journal.made(event, self._derived)

    @property
    def _derived(self) -> bool:
        """Whether a processor made the event in work."""
        return "cause" in self.hand[self.place].metadata

    @property
    def in_turn(self) -> bool:
        """Whether it matters here what is taken after what."""
        return self.journal is not None

    def asked(self, question: Question, feed: str, number: int) -> None:
        """The consumer has asked a node, by this feed and under this number."""
        if self.journal is not None:
            self.journal.asked(question.name, feed, number)

    async def answered(self, question: Question, besides: bool) -> None:
        """The consumer goes on with what came of a question to a node.

        Args:
            question: what it asked.
            besides: whether it goes on besides its events.
        """
        if self.journal is not None:
            self.journal.answered(question.name, question.answered_at, besides)

    async def step(self) -> None:
        """The consumer goes on besides its events."""
        self.steps += 1
        if self.journal is not None:
            self.journal.stepped(f"step:{self.steps}")

    def enter(self) -> None:
        """Enter in the books, as processed, what is done of the hand and has no entry yet."""
        done = self.place - self._entered
        if done:
            self._entered = self.place
            self.books.processed += done
            outstanding = self._outstanding
            outstanding.count -= done
            if not outstanding.count:
                outstanding.done(0)
        if self.place == len(self.hand):
            self.hand, self.place, self._entered, self.begun = NOTHING, 0, 0, False

    def finish(self) -> DataEvent:
        """Go on to the next event of the hand: the books' entry has been made for this one."""
        self.enter()
        event = self.hand[self.place]
        self.place += 1
        self._entered = self.place
        self._outstanding.done()
        self.enter()
        return event

    def interrupt(self) -> None:
        """Something comes in between: what is not being worked on goes back to where it was."""
        self.fresh = True
        if self.drawn is None:
            return  # the news of a loss comes alone
        if not self.begun:
            self.enter()
            self._put_down()
        elif self.place + 1 < len(self.hand):
            behind = self.hand[self.place + 1 :]
            self.hand = self.hand[: self.place + 1]
            self.drawn.give_back(behind)
            self.bell.crowded = True

    def take(self, limit: int) -> list[DataEvent]:
        """Up to ``limit`` events, higher lanes first, each of them processed by being taken."""
        taken: list[DataEvent] = []
        while len(taken) < limit and self.waiting:
            taken.append(self.draw())
            self.place += 1
            self.enter()
        self.begun = False
        if self.hand:
            self._put_down()
        return taken

    def _put_down(self) -> None:
        """Nothing of the hand is being worked on."""
        assert self.drawn is not None
        self.drawn.give_back(self.hand[self.place :])
        self.bell.crowded = True
        self.hand, self.place, self._entered = NOTHING, 0, 0

    async def wait(self) -> None:
        """Sleep until something was put or the lanes were closed. One waiter at a time."""
        if self.closed or self.waiting:
            await trio.lowlevel.checkpoint()
            return
        self.bell.rung = False
        await self.bell.wait()

    def close(self) -> None:
        """Refuse what comes from now on; what is queued can still be taken."""
        self.closed = True
        self.bell.closing = True
        self.bell.ring()
        self._tell_room()

    def abandon(self, reason: str) -> None:
        """Close, and count all that is left as lost."""
        self.close()
        self.fresh = True
        self.enter()
        while self.hand:
            event = self.hand[self.place]
            self._give_up_rest(self._lane_of(event), reason, (event,))
            self.finish()
        self._losses.clear()
        for lane in self._in_order:
            while lane.count:
                gone = lane.take_run()
                self._give_up_rest(lane, reason, gone)
                self._outstanding.done(len(gone))

    def _give_up_rest(self, lane: Lane, reason: str, events: Sequence[DataEvent]) -> None:
        """As ``_lose``, where nobody is left to be told in the stream."""
        self.books.lose(lane.name, reason, len(events))
        if self.on_loss is not None:
            self.on_loss(lane.name, reason, events)

    def expire(self) -> None:
        """Count the event being worked on as lost: its deadline passed before its start."""
        event = self.finish()
        self.begun = False
        self._lose(self._lane_of(event), "expired", (event,))

    @property
    def waiting(self) -> bool:
        """Whether ``draw`` has something to give."""
        return bool(
            self._normal.count
            or self._high.count
            or self._low.count
            or self.vital.count
            or self.hand
            or self._losses
        )

    @property
    def urgent(self) -> int:
        """Events that wait in the highest lanes, the vital one and HIGH."""
        return self.vital.count + self._high.count

    @property
    def queued(self) -> int:
        """Events in the lanes, and those of the hand that have no entry in the books."""
        return len(self.hand) - self._entered + sum(lane.count for lane in self._in_order)

    def snapshots(self) -> tuple[LaneSnapshot, ...]:
        """Each lane's fill, the vital one first, then HIGH."""
        if self.hand:
            self.interrupt()
        return tuple(lane.snapshot() for lane in self._in_order)

    def balance(self) -> BooksSnapshot:
        """The books now."""
        self.enter()
        return self.books.snapshot(self.queued)
