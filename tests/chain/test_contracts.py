"""Contracts: published addresses; selectors and topics hashed anew from their signatures."""

from __future__ import annotations

import importlib
import pkgutil
import re

import pytest

from trio_mev.chain import contracts
from trio_mev.chain.calldata import ROUTERS, CallDecoder, known_methods
from trio_mev.chain.calldata.settler import ACTIONS
from trio_mev.chain.contracts import uniswap_v2, zerox
from trio_mev.chain.logs import known_events

FILES = {
    found.name: importlib.import_module(f"{contracts.__name__}.{found.name}")
    for found in pkgutil.iter_modules(contracts.__path__)
}


def tables(length: int) -> list[tuple[str, str, str]]:
    """File, key and text of everything whose key is so many characters long."""
    return [
        (name, key, text)
        for name, module in FILES.items()
        for table in vars(module).values()
        if isinstance(table, dict)
        for key, text in table.items()
        if key.startswith("0x") and len(key) == length
    ]


SELECTORS, TOPICS, ADDRESSES = tables(10), tables(66), tables(42)

LANES = 0xFFFFFFFFFFFFFFFF


def rotated(value: int, by: int) -> int:
    by %= 64
    return (value << by | value >> (64 - by)) & LANES if by else value


def round_constants():
    state = 1
    for _ in range(24):
        constant = 0
        for j in range(7):
            if state & 1:
                constant |= 1 << ((1 << j) - 1)
            state = (state << 1) ^ (0x171 if state & 0x80 else 0)
        yield constant


def permuted(a: dict[tuple[int, int], int]) -> dict[tuple[int, int], int]:
    for constant in round_constants():
        c = [a[x, 0] ^ a[x, 1] ^ a[x, 2] ^ a[x, 3] ^ a[x, 4] for x in range(5)]
        d = [c[x - 1] ^ rotated(c[(x + 1) % 5], 1) for x in range(5)]
        a = {(x, y): lane ^ d[x] for (x, y), lane in a.items()}
        b = {(0, 0): a[0, 0]}
        x, y = 1, 0
        for t in range(24):
            b[y, (2 * x + 3 * y) % 5] = rotated(a[x, y], (t + 1) * (t + 2) // 2)
            x, y = y, (2 * x + 3 * y) % 5
        a = {(x, y): b[x, y] ^ (~b[(x + 1) % 5, y] & b[(x + 2) % 5, y]) for x, y in b}
        a[0, 0] ^= constant
    return a


def keccak256(message: bytes) -> bytes:
    """Keccak-256 with its first padding, as Ethereum has it."""
    rate = 136
    padded = bytearray(message + b"\x01" + b"\x00" * (-(len(message) + 1) % rate))
    padded[-1] |= 0x80
    state = {(x, y): 0 for x in range(5) for y in range(5)}
    for at in range(0, len(padded), rate):
        for lane in range(rate // 8):
            word = padded[at + 8 * lane : at + 8 * lane + 8]
            state[lane % 5, lane // 5] ^= int.from_bytes(word, "little")
        state = permuted(state)
    return b"".join(state[x, 0].to_bytes(8, "little") for x in range(4))


def checksummed(address: str) -> str:
    """EIP-55."""
    digits = address[2:].lower()
    nibbles = keccak256(digits.encode()).hex()
    pairs = zip(digits, nibbles, strict=False)
    return "0x" + "".join(d.upper() if int(n, 16) >= 8 else d for d, n in pairs)


def test_the_hash_is_keccak_256():
    assert keccak256(b"").hex() == (
        "c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470"
    )
    assert keccak256(b"transfer(address,uint256)")[:4].hex() == "a9059cbb"


@pytest.mark.parametrize(("name", "selector", "signature"), SELECTORS)
def test_every_selector_is_the_hash_of_its_signature(name, selector, signature):
    assert "0x" + keccak256(signature.encode())[:4].hex() == selector


@pytest.mark.parametrize(("name", "topic", "signature"), TOPICS)
def test_every_topic_is_the_hash_of_its_signature(name, topic, signature):
    assert "0x" + keccak256(signature.replace("*", "").encode()).hex() == topic


@pytest.mark.parametrize("name", FILES)
def test_every_file_names_its_chain_and_where_its_facts_are_from(name):
    assert FILES[name].CHAIN_ID == 1
    assert len(FILES[name].__doc__.split("\n\n")[1]) > 50


def test_every_method_that_swaps_or_lends_is_read():
    read = {text for methods in known_methods().values() for text in methods.values()}
    read |= {zerox.ACTIONS[f"0x{selector.hex()}"] for selector in ACTIONS}
    moved = {"transfer", "transferFrom", "approve", "deposit", "withdraw"}
    listed = {
        text
        for name, _, text in SELECTORS
        if not (name == "tokens" and text.partition("(")[0] in moved)
    }
    assert listed == read


def test_every_event_that_is_read_is_listed():
    listed = {(topic, text) for _, topic, text in TOPICS}
    assert {(topic, event.signature) for topic, event in known_events()} <= listed


@pytest.mark.parametrize(
    ("address", "name"),
    [
        ("0xE592427A0AEce92De3Edee1F18E0157C05861564", "Uniswap V3 SwapRouter"),
        ("0x68b3465833fb72A70ecDF485E0e4C7bD8665Fc45", "Uniswap SwapRouter02"),
        ("0x7a250d5630B4cF539739dF2C5dAcb4c659F2488D", "Uniswap V2 Router02"),
        ("0xd9e1cE17f2641f24aE83637ab66a2cca9C378B9F", "SushiSwap router"),
        ("0xEf1c6E67703c7BD7107eed8303Fbe6EC2554BF6B", "Universal Router 1.0"),
        ("0x3fC91A3afd70395Cd496C647d5a6CC9D4B2b7FAD", "Universal Router 1.2"),
        ("0x66a9893cC07D91D95644AEDD05D03f95e1dBA8Af", "Universal Router 2.0"),
        ("0x4C82D1fBFe28C977cBB58D8C7FF8FCF9F70a2cCA", "Universal Router 2.1.1"),
        ("0xCb640A86855f1A828c27241bA364348de28abe66", "Universal Router 2.2.0"),
        ("0x0000000000001fF3684f28c67538d4D072C22734", "0x AllowanceHolder"),
        ("0xDef1C0ded9bec7F1a1670819833240f027b25EfF", "0x legacy proxy"),
        ("0x111111125421cA6dc452d289314280a0f8842A65", "1inch v6"),
        ("0x1111111254EEB25477B68fb85Ed929f73A960582", "1inch v5"),
        ("0x1111111254fb6c44bAC0beD2854e76F90643097d", "1inch v4"),
        ("0x9008D19f58AAbD9eD0D60971565AA8510560ab41", "CoW settlement"),
        ("0x6131B5fae19EA4f9D964eAc0408E4408b66337b5", "Kyber MetaAggregationRouterV2"),
        ("0x6A000F20005980200259B80c5102003040001068", "ParaSwap v6.2"),
        ("0xDEF171Fe48CF0115B1d80b88dc8eAB59176FEe57", "ParaSwap v5"),
        ("0xCf5540fFFCdC3d510B18bFcA6d2b9987b0772559", "Odos v2"),
        ("0x881D40237659C251811CEC9c364ef91dC08D300C", "MetaMask swap"),
        ("0x1231DEB6f5749EF6cE6943a275A1D3E7486F4EaE", "LiFi"),
        ("0xBA12222222228d8Ba445958a75a0704d566BF2C8", "Balancer V2 vault"),
        ("0x87870Bca3F3fD6335C3F4ce8392D69350B4fA4E2", "Aave V3 Pool"),
        ("0x7d2768dE32b0b80b7a3454c06BdAc94A69DDc7A9", "Aave V2 LendingPool"),
        ("0xc3d688B66703497DAA19211EEdff47f25384cdc3", "Comet USDC"),
        ("0xA17581A9E3356d9A858b789D68B4d866e593aE94", "Comet WETH"),
        ("0xBBBBBbbBBb9cC5e90e3b3Af64bdAF62C37EEFFCb", "Morpho Blue"),
        ("0xC36442b4a4522E871399CD717aBDD847Ab11FE88", "Uniswap V3 position manager"),
    ],
)
def test_every_contract_is_at_its_published_address(address, name):
    assert checksummed(address) == address
    decoder = CallDecoder()
    assert decoder.name(address.lower()) == name
    assert decoder.router(address.lower()) == ROUTERS.get(address.lower())


@pytest.mark.parametrize(("name", "address", "text"), ADDRESSES)
def test_every_address_is_in_lower_case(name, address, text):
    assert re.fullmatch("0x[0-9a-f]{40}", address)


def test_the_factories_of_the_v2_routers_are_those_that_they_publish():
    for address in (
        "0x5C69bEe701ef814a2B6a3EDD4B1652CB9cc5aA6f",
        "0xC0AEe478e3658e2610c5F7A4A2E1777cE9e4f2Ac",
    ):
        assert checksummed(address) == address
    assert set(uniswap_v2.FACTORIES) == set(uniswap_v2.ROUTERS)
    assert uniswap_v2.UNISWAP_FACTORY == "0x5c69bee701ef814a2b6a3edd4b1652cb9cc5aa6f"
    assert uniswap_v2.SUSHISWAP_FACTORY == "0xc0aee478e3658e2610c5f7a4a2e1777ce9e4f2ac"


def test_there_are_no_other_routers_and_each_is_in_lower_case():
    assert len(ROUTERS) == len(set(ROUTERS.values())) == 22
    assert all(re.fullmatch("0x[0-9a-f]{40}", address) for address in ROUTERS)


@pytest.mark.parametrize(
    "address",
    [
        "0x10ed43c718714eb63d5aa57b78b54704e256024e",
        "0x3d9819210a31b4961b30ef54be2aed79b9c9cd3b",
        "0x5c69bee701ef814a2b6a3edd4b1652cb9cc5aa6f",
        "0x1f98431c8ad98523631ae4a59f267346ea31f984",
    ],
)
def test_another_chains_router_a_comptroller_and_factories_are_no_routers(address):
    assert address not in ROUTERS
