"""Which ticks are initialised, as far as that is known (TickBitmap and Tick of V3 and V4).

A pool of a tick spacing has a bitmap of its compressed ticks, tick over spacing, in words of 256.
A swap stops at each initialised tick and at the edge of each word. A word that nobody has read
may hold anything, so no swap goes into it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from ...model.noun import Noun
from .ticks import MAX_TICK, MIN_TICK

_ALL = (1 << 256) - 1


class Liquidity(Noun, frozen=True):
    """What an initialised tick says."""

    gross: int
    """Of all positions that begin or end here; 0 would not be initialised."""
    net: int
    """What becomes active when the price rises over it."""


class TickMap(Noun, frozen=True):
    """The initialised ticks in the words that are known."""

    spacing: int
    words: Mapping[int, int]
    """By position, that is compressed tick over 256: which of its 256 ticks are initialised."""
    ticks: Mapping[int, Liquidity]
    """The initialised ticks in these words."""
    complete: bool = False
    """Whether every word that is not here is known to be empty."""

    def knows(self, word: int) -> bool:
        """Whether a word of the bitmap is known."""
        return self.complete or word in self.words

    def agrees(self, other: TickMap) -> bool:
        """Whether both have the same ticks in the words that both know."""
        if self.spacing != other.spacing:
            return False
        words = self.words.keys() | other.words.keys()
        shared = {word for word in words if self.knows(word) and other.knows(word)}
        if any(self.words.get(word, 0) != other.words.get(word, 0) for word in shared):
            return False
        return all(
            self.ticks[tick] == other.ticks[tick] for tick in self.ticks.keys() & other.ticks.keys()
        )

    def below(self, tick: int) -> tuple[int, bool] | None:
        """The stop at or below a tick, and whether it is initialised; None where nobody knows.

        TickBitmap.nextInitializedTickWithinOneWord, less than or equal.
        """
        compressed = tick // self.spacing
        word, bit = compressed >> 8, compressed & 255
        known = self.words.get(word)
        if known is None and not self.complete:
            return None
        found = (known or 0) & ((2 << bit) - 1)
        if found:
            return ((word << 8) + found.bit_length() - 1) * self.spacing, True
        return max((word << 8) * self.spacing, MIN_TICK), False

    def above(self, tick: int) -> tuple[int, bool] | None:
        """The stop above a tick, and whether it is initialised; None where nobody knows.

        TickBitmap.nextInitializedTickWithinOneWord, greater than.
        """
        compressed = tick // self.spacing + 1
        word, bit = compressed >> 8, compressed & 255
        known = self.words.get(word)
        if known is None and not self.complete:
            return None
        found = (known or 0) & (_ALL << bit)
        if found:
            lowest = (found & -found).bit_length() - 1
            return ((word << 8) + lowest) * self.spacing, True
        return min(((word << 8) + 255) * self.spacing, MAX_TICK), False

    def changed(self, lower: int, upper: int, delta: int) -> TickMap:
        """With liquidity added to a range, or taken from it where it is negative.

        What happens in words that are not known is not kept: they stay unknown.

        Raises:
            ValueError: the range is no range of this pool, or more is taken than there is.
        """
        spacing = self.spacing
        if not MIN_TICK <= lower < upper <= MAX_TICK or lower % spacing or upper % spacing:
            raise ValueError(f"no range from {lower} to {upper} in ticks of {spacing}")
        words, ticks = dict(self.words), dict(self.ticks)
        for tick, net in ((lower, delta), (upper, -delta)):
            word, bit = tick // spacing >> 8, tick // spacing & 255
            if not self.knows(word):
                continue
            old = ticks.get(tick)
            new = Liquidity(old.gross + delta, old.net + net) if old else Liquidity(delta, net)
            if new.gross < 0:
                raise ValueError(f"more is taken from tick {tick} than it has")
            if new.gross:
                ticks[tick] = new
                words[word] = words.get(word, 0) | 1 << bit
            else:
                ticks.pop(tick, None)
                words[word] = words.get(word, 0) & ~(1 << bit)
        return TickMap(spacing, words, ticks, self.complete)


def tick_map(
    spacing: int,
    ticks: Mapping[int, Liquidity],
    words: Iterable[int] = (),
    complete: bool = False,
) -> TickMap:
    """A map of these ticks.

    Args:
        spacing: of the pool's ticks.
        ticks: those that are initialised.
        words: positions of words that are known; those of the ticks are known anyway.
        complete: whether there are no other ticks at all.
    """
    known = dict.fromkeys(words, 0)
    for tick in ticks:
        compressed = tick // spacing
        known[compressed >> 8] = known.get(compressed >> 8, 0) | 1 << (compressed & 255)
    return TickMap(spacing, known, dict(ticks), complete)
