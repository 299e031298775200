"""What is to be inspected: files, and blocks of a node by number and range."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from pathlib import Path

import attrs

from ..errors import ConfigError

HIGHEST = 2**32 - 1
"""Block numbers are 32 bits wide in what is stored."""
_SCALES = {"": 1, "k": 10**3, "m": 10**6, "b": 10**9}
_NUMBER = r"\d[\d_]*(?:\.\d+)?[kKmMbB]?"
_RANGE = re.compile(rf"(-?{_NUMBER}|latest)?:(\+?{_NUMBER}|latest)?")
_ONE = re.compile(rf"{_NUMBER}|latest")
_FILE = (".json", ".json.gz")
_EMPTY = "there is no block in it; B of A:B is the first that is not wanted"


@attrs.frozen
class BlockRange:
    """Blocks of a node, as they were asked for; what is relative depends on its head."""

    text: str
    first: int | None = None
    """None is the newest block; under zero is so many of the last ones."""
    end: int | None = None
    """The first that is not wanted; None is the one behind the newest."""
    count: int | None = None
    """In place of an end."""

    def of(self, head: int) -> range:
        """The numbers.

        Args:
            head: of the newest block.

        Raises:
            ConfigError: there is no block in it, or one that is not there yet.
        """
        first = head if self.first is None else self.first
        if first < 0:
            first = max(0, (head + 1 if self.end is None else self.end) + first)
        end = head + 1 if self.end is None else self.end
        if self.count is not None:
            end = first + self.count
        if end <= first:
            raise ConfigError(f"{self.text}: {_EMPTY}")
        if end > head + 1:
            raise ConfigError(f"{self.text}: the newest block is {head}")
        return range(first, end)


Source = Path | BlockRange


def read_source(text: str) -> Source:
    """A file, a block's number or a range.

    Raises:
        ConfigError: it is none of these.
    """
    if _ONE.fullmatch(text):
        number = _number(text, text)
        return BlockRange(text, number, None if number is None else number + 1)
    found = _RANGE.fullmatch(text)
    if found is None or text == ":":
        return _file(text)
    first, end = found[1], found[2]
    start = 0 if first is None else _number(first, text)
    if end is None:
        return BlockRange(text, start)
    if end.startswith("+"):
        return _checked(BlockRange(text, start, count=_number(end[1:], text)))
    return _checked(BlockRange(text, start, _number(end, text)))


def _checked(found: BlockRange) -> BlockRange:
    """The same, unless there is no block in it whatever the newest is."""
    first, end = found.first, found.end
    if found.count == 0 or (first is not None and end is not None and end <= first):
        raise ConfigError(f"{found.text}: {_EMPTY}")
    return found


def _file(text: str) -> Path:
    path = Path(text)
    if text and (text.lower().endswith(_FILE) or path.exists()):
        return path
    raise ConfigError(
        f"{text}: neither a file ({', '.join(_FILE)}) nor blocks such as 17000000, A:B, -100: or "
        "15M:+1000"
    )


def _number(text: str, whole: str) -> int | None:
    """None is the newest one."""
    if text == "latest":
        return None
    digits, scale = text.replace("_", "").lower(), 1
    if digits[-1] in _SCALES:
        digits, scale = digits[:-1], _SCALES[digits[-1]]
    value = Decimal(digits) * scale
    if value != int(value) or abs(value) > HIGHEST:
        raise ConfigError(f"{whole}: {text} is no block number")
    return int(value)


def each(sources: Sequence[Source], head: int | None) -> Iterator[Path | int]:
    """Everything that is wanted, in its order, each once.

    Args:
        sources: as they were given.
        head: the newest block's number; needed where there are ranges.
    """
    files, ranges = set[Path](), list[range]()
    for source in sources:
        if isinstance(source, Path):
            if source not in files:
                files.add(source)
                yield source
            continue
        assert head is not None
        numbers = source.of(head)
        yield from (n for n in numbers if not any(n in known for known in ranges))
        ranges.append(numbers)


def read_sources(texts: Iterable[str]) -> list[Source]:
    """All of them.

    Raises:
        ConfigError: with every one that cannot be used.
    """
    found, problems = list[Source](), list[str]()
    for text in texts:
        try:
            found.append(read_source(text))
        except ConfigError as error:
            problems += error.problems
    if problems:
        raise ConfigError(*problems)
    return found
