"""How a pool is read from a node: which calls to make, and what the answers mean.

A plan is a generator. It yields lists of calls, at most ``MOST_CALLS`` at once, and is sent the
answers in the same order, None for a call that failed. All calls of a plan are to be made at one
block, by its hash: what is read at two blocks is no state of the pool. What a plan returns is a
`Loaded` or, where the pool cannot be used, an `Unusable`.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator, Sequence
from typing import TypeAlias

from ...model.noun import Noun
from .pool import Pool, Protocol, Unusable
from .product import THIRTY, Fee, ProductPool
from .steps import PIPS
from .swap import PoolState
from .ticked import TickedPool
from .tickmap import Liquidity, tick_map
from .ticks import MAX_ROOT, MAX_TICK, MIN_ROOT, MIN_TICK, sqrt_at, tick_at
from .words import address, argument, sint, uint

MOST_CALLS = 200
MOST_WORDS = 800
"""Of a bitmap. A tick spacing of 10 has 694; where there are more, those about the price are
read and the others stay unknown."""
MOST_TICKS = 20_000
MOST_SPACING = 2**15 - 1
"""Between ticks, in V4; V3 has half as much."""
MOST_DECIMALS = 77
"""10**77 is the last power of ten in 256 bits."""
NOT_A_PAIR = "it does not answer as a pair"
NOT_A_POOL = "it does not answer as a pool"
NOT_INITIALISED = "it is not initialised"
HOOKED = "it has hooks, and what they do to amounts is not known"

# Selectors, by the signatures of the published interfaces.
DECIMALS = "313ce567"
TOKEN0, TOKEN1 = "0dfe1681", "d21220a7"
GET_RESERVES = "0902f1ac"
FEE, TICK_SPACING, LIQUIDITY, SLOT0 = "ddca3f43", "d0c93a7c", "1a686502", "3850c7bd"
TICK_BITMAP, TICKS = "5339c296", "f30dba93"
GET_PAIR, GET_POOL, FACTORY = "e6a43905", "1698ee82", "c45a0155"
# Uniswap V4 is read through its StateView (@uniswap/v4-periphery).
VIEW_SLOT0, VIEW_LIQUIDITY = "c815641c", "fa6793d5"
VIEW_BITMAP, VIEW_TICK = "1c7ccb4c", "caedab54"


class Call(Noun, frozen=True):
    """A call without a sender, as ``eth_call`` makes it."""

    to: str
    data: bytes


class Loaded(Noun, frozen=True):
    """A pool, and what it holds."""

    pool: Pool
    state: PoolState


class PoolKey(Noun, frozen=True):
    """What Uniswap V4 knows a pool by (PoolKey)."""

    currency0: str
    currency1: str
    fee: int
    tick_spacing: int
    hooks: str


Answers: TypeAlias = "list[bytes | None]"
Plan: TypeAlias = Generator[list[Call], Answers, Loaded | Unusable]
Asked: TypeAlias = Generator[list[Call], Answers, Answers]


def call(to: str, selector: str, *arguments: int | str) -> Call:
    """A call of a method whose arguments are single words."""
    return Call(to, bytes.fromhex(selector) + b"".join(map(argument, arguments)))


def ask(calls: Iterable[Call]) -> Asked:
    """Make calls in batches; their answers."""
    asked, found = list(calls), list[bytes | None]()
    for start in range(0, len(asked), MOST_CALLS):
        found += yield asked[start : start + MOST_CALLS]
    return found


def words_of(answers: Answers, least: Sequence[int]) -> list[bytes] | None:
    """The answers, if all are there and have at least so many words each."""
    found = [
        one for one, words in zip(answers, least, strict=True) if one and len(one) >= 32 * words
    ]
    return found if len(found) == len(answers) else None


def load_pair(pair: str, fee: Fee = THIRTY) -> Plan:
    """Read a pair of Uniswap V2 or a fork."""
    getters = TOKEN0, TOKEN1, GET_RESERVES, FACTORY
    *answers, factory = yield from ask(call(pair, one) for one in getters)
    found = words_of(answers, (1, 1, 2))
    if found is None:
        return Unusable(pair, NOT_A_PAIR)
    tokens = address(found[0]), address(found[1])
    decimals = yield from load_decimals(tokens)
    if decimals is None:
        return Unusable(pair, "a token does not tell its decimals")
    made_by = yield from _made_by(pair, factory, GET_PAIR, *tokens)
    pool = Pool(pair, Protocol.UNISWAP_V2, tokens, decimals, made_by)
    return Loaded(pool, ProductPool(uint(found[2]), uint(found[2], 1), fee))


def _made_by(
    pool: str, answer: bytes | None, getter: str, *arguments: int | str
) -> Generator[list[Call], Answers, str | None]:
    """The factory that a pool names, if that names the pool too: anybody may claim to be made by
    another's factory."""
    if answer is None or len(answer) < 32:
        return None
    factory = address(answer)
    (told,) = yield from ask([call(factory, getter, *arguments)])
    known = told is not None and len(told) >= 32 and address(told) == pool
    return factory if known else None


def load_decimals(
    tokens: Sequence[str],
) -> Generator[list[Call], Answers, tuple[int, ...] | None]:
    """What each token says of its decimals; None where one does not. Ether has 18."""
    ether = "0x" + "0" * 40
    answers = yield from ask(call(token, DECIMALS) for token in tokens if token != ether)
    found = words_of(answers, [1] * len(answers))
    if found is None or any(uint(one) > MOST_DECIMALS for one in found):
        return None
    told = map(uint, found)
    return tuple(18 if token == ether else next(told) for token in tokens)


def load_v3(pool: str) -> Plan:
    """Read a pool of Uniswap V3 or a fork, with its ticks."""
    getters = TOKEN0, TOKEN1, FEE, TICK_SPACING, SLOT0, LIQUIDITY, FACTORY
    *answers, factory = yield from ask(call(pool, one) for one in getters)
    found = words_of(answers, (1, 1, 1, 1, 2, 1))
    if found is None:
        return Unusable(pool, NOT_A_POOL)
    tokens = address(found[0]), address(found[1])
    decimals = yield from load_decimals(tokens)
    if decimals is None:
        return Unusable(pool, "a token does not tell its decimals")
    fee, spacing, slot0 = uint(found[2]), sint(found[3]), found[4]
    made_by = yield from _made_by(pool, factory, GET_POOL, *tokens, fee)
    named = Pool(pool, Protocol.UNISWAP_V3, tokens, decimals, made_by, fee, spacing)
    reader = TickReader(pool, spacing, TICK_BITMAP, TICKS)
    # What does not fit is a fork's, which shares in another way.
    shares = share if (share := uint(slot0, 5)) < 256 else 0
    at = TickedPoint(uint(slot0), sint(slot0, 1), uint(found[5]), fee, shares=shares)
    return (yield from _ticked(named, at, reader))


def load_v4(view: str, pool_id: str, key: PoolKey) -> Plan:
    """Read a pool of Uniswap V4 through a StateView.

    Args:
        view: the StateView's address.
        pool_id: the pool's.
        key: as its ``Initialize`` told it.
    """
    if int(key.hooks, 16):
        return Unusable(pool_id, HOOKED)
    asked = [call(view, VIEW_SLOT0, pool_id), call(view, VIEW_LIQUIDITY, pool_id)]
    found = words_of((yield from ask(asked)), (4, 1))
    if found is None:
        return Unusable(pool_id, "the view does not answer")
    tokens = key.currency0, key.currency1
    decimals = yield from load_decimals(tokens)
    if decimals is None:
        return Unusable(pool_id, "a token does not tell its decimals")
    slot0 = found[0]
    named = Pool(
        pool_id,
        Protocol.UNISWAP_V4,
        tokens,
        decimals,
        fee=key.fee,
        tick_spacing=key.tick_spacing,
        hooks=key.hooks,
    )
    reader = TickReader(view, key.tick_spacing, VIEW_BITMAP, VIEW_TICK, (pool_id,))
    at = TickedPoint(uint(slot0), sint(slot0, 1), uint(found[1]), uint(slot0, 3), uint(slot0, 2))
    return (yield from _ticked(named, at, reader))


def _possible(at: TickedPoint) -> bool:
    """Whether a pool can be there: at a tick that was crossed downwards, the contract's own is one
    below the price's."""
    if not MIN_ROOT <= at.root < MAX_ROOT or at.liquidity >= 2**128 or at.fee > PIPS:
        return False
    tick = tick_at(at.root)
    return at.tick == tick or (at.tick == tick - 1 and sqrt_at(tick) == at.root)


class TickReader(Noun, frozen=True):
    """How a pool's ticks are asked for."""

    to: str
    spacing: int
    bitmap: str
    tick: str
    first: tuple[str, ...] = ()
    """Arguments before the word's position or the tick."""

    def words(self, tick: int) -> tuple[range, bool]:
        """The positions of the words to read, and whether these are all that there are."""
        low, high = MIN_TICK // self.spacing >> 8, MAX_TICK // self.spacing >> 8
        if high - low < MOST_WORDS:
            return range(low, high + 1), True
        middle = tick // self.spacing >> 8
        first = min(max(low, middle - MOST_WORDS // 2), high + 1 - MOST_WORDS)
        return range(first, first + MOST_WORDS), False

    def read_words(self, words: Iterable[int]) -> list[Call]:
        """Calls that give words of the bitmap."""
        return [call(self.to, self.bitmap, *self.first, word) for word in words]

    def read_ticks(self, ticks: Iterable[int]) -> list[Call]:
        """Calls that give ticks, gross before net."""
        return [call(self.to, self.tick, *self.first, tick) for tick in ticks]


class TickedPoint(Noun, frozen=True):
    """Where a pool's price is."""

    root: int
    tick: int
    liquidity: int
    fee: int
    protocol_fees: int = 0
    shares: int = 0


def _ticked(named: Pool, at: TickedPoint, reader: TickReader) -> Plan:
    if not at.root:
        return Unusable(named.id, NOT_INITIALISED)
    if not 0 < reader.spacing <= MOST_SPACING:
        return Unusable(named.id, "it has no tick spacing that there is")
    if not _possible(at):
        return Unusable(named.id, "its price and its tick are none, or not of each other")
    words, complete = reader.words(at.tick)
    bitmap = words_of((yield from ask(reader.read_words(words))), [1] * len(words))
    if bitmap is None:
        return Unusable(named.id, "it does not tell its bitmap")
    marked = [uint(one) for one in bitmap]
    if sum(one.bit_count() for one in marked) > MOST_TICKS:
        return Unusable(named.id, f"it has more than {MOST_TICKS} ticks")
    at_bits = ((word, bit) for word, bits in zip(words, marked, strict=True) for bit in _bits(bits))
    ticks = [((word << 8) + bit) * reader.spacing for word, bit in at_bits]
    told = words_of((yield from ask(reader.read_ticks(ticks))), [2] * len(ticks))
    if told is None:
        return Unusable(named.id, "it does not tell its ticks")
    liquid = {
        tick: Liquidity(uint(one), sint(one, 1)) for tick, one in zip(ticks, told, strict=True)
    }
    known = tick_map(reader.spacing, liquid, () if complete else words, complete)
    here = at.root, at.tick, at.liquidity, at.fee, known, at.protocol_fees
    narrow = named.protocol is Protocol.UNISWAP_V4
    state = TickedPool(*here, narrow, at.shares)
    return Loaded(named, state)


def _bits(word: int) -> Iterator[int]:
    """The places of the bits that are set, from the lowest."""
    while word:
        lowest = word & -word
        yield lowest.bit_length() - 1
        word ^= lowest


def find_pairs(
    factory: str, tokens: Sequence[str]
) -> Generator[list[Call], Answers, tuple[str, ...]]:
    """The pairs that a factory of Uniswap V2 or a fork has of these tokens."""
    twos = [(one, other) for at, one in enumerate(tokens) for other in tokens[at + 1 :]]
    answers = yield from ask(call(factory, GET_PAIR, *two) for two in twos)
    return _addresses(answers)


def find_pools(
    factory: str, tokens: Sequence[str], fees: Sequence[int]
) -> Generator[list[Call], Answers, tuple[str, ...]]:
    """The pools that a factory of Uniswap V3 or a fork has of these tokens and fees."""
    twos = [(one, other) for at, one in enumerate(tokens) for other in tokens[at + 1 :]]
    answers = yield from ask(call(factory, GET_POOL, *two, fee) for two in twos for fee in fees)
    return _addresses(answers)


def _addresses(answers: Answers) -> tuple[str, ...]:
    return tuple(address(one) for one in answers if one and len(one) >= 32 and uint(one))
