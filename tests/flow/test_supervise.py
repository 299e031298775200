"""One feed's lives: weather is waited out, a refusal is final, a bug propagates."""

from __future__ import annotations

import random

import pytest
import trio

from trio_mev.errors import (
    ConfigError,
    DataStreamError,
    HeartbeatLost,
    MalformedFrame,
    RestartLimitReached,
    StreamConnectionError,
    SubscriptionLost,
    SubscriptionRejected,
)
from trio_mev.flow.status import FeedState, FeedStatus
from trio_mev.flow.supervise import Fate, fate, gravest, leaves, supervise
from trio_mev.model.settings import ConnectionSettings

SETTINGS = ConnectionSettings(
    first_delay=1.0, factor=2.0, max_delay=8.0, settle_after=60.0, restarts=3
)
SEED = 11


def waits(*wholes):
    """The delays that the seed's jitter makes of these."""
    drawn = random.Random(SEED)
    return [whole * drawn.uniform(0.5, 1.0) for whole in wholes]


class Lives:
    """Lives that end as told, one after the other; the last one ends well."""

    def __init__(self, *ends, healthy=()):
        self.status = FeedStatus("node")
        self.starts = []
        self.states = []
        self._ends = list(ends)
        self._healthy = dict(healthy)

    async def __call__(self):
        number = len(self.starts)
        self.starts.append(trio.current_time())
        self.states.append(self.status.state)
        await trio.lowlevel.checkpoint()
        if number in self._healthy:
            self.status.ready_at = trio.current_time()
            await trio.sleep(self._healthy[number])
        if number < len(self._ends):
            raise self._ends[number]

    async def supervise(self, required=False, settings=SETTINGS):
        await supervise(self, self.status, settings, random.Random(SEED), required)


async def test_a_transient_failure_is_tried_again_after_rising_delays(autojump_clock):
    lives = Lives(*(StreamConnectionError(f"cut {n}") for n in range(3)))
    await lives.supervise()
    first, second, third = waits(1.0, 2.0, 4.0)
    assert lives.starts == pytest.approx([0.0, first, first + second, first + second + third])
    assert lives.states == [FeedState.CONNECTING] * 4
    assert (lives.status.state, lives.status.attempts) == (FeedState.ENDED, 4)
    assert lives.status.failures == 3


async def test_a_clean_close_by_the_peer_is_weather_and_is_tried_again(autojump_clock):
    lives = Lives(StreamConnectionError("the peer closed with 1000 ''"))
    await lives.supervise()
    assert len(lives.starts) == 2


async def test_while_it_waits_it_says_why(autojump_clock):
    lives = Lives(HeartbeatLost("no pong within 20 s"))
    seen = []
    async with trio.open_nursery() as nursery:
        nursery.start_soon(lives.supervise)
        await trio.sleep(0.25)
        seen.append((lives.status.state, lives.status.detail))
    assert seen == [(FeedState.WAITING, "no pong within 20 s")]


@pytest.mark.parametrize("error", [SubscriptionRejected("no"), MalformedFrame("bad")])
async def test_a_refusal_is_final(autojump_clock, error):
    lives = Lives(error)
    await lives.supervise()
    assert lives.starts == [0.0]
    assert (lives.status.state, lives.status.detail) == (FeedState.REFUSED, str(error))
    assert trio.current_time() == 0.0


async def test_the_refusal_of_a_required_feed_ends_the_stream(autojump_clock):
    refusal = SubscriptionRejected("no such method")
    lives = Lives(refusal)
    with pytest.raises(RestartLimitReached, match="feed node is refused: no such method") as caught:
        await lives.supervise(required=True)
    assert caught.value.__cause__ is refusal


@pytest.mark.parametrize(
    "bug",
    [
        KeyError("ours"),
        ExceptionGroup("life", [StreamConnectionError("cut"), ZeroDivisionError("ours")]),
        ExceptionGroup("life", [SubscriptionRejected("no"), ExceptionGroup("in", [OSError(5)])]),
    ],
)
async def test_a_bug_propagates_as_it_was_raised_with_its_group(bug):
    lives = Lives(bug)
    with pytest.raises(type(bug)) as caught:
        await lives.supervise()
    assert caught.value is bug
    assert len(lives.starts) == 1


async def test_of_several_failures_at_once_the_gravest_decides(autojump_clock):
    lives = Lives(ExceptionGroup("", [HeartbeatLost("quiet"), SubscriptionRejected("no")]))
    await lives.supervise()
    assert (lives.status.state, lives.status.detail) == (FeedState.REFUSED, "no")


async def test_a_required_feed_gives_up_after_its_restarts(autojump_clock):
    cuts = [StreamConnectionError(f"cut {n}") for n in range(10)]
    lives = Lives(*cuts)
    with pytest.raises(RestartLimitReached, match="feed node: 3 restarts in a row") as caught:
        await lives.supervise(required=True)
    assert len(lives.starts) == 4
    assert caught.value.__cause__ is cuts[3]
    assert trio.current_time() == pytest.approx(sum(waits(1.0, 2.0, 4.0)))


async def test_a_feed_that_is_not_required_becomes_lost_and_is_still_tried(autojump_clock):
    lives = Lives(*(StreamConnectionError("cut") for _ in range(6)))
    states = []

    async def look():
        await trio.sleep(sum(waits(1.0, 2.0, 4.0)) + 1)
        states.append(lives.status.state)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(look)
        await lives.supervise()
    third = sum(waits(1.0, 2.0, 4.0))
    assert lives.starts[3:] == pytest.approx([third, third + 8, third + 16, third + 24])
    assert states == [FeedState.LOST]
    assert lives.status.state is FeedState.ENDED


async def test_health_of_settle_after_makes_the_count_of_restarts_begin_anew(autojump_clock):
    cuts = [StreamConnectionError("cut") for _ in range(4)]
    lives = Lives(*cuts, healthy={2: 60.0})
    await lives.supervise(required=True)
    delays = waits(1.0, 2.0, 1.0, 2.0)
    assert lives.starts == pytest.approx(
        [
            0.0,
            delays[0],
            sum(delays[:2]),
            sum(delays[:3]) + 60,
            sum(delays) + 60,
        ]
    )


async def test_health_of_less_does_not(autojump_clock):
    lives = Lives(*(StreamConnectionError("cut") for _ in range(3)), healthy={1: 59.0})
    await lives.supervise()
    delays = waits(1.0, 2.0, 4.0)
    assert lives.starts[-1] == pytest.approx(sum(delays) + 59)


async def test_the_health_of_an_earlier_life_does_not_count_for_a_later_one(autojump_clock):
    lives = Lives(*(StreamConnectionError("cut") for _ in range(3)), healthy={0: 100.0})
    await lives.supervise()
    assert lives.starts[-1] == pytest.approx(100 + sum(waits(1.0, 2.0, 4.0)))


async def test_a_cancellation_ends_it_in_the_middle_of_a_life(autojump_clock):
    lives = Lives(StreamConnectionError("never"), healthy={0: 1000.0})
    with trio.move_on_after(5) as scope:
        await lives.supervise()
    assert scope.cancelled_caught
    assert lives.status.failures == 0


@pytest.mark.parametrize(
    ("error", "means"),
    [
        (StreamConnectionError("x"), Fate.TRANSIENT),
        (HeartbeatLost("x"), Fate.TRANSIENT),
        (SubscriptionLost("x"), Fate.TRANSIENT),
        (SubscriptionRejected("x"), Fate.FATAL),
        (ConfigError("x"), Fate.FATAL),
        (DataStreamError("x"), Fate.FATAL),
        (OSError(), Fate.BUG),
        (KeyboardInterrupt(), Fate.BUG),
    ],
)
def test_what_an_error_means(error, means):
    assert fate(error) is means


def test_the_leaves_of_a_group_are_its_errors_however_deep_and_the_first_of_equals_decides():
    one, two, three = HeartbeatLost("1"), SubscriptionLost("2"), StreamConnectionError("3")
    group = BaseExceptionGroup("", [one, ExceptionGroup("", [two, ExceptionGroup("", [three])])])
    assert list(leaves(group)) == [one, two, three]
    assert gravest(group) is one
    assert gravest(two) is two
