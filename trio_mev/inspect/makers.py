"""Whose pool it is, by its address: factories put a pool where its tokens say (EIP-1014), so who
knows the tokens can tell which factory made it, and nobody else can put another contract there.

Code hashes: those that the protocols publish in their libraries; pools of recorded blocks bear each
of them out.
"""

from __future__ import annotations

from functools import lru_cache

from ..chain.contracts.uniswap_v2 import SUSHISWAP_FACTORY, UNISWAP_FACTORY
from ..chain.contracts.uniswap_v3 import FACTORY
from ..chain.keccak import keccak256
from ..model.noun import Noun

MOST_POOLS = 65_536
"""Whose maker is remembered."""


class Maker(Noun, frozen=True):
    """A factory."""

    name: str
    """Of the protocol."""
    shape: str
    """Whose logs and calls its pools have, such as ``uniswap_v2``."""
    factory: str
    code: str
    """The hash of the code that it makes pools with."""
    fees: tuple[int, ...] = ()
    """Millionths, of which each pool has one; none where two tokens have one pool."""


MAKERS: tuple[Maker, ...] = (
    Maker(
        "uniswap_v2",
        "uniswap_v2",
        UNISWAP_FACTORY,
        "0x96e8ac4277198ff8b6f785478aa9a39f403cb768dd02cbee326c3e7da348845f",
    ),
    Maker(
        "sushiswap",
        "uniswap_v2",
        SUSHISWAP_FACTORY,
        "0xe18a34eb0e04b04f7a0ac29a6e80748dca96319b42c54d679cb821dca90c6303",
    ),
    Maker(
        "shibaswap",
        "uniswap_v2",
        "0x115934131916c8b277dd010ee02de363c09d037c",
        "0x65d1a3b1e46c6e4f1be1ad5f99ef14dc488ae0549dc97db9b30afe2241ce1c7a",
    ),
    Maker(
        "uniswap_v3",
        "uniswap_v3",
        FACTORY,
        "0xe34f199b19b2b4f47f68442619d555527d244f78a3297ea89325f843f87b8b54",
        (3000, 500, 10_000, 100),
    ),
)
"""On Ethereum's main network."""


@lru_cache(maxsize=MOST_POOLS)
def made_by(
    pool: str, shape: str, token: str, other: str, makers: tuple[Maker, ...] = MAKERS
) -> str | None:
    """The protocol whose factory made a pool of two tokens; None where it is none of these."""
    tokens = sorted((bytes.fromhex(token[2:]), bytes.fromhex(other[2:])))
    for maker in makers:
        if maker.shape == shape and any(
            _place(maker, salt) == pool for salt in _salts(tokens, maker.fees)
        ):
            return maker.name
    return None


def _salts(tokens: list[bytes], fees: tuple[int, ...]) -> list[bytes]:
    if not fees:
        return [_hash(b"".join(tokens))]
    padded = b"".join(token.rjust(32, b"\0") for token in tokens)
    return [_hash(padded + fee.to_bytes(32, "big")) for fee in fees]


def _place(maker: Maker, salt: bytes) -> str:
    told = b"\xff" + bytes.fromhex(maker.factory[2:]) + salt + bytes.fromhex(maker.code[2:])
    return "0x" + keccak256(told)[-40:]


def _hash(data: bytes) -> bytes:
    return bytes.fromhex(keccak256(data)[2:])
