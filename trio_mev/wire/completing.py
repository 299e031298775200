"""From headers in order to whole blocks in order: their hashes and their logs.

Logs are asked for by block hash. Over a gap they are asked for by range first: a log that bears
the hash of a block of ours proves that this answer came from our chain up to that block, since
everything below follows from it. What lies behind the last such log is asked block by block.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Sequence

import attrs
from msgspec import structs

from ..model.chain import Block, Gap, Log
from ..model.settings import LogFilter
from .asking import BY_HASH, LOGS, Question
from .limits import Answer
from .logs import Wanted
from .ranges import LogPlan, LogQuery

RANGE_FROM = 3
"""Blocks from which on a range is asked for."""
MAX_NOTICES = 100
MAX_TOO_LARGE = 10_000


@attrs.define(eq=False)
class _Waiting:
    block: Block
    hashes: bool
    """Whether its hashes are waited for."""
    logs: bool
    """Whether its logs are."""
    found: tuple[Log, ...] | None = None
    last_of_gap: bool = False

    @property
    def ready(self) -> bool:
        return not self.hashes and not self.logs

    def made(self) -> Block:
        """The block, as whole as it could be had."""
        if self.found is None:
            return self.block
        return attrs.evolve(
            self.block, logs=self.found, complete=self.block.transactions is not None
        )


@attrs.define(eq=False)
class _Job:
    plan: LogPlan[Log]
    blocks: tuple[_Waiting, ...]
    uncertain: set[int] = attrs.Factory(set)
    """Numbers of blocks of which an answer may have been another chain's."""


class Completing:
    """The blocks of one connection that are not whole yet.

    Args:
        filters: whose logs are wanted; without any, none are fetched.
        too_large: questions whose answers did not fit into one reply.
        jitter: draws from 0 to below 1.
        most: blocks that may wait; beyond it the oldest is given out as it is.
    """

    def __init__(
        self,
        filters: Sequence[LogFilter],
        too_large: dict[LogQuery, None],
        jitter: Callable[[], float],
        most: int,
    ) -> None:
        self._filters = filters
        self._wanted = Wanted(filters)
        self._too_large = too_large
        self._jitter = jitter
        self._most = most
        self._queue: deque[_Waiting | Gap] = deque()
        self._jobs: deque[_Job] = deque()
        self._hashes: dict[str, _Waiting] = {}
        self._to_ask: list[Question] = []
        self.asking: Question | None = None
        """The question for logs that is under way."""
        self.refused: Counter[str] = Counter()
        self.notices: list[str] = []
        """What an operator should read; the oldest are dropped."""

    @property
    def behind(self) -> bool:
        """Whether blocks of a gap wait."""
        return any(isinstance(item, Gap) or item.last_of_gap for item in self._queue)

    def add(self, blocks: Sequence[Block], gap: Gap | None = None) -> None:
        """Blocks that follow those before, oldest first, and the gap that they are the end of."""
        if not blocks:
            return
        if gap is not None:
            self._queue.append(gap)
        made = [_Waiting(b, b.transactions is None, bool(self._filters)) for b in blocks]
        made[-1].last_of_gap = gap is not None
        for waiting in made:
            self._queue.append(waiting)
            if waiting.hashes:
                self._hashes[waiting.block.hash] = waiting
                self._to_ask.append(Question.of(BY_HASH, [waiting.block.hash, False]))
        if not self._filters:
            pass
        elif gap is not None and len(made) >= RANGE_FROM:
            first, last = blocks[0].number, blocks[-1].number
            self._jobs.append(_Job(LogPlan.over(self._filters, first, last), tuple(made)))
        else:
            self._jobs.extend(self._each(made))
        self._make_room()

    def _each(self, waiting: Iterable[_Waiting]) -> Iterator[_Job]:
        for one in waiting:
            number, block = one.block.number, one.block.hash
            yield _Job(LogPlan.of_block(self._filters, number, block), (one,))

    def withdraw(self, blocks: Iterable[Block]) -> int | None:
        """Blocks that are no longer of the chain: whoever was not told of them need not be, and
        the node may not have their logs any more.

        Returns:
            The lowest number of those; where the gap that they were the end of goes with them,
            the first number of that.
        """
        gone = {block.hash for block in blocks}
        queue, self._queue = self._queue, deque()
        lowest: int | None = None
        gap: Gap | None = None
        for item in queue:
            if isinstance(item, Gap):
                gap = item
            elif item.block.hash not in gone:
                self._queue += [gap] if gap is not None else []
                self._queue.append(item)
                gap = None
            else:
                if lowest is None:
                    lowest = item.block.number if gap is None else gap.first
                item.hashes = item.logs = False
                self._hashes.pop(item.block.hash, None)
        self._shorten_gap(lowest)
        return lowest

    def _shorten_gap(self, below: int | None) -> None:
        """A gap ends where its blocks do."""
        for place, item in enumerate(self._queue):
            if isinstance(item, Gap) and below is not None and item.last >= below:
                self._queue[place] = attrs.evolve(item, last=below - 1)

    def _make_room(self) -> None:
        for item in list(self._queue)[: max(0, len(self._queue) - self._most)]:
            if isinstance(item, _Waiting) and not item.ready:
                self.refused["block_backlog_full"] += 1
                item.hashes = item.logs = False

    def questions(self, now: float) -> list[Question]:
        """What is to be asked now: hashes at once, logs one question at a time."""
        asking, self._to_ask = self._to_ask, []
        while self._jobs and self.asking is None:
            job = self._jobs[0]
            if not any(waiting.logs for waiting in job.blocks):
                self._jobs.popleft()
            elif job.plan.done or job.plan.problem is not None:
                self._end(self._jobs.popleft())
            elif (query := job.plan.ask(now)) is None:
                break
            elif query in self._too_large:
                job.plan.too_large("a reply was before")
            else:
                self.asking = Question.of(LOGS, query.params())
                asking.append(self.asking)
        return asking

    def _end(self, job: _Job) -> None:
        """Every question of a job was answered, or it was given up."""
        if job.plan.problem is not None:
            self._give_up(job, job.plan.problem)
            return
        rest = [waiting for waiting in job.blocks if waiting.logs]
        self._jobs.extendleft(reversed(list(self._each(rest))))

    def _settle(self, job: _Job) -> None:
        """Give the blocks of a job their logs, as far as it is certain that these are all."""
        logs: dict[str, dict[int, Log]] = {}
        for log in job.plan.logs:
            logs.setdefault(log.block_hash, {})[log.log_index] = log
        for waiting in job.blocks:
            number = waiting.block.number
            if waiting.logs and number <= job.plan.cursor and number not in job.uncertain:
                own = logs.get(waiting.block.hash, {})
                waiting.found = tuple(own[index] for index in sorted(own))
                waiting.logs = False

    @staticmethod
    def _doubt(job: _Job, query: LogQuery, logs: Iterable[Log]) -> None:
        """Whatever one answer does not prove is asked for block by block."""
        if query.block is not None:
            return
        numbers = {waiting.block.hash: waiting.block.number for waiting in job.blocks}
        found = {log.block_hash for log in logs}
        certain = query.first - 1
        if found <= numbers.keys():  # else some of it came from another chain
            certain = max((numbers[block] for block in found), default=certain)
        job.uncertain.update(range(certain + 1, query.last + 1))

    def _give_up(self, job: _Job, problem: str) -> None:
        if len(job.blocks) > 1:
            self._jobs.extendleft(reversed(list(self._each(w for w in job.blocks if w.logs))))
            return
        job.blocks[0].logs = False
        self.refused["logs_not_available"] += 1
        self.notices = [*self.notices[1 - MAX_NOTICES :], problem]

    def answered(self, logs: Iterable[Log]) -> None:
        """The question for logs under way has its answer; what was not wanted is counted."""
        job = self._under_way()
        fit: list[Log] = []
        numbers = {waiting.block.hash for waiting in job.blocks}
        for log in logs:
            if not self._wanted(log) or (len(job.blocks) == 1 and log.block_hash not in numbers):
                self.refused["foreign_log"] += 1
            else:
                fit.append(structs.replace(log, complete=True))
        query = job.plan.asking
        assert query is not None
        self._doubt(job, query, fit)
        job.plan.answered(fit)
        self._settle(job)

    def failed(self, answer: Answer, why: str, now: float) -> None:
        """The question for logs under way was answered with an error, or not in time."""
        job = self._under_way()
        if answer is Answer.SPLIT:
            self._remember(job)
        job.plan.refused(answer, why, now, self._jitter())

    def oversized(self) -> None:
        """The connection was closed for the size of a reply: what is under way is to blame."""
        if self.asking is not None:
            job = self._under_way()
            self._remember(job)
            job.plan.too_large("the reply is larger than the connection takes")

    def _remember(self, job: _Job) -> None:
        query = job.plan.asking
        assert query is not None
        self._too_large[query] = None
        if len(self._too_large) > MAX_TOO_LARGE:
            del self._too_large[next(iter(self._too_large))]

    def _under_way(self) -> _Job:
        self.asking = None
        return self._jobs[0]

    def resume(self) -> None:
        """Rest no longer before the next question."""
        for job in self._jobs:
            job.plan.not_before = float("-inf")

    def next_due(self) -> float | None:
        """When the next question may be asked, where that is all that is waited for."""
        if not self._jobs or self.asking is not None:
            return None
        return self._jobs[0].plan.not_before

    def hashes(self, block: Block) -> bool:
        """Whether the hashes of a block that came were waited for."""
        waiting = self._hashes.pop(block.hash, None)
        if waiting is None:
            return False
        waiting.block = attrs.evolve(waiting.block, transactions=block.transactions)
        waiting.hashes = False
        return True

    def without_hashes(self, block_hash: str) -> bool:
        """A block goes on without its hashes; whether they were waited for."""
        waiting = self._hashes.pop(block_hash, None)
        if waiting is None:
            return False
        waiting.hashes = False
        return True

    def released(self) -> list[Block | Gap]:
        """What is next and ready, in order, a gap with the first block after it; each once."""
        out: list[Block | Gap] = []
        gap: Gap | None = None
        while self._queue:
            item = self._queue[0]
            if isinstance(item, Gap):
                gap = item
            elif item.ready:
                self._hashes.pop(item.block.hash, None)
                out += [gap] if gap is not None else []
                out.append(item.made())
                gap = None
            else:
                break
            self._queue.popleft()
        if gap is not None:
            self._queue.appendleft(gap)
        return out

    def finish(self) -> list[Block | Gap]:
        """The connection is over. Where logs are wanted, what is not whole is left to the next
        connection, which will miss it; else blocks come without their hashes."""
        for item in self._queue:
            if isinstance(item, _Waiting) and not self._filters:
                item.hashes = False
        out = self.released()
        left = sum(isinstance(item, _Waiting) for item in self._queue)
        if left:
            self.refused["life_ended"] += left
        self._queue.clear()
        self._jobs.clear()
        self._hashes.clear()
        self._to_ask.clear()
        self.asking = None
        return out
