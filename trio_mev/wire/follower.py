"""Following one node's chain through one connection: from its heads to whole blocks in order.

A head is believed where it extends the chain. Where blocks are missing below it they are fetched
first; where it would retract some, the node is asked whether it means it. Then hashes and logs
are fetched, and blocks are given out oldest first, none before the one below it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence

import attrs

from ..model.chain import Block, Gap, Log
from ..model.settings import LogFilter
from .asking import BY_HASH, BY_NUMBER, LOGS, Desk, Question
from .chainview import HELD, Advance, ChainView, Missing, Unrelated
from .completing import Completing
from .limits import Answer
from .ranges import LogQuery

SPARE = 128
"""Blocks that may wait beside those of a gap."""
HEADS_TRIED = 3
"""In a row, before one is taken without the blocks below it."""


@attrs.frozen
class FollowSettings:
    """Bounds of following. Times are seconds."""

    filters: Sequence[LogFilter] = ()
    """Whose logs belong into a block; without any, no logs are fetched."""
    fetches: int = 16
    """Blocks of a gap that are fetched at once."""
    timeout: float = 10.0
    """Of one question."""
    attempts: int = 3
    """How often a block is asked for; and its hashes, where its logs are wanted too."""
    most_missing: int = HELD // 2
    """Blocks of a gap that are fetched; a longer one is told and left."""
    follow: bool = True
    """Whether heads are joined to the chain; else each is given out as it is announced."""


class Follower:
    """One connection's view of its node's chain.

    Args:
        settings: bounds, and which logs are wanted.
        chain: the newest blocks that are known from before, oldest first.
        too_large: questions for logs whose answers did not fit; it is added to, and outlives the
            connection.
        jitter: draws from 0 to below 1.
    """

    def __init__(
        self,
        settings: FollowSettings,
        chain: Iterable[Block],
        too_large: dict[LogQuery, None],
        jitter: Callable[[], float],
    ) -> None:
        self._settings = settings
        most = settings.most_missing + SPARE
        self._view: ChainView[Block] = ChainView(held=most)
        for block in chain:
            self._view.apply(Advance(self._view.tip, (), (block,)))
        self._desk = Desk(settings.timeout, settings.attempts, jitter)
        self._completing = Completing(settings.filters, too_large, jitter, most)
        self._goal: Block | None = None
        """The newest head, while it is not on the chain."""
        self._meant = False
        """Whether the node has confirmed it, though it retracts others."""
        self._check: Question | None = None
        """Under way to find out."""
        self._gap: tuple[int, int] | None = None
        self._heads: dict[str, None] = {}
        """The newest that were announced, by hash."""
        self._failures = 0
        """Heads in a row that could not be joined to the chain."""
        self._tried: set[int] = set()
        """Numbers of the gap that were asked for."""
        self.ignored: Counter[str] = Counter()
        self.refused = self._completing.refused
        """What could not be had, by reason."""

    def count_into(self, refused: Counter[str], ignored: Counter[str]) -> None:
        """Count into the feed's counters."""
        self.refused = self._completing.refused = refused
        self.ignored = ignored

    @property
    def catching_up(self) -> bool:
        """Whether blocks of a gap are still to come."""
        return self._gap is not None or self._completing.behind

    def notices(self) -> list[str]:
        """What an operator should read; each once."""
        told, self._completing.notices = self._completing.notices, []
        return told

    def head(self, block: Block, now: float) -> None:
        """The node announces its head, or says it when asked."""
        if not self._settings.follow:
            self._completing.add([block], None)
            self._pump(now)
            return
        if block.hash in self._view or block == self._goal:
            self.ignored["repeated_head"] += 1
            return
        self._aim(block, meant=False)
        self._advance(now)

    def look(self, now: float) -> None:
        """Ask for the head, since some may have passed unheard."""
        self._desk.ask(_LATEST, now)

    def _hold(self, block: Block) -> None:
        known = self._view.known(block.hash)
        if known is None or known.transactions is None:
            self._view.hold(block)

    def _aim(self, block: Block, meant: bool) -> None:
        self._hold(block)
        self._goal, self._meant, self._check = block, meant, None
        self._heads[block.hash] = None
        if len(self._heads) > SPARE:
            del self._heads[next(iter(self._heads))]

    def _arrived(self) -> None:
        self._goal = self._check = self._gap = None
        self._meant = False
        self._tried.clear()

    def _joined(self) -> None:
        self._arrived()
        self._failures = 0

    def _advance(self, now: float) -> None:
        """Bring the newest head onto the chain, or ask for what that needs."""
        goal = self._goal
        if goal is None:
            return
        self._hold(goal)  # others may have pushed it out
        plan = self._view.plan(goal.hash)
        if isinstance(plan, Missing):
            self._fetch(plan, now)
        elif isinstance(plan, Unrelated):
            self._begin_anew("its chain does not meet the one before", now)
        else:
            assert isinstance(plan, Advance)
            if plan.reorganizes and not self._meant:
                self._ask_whether_meant(goal, now)
            else:
                self._extend(plan, now)

    def _ask_whether_meant(self, goal: Block, now: float) -> None:
        """What would take blocks back is believed where the node holds it at its height."""
        self._check = _by_number(goal.number)
        self._desk.ask(self._check, now)

    def _fetch(self, plan: Missing, now: float) -> None:
        """Ask for the blocks of a gap by their numbers; for a single one, or where those do not
        join, by its hash."""
        goal, tip = self._goal, self._view.tip
        assert goal is not None
        assert tip is not None
        if plan.first > tip.number:
            self._gap = self._gap or (plan.first, plan.number)
            if plan.number - plan.first >= self._settings.most_missing:
                self._begin_anew(f"over {self._settings.most_missing} blocks", now)
                return
            if plan.number > plan.first and self._fetch_numbers(plan, now):
                return
        elif not self._meant:
            self._ask_whether_meant(goal, now)
            return
        self._desk.ask(_by_hash(plan.hash), now)

    def _fetch_numbers(self, plan: Missing, now: float) -> bool:
        """Whether some of a range are under way."""
        room = self._settings.fetches - self._desk.count(BY_NUMBER)
        left = [n for n in range(plan.first, plan.number + 1) if n not in self._tried]
        for number in left[: max(0, room)]:
            self._tried.add(number)
            self._desk.ask(_by_number(number), now)
        return self._desk.count(BY_NUMBER) > 0

    def _begin_anew(self, why: str, now: float) -> None:
        """Take a head for what it is, since it cannot be reached from the chain so far."""
        goal, tip = self._goal, self._view.tip
        assert goal is not None
        assert tip is not None
        if not self._meant:
            self._ask_whether_meant(goal, now)
            return
        withdrawn = self._completing.withdraw(self._view.restart(goal))
        missing = range(tip.number + 1 if withdrawn is None else withdrawn, goal.number)
        gap = Gap(missing[0], missing[-1], False, why) if missing else None
        self._joined()
        self.refused["chain_lost"] += 1
        self._completing.add([goal], gap)
        self._pump(now)

    def _extend(self, plan: Advance[Block], now: float) -> None:
        self._view.apply(plan)
        missing = self._missing(plan.blocks, self._completing.withdraw(plan.retracted))
        self._joined()
        lead = missing[0] - plan.blocks[0].number if missing else 0
        gap = Gap(missing[0], missing[-1], filled=True) if missing else None
        self._completing.add(plan.blocks[:lead])
        self._completing.add(plan.blocks[lead:], gap)
        self._pump(now)

    def _missing(self, blocks: Sequence[Block], withdrawn: int | None) -> list[int]:
        """Numbers above all that was told, and whose blocks no head announced.

        Args:
            blocks: that are new on the chain, the head last.
            withdrawn: the lowest number of those that were never told and never will be.
        """
        firsts = [] if withdrawn is None else [withdrawn]
        firsts += [] if self._gap is None else [self._gap[0]]
        if not firsts:
            return []
        return [
            block.number
            for block in blocks[:-1]
            if block.number >= min(firsts) and block.hash not in self._heads
        ]

    def _pump(self, now: float) -> None:
        for question in self._completing.questions(now):
            once = question.method == LOGS or not self._settings.filters
            self._desk.ask(question, now, once)

    def awaits(self, question: Question) -> bool:
        """Whether an answer to this is waited for."""
        return question in self._desk

    def was_asked(self, question: Question, now: float) -> None:
        """A tape shows that this was asked now, however long the pause should have been."""
        if question.method == LOGS:
            self._completing.resume()
            self._pump(now)

    def block(self, question: Question, block: Block | None, now: float) -> None:
        """The answer to a question for a block that is awaited; None where the node has none."""
        if block is None:
            self.ignored["not_available"] += 1
            self._again(question, now)
        elif not _answers(question, block):
            self.refused["wrong_reply"] += 1
            self._again(question, now)
        else:
            self._desk.answered(question)
            self._take(question, block, now)

    def _again(self, question: Question, now: float) -> None:
        if self._desk.failed(question, now, again=True):
            self._go_on_without(question, now)

    def _take(self, question: Question, block: Block, now: float) -> None:
        if question == self._check:
            self._checked(block, now)
        elif question == _LATEST:
            self.head(block, now)
        elif question.method == BY_HASH and self._completing.hashes(block):
            self._pump(now)
        else:
            self._hold(block)
            self._advance(now)

    def _checked(self, block: Block, now: float) -> None:
        """What the node holds at its head's height."""
        assert self._goal is not None
        if block.hash != self._goal.hash:
            # What was announced is no longer so, or never was.
            self.ignored["stale_head"] += 1
            self.look(now)
        if block.hash in self._view:
            self._arrived()
            return
        self._aim(block, meant=True)
        self._advance(now)

    def logs(self, question: Question, logs: Iterable[Log], now: float) -> None:
        """The answer to a question for logs that is awaited."""
        self._desk.answered(question)
        self._completing.answered(logs)
        self._pump(now)

    def error(self, question: Question, answer: Answer, why: str, now: float) -> None:
        """A question was answered with an error, or with what cannot be read.

        Args:
            question: one that is awaited.
            answer: what is to be done about it.
            why: the node's words.
            now: the time.
        """
        if question.method == LOGS:
            self._desk.answered(question)
            self._completing.failed(answer, why, now)
            self._pump(now)
        elif self._desk.failed(question, now, again=answer is not Answer.GIVE_UP):
            self._go_on_without(question, now)

    def oversized(self) -> None:
        """The connection was closed for the size of a message: the question for logs that is
        under way is to blame."""
        self._completing.oversized()

    def _go_on_without(self, question: Question, now: float) -> None:
        """A question is given up."""
        if question.method == LOGS:
            self._completing.failed(Answer.LATER, "no answer in time", now)
        elif question == self._check:
            self.ignored["stale_head"] += 1
            self._arrived()  # what stands stands
        elif question.method == BY_HASH:
            if not self._completing.without_hashes(str(question.params[0])):
                self._not_joined(now)
        elif question != _LATEST:
            self._advance(now)
        self._pump(now)

    def _not_joined(self, now: float) -> None:
        """The blocks below a head are not to be had: the next head is tried, and at last one is
        taken for what it is."""
        self._failures += 1
        if self._failures >= HEADS_TRIED and self._goal is not None:
            self._begin_anew("the node does not give the blocks between", now)
        else:
            self._arrived()

    def next_due(self) -> float | None:
        """When ``expire`` has something to do."""
        dues = (self._desk.next_due(), self._completing.next_due())
        return min((due for due in dues if due is not None), default=None)

    def expire(self, now: float) -> None:
        """Ask again, or go on without, what had no answer in time."""
        for question in self._desk.expire(now):
            self.refused["fetch_timeout"] += 1
            self._go_on_without(question, now)
        self._pump(now)

    def questions(self) -> list[Question]:
        """What is to be asked now, each once."""
        return self._desk.to_send()

    def released(self) -> list[Block | Gap]:
        """Blocks, whole or given up, and gaps, in order; each once."""
        return self._completing.released()

    def finish(self) -> list[Block | Gap]:
        """The connection is over: as ``Completing.finish``."""
        return self._completing.finish()


_LATEST = Question.of(BY_NUMBER, ["latest", False])


def _by_hash(block_hash: str) -> Question:
    return Question.of(BY_HASH, [block_hash, False])


def _by_number(number: int) -> Question:
    return Question.of(BY_NUMBER, [hex(number), False])


def _answers(question: Question, block: Block) -> bool:
    """Whether a block is the one that was asked for."""
    return question == _LATEST or question.params[0] in {block.hash, hex(block.number)}
