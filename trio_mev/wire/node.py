"""A node's session: its identity checked, subscriptions confirmed, its chain followed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from types import MappingProxyType
from typing import Any

import attrs
import msgspec
from msgspec import UNSET

from ..errors import MalformedFrame, SubscriptionLost, SubscriptionRejected
from ..model.chain import Transaction
from ..model.event import NO_METADATA, DataEvent, DataType, EventPriority
from ..model.settings import LONGEST, EthereumSettings
from .asking import BY_NUMBER, LOGS, Question
from .bodies import BODY, Bodies
from .calls import Answered, Calls
from .ethereum import (
    parse_body,
    parse_head,
    parse_log,
    parse_pending,
    parse_place,
    parse_transaction,
)
from .identity import CHAIN_ID, IDENTITY, Identity
from .jsonrpc import (
    Message,
    Notification,
    Request,
    RpcBook,
    SentRequest,
    parse_batch,
    parse_message,
    parse_requests,
)
from .session import OVERHEAD, PENDING, Session, decode
from .tracking import METHODS, Tracking, make_trunk
from .trunk import Told, Trunk

HEADS = "newHeads"
BODIES = "newPendingTransactions"
QUOTA = frozenset({-32005, -32097, 429})
"""Codes of providers for too many requests: the answer to wait, not to give up."""

# Looked up once: a member of an enumeration costs ten times what a name does.
_TRANSACTION, _NORMAL = DataType.TRANSACTION, EventPriority.NORMAL
_NOTHING = b"\0"
"""What no message begins with."""
_TEXT = msgspec.json.Decoder(str)


def is_call(frame: bytes) -> bool:
    """Whether a frame that was sent asks on somebody's behalf, and not for the session itself."""
    try:
        return any(one.method not in _OWN for one in parse_requests(frame))
    except MalformedFrame:
        return False


def asks_for_others(frame: bytes) -> bool:
    """As ``is_call``; the question for the newest block, too, which hardly any session asks."""
    try:
        return any(_latest(one) or one.method not in _OWN for one in parse_requests(frame))
    except MalformedFrame:
        return False


def _latest(one: Request | SentRequest) -> bool:
    return one.method == BY_NUMBER and list(one.params[:1]) == ["latest"]


def _no_jitter() -> float:
    return 0.5


class EthereumSession(Session):
    """One life of a connection to a node.

    Args:
        settings: what to subscribe to, and the bounds of fetching.
        replaying: whether a tape shows what was sent, so that nothing is to be sent now.
        trunk: what the feed holds as true, where it outlives this life.
        jitter: draws from 0 to below 1 for pauses between two tries.
    """

    def __init__(
        self,
        settings: EthereumSettings,
        replaying: bool = False,
        trunk: Trunk | None = None,
        jitter: Callable[[], float] = _no_jitter,
    ) -> None:
        super().__init__(settings.name)
        self._settings = settings
        self._replaying = replaying
        self._trunk = trunk or make_trunk(settings)
        self.rpc = RpcBook()
        self._calls = Calls(self.rpc)
        self._identity = Identity(settings, settings.name, self._trunk)
        self._labels: dict[str, str] = {}
        fetches = LONGEST if replaying else settings.fetches
        self._bodies = Bodies(fetches, settings.backlog, settings.fetch_timeout)
        self._tracking = Tracking(settings, settings.name, self._trunk, jitter)
        # Without heads nothing would ever be included. Of several nodes a body is told once.
        self._lives = (settings.heads and not replaying) or self._trunk.several
        """Whether the lives of pending transactions whose bodies are announced are followed."""
        self._before_body = _NOTHING
        """How a notification of a body begins here, the subscription's id included."""
        self.count_into(self.refused, self.ignored)

    def count_into(self, refused: Counter[str], ignored: Counter[str]) -> None:
        """Count into the feed's."""
        super().count_into(refused, ignored)
        self._bodies.refused = refused
        self._trunk.ignored = self._tracking.ignored = ignored
        self._tracking.refused = refused

    def _unconfirmed(self, label: str) -> MappingProxyType[str, Any]:
        """What answers tell, of a block or of a transaction's end, proves no subscription."""
        return self._described(label, label)

    @property
    def proven(self) -> bool:
        """Whether the node has said that it is of the chain that is wanted, where one is."""
        return self._identity.proven

    # What is asked for.

    def opening(self) -> list[str]:
        """One ``eth_subscribe`` for heads, one for pending transactions, one a log filter; where
        the chain is to be checked, they follow its check."""
        for label, _ in self._wishes():
            self.subscriptions[label] = PENDING
        if self._settings.heads:
            self.heard[HEADS] = 0.0
        for method, params in self._identity.questions():
            self._ask(method, params, IDENTITY)
        if self._identity.proven:
            self._subscribe_all()
        return self.outgoing()

    def _wishes(self) -> Iterable[tuple[str, list[object]]]:
        if self._settings.heads:
            yield HEADS, [HEADS]
        if self._settings.pending != "off":
            bodies = [True] if self._settings.pending == "bodies" else []
            yield BODIES, [BODIES, *bodies]
        for number, wanted in enumerate(self._settings.logs):
            conditions: dict[str, object] = {}
            if wanted.address:
                conditions["address"] = list(wanted.address)
            if wanted.topics:
                conditions["topics"] = list(wanted.topics)
            yield f"logs:{number}", ["logs", conditions]

    def _subscribe_all(self) -> None:
        for label, params in self._wishes():
            self._ask("eth_subscribe", params, label)

    def _ask(self, method: str, params: Sequence[object], label: str = "") -> None:
        if not self._replaying:
            self._outbox.append(self.rpc.request(method, params, label)[1])

    def _send_questions(self) -> None:
        """Whatever following the chain and fetching bodies asks for now."""
        for question in self._tracking.questions():
            self._ask(question.method, question.params)
        for transaction in self._bodies.to_send():
            self._ask(BODY, [transaction])

    def sent(self, frame: bytes) -> None:
        """Learn a request from a tape, so that its reply is understood."""
        try:
            learned = self.rpc.learn(frame)
        except MalformedFrame as error:
            self.refused[f"sent_{error.reason}"] += 1
            return
        for number, request in learned:
            self._sent(number, request)

    def _sent(self, number: int, request: Request) -> None:
        if request.method == "eth_subscribe" and request.params:
            label = str(request.params[0])
            if label == "logs":
                label = f"logs:{sum(s.startswith('logs:') for s in self.subscriptions)}"
                self._tracking.learn_filter(request.params[1] if len(request.params) > 1 else {})
            self._lives |= label == HEADS
            self.rpc.pending[number] = attrs.evolve(request, label=label)
            self.subscriptions[label] = PENDING
        elif request.method == LOGS:
            self._tracking.was_asked(Question.of(LOGS, request.params), self._now)
        elif request.method not in _OWN or self._asked_by_others(request):
            self.rpc.hand_over(number)

    def _asked_by_others(self, request: Request) -> bool:
        """Whether it is the question for the newest block, and the chain's course is not why."""
        return _latest(request) and not self._tracking.awaits(
            Question.of(BY_NUMBER, ["latest", False])
        )

    # What comes.

    # Calls of others, by the same socket.

    def call(self, calls: Sequence[tuple[str, Sequence[object]]], answered: Answered) -> list[int]:
        """Ask on somebody's behalf, in one message.

        Args:
            calls: methods and parameters.
            answered: gets each number and its reply; None where the life is over.

        Returns:
            The numbers of the calls.
        """
        numbers, frame = self._calls.ask(calls, answered)
        self._outbox.append(frame)
        return numbers

    def overhear(self, numbers: Sequence[int], answered: Answered) -> None:
        """Hand on the replies to requests that a tape shows were sent, as ``call`` does."""
        self._calls.overhear(numbers, answered)

    def forget(self, numbers: Iterable[int]) -> None:
        """Nobody waits for these any more."""
        self._calls.forget(numbers)

    def receive_batch(
        self, frames: Sequence[bytes], now: float, sequence: int, into: list[DataEvent]
    ) -> None:
        """As any session; bodies that nobody had, of which there may be thousands a second, go
        by the shortest way."""
        begun = len(into)
        if not self._bodies.busy:
            metadata = self._metadata.get(BODIES, NO_METADATA)
            source, admit, before = self.source, self._trunk.admit, self._before_body
            lives = self._lives
            for frame in frames:
                body = parse_body(frame) if frame.startswith(before) else None
                if body is None or (lives and not admit(body, now)):
                    break
                number, size = sequence + len(into), len(frame) + OVERHEAD
                into.append(
                    DataEvent(
                        _TRANSACTION, _NORMAL, body, source, now, None, number, 0, size, metadata
                    )
                )
        done = len(into) - begun  # each of them was one event
        self.moved = False
        self._now, self._sequence, self._ordinal = now, sequence + len(into), 0
        if done < len(frames):
            super().receive_batch(frames[done:], now, sequence, into)

    def decode_frame(self, frame: bytes) -> list[DataEvent]:
        """A notification's events, or what a reply makes known."""
        if frame.startswith(self._before_body):
            body = parse_body(frame)
            if body is not None:
                return self._bodied(body)
        if frame.startswith(b"["):
            return self._batched(parse_batch(frame))
        message = parse_message(frame)
        if message.params is not UNSET:
            return self._notified(message.params, frame)
        return self._settled(message)

    def _batched(self, messages: Iterable[Message]) -> list[DataEvent]:
        """One that cannot be used leaves the others alone."""
        events: list[DataEvent] = []
        messages = list(messages)
        for message in messages:
            try:
                events += self._settled(message)
            except MalformedFrame as error:
                self.refused[error.reason] += 1
        self._calls.complete(messages)
        return events

    def _settled(self, message: Message) -> list[DataEvent]:
        if message.id is None and message.error is not None and self._calls.refuse(message):
            return []
        request = self.rpc.settle(message)
        handed_on = self._calls.settle(message)
        if self._calls.owns(request):
            if not handed_on:
                self.ignore(f"reply_{request.method}" if self._replaying else "late_reply")
            return []
        return self._replied(request, message)

    def _replied(self, request: Request, message: Message) -> list[DataEvent]:
        if request.method == "eth_subscribe":
            return self._subscribed(request, message)
        if request.method == BODY:
            return self._body_fetched(request, message)
        if request.label == IDENTITY:
            return self._identified(request, message)
        if request.method in METHODS:
            # Whether whole transactions were asked for makes no other question.
            params = request.params if request.method == LOGS else [*request.params[:1], False]
            question = Question.of(request.method, params)
            return self._chain(self._tracking.fetched(question, message, self._now))
        self.ignore(f"reply_{request.method}")
        return []

    def _identified(self, request: Request, message: Message) -> list[DataEvent]:
        """A node says which chain it is on; when all is well, the subscriptions follow."""
        self._identity.answered(request, message)
        if self._identity.proven:
            self._subscribe_all()
        return []

    def _notified(self, notification: Notification, frame: bytes) -> list[DataEvent]:
        label = self._labels.get(notification.subscription)
        if label is None:
            raise MalformedFrame("unknown_subscription", notification.subscription[:40])
        if label == HEADS:
            self.heard[HEADS] = self._now
            return self._chain(self._tracking.head(parse_head(notification.result), self._now))
        if label == BODIES:
            pending = parse_pending(notification.result)
            if isinstance(pending, Transaction):
                # The next one begins alike, and can be read in one pass.
                before, known, _ = frame.partition(notification.subscription.encode())
                self._before_body = before + known + b'"'
                return self._bodied(pending)
            return self._announced(pending)
        return self._events(self._tracking.log(parse_log(notification.result), label, self._now))

    def _chain(self, told: list[Told]) -> list[DataEvent]:
        """What the chain's course tells; with each block the pending transactions are looked
        through for those that have waited for too long."""
        if any(one.kind is DataType.BLOCK for one in told):
            more, asks = self._trunk.expire(self._now, self._bodies.room)
            told += more
            self._bodies.want(asks, self._now)
        self._send_questions()
        return self._events(told)

    def _events(self, told: Iterable[Told]) -> list[DataEvent]:
        return [
            self.event(
                one.kind, one.priority, one.data, one.occurred_at, one.label or _LABELS[one.kind]
            )
            for one in told
        ]

    # Pending transactions.

    def _bodied(self, body: Transaction) -> list[DataEvent]:
        if self._bodies.busy:  # another subscription may be faster than a fetch
            self._bodies.arrived(body.hash, self._now)
            self._send_questions()
        if not self._lives or self._trunk.admit(body, self._now):
            return [self.event(_TRANSACTION, _NORMAL, body, None, BODIES)]
        new, others = self._trunk.body(self.source, body, self._now)
        if not new:
            return self._events(others)
        return [self.event(_TRANSACTION, _NORMAL, body, None, BODIES), *self._events(others)]

    def _announced(self, transaction: str) -> list[DataEvent]:
        """A hash whose body has to be fetched, now or when others have come in."""
        told = self._trunk.announced(self.source, transaction, self._now)
        if transaction in self._bodies or self._trunk.pool.has_body(transaction):
            self.ignored["repeated_hash"] += 1
        else:
            self._bodies.want((transaction,), self._now)
            self._send_questions()
        return self._events(told)

    def _body_fetched(self, request: Request, message: Message) -> list[DataEvent]:
        subject = str(request.params[0]) if request.params else ""
        if not self._bodies.arrived(subject, self._now):
            self.ignored["late_reply"] += 1
            return []
        self._send_questions()
        if message.error is not None:
            self._trunk.pool.unanswered(subject, self._now)
            raise MalformedFrame("fetch_error", f"{message.error.code}")
        if message.result is UNSET or bytes(message.result) == b"null":
            self.ignored["not_available"] += 1
            return self._events(self._trunk.asked(subject, False, self._now))
        try:
            body, place = parse_transaction(message.result), parse_place(message.result)
            if body.hash != subject:
                raise MalformedFrame("wrong_reply", "the body of another transaction")
        except MalformedFrame:
            self._trunk.pool.unanswered(subject, self._now)
            raise
        told = self._trunk.asked(subject, True, self._now, place)
        return self._bodied(body) + self._events(told)

    # Subscriptions.

    def _subscribed(self, request: Request, message: Message) -> list[DataEvent]:
        if message.error is None:
            raw = message.result if message.result is not UNSET else b"null"
            server_id = decode(_TEXT, raw)
            self._labels[server_id] = request.label
            self.confirm(request.label, server_id)
            return self._begun() if request.label == HEADS else []
        error = message.error
        if request.label == BODIES and len(request.params) > 1:
            # Nodes before 2023, and some providers, know this subscription without bodies only.
            self.ignored["bodies_refused"] += 1
            self._ask("eth_subscribe", [BODIES], BODIES)
            return []
        kind = SubscriptionLost if error.code in QUOTA else SubscriptionRejected
        raise kind(f"{request.label}: the node answers {error.code} {error.message[:200]!r}")

    def _begun(self) -> list[DataEvent]:
        """Heads are announced from now on."""
        return self._chain(self._tracking.begun(self._now))

    # Time, and the end.

    def next_due(self) -> float | None:
        """When the next question is asked again or given up."""
        dues = (self._tracking.next_due(), self._bodies.next_due())
        return min((due for due in dues if due is not None), default=None)

    def expire(self, now: float) -> list[DataEvent]:
        """Give up questions that were not answered in time; what waited for them goes on."""
        self._now = now
        for transaction in self._bodies.expire(now):
            self._trunk.pool.unanswered(transaction, now)
        return self._chain(self._tracking.expire(now))

    def oversized(self) -> None:
        """The connection was closed for the size of a message."""
        self._tracking.oversized()

    def notices(self) -> list[str]:
        """What an operator should read; each once."""
        return self._tracking.notices()

    def finish(self) -> list[DataEvent]:
        """The life is over: as ``Follower.finish``; what else was asked for is counted."""
        left = self._bodies.finish()
        if left:
            self.refused["life_ended"] += len(left)
        for transaction in left:
            self._trunk.pool.unanswered(transaction, self._now)
        events = self._events(self._tracking.finish(self._now))
        self._calls.end()
        self._outbox.clear()
        return events


_OWN = frozenset({"eth_subscribe", BODY, CHAIN_ID, *METHODS})
"""What a session asks for itself; on a tape anything else is somebody's call."""
_LABELS = {
    DataType.BLOCK: HEADS,
    DataType.GAP: HEADS,
    DataType.REORG: HEADS,
    DataType.LOG: HEADS,
    DataType.TRANSACTION: BODIES,
    DataType.MEMPOOL: BODIES,
}
"""The subscription that an event of the chain is said to come from."""
