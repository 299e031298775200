"""How a weighted pool of Balancer V2 is read from a node: see `loading` for what a plan is.

What it holds is in the vault. The oldest pools raise to every power alike, later ones square where
they can; which of them a pool is, the vault's own quotes tell.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from itertools import permutations

import msgspec

from ..abi import BadData, arguments_of
from .loading import Answers, Call, Loaded, Plan, ask, call, load_decimals, words_of
from .pool import Pool, Protocol, Unusable
from .powers import ONE
from .weighted import WeightedPool
from .weighted_changes import VAULT
from .words import address, uint

POOL_ID, POOL_VAULT = "38fff2d0", "8d928af8"
WEIGHTS, SWAP_FEE, GRADUAL = "f89f27ed", "55c67628", "7beed220"
POOL_TOKENS, QUERY = "f94d4668", "f84d066e"
MOST_TOKENS = 8
MOST_DECIMALS = 18
_NOBODY = "0x" + "0" * 40
_WEIGHTS = arguments_of("(uint256[])")
_TOKENS = arguments_of("(address[],uint256[],uint256)")
_DELTAS = arguments_of("(int256[])")


NOT_WEIGHTED = "it does not answer as a weighted pool of the vault"


def load_weighted(pool: str, vault: str = VAULT) -> Plan:
    """Read a weighted pool by its address."""
    getters = POOL_ID, POOL_VAULT, WEIGHTS, SWAP_FEE
    answers = yield from ask(call(pool, one) for one in (*getters, GRADUAL))
    found = words_of(answers[:-1], (1, 1, 2, 1))
    if found is None or address(found[1]) != vault:
        return Unusable(pool, NOT_WEIGHTED)
    pool_id = "0x" + found[0][:32].hex()
    if answers[-1]:
        return Unusable(pool_id, "its weights change with time")
    held = (yield from ask([call(vault, POOL_TOKENS, pool_id)]))[0]
    state = _state(found[2], uint(found[3]), held)
    if state is None:
        return Unusable(pool_id, f"it does not tell up to {MOST_TOKENS} tokens and their weights")
    decimals = yield from load_decimals(state.tokens)
    if decimals is None or max(decimals) > MOST_DECIMALS:
        return Unusable(pool_id, "a token does not tell its decimals")
    scales = tuple(10 ** (MOST_DECIMALS - one) for one in decimals)
    state = msgspec.structs.replace(state, scales=scales)
    kind = yield from _alike(vault, pool_id, state)
    if kind is None:
        return Unusable(pool_id, "its quotes are not those of a weighted pool")
    return Loaded(Pool(pool_id, Protocol.BALANCER_WEIGHTED, state.tokens, decimals), kind)


def _state(weights: bytes, fee: int, held: bytes | None) -> WeightedPool | None:
    """What a pool holds, before its decimals are known."""
    try:
        (shares,) = _WEIGHTS.read(weights)
        tokens, balances, _ = _TOKENS.read(held or b"")
    except BadData:
        return None
    if not 2 <= len(tokens) <= MOST_TOKENS or len(tokens) != len(shares):
        return None
    if len(balances) != len(tokens) or sum(shares) != ONE or not all(shares):
        return None
    return WeightedPool(balances, shares, (1,) * len(tokens), fee, tokens=tokens)


def _alike(
    vault: str, pool_id: str, state: WeightedPool
) -> Generator[list[Call], Answers, WeightedPool | None]:
    """The pool with the code that quotes as the vault does, if any does."""
    probes = list(_probes(state))
    answers = yield from ask(_query(vault, pool_id, state.tokens, one) for one in probes)
    told = [_other(answer, one) for answer, one in zip(answers, probes, strict=True)]
    for one in (state, msgspec.structs.replace(state, shortcuts=False)):
        if any(told) and told == [_ours(one, probe) for probe in probes]:
            return one
    return None


def _probes(state: WeightedPool) -> Iterator[tuple[int, int, int, bool]]:
    """Swaps to ask for, of a small part and of most of what may be swapped at once."""
    for token_in, token_out in permutations(range(len(state.tokens)), 2):
        yield token_in, token_out, state.balances[token_in] // 4 + 1, False
        yield token_in, token_out, state.balances[token_out] // 1009 + 1, True


def _ours(state: WeightedPool, probe: tuple[int, int, int, bool]) -> int | None:
    swap = state.swap(*probe)
    if swap.stop is not None:
        return None
    return swap.amount_in if probe[3] else swap.amount_out


def _other(answer: bytes | None, probe: tuple[int, int, int, bool]) -> int | None:
    """The amount that was not asked for: what the vault gets, less what it gives."""
    try:
        (deltas,) = _DELTAS.read(answer or b"")
    except BadData:
        return None
    return abs(deltas[0 if probe[3] else 1]) if len(deltas) == 2 else None


def _query(
    vault: str, pool_id: str, tokens: tuple[str, ...], probe: tuple[int, int, int, bool]
) -> Call:
    """A call of queryBatchSwap with one step."""
    token_in, token_out, amount, exact_out = probe
    head = int(exact_out), 0xE0, 0x1E0, _NOBODY, 0, _NOBODY, 0
    step = 1, 0x20, pool_id, 0, 1, amount, 0xA0, 0
    return call(vault, QUERY, *head, *step, 2, tokens[token_in], tokens[token_out])
