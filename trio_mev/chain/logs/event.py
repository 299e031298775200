"""How an event's log is read: its topics, and the words of its data."""

from __future__ import annotations

from collections.abc import Callable

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

    __slots__ = ("_data", "_topics", "dynamic", "made", "signature", "size", "topics")

    def __init__(self, made: type[LogEvent], signature: str) -> None:
        types = split(signature[signature.index("(") + 1 : -1])
        indexed = [name[:-1] for name in types if name.endswith("*")]
        rest = [name for name in types if not name.endswith("*")]
        self.made = made
        self.signature = signature
        self.topics = 1 + len(indexed)
        """How many a log has, its name's hash among them."""
        self._topics = tuple([_topic(name) for name in indexed])
        self._data = Arguments(",".join(rest))
        self.size = self._data.size
        """Bytes of its data, or the least where it has values of changing size."""
        self.dynamic = any(compiled(name).dynamic for name in rest)

    def fits(self, log: Log) -> bool:
        """Whether a log has this event's shape."""
        size = len(log.data)
        sized = size >= self.size if self.dynamic else size == self.size
        return sized and len(log.topics) == self.topics

    def read(self, log: Log) -> LogEvent:
        """What a log of this shape says.

        Raises:
            BadData: a value does not fit its type.
        """
        values = [read(topic) for read, topic in zip(self._topics, log.topics[1:], strict=True)]
        return self.made(*values, *self._data.read(log.data))


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
    read = compiled(name).read

    def number(topic: str) -> object:
        return read(bytes.fromhex(topic[2:]), 0, 0)

    return number
