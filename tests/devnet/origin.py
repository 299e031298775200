"""A second market, of Aave 3.6, on the same tokens and feeds, compiled from the published
sources."""

from __future__ import annotations

import hashlib
import re
import subprocess
from pathlib import Path, PurePosixPath
from typing import Any

import attrs
import msgspec

from tests.devnet.abi import Address, encode
from tests.devnet.addresses import (
    DAI,
    DECIMALS,
    DEPLOYER,
    FEEDS,
    NOBODY,
    PROVIDER_OF_LIQUIDITY,
    SYMBOLS,
    TREASURY,
    USDC,
)
from tests.devnet.chain import LARGEST, Chain
from tests.devnet.lending import (
    BONUS,
    DOLLARS,
    LOAN_TO_VALUE,
    PROTOCOL_FEE,
    RESERVE_FACTOR,
    SUPPLY,
    THRESHOLD,
)
from tests.devnet.node import MODULES
from tests.devnet.uniswap import units

ROOT = MODULES / "@aave-dao/aave-v3-origin/src/contracts"
OPENZEPPELIN = MODULES / "openzeppelin-5"
CACHE = MODULES / ".cache" / "origin"
CONTRACTS = (
    "instances/PoolInstance",
    "instances/PoolConfiguratorInstance",
    "instances/ATokenInstance",
    "instances/VariableDebtTokenInstance",
    "misc/AaveOracle",
    "misc/DefaultReserveInterestRateStrategyV2",
    "protocol/configuration/ACLManager",
    "protocol/configuration/PoolAddressesProvider",
)
_IMPORT = re.compile(r"""import\s[^;]*?['"]([^'"]+)['"]\s*;""")
_COMPILE = """
const solc = require("solc");
let text = "";
process.stdin.on("data", (part) => (text += part));
process.stdin.on("end", () => process.stdout.write(solc.compile(text)));
"""
RESERVE = "(address,address,address,string,string,string,string,bytes,bytes)"
RATES = "(uint16,uint32,uint32,uint32)"


def _place(name: str) -> Path:
    prefix = "openzeppelin-contracts/contracts/"
    if name.startswith(prefix):
        return OPENZEPPELIN / name.removeprefix(prefix)
    return ROOT / name


def _import(name: str, imported: str) -> str:
    if not imported.startswith("."):
        return imported
    parts: list[str] = []
    for part in (*PurePosixPath(name).parent.parts, *PurePosixPath(imported).parts):
        if part == "..":
            parts.pop()
        elif part != ".":
            parts.append(part)
    return "/".join(parts)


def _sources() -> dict[str, str]:
    """The contracts, and all that they import."""
    found: dict[str, str] = {}
    wanted = [f"{name}.sol" for name in CONTRACTS]
    while wanted:
        name = wanted.pop()
        if name not in found:
            found[name] = _place(name).read_text(encoding="utf-8")
            wanted += [_import(name, one) for one in _IMPORT.findall(found[name])]
    return found


def _compiled() -> dict[str, Any]:
    """Every contract by name; kept in a file, since it takes half a minute."""
    sources = _sources()
    settings = {
        "optimizer": {"enabled": True, "runs": 200},
        "evmVersion": "shanghai",
        "metadata": {"bytecodeHash": "none"},
        "outputSelection": {"*": {"*": ["evm.bytecode.object", "evm.bytecode.linkReferences"]}},
    }
    contents = {name: {"content": text} for name, text in sources.items()}
    asked = msgspec.json.encode({"language": "Solidity", "sources": contents, "settings": settings})
    kept = CACHE / hashlib.sha256(asked).hexdigest()[:20]
    if not kept.exists():
        done = subprocess.run(
            ["node", "-e", _COMPILE],
            input=asked,
            capture_output=True,
            check=True,
            cwd=MODULES,
            timeout=300,
        )
        answer = msgspec.json.decode(done.stdout)
        wrong = [e["formattedMessage"] for e in answer["errors"] if e["severity"] == "error"]
        if wrong:
            raise ValueError("\n".join(wrong))
        CACHE.mkdir(parents=True, exist_ok=True)
        part = kept.with_suffix(".part")
        part.write_bytes(msgspec.json.encode(answer["contracts"]))
        part.replace(kept)
    contracts = msgspec.json.decode(kept.read_bytes())
    return {
        name: one["evm"]["bytecode"] for file in contracts.values() for name, one in file.items()
    }


@attrs.frozen
class Origin:
    """Where the market is."""

    pool: Address
    configurator: Address
    oracle: Address
    provider: Address


@attrs.define(eq=False)
class _Maker:
    chain: Chain
    code: dict[str, Any]
    libraries: dict[str, Address] = attrs.Factory(dict)

    async def make(self, name: str, types: tuple[str, ...] = (), *values: Any) -> Address:
        """A contract, together with the libraries that it needs."""
        text: str = self.code[name]["object"]
        for libraries in self.code[name]["linkReferences"].values():
            for library, places in libraries.items():
                if library not in self.libraries:
                    self.libraries[library] = await self.make(library)
                for place in places:
                    start, end = 2 * place["start"], 2 * (place["start"] + place["length"])
                    text = text[:start] + self.libraries[library][2:] + text[end:]
        return await self.chain.create(DEPLOYER, bytes.fromhex(text) + encode(types, *values))


async def deploy_origin(chain: Chain) -> Origin:
    """The market with the same four reserves, and an efficiency mode of the two dollars."""
    await chain.rpc.call("evm_setBlockGasLimit", hex(2 * LARGEST))
    chain = attrs.evolve(chain, gas=LARGEST)
    maker = _Maker(chain, _compiled())
    provider = await maker.make("PoolAddressesProvider", ("string", "address"), "3.6", DEPLOYER)

    async def set_(method: str, address: Address) -> None:
        await chain.do(DEPLOYER, provider, method, address)

    rates = await maker.make("DefaultReserveInterestRateStrategyV2", ("address",), provider)
    pool = await maker.make("PoolInstance", ("address", "address"), provider, rates)
    await set_("setACLAdmin(address)", DEPLOYER)
    manager = await maker.make("ACLManager", ("address",), provider)
    await set_("setACLManager(address)", manager)
    await chain.do(DEPLOYER, manager, "addPoolAdmin(address)", DEPLOYER)
    types = ("address", "address[]", "address[]", "address", "address", "uint256")
    feeds = (list(FEEDS), list(FEEDS.values()))
    oracle = await maker.make("AaveOracle", types, provider, *feeds, NOBODY, NOBODY, 10**8)
    await set_("setPriceOracle(address)", oracle)
    await set_("setPoolImpl(address)", pool)
    await set_("setPoolConfiguratorImpl(address)", await maker.make("PoolConfiguratorInstance"))
    pool = await chain.read_address(provider, "getPool()")
    configurator = await chain.read_address(provider, "getPoolConfigurator()")
    tokens = (
        await maker.make("ATokenInstance", ("address",) * 3, pool, NOBODY, TREASURY),
        await maker.make("VariableDebtTokenInstance", ("address",) * 2, pool, NOBODY),
    )
    await _add_reserves(chain, configurator, tokens)
    mode = "setEModeCategory(uint8,uint16,uint16,uint16,string)"
    await chain.do(DEPLOYER, configurator, mode, 1, 9000, 9300, 10100, "dollars")
    for token in (USDC, DAI):
        for what in ("Collateral", "Borrowable"):
            method = f"setAsset{what}InEMode(address,uint8,bool)"
            await chain.do(DEPLOYER, configurator, method, token, 1, True)
    owner = PROVIDER_OF_LIQUIDITY
    for token in DECIMALS:
        await chain.do(owner, token, "approve(address,uint256)", pool, 2**256 - 1)
        await chain.do(owner, pool, SUPPLY, token, units(token, DOLLARS), owner, 0)
    return Origin(pool, configurator, oracle, provider)


async def _add_reserves(
    chain: Chain, configurator: Address, tokens: tuple[Address, Address]
) -> None:
    rates = encode((RATES,), (9000, 0, 400, 6000))
    reserves = [
        (*tokens, token, f"a{name}", f"a{name}", f"v{name}", f"v{name}", b"", rates)
        for token, name in SYMBOLS.items()
    ]
    await chain.do(DEPLOYER, configurator, f"initReserves({RESERVE}[])", reserves)
    for token in DECIMALS:
        terms = (LOAN_TO_VALUE, THRESHOLD, BONUS)
        collateral = "configureReserveAsCollateral(address,uint256,uint256,uint256)"
        await chain.do(DEPLOYER, configurator, collateral, token, *terms)
        for method, value in (
            ("setReserveBorrowing(address,bool)", True),
            ("setReserveFactor(address,uint256)", RESERVE_FACTOR),
            ("setLiquidationProtocolFee(address,uint256)", PROTOCOL_FEE),
        ):
            await chain.do(DEPLOYER, configurator, method, token, value)
