"""What a test does to a chain: read from contracts, send transactions, put code where it wants."""

from __future__ import annotations

from typing import Any

import attrs

from tests.devnet.abi import Address, call_data, decode, hexed
from tests.devnet.rpc import Hex, Json, Rpc

LOTS = 10**9 * 10**18
GAS = 2_500_000
LARGEST = 30_000_000


@attrs.frozen(eq=False)
class Chain:
    """A node's chain, changed by whoever we say."""

    rpc: Rpc
    gas: int = GAS
    """The limit of a transaction that is not told another."""

    async def read(
        self, to: Address, signature: str, *values: Any, returns: str, block: Any = "latest"
    ) -> tuple[Any, ...]:
        """What a view answers; ``returns`` has the types in parentheses."""
        call = {"to": to, "data": call_data(signature, *values)}
        return decode(returns, await self.rpc.call("eth_call", call, block))

    async def read_int(self, to: Address, signature: str, *values: Any) -> int:
        """What a view answers that gives one integer."""
        return (await self.read(to, signature, *values, returns="(uint256)"))[0]

    async def read_address(self, to: Address, signature: str, *values: Any) -> Address:
        """What a view answers that gives one address."""
        return (await self.read(to, signature, *values, returns="(address)"))[0]

    async def balance(self, token: Address, owner: Address) -> int:
        """How much of a token somebody has."""
        return await self.read_int(token, "balanceOf(address)", owner)

    async def send(
        self,
        sender: Address,
        to: Address | None,
        data: Hex = "0x",
        value: int = 0,
        gas: int = GAS,
        **fields: int,
    ) -> Hex:
        """Hand a transaction to the node; its hash.

        Args:
            sender: whose, without a signature.
            to: the contract; None makes one.
            data: the input.
            value: in wei.
            gas: its limit.
            fields: others, such as ``nonce`` and ``maxFeePerGas``.
        """
        body = _body(sender, to, data, value, gas, fields)
        return await self.rpc.call("eth_sendTransaction", body)

    async def do(
        self, sender: Address, to: Address, signature: str, *values: Any, value: int = 0
    ) -> Json:
        """A transaction at once in a block of its own; its receipt.

        Raises:
            AssertionError: it reverted.
        """
        return await self._do(_body(sender, to, call_data(signature, *values), value, self.gas, {}))

    async def _do(self, body: Json) -> Json:
        receipt: Json = await self.rpc.call("eth_sendTransactionSync", body)
        assert receipt["status"] == "0x1", f"{body['data'][:10]} at {body.get('to')} reverted"
        return receipt

    async def fund(self, *accounts: Address) -> None:
        """Give them more ether than they can spend."""
        for account in accounts:
            await self.rpc.call("anvil_setBalance", account, hex(LOTS))

    async def place(self, sender: Address, address: Address, init: bytes) -> None:
        """Create a contract at an address of our choice.

        Its creation code runs there twice: as a call, whose answer is the code with its
        immutables, and as a transaction, which writes the constructor's storage.
        """
        await self.rpc.call("anvil_setCode", address, hexed(init))
        code = await self.rpc.call("eth_call", {"from": sender, "to": address}, "latest")
        await self._do(_body(sender, address, "0x", 0, LARGEST, {}))
        await self.rpc.call("anvil_setCode", address, code)
        await self.rpc.call("anvil_setNonce", address, "0x1")

    async def create(self, sender: Address, init: bytes) -> Address:
        """Create a contract wherever it comes to be."""
        receipt = await self._do(_body(sender, None, hexed(init), 0, LARGEST, {}))
        return receipt["contractAddress"]


def _body(
    sender: Address, to: Address | None, data: Hex, value: int, gas: int, fields: dict[str, int]
) -> Json:
    body: Json = {"from": sender, "data": data, "value": hex(value), "gas": hex(gas)}
    body |= {name: hex(number) for name, number in fields.items()}
    return body if to is None else {**body, "to": to}
