"""How an event's log is read: its topics, and the words of its data."""

from __future__ import annotations

from collections.abc import Callable

from ...model.chain import Log
from ...model.noun import Noun
from ..abi import SHORT, Arguments, Source, is_dynamic, split

_PAD = "0x" + "0" * 24


class LogEvent(Noun, frozen=True):
    """What an event says. Its fields are those that are indexed, and then the others, each in the
    order of the signature. Who says it is in the log: any contract may log anything, so what
    comes from an address that is not known means nothing."""


class Event:
    """An event by its signature, compiled.

    Args:
        made: the class of what it says.
        signature: with a star after the type of what is indexed.
    """

    __slots__ = ("dynamic", "made", "read", "signature", "size", "topics")

    read: Callable[[Log], LogEvent]
    """What a log of this shape says; raises ``BadData`` where a value does not fit its type."""

    def __init__(self, made: type[LogEvent], signature: str) -> None:
        types = split(signature[signature.index("(") + 1 : -1])
        indexed = [name[:-1] for name in types if name.endswith("*")]
        rest = [name for name in types if not name.endswith("*")]
        self.made = made
        self.signature = signature
        self.topics = 1 + len(indexed)
        """How many a log has, its name's hash among them."""
        source = Source()
        source.names |= {"made": made, "PAD": _PAD}
        names = [f"t{place}" for place in range(len(indexed))]
        values = [_topic(source, *one) for one in zip(indexed, names, strict=True)]
        told = ", ".join([*values, source.head(rest, "0")])
        self.size = Arguments(",".join(rest)).size
        """Bytes of its data, or the least where it has values of changing size."""
        self.dynamic = any(is_dynamic(name) for name in rest)
        self.read = source.compiled(
            "read",
            f"def read(log):\n  try:\n    data = log.data\n"
            f"    {', '.join(['_', *names])}, = log.topics\n"
            f"{''.join(source.lines)}    return made({told})\n{SHORT}",
        )

    def fits(self, log: Log) -> bool:
        """Whether a log has this event's shape."""
        if len(log.topics) != self.topics:
            return False
        size = len(log.data)
        return size == self.size or (self.dynamic and size > self.size)


def _topic(source: Source, name: str, topic: str) -> str:
    """An expression for an indexed value: a word as hexadecimal text."""
    if name == "address":
        source.refuse(f"{topic}[:26] != PAD", "an address with more than 20 bytes")
        return f"'0x' + {topic}[26:]"
    if name.startswith("bytes"):
        return topic
    return source.simple(name, f"bytes.fromhex({topic}[2:])")
