"""How an event's log is read: its topics, and the words of its data."""

from __future__ import annotations

from collections.abc import Callable
from operator import call

from ...model.chain import Log
from ...model.noun import Noun
from ..abi import Arguments, BadData, compiled, split

_PAD = "0" * 24


class LogEvent(Noun, frozen=True):
    """What an event says. Its fields are those that are indexed, and then the others, each in the
    order of the signature. Who says it is in the log: any contract may log anything, so what
    comes from an address that is not known means nothing."""


Topic = Callable[[str], object]


class Event:
    """An event by its signature, compiled.

    Args:
        made: the class of what it says.
        signature: with a star after the type of what is indexed.
    """

    __slots__ = (
        "_plain",
        "_read",
        "_topics",
        "_unpack",
        "_words",
        "dynamic",
        "made",
        "signature",
        "size",
        "topics",
    )

    def __init__(self, made: type[LogEvent], signature: str) -> None:
        types = split(signature[signature.index("(") + 1 : -1])
        indexed = [name[:-1] for name in types if name.endswith("*")]
        rest = [name for name in types if not name.endswith("*")]
        self.made = made
        self.signature = signature
        self.topics = 1 + len(indexed)
        """How many a log has, its name's hash among them."""
        self._topics = tuple([_topic(name) for name in indexed])
        data = Arguments(",".join(rest))
        self._read = data.read
        self._words = data.words
        self._unpack = data.unpack
        self._plain = not data.dynamic and data.build is tuple
        """Whether each word of its data is a value."""
        self.size = data.size
        """Bytes of its data, or the least where it has values of changing size."""
        self.dynamic = data.dynamic

    def fits(self, log: Log) -> bool:
        """Whether a log has this event's shape."""
        if len(log.topics) != self.topics:
            return False
        size = len(log.data)
        return size == self.size or (self.dynamic and size > self.size)

    def read(self, log: Log) -> LogEvent:
        """What a log of this shape says.

        Raises:
            BadData: a value does not fit its type.
        """
        topics = map(call, self._topics, log.topics[1:])
        if self._plain:
            return self.made(*topics, *map(call, self._words, self._unpack(log.data)))
        return self.made(*topics, *self._read(log.data, 0))


def _topic(name: str) -> Topic:
    """How an indexed value is read: a word as hexadecimal text."""
    if name == "address":
        return _address
    if name.startswith("bytes"):
        return _raw
    return _number(name)


def _address(topic: str) -> str:
    if topic[2:26] != _PAD:
        raise BadData("an address with more than 20 bytes")
    return "0x" + topic[26:]


def _raw(topic: str) -> str:
    return topic


def _number(name: str) -> Topic:
    (word,) = compiled(name).words

    def number(topic: str) -> object:
        return word(bytes.fromhex(topic[2:]))

    return number
