"""Calls that move liquidity, collateral or debt. Whoever makes them may have something left over
that was there before, so what they have more of is no proof of a gain."""

from __future__ import annotations

from collections.abc import Mapping

_MARKET = "(address,address,address,address,uint256)"
_JOIN = "(bytes32,address,address,(address[],uint256[],bytes,bool))"
KEEPING: Mapping[str, str] = {
    "0x6a627842": "mint(address)",
    "0x89afcb44": "burn(address)",
    "0x3c8a7d8d": "mint(address,int24,int24,uint128,bytes)",
    "0xa34123a7": "burn(int24,int24,uint128)",
    "0x5a6bcfda": (
        "modifyLiquidity((address,address,uint24,int24,address),(int24,int24,int256,bytes32),bytes)"
    ),
    "0xb95cac28": f"joinPool{_JOIN}",
    "0x8bdb3913": f"exitPool{_JOIN}",
    "0x4f69c0d4": "joinPool(uint256,uint256[])",
    "0xb02f0b73": "exitPool(uint256,uint256[])",
    "0x0b4c7e4d": "add_liquidity(uint256[2],uint256)",
    "0x4515cef3": "add_liquidity(uint256[3],uint256)",
    "0x029b2f34": "add_liquidity(uint256[4],uint256)",
    "0x5b36389c": "remove_liquidity(uint256,uint256[2])",
    "0xecb586a5": "remove_liquidity(uint256,uint256[3])",
    "0x7d49d875": "remove_liquidity(uint256,uint256[4])",
    "0x1a4d01d2": "remove_liquidity_one_coin(uint256,int128,uint256)",
    "0xe3103273": "remove_liquidity_imbalance(uint256[2],uint256)",
    "0x9fdaea0c": "remove_liquidity_imbalance(uint256[3],uint256)",
    "0x18a7bd76": "remove_liquidity_imbalance(uint256[4],uint256)",
    "0xd2d0e066": "deposit(address,uint256,uint16)",
    "0xc858f5f9": "borrow(address,uint256,uint256,uint16)",
    "0x5ceae9c4": "repay(address,uint256,address)",
    "0x617ba037": "supply(address,uint256,address,uint16)",
    "0xe8eda9df": "deposit(address,uint256,address,uint16)",
    "0x69328dec": "withdraw(address,uint256,address)",
    "0xa415bcad": "borrow(address,uint256,uint256,uint16,address)",
    "0x573ade81": "repay(address,uint256,uint256,address)",
    "0x00a718a9": "liquidationCall(address,address,address,uint256,bool)",
    "0xa0712d68": "mint(uint256)",
    "0x1249c58b": "mint()",
    "0xdb006a75": "redeem(uint256)",
    "0x852a12e3": "redeemUnderlying(uint256)",
    "0xc5ebeaec": "borrow(uint256)",
    "0x0e752702": "repayBorrow(uint256)",
    "0x4e4d9fea": "repayBorrow()",
    "0x2608f818": "repayBorrowBehalf(address,uint256)",
    "0xe5974619": "repayBorrowBehalf(address)",
    "0xf5e3c462": "liquidateBorrow(address,uint256,address)",
    "0xaae40a2a": "liquidateBorrow(address,address)",
    "0xf2b9fdb8": "supply(address,uint256)",
    "0x4232cd63": "supplyTo(address,address,uint256)",
    "0xf3fef3a3": "withdraw(address,uint256)",
    "0xc3b35a7e": "withdrawTo(address,address,uint256)",
    "0x26441318": "withdrawFrom(address,address,address,uint256)",
    "0xc3cecfd2": "absorb(address,address[])",
    "0xa99aad89": f"supply({_MARKET},uint256,uint256,address,bytes)",
    "0x5c2bea49": f"withdraw({_MARKET},uint256,uint256,address,address)",
    "0x50d8cd4b": f"borrow({_MARKET},uint256,uint256,address,address)",
    "0x20b76e81": f"repay({_MARKET},uint256,uint256,address,bytes)",
    "0x238d6579": f"supplyCollateral({_MARKET},uint256,address,bytes)",
    "0x8720316d": f"withdrawCollateral({_MARKET},uint256,address,address)",
    "0xd8eabcb8": f"liquidate({_MARKET},address,uint256,uint256,bytes)",
}
"""Selector to signature."""
