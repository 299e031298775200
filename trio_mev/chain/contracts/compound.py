"""Compound V2 and Comet, on Ethereum's main network.

Compound V2: the ABIs that the protocol publishes; its markets are contracts of their own. Comet:
the protocol's source and deployment files.
"""

from __future__ import annotations

from collections.abc import Mapping

CHAIN_ID = 1

COMETS: Mapping[str, str] = {
    "0xc3d688b66703497daa19211eedff47f25384cdc3": "Comet USDC",
    "0xa17581a9e3356d9a858b789d68b4d866e593ae94": "Comet WETH",
}
"""Address in lower case to name."""

COMPTROLLERS: Mapping[str, str] = {
    "0x3d9819210a31b4961b30ef54be2aed79b9c9cd3b": "compound_v2",
    "0x3d5bc3c8d13dcb8bf317092d84783c2697ae9258": "cream",
}
"""Of Compound V2 and a fork of it: the contract that a market asks, to whose markets they are."""

ETHER_MARKET = "0x4ddc2d193948926d02f9b1fe9e1daa0718270ed5"
"""The market of ether itself, which no log shows moving."""

METHODS: Mapping[str, str] = {
    "0xf5e3c462": "liquidateBorrow(address,uint256,address)",
    "0xaae40a2a": "liquidateBorrow(address,address)",
    "0xa0712d68": "mint(uint256)",
    "0xdb006a75": "redeem(uint256)",
    "0x852a12e3": "redeemUnderlying(uint256)",
    "0xc5ebeaec": "borrow(uint256)",
    "0x0e752702": "repayBorrow(uint256)",
    "0x2608f818": "repayBorrowBehalf(address,uint256)",
}
"""Selector to signature."""

COMET_METHODS: Mapping[str, str] = {
    "0xc3cecfd2": "absorb(address,address[])",
    "0xe4e6e779": "buyCollateral(address,uint256,uint256,address)",
    "0xf2b9fdb8": "supply(address,uint256)",
    "0xf3fef3a3": "withdraw(address,uint256)",
    "0x4232cd63": "supplyTo(address,address,uint256)",
    "0xc3b35a7e": "withdrawTo(address,address,uint256)",
}

EVENTS: Mapping[str, str] = {
    "0x298637f684da70674f26509b10f07ec2fbc77a335ab1e7d6215a4b2484d8bb52": (
        "LiquidateBorrow(address,address,uint256,address,uint256)"
    ),
    "0x4c209b5fc8ad50758f13e2e1088ba56a560dff690a1c6fef26394f4c03821c4f": (
        "Mint(address,uint256,uint256)"
    ),
    "0xe5b754fb1abb7f01b499791d0b820ae3b6af3424ac1c59768edb53f4ec31a929": (
        "Redeem(address,uint256,uint256)"
    ),
    "0x13ed6866d4e1ee6da46f845c46d7e54120883d75c5ea9a2dacc1c4ca8984ab80": (
        "Borrow(address,uint256,uint256,uint256)"
    ),
    "0x1a2a22cb034d26d1854bdc6666a5b91fe25efbbb5dcad3b0355478d6f5c362a1": (
        "RepayBorrow(address,address,uint256,uint256,uint256)"
    ),
    "0x4dec04e750ca11537cabcd8a9eab06494de08da3735bc8871cd41250e190bc04": (
        "AccrueInterest(uint256,uint256,uint256,uint256)"
    ),
    "0x875352fb3fadeb8c0be7cbbe8ff761b308fa7033470cd0287f02f3436fd76cb9": (
        "AccrueInterest(uint256,uint256,uint256)"
    ),
    "0x3ab23ab0d51cccc0c3085aec51f99228625aa1a922b3a8ca89a26b0f2027a1a5": (
        "MarketEntered(address,address)"
    ),
    "0xe699a64c18b07ac5b7301aa273f36a2287239eb9501d81950672794afba29a0d": (
        "MarketExited(address,address)"
    ),
    "0xa91e67c5ea634cd43a12c5a482724b03de01e85ca68702a53d0c2f45cb7c1dc5": (
        "ReservesAdded(address,uint256,uint256)"
    ),
}
"""First topic to signature; what is indexed has a star."""

COMET_EVENTS: Mapping[str, str] = {
    "0x1547a878dc89ad3c367b6338b4be6a65a5dd74fb77ae044da1e8747ef1f4f62f": (
        "AbsorbDebt(address*,address*,uint256,uint256)"
    ),
    "0x9850ab1af75177e4a9201c65a2cf7976d5d28e40ef63494b44366f86b2f9412e": (
        "AbsorbCollateral(address*,address*,address*,uint256,uint256)"
    ),
    "0xf891b2a411b0e66a5f0a6ff1368670fefa287a13f541eb633a386a1a9cc7046b": (
        "BuyCollateral(address*,address*,uint256,uint256)"
    ),
    "0xd1cf3d156d5f8f0d50f6c122ed609cec09d35c9b9fb3fff6ea0959134dae424e": (
        "Supply(address*,address*,uint256)"
    ),
    "0x9b1bfa7fa9ee420a16e124f794c35ac9f90472acc99140eb2f6447c714cad8eb": (
        "Withdraw(address*,address*,uint256)"
    ),
    "0xfa56f7b24f17183d81894d3ac2ee654e3c26388d17a28dbd9549b8114304e1f4": (
        "SupplyCollateral(address*,address*,address*,uint256)"
    ),
    "0xd6d480d5b3068db003533b170d67561494d72e3bf9fa40a266471351ebba9e16": (
        "WithdrawCollateral(address*,address*,address*,uint256)"
    ),
    "0x29db89d45e1a802b4d55e202984fce9faf1d30aedf86503ff1ea0ed9ebb64201": (
        "TransferCollateral(address*,address*,address*,uint256)"
    ),
}
