"""How a node, Binance and Coinbase answer, from what a tape holds. No I/O.

A peer answers requests and knows which frames of its tape each visitor has asked for.
"""

from __future__ import annotations

import abc
import json
from collections import deque
from typing import Any, ClassVar

import attrs

from ..errors import DataStreamError
from ..wire.node import is_call
from ..wire.session import Session
from ..wire.tape import Direction, Record
from ..wire.venues import ADAPTERS


@attrs.define(eq=False)
class Visitor:
    """One connected client."""

    wants: set[str] = attrs.Factory(set)
    """Subscriptions, as the peer names them."""
    asked: int = 0
    """Frames that it sent."""


class Peer(abc.ABC):
    """One side of a recorded conversation: the one that was recorded."""

    confirms: ClassVar[bool] = True
    """Whether it confirms what is asked for at once; another does so only while the tape plays."""

    def learn(self, record: Record) -> None:
        """Look at the tape once before it is played."""

    def prepares(self, record: Record) -> bool:
        """Whether a visitor needs this frame of before the part that is played."""
        return False

    @abc.abstractmethod
    def answer(self, visitor: Visitor, message: str) -> list[str]:
        """The frames that answer a visitor's frame."""

    @abc.abstractmethod
    def topic(self, frame: bytes) -> str | None:
        """The subscription that a recorded frame belongs to; None for answers, which are given
        when they are asked for."""


def _parsed(frame: str | bytes) -> Any:
    """The frame's JSON; None where it is none."""
    try:
        return json.loads(frame)
    except (ValueError, RecursionError):
        return None


def _key(message: dict[str, Any]) -> str:
    return json.dumps([message.get("method"), message.get("params")], sort_keys=True)


class NodePeer(Peer):
    """An Ethereum node: JSON-RPC with subscriptions; replies as they were recorded."""

    def __init__(self) -> None:
        self.called = False
        """Whether the tape has processors' calls."""
        self._asked: dict[Any, str] = {}
        self._replies: dict[str, deque[dict[str, Any]]] = {}
        self._blocks: dict[str, Any] = {}
        """Whole blocks that some reply holds, by hash."""

    def learn(self, record: Record) -> None:
        """Pair requests and replies by id."""
        message = _parsed(record.frame) if record.frame else None
        if not isinstance(message, dict):
            return
        if record.direction is Direction.OUT:
            if is_call(record.frame):  # answered at its time, and not from here
                self.called = True
                return
            self._asked[message.get("id")] = _key(message)
        elif message.get("id") in self._asked:
            key = self._asked.pop(message["id"])
            reply = {k: message[k] for k in ("result", "error") if k in message}
            self._replies.setdefault(key, deque()).append(reply)
            block = reply.get("result")
            if isinstance(block, dict) and {"hash", "parentHash", "transactions"} <= block.keys():
                self._blocks[block["hash"]] = block

    def answer(self, visitor: Visitor, message: str) -> list[str]:
        """A recorded reply, the last one again and again; an error where there is none."""
        request = _parsed(message)
        if not isinstance(request, dict):
            error = {"code": -32700, "message": "parse error"}
            return [json.dumps({"jsonrpc": "2.0", "id": None, "error": error})]
        reply = self._reply(request)
        if request.get("method") == "eth_subscribe" and "result" in reply:
            visitor.wants.add(reply["result"])
        body = {"jsonrpc": "2.0", "id": request.get("id"), **reply}
        return [json.dumps(body, separators=(",", ":"))]

    def _reply(self, request: dict[str, Any]) -> dict[str, Any]:
        recorded = self._replies.get(_key(request))
        if recorded:
            return recorded.popleft() if len(recorded) > 1 else recorded[0]
        # Over sockets frames come at other moments, and other questions may bring the same block.
        if request.get("method") == "eth_getBlockByHash" and request.get("params"):
            block = self._blocks.get(str(request["params"][0]))
            if block is not None:
                return {"result": block}
        if request.get("method") == "eth_subscribe":
            return {"error": {"code": -32602, "message": "the tape has no such subscription"}}
        return {"error": {"code": -32601, "message": "the tape has no answer to this"}}

    def topic(self, frame: bytes) -> str | None:
        """The subscription's id."""
        message = _parsed(frame)
        if isinstance(message, list):
            return None
        if isinstance(message, dict) and "id" in message and "params" not in message:
            return None
        params = message.get("params") if isinstance(message, dict) else None
        return str(params.get("subscription")) if isinstance(params, dict) else ""


class BinancePeer(Peer):
    """Binance's combined streams."""

    def answer(self, visitor: Visitor, message: str) -> list[str]:
        """To SUBSCRIBE and UNSUBSCRIBE."""
        request = _parsed(message)
        method = request.get("method") if isinstance(request, dict) else None
        if method not in {"SUBSCRIBE", "UNSUBSCRIBE"}:
            return [json.dumps({"error": {"code": 2, "msg": "Invalid request"}, "id": None})]
        streams = set(map(str, request.get("params") or ()))
        visitor.wants = (
            visitor.wants | streams if method == "SUBSCRIBE" else visitor.wants - streams
        )
        return [json.dumps({"result": None, "id": request.get("id")}, separators=(",", ":"))]

    def topic(self, frame: bytes) -> str | None:
        """The stream's name."""
        message = _parsed(frame)
        if isinstance(message, dict):
            if "stream" in message:
                return str(message["stream"])
            if "id" in message:
                return None
        return ""


_CHANNEL_OF = {
    "match": "matches",
    "last_match": "matches",
    "snapshot": "level2",
    "l2update": "level2",
}


class CoinbasePeer(Peer):
    """Coinbase Exchange's channels."""

    def answer(self, visitor: Visitor, message: str) -> list[str]:
        """To subscribe: everything that the visitor is subscribed to now."""
        request = _parsed(message)
        if not isinstance(request, dict) or request.get("type") != "subscribe":
            text = {"type": "error", "message": "Failed to subscribe", "reason": "unknown type"}
            return [json.dumps(text)]
        products = request.get("product_ids") or ()
        for channel in request.get("channels") or ():
            name, own = channel, products
            if isinstance(channel, dict):
                name, own = channel.get("name"), channel.get("product_ids") or ()
            visitor.wants |= {f"{name}:{product}" for product in own}
        channels: dict[str, list[str]] = {}
        for want in sorted(visitor.wants):
            name, _, product = want.partition(":")
            channels.setdefault(name, []).append(product)
        answer = [{"name": name, "product_ids": ids} for name, ids in channels.items()]
        return [json.dumps({"type": "subscriptions", "channels": answer}, separators=(",", ":"))]

    def topic(self, frame: bytes) -> str | None:
        """Channel and product."""
        message = _parsed(frame)
        kind = message.get("type") if isinstance(message, dict) else None
        if kind == "subscriptions":
            return None
        if kind is None:
            return ""
        return f"{_CHANNEL_OF.get(kind, kind)}:{message.get('product_id')}"


EVERYBODY = ""
"""The topic of frames that belong to no subscription: damaged ones, errors without an id."""


class RecordedPeer(Peer):
    """Any other exchange: whoever is there gets every recorded frame, confirmations too."""

    confirms = False

    def __init__(self) -> None:
        self.session: Session | None = None
        """What has asked for everything, and reads the tape once before it is played."""
        self._confirmations: set[bytes] = set()

    def learn(self, record: Record) -> None:
        """Note the frames that confirm a subscription."""
        session, frame = self.session, record.frame
        if session is None or not frame:
            return
        if record.direction is Direction.OUT:
            session.sent(frame)
            return
        before = dict(session.subscriptions)
        try:
            events = session.receive(frame, 0.0, 0)
        except DataStreamError:  # whoever visits is refused as well
            return
        if not events and session.subscriptions != before:
            self._confirmations.add(frame)

    def prepares(self, record: Record) -> bool:
        """Whether it confirms a subscription, which must be known to read what comes later."""
        return record.frame in self._confirmations

    def answer(self, visitor: Visitor, message: str) -> list[str]:
        """Nothing but what was recorded, at its time."""
        return []

    def topic(self, frame: bytes) -> str | None:
        """Everybody's."""
        return EVERYBODY


PEERS: dict[str, type[Peer]] = {
    **dict.fromkeys(ADAPTERS, RecordedPeer),
    "ethereum": NodePeer,
    "binance": BinancePeer,
    "coinbase": CoinbasePeer,
}
