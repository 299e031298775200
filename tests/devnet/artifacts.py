"""Code to put on the chain: from the published packages, or compiled from ours."""

from __future__ import annotations

import subprocess
from functools import cache
from pathlib import Path
from typing import Any

import msgspec

from tests.devnet.abi import Address, encode, raw
from tests.devnet.node import MODULES

OURS = Path(__file__).parent / "contracts"
_AAVE = "@aave/core-v3/artifacts/contracts"
_V4 = "@uniswap/v4-periphery/foundry-out"
_CURVE = "@setprotocol/set-protocol-v2/external/abi/curve/{}.json"
PLACES = {
    "UniswapV2": "@uniswap/v2-core/build/{}.json",
    "WETH9": "@uniswap/v2-periphery/build/{}.json",
    "UniswapV2Router02": "@uniswap/v2-periphery/build/{}.json",
    "UniswapV3": "@uniswap/v3-core/artifacts/contracts/{0}.sol/{0}.json",
    "NonfungiblePositionManager": "@uniswap/v3-periphery/artifacts/contracts/{0}.sol/{0}.json",
    "SwapRouter": "@uniswap/v3-periphery/artifacts/contracts/{0}.sol/{0}.json",
    "QuoterV2": "@uniswap/v3-periphery/artifacts/contracts/lens/{0}.sol/{0}.json",
    "SwapRouter02": "@uniswap/swap-router-contracts/artifacts/contracts/{0}.sol/{0}.json",
    "UniversalRouter": "@uniswap/universal-router/artifacts/contracts/{0}.sol/{0}.json",
    "PoolManager": _V4 + "/{0}.sol/{0}.default.json",
    "PoolSwapTest": _V4 + "/{0}.sol/{0}.default.json",
    "PoolModifyLiquidityTest": _V4 + "/{0}.sol/{0}.default.json",
    "StateView": _V4 + "/{0}.sol/{0}.json",
    "V4Quoter": _V4 + "/{0}.sol/{0}.json",
    "DeployPermit2": _V4 + "/{0}.sol/{0}.json",
    "Pool": _AAVE + "/protocol/pool/{0}.sol/{0}.json",
    "PoolConfigurator": _AAVE + "/protocol/pool/{0}.sol/{0}.json",
    "DefaultReserveInterestRateStrategy": _AAVE + "/protocol/pool/{0}.sol/{0}.json",
    "PoolAddressesProvider": _AAVE + "/protocol/configuration/{0}.sol/{0}.json",
    "PoolAddressesProviderRegistry": _AAVE + "/protocol/configuration/{0}.sol/{0}.json",
    "ACLManager": _AAVE + "/protocol/configuration/{0}.sol/{0}.json",
    "AToken": _AAVE + "/protocol/tokenization/{0}.sol/{0}.json",
    "StableDebtToken": _AAVE + "/protocol/tokenization/{0}.sol/{0}.json",
    "VariableDebtToken": _AAVE + "/protocol/tokenization/{0}.sol/{0}.json",
    "AaveOracle": _AAVE + "/misc/{0}.sol/{0}.json",
    "AaveProtocolDataProvider": _AAVE + "/misc/{0}.sol/{0}.json",
    "Stableswap": _CURVE,
    "CurvePoolERC20": _CURVE,
    "Logic": _AAVE + "/protocol/libraries/logic/{0}.sol/{0}.json",
}
"""Where a contract's artifact is: by its name, or by the name's longest known beginning or end."""


def _place(name: str) -> str:
    fits = [part for part in PLACES if name.startswith(part) or name.endswith(part)]
    return PLACES[max(fits, key=len)].format(name)


@cache
def artifact(name: str) -> dict[str, Any]:
    """The artifact that a package has of a contract."""
    return msgspec.json.decode((MODULES / _place(name)).read_bytes())


def init_code(
    name: str, types: tuple[str, ...] = (), *values: Any, links: dict[str, Address] | None = None
) -> bytes:
    """What a transaction that creates the contract carries.

    Args:
        name: the contract's.
        types: of the constructor's arguments.
        values: the arguments.
        links: the addresses of the libraries that it is linked with.
    """
    if (OURS / f"{name}.sol").exists() or name == "FeedProxy":
        code = raw(_compiled()[name])
    else:
        code = _linked(artifact(name), links or {})
    return code + encode(types, *values)


def _linked(found: dict[str, Any], links: dict[str, Address]) -> bytes:
    bytecode = found["bytecode"]
    text = bytecode if isinstance(bytecode, str) else bytecode["object"]
    text = text.removeprefix("0x")
    for libraries in (found.get("linkReferences") or {}).values():
        for library, places in libraries.items():
            for place in places:
                start, end = 2 * place["start"], 2 * (place["start"] + place["length"])
                text = text[:start] + links[library].removeprefix("0x") + text[end:]
    return bytes.fromhex(text)


def libraries_of(name: str) -> list[str]:
    """The libraries that a contract is linked with."""
    references = artifact(name).get("linkReferences") or {}
    return sorted(library for libraries in references.values() for library in libraries)


_CODE = "evm.bytecode.object"
_COMPILE = """
const solc = require("MODULE");
let text = "";
process.stdin.on("data", (part) => (text += part));
process.stdin.on("end", () => process.stdout.write(solc.compile(text)));
"""


@cache
def _compiled() -> dict[str, str]:
    """Our own contracts' code by name."""
    return _compile("solc", our_sources(), "shanghai", {})


@cache
def weighted_code() -> bytes:
    """Code that makes Balancer's arithmetic callable; it needs an older compiler."""
    balancer = MODULES / "@balancer-labs"
    found = [
        balancer / "v2-pool-weighted/contracts/WeightedMath.sol",
        *(balancer / "v2-solidity-utils/contracts/math").glob("*.sol"),
        *(balancer / "v2-solidity-utils/contracts/helpers").glob("InputHelpers.sol"),
        *(balancer / "v2-interfaces/contracts/solidity-utils").rglob("*.sol"),
    ]
    sources = {path.relative_to(MODULES).as_posix(): path for path in found}
    compiled = _compile("solc-0.7", [OURS / "balancer" / "Weighted.sol"], "istanbul", sources)
    return raw(compiled["Weighted"])


@cache
def vault_codes() -> dict[str, bytes]:
    """Balancer's vault, its authorizer and a weighted pool, as they are, by their names."""
    balancer = MODULES / "@balancer-labs"
    sources = {
        path.relative_to(MODULES).as_posix(): path
        for name in ("v2-pool-weighted", "v2-pool-utils", "v2-vault")
        for path in (balancer / name / "contracts").rglob("*.sol")
    }
    manager = "@balancer-labs/v2-asset-manager-utils/contracts/IAssetManager.sol"
    # They are of one time, with the utilities of that time.
    then = balancer / "v2-vault" / "node_modules"
    utilities = then / "@balancer-labs" / "v2-solidity-utils" / "contracts"
    sources |= {path.relative_to(then).as_posix(): path for path in utilities.rglob("*.sol")}
    sources[manager] = MODULES / manager
    wanted = {
        "Vault": "@balancer-labs/v2-vault/contracts/Vault.sol",
        "Authorizer": "@balancer-labs/v2-vault/contracts/Authorizer.sol",
        "WeightedPool": "@balancer-labs/v2-pool-weighted/contracts/WeightedPool.sol",
    }
    # To optimise them takes twice as long as all that is done with them.
    compiled = _compile("solc-0.7", [], "istanbul", sources, wanted, optimise=False)
    return {name: raw(code) for name, code in compiled.items()}


def _compile(
    compiler: str,
    ours: list[Path],
    machine: str,
    others: dict[str, Path],
    wanted: dict[str, str] | None = None,
    optimise: bool = True,
) -> dict[str, str]:
    """Contracts' code by name.

    Args:
        compiler: the module that it is.
        ours: what is compiled.
        machine: the version of the virtual machine.
        others: what that may import.
        wanted: contracts of the others that are wanted too, and their files.
        optimise: whether to make the code small.
    """
    wanted = wanted or {}
    every = {path.name: path for path in ours} | others
    sources = {name: {"content": path.read_text(encoding="utf-8")} for name, path in every.items()}
    settings = {
        "optimizer": {"enabled": optimise, "runs": 200},
        "evmVersion": machine,
        "metadata": {"bytecodeHash": "none"},
        "outputSelection": {path.name: {"*": [_CODE]} for path in ours}
        | {file: {name: [_CODE]} for name, file in wanted.items()},
    }
    asked = {"language": "Solidity", "sources": sources, "settings": settings}
    done = subprocess.run(
        ["node", "-e", _COMPILE.replace("MODULE", compiler)],
        input=msgspec.json.encode(asked),
        capture_output=True,
        check=True,
        cwd=MODULES,
        timeout=60,
    )
    answer = msgspec.json.decode(done.stdout)
    failed = [e["formattedMessage"] for e in answer.get("errors", ()) if e["severity"] == "error"]
    if failed:
        raise ValueError("\n".join(failed))
    made = answer["contracts"]
    contracts = {name: one for path in ours for name, one in made[path.name].items()}
    contracts |= {name: made[file][name] for name, file in wanted.items()}
    return {name: one["evm"]["bytecode"]["object"] for name, one in contracts.items()}


def our_sources() -> list[Path]:
    """The files that our own contracts are in."""
    return sorted(OURS.glob("*.sol"))
