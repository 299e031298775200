"""A node's heads and logs on their way into the trunk, for one life of a connection."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Iterable, Sequence

import msgspec
from msgspec import UNSET, structs

from ..errors import MalformedFrame
from ..model.chain import Block, Gap, Log
from ..model.settings import EthereumSettings, LogFilter
from .asking import BY_HASH, BY_NUMBER, LOGS, Question
from .ethereum import parse_head, parse_logs
from .follower import Follower, FollowSettings
from .jsonrpc import Message
from .limits import Answer, classify
from .logs import Wanted
from .trunk import Told, Trunk, TrunkSettings

METHODS = frozenset({BY_HASH, BY_NUMBER, LOGS})
"""Whose replies are ours."""
ATTEMPTS = 3


def make_trunk(settings: EthereumSettings, sources: Sequence[str] = ()) -> Trunk:
    """The trunk of a feed with these settings.

    Args:
        settings: the feed's.
        sources: its connections, where they are not those that the settings name.
    """
    return Trunk(
        sources or settings.aliases,
        TrunkSettings(
            settings.most_pending,
            settings.pending_age,
            settings.ask_pending_after,
            settings.patience,
        ),
    )


class Tracking:
    """Follows the node's chain and holds back what must not come before it.

    While a gap is filled, streamed logs wait; where too many do, the oldest are dropped and
    counted, since each block brings its own.

    Args:
        settings: the feed's.
        source: the connection's alias.
        trunk: what the feed holds as true.
        jitter: draws from 0 to below 1.
    """

    def __init__(
        self,
        settings: EthereumSettings,
        source: str,
        trunk: Trunk,
        jitter: Callable[[], float],
    ) -> None:
        self._settings = settings
        self._source = source
        self._trunk = trunk
        self._jitter = jitter
        self._filters: list[LogFilter] = list(settings.logs)
        self._wanted = Wanted(self._filters)
        self._follower: Follower | None = None
        self._held: deque[tuple[Log, str]] = deque()
        self._joined = False
        self.refused: Counter[str] = Counter()
        self.ignored: Counter[str] = Counter()

    def learn_filter(self, conditions: object) -> None:
        """A tape shows that these logs were asked for."""
        try:
            self._filters.append(read_filter(conditions))
        except (msgspec.ValidationError, ValueError):
            self.refused["sent_bad_filter"] += 1
        self._wanted = Wanted(self._filters)

    def was_asked(self, question: Question, now: float) -> None:
        """A tape shows that this was asked now."""
        if self._follower is not None:
            self._follower.was_asked(question, now)

    def awaits(self, question: Question) -> bool:
        """Whether the answer to it is wanted."""
        return self._follower is not None and self._follower.awaits(question)

    def _following(self) -> Follower:
        """The follower; made late, since it begins with what the feed knows by then."""
        if self._follower is None:
            settings = self._settings
            whole = settings.follow and bool(self._filters)
            following = FollowSettings(
                self._filters if whole else (),
                settings.fetches,
                settings.fetch_timeout,
                ATTEMPTS,
                settings.backfill,
                settings.follow,
            )
            self._follower = Follower(
                following, self._trunk.chain, self._trunk.too_large, self._jitter
            )
            self._follower.count_into(self.refused, self.ignored)
        return self._follower

    def begun(self, now: float) -> list[Told]:
        """Heads are announced from now on; those before may have been missed."""
        self._joined = True
        told = self._trunk.join(self._source, now)
        if self._settings.follow and self._trunk.tip is not None:
            self._following().look(now)
        return told

    def head(self, block: Block, now: float) -> list[Told]:
        """The node announces its head."""
        told = self._trunk.head(self._source, block, now)
        self._following().head(block, now)
        return told + self._released(now)

    def log(self, log: Log, label: str, now: float) -> list[Told]:
        """The node streams a log, on the subscription ``label``."""
        if not self._wanted(log):
            self.refused["foreign_log"] += 1
            return []
        if self._follower is not None and self._follower.catching_up:
            self._held.append((log, label))
            if len(self._held) > self._settings.held_logs:
                self._held.popleft()
                self.ignored["held_log_dropped"] += 1
            return []
        return self._hint(log, label, now)

    def _hint(self, log: Log, label: str, now: float) -> list[Told]:
        return [
            structs.replace(told, label=label) for told in self._trunk.hint(self._source, log, now)
        ]

    def fetched(self, question: Question, message: Message, now: float) -> list[Told]:
        """A reply to one of the questions."""
        follower = self._following()
        if not follower.awaits(question):
            self.ignored["late_reply"] += 1
            return []
        error = message.error
        try:
            if error is not None:
                self.refused["fetch_error"] += 1
                answer = classify(error.code, error.message, error.data)
                follower.error(question, answer, f"{error.code} {error.message[:200]}", now)
            elif question.method == LOGS:
                follower.logs(question, parse_logs(_result(message)), now)
            else:
                raw = _result(message)
                follower.block(question, None if raw == b"null" else parse_head(raw), now)
        except MalformedFrame as fault:
            self.refused[fault.reason] += 1
            follower.error(question, Answer.LATER, str(fault), now)
        return self._released(now)

    def _released(self, now: float) -> list[Told]:
        """The blocks and gaps that are ready, and then the logs that were held back."""
        follower = self._following()
        told = self._tell(follower.released(), now)
        if self._held and not follower.catching_up:
            held, self._held = self._held, deque()
            for log, label in held:
                told += self._hint(log, label, now)
        return told

    def _tell(self, items: Iterable[Block | Gap], now: float) -> list[Told]:
        told: list[Told] = []
        for item in items:
            if isinstance(item, Gap):
                told += self._trunk.gap(self._source, item)
            else:
                told += self._trunk.block(self._source, item, now)
        return told

    def questions(self) -> list[Question]:
        """What is to be asked now, each once."""
        return [] if self._follower is None else self._follower.questions()

    def next_due(self) -> float | None:
        """When ``expire`` has something to do."""
        following = None if self._follower is None else self._follower.next_due()
        dues = (following, self._trunk.next_due())
        return min((due for due in dues if due is not None), default=None)

    def expire(self, now: float) -> list[Told]:
        """Ask again, or go on without, what had no answer in time."""
        told = self._trunk.decide(now)
        if self._follower is not None:
            self._follower.expire(now)
            told += self._released(now)
        return told

    def oversized(self) -> None:
        """The connection was closed for the size of a message."""
        if self._follower is not None:
            self._follower.oversized()

    def notices(self) -> list[str]:
        """What an operator should read; each once."""
        return [] if self._follower is None else self._follower.notices()

    def finish(self, now: float) -> list[Told]:
        """The life is over: as ``Follower.finish``."""
        told: list[Told] = []
        if self._follower is not None:
            told = self._tell(self._follower.finish(), now)
            self._follower = None
        if self._held:
            self.ignored["held_log_dropped"] += len(self._held)
            self._held.clear()
        if self._joined:
            self._joined = False
            told += self._trunk.leave(self._source, now)
        return told


def _result(message: Message) -> bytes:
    return b"null" if message.result is UNSET else bytes(message.result)


class _Conditions(msgspec.Struct):
    address: str | list[str] | None = None
    topics: list[str | list[str] | None] = []


def read_filter(conditions: object) -> LogFilter:
    """The filter that a request for logs names.

    Raises:
        msgspec.ValidationError, ValueError: it is none.
    """
    wanted = msgspec.convert(conditions, _Conditions)
    address = wanted.address or ()
    return LogFilter(
        (address,) if isinstance(address, str) else tuple(address),
        tuple(tuple(t) if isinstance(t, list) else t for t in wanted.topics),
    )
