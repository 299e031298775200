"""A node's session: subscriptions confirmed and mapped, bodies fetched where they are missing."""

from __future__ import annotations

import attrs
import msgspec
from msgspec import UNSET

from ..errors import MalformedFrame, SubscriptionLost, SubscriptionRejected
from ..model.chain import Block, Life, PendingLife, Transaction
from ..model.event import DataEvent, DataType, EventPriority
from ..model.settings import EthereumSettings
from .ethereum import parse_body, parse_head, parse_log, parse_pending, parse_transaction
from .jsonrpc import Message, Notification, Request, RpcBook, parse_message
from .session import PENDING, Session, decode

HEADS = "newHeads"
BODIES = "newPendingTransactions"
BLOCK = "eth_getBlockByHash"
BODY = "eth_getTransactionByHash"
MAX_HEADS = 100
"""That wait for their hashes at once; twenty minutes of them."""
QUOTA = frozenset({-32005, -32097, 429})
"""Codes of providers for too many requests: the answer to wait, not to give up."""

# Looked up once: a member of an enumeration costs ten times what a name does.
_TRANSACTION, _NORMAL = DataType.TRANSACTION, EventPriority.NORMAL
_NOTHING = b"\0"
"""What no message begins with."""
_TEXT = msgspec.json.Decoder(str)


class EthereumSession(Session):
    """One life of a connection to a node.

    Args:
        settings: what to subscribe to, and the bounds of fetching.
        replaying: whether a tape shows what was sent, so that nothing is to be sent now.
    """

    def __init__(self, settings: EthereumSettings, replaying: bool = False) -> None:
        super().__init__(settings.name)
        self._settings = settings
        self._replaying = replaying
        self._rpc = RpcBook()
        self._labels: dict[str, str] = {}
        self._queue: dict[str, None] = {}  # a set in the order of arrival
        self._fetching: set[str] = set()
        self._heads: dict[str, Block] = {}
        self._due: dict[tuple[str, str], float] = {}
        self._before_body = _NOTHING
        """How a notification of a body begins here, the subscription's id included."""

    def opening(self) -> list[str]:
        """One ``eth_subscribe`` for heads, one for pending transactions, one a log filter."""
        if self._settings.heads:
            self._subscribe(HEADS, [HEADS])
            self.heard[HEADS] = 0.0
        if self._settings.pending == "bodies":
            self._subscribe(BODIES, [BODIES, True])
        elif self._settings.pending == "hashes":
            self._subscribe(BODIES, [BODIES])
        for number, wanted in enumerate(self._settings.logs):
            conditions: dict[str, object] = {}
            if wanted.address:
                conditions["address"] = list(wanted.address)
            if wanted.topics:
                conditions["topics"] = list(wanted.topics)
            self._subscribe(f"logs:{number}", ["logs", conditions])
        return self.outgoing()

    def _subscribe(self, label: str, params: list[object]) -> None:
        self.subscriptions[label] = PENDING
        self._outbox.append(self._rpc.request("eth_subscribe", params, label)[1])

    def sent(self, frame: bytes) -> None:
        """Learn a request from a tape, so that its reply is understood."""
        try:
            number, request = self._rpc.learn(frame)
        except MalformedFrame as error:
            self.refused[f"sent_{error.reason}"] += 1
            return
        if request.method == "eth_subscribe" and request.params:
            label = str(request.params[0])
            if label == "logs":
                label = f"logs:{sum(s.startswith('logs:') for s in self.subscriptions)}"
            self._rpc.pending[number] = attrs.evolve(request, label=label)
            self.subscriptions[label] = PENDING

    def decode_frame(self, frame: bytes) -> list[DataEvent]:
        """A notification's events, or what a reply makes known."""
        if frame.startswith(self._before_body):
            found = parse_body(frame)
            if found is not None and self._labels.get(found[0]) == BODIES:
                return self._bodied(found[1])
        message = parse_message(frame)
        if message.params is not UNSET:
            return self._notified(message.params, frame)
        request = self._rpc.settle(message)
        if request.method == "eth_subscribe":
            self._subscribed(request, message)
            return []
        if request.method == BLOCK:
            return self._block_fetched(request, message)
        if request.method == BODY:
            return self._body_fetched(request, message)
        self.ignore(f"reply_{request.method}")
        return []

    def _notified(self, notification: Notification, frame: bytes) -> list[DataEvent]:
        label = self._labels.get(notification.subscription)
        if label is None:
            raise MalformedFrame("unknown_subscription", notification.subscription[:40])
        if label == HEADS:
            self.heard[HEADS] = self._now
            return self._head(parse_head(notification.result))
        if label == BODIES:
            pending = parse_pending(notification.result)
            if isinstance(pending, Transaction):
                # The next one begins alike, and can be read in one pass.
                before, known, _ = frame.partition(notification.subscription.encode())
                self._before_body = before + known
                return self._bodied(pending)
            return self._announced(pending)
        log = parse_log(notification.result)
        return [self.event(DataType.LOG, EventPriority.NORMAL, log, None, label)]

    def _bodied(self, body: Transaction) -> list[DataEvent]:
        if self._fetching:  # another subscription may be faster than a fetch
            self._arrived(body.hash)
        return [self.event(_TRANSACTION, _NORMAL, body, None, BODIES)]

    def _head(self, block: Block) -> list[DataEvent]:
        """A head's event; where its hashes are missing they are fetched first."""
        if block.transactions is not None:
            return [self._block(block)]
        if block.hash in self._heads:
            self.ignored["repeated_head"] += 1
            return []
        if len(self._heads) >= MAX_HEADS:
            self.refused["head_backlog_full"] += 1
            return [self._block(block)]
        self._heads[block.hash] = block
        self._request(BLOCK, block.hash, False)
        return []

    def _block(self, block: Block) -> DataEvent:
        occurred_at = block.timestamp * 1_000_000_000
        return self.event(DataType.BLOCK, EventPriority.HIGH, block, occurred_at, HEADS)

    def _announced(self, transaction: str) -> list[DataEvent]:
        """A hash whose body has to be fetched, now or when others have come in."""
        life = PendingLife(transaction, Life.ANNOUNCED)
        if transaction in self._fetching or transaction in self._queue:
            self.ignored["repeated_hash"] += 1
            return []
        if self._replaying or len(self._fetching) < self._settings.fetches:
            self._fetch(transaction)
        elif len(self._queue) < self._settings.backlog:
            self._queue[transaction] = None
        else:
            self.refused["body_backlog_full"] += 1
        return [self.event(DataType.MEMPOOL, EventPriority.LOW, life, None, BODIES)]

    def _fetch(self, transaction: str) -> None:
        self._fetching.add(transaction)
        self._request(BODY, transaction)

    def _request(self, method: str, subject: str, *params: object) -> None:
        self._due[method, subject] = self._now + self._settings.fetch_timeout
        if not self._replaying:
            self._outbox.append(self._rpc.request(method, [subject, *params])[1])

    def _arrived(self, transaction: str) -> bool:
        """Whether its body was being fetched, whose place is now another's."""
        if self._due.pop((BODY, transaction), None) is None:
            return False
        self._fetching.remove(transaction)
        self._fetch_next()
        return True

    def _subscribed(self, request: Request, message: Message) -> None:
        if message.error is None:
            raw = message.result if message.result is not UNSET else b"null"
            server_id = decode(_TEXT, raw)
            self._labels[server_id] = request.label
            self.confirm(request.label, server_id)
            return
        error = message.error
        if request.label == BODIES and len(request.params) > 1:
            # Nodes before 2023, and some providers, know this subscription without bodies only.
            self.ignored["bodies_refused"] += 1
            if not self._replaying:
                self._subscribe(BODIES, [BODIES])
            return
        kind = SubscriptionLost if error.code in QUOTA else SubscriptionRejected
        raise kind(f"{request.label}: the node answers {error.code} {error.message[:200]!r}")

    def _block_fetched(self, request: Request, message: Message) -> list[DataEvent]:
        subject = _subject(request)
        if self._due.pop((BLOCK, subject), None) is None:  # given up before
            self.ignored["late_reply"] += 1
            return []
        block = self._heads.pop(subject)
        try:
            raw = self._result(message)
            if raw is not None:
                block = attrs.evolve(block, transactions=_hashes(parse_head(raw), subject))
        except MalformedFrame as error:
            self.refused[error.reason] += 1
        return [self._block(block)]

    def _body_fetched(self, request: Request, message: Message) -> list[DataEvent]:
        if not self._arrived(_subject(request)):
            self.ignored["late_reply"] += 1
            return []
        raw = self._result(message)
        if raw is None:
            return []
        body = parse_transaction(raw)
        if body.hash != _subject(request):
            raise MalformedFrame("wrong_reply", "the body of another transaction")
        return self._bodied(body)

    def _result(self, message: Message) -> bytes | msgspec.Raw | None:
        """A reply's result; None, counted, where the node has none."""
        if message.error is not None:
            raise MalformedFrame("fetch_error", f"{message.error.code}")
        if message.result is UNSET or bytes(message.result) == b"null":
            self.ignored["not_available"] += 1
            return None
        return message.result

    def _fetch_next(self) -> None:
        while self._queue and len(self._fetching) < self._settings.fetches:
            following = next(iter(self._queue))
            del self._queue[following]
            self._fetch(following)

    def next_due(self) -> float | None:
        """When the oldest request under way is given up."""
        return next(iter(self._due.values()), None)

    def expire(self, now: float) -> list[DataEvent]:
        """Give up requests that were not answered in time; their heads come without hashes."""
        events: list[DataEvent] = []
        self._now = now
        while (due := self.next_due()) is not None and due <= now:
            method, subject = next(iter(self._due))
            del self._due[method, subject]
            self.refused["fetch_timeout"] += 1
            if method == BLOCK:
                events.append(self._block(self._heads.pop(subject)))
            else:
                self._fetching.remove(subject)
                self._fetch_next()
        return events

    def finish(self) -> list[DataEvent]:
        """Heads that still wait for their hashes come without them."""
        left = len(self._fetching) + len(self._queue)
        if left:
            self.refused["life_ended"] += left
        events = [self._block(block) for block in self._heads.values()]
        for lost in (self._heads, self._fetching, self._queue, self._due):
            lost.clear()
        return events


def _hashes(block: Block, wanted: str) -> tuple[str, ...] | None:
    """The transactions of a fetched block, if it is the one that was asked for."""
    if block.hash != wanted:
        raise MalformedFrame("wrong_reply", "another block")
    return block.transactions


def _subject(request: Request) -> str:
    """The hash that a request asks for; a tape may hold one that names none."""
    return str(request.params[0]) if request.params else ""
