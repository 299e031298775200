"""Routers and their methods on Ethereum's main network, chain id 1.

Addresses are those that the protocols publish and that recorded calls of the main network go to;
each selector is the first four bytes of the Keccak-256 of the signature beside it, from the
contracts' published interfaces. A selector names a method at one of these contracts only:
elsewhere the same four bytes may be anything.
"""

from __future__ import annotations

from collections.abc import Mapping

CHAIN_ID = 1

ROUTERS: Mapping[str, str] = {
    "0xef1c6e67703c7bd7107eed8303fbe6ec2554bf6b": "Universal Router 1.0",
    "0x3fc91a3afd70395cd496c647d5a6cc9d4b2b7fad": "Universal Router 1.2",
    "0x66a9893cc07d91d95644aedd05d03f95e1dba8af": "Universal Router 2.0",
    "0x4c82d1fbfe28c977cbb58d8c7ff8fcf9f70a2cca": "Universal Router 2.1.1",
    "0xcb640a86855f1a828c27241ba364348de28abe66": "Universal Router 2.2.0",
    "0x7a250d5630b4cf539739df2c5dacb4c659f2488d": "Uniswap V2 Router02",
    "0xd9e1ce17f2641f24ae83637ab66a2cca9c378b9f": "SushiSwap router",
    "0xe592427a0aece92de3edee1f18e0157c05861564": "Uniswap V3 SwapRouter",
    "0x68b3465833fb72a70ecdf485e0e4c7bd8665fc45": "Uniswap SwapRouter02",
    "0x0000000000001ff3684f28c67538d4d072c22734": "0x AllowanceHolder",
    "0xdef1c0ded9bec7f1a1670819833240f027b25eff": "0x legacy proxy",
    "0x111111125421ca6dc452d289314280a0f8842a65": "1inch v6",
    "0x1111111254eeb25477b68fb85ed929f73a960582": "1inch v5",
    "0x1111111254fb6c44bac0bed2854e76f90643097d": "1inch v4",
    "0x9008d19f58aabd9ed0d60971565aa8510560ab41": "CoW settlement",
    "0x6131b5fae19ea4f9d964eac0408e4408b66337b5": "Kyber MetaAggregationRouterV2",
    "0x6a000f20005980200259b80c5102003040001068": "ParaSwap v6.2",
    "0xdef171fe48cf0115b1d80b88dc8eab59176fee57": "ParaSwap v5",
    "0xcf5540fffcdc3d510b18bfca6d2b9987b0772559": "Odos v2",
    "0x881d40237659c251811cec9c364ef91dc08d300c": "MetaMask swap",
    "0x1231deb6f5749ef6ce6943a275a1d3e7486f4eae": "LiFi",
    "0xba12222222228d8ba445958a75a0704d566bf2c8": "Balancer V2 vault",
}
"""Address in lower case to name."""

METHODS: Mapping[str, str] = {
    # Universal Router
    "0x3593564c": "execute(bytes,bytes[],uint256)",
    "0x24856bc3": "execute(bytes,bytes[])",
    "0x44684dc3": "executeSigned(bytes,bytes[],bytes32,bytes32,bool,bytes32,bytes,uint256)",
    # V2 Router02
    "0x38ed1739": "swapExactTokensForTokens(uint256,uint256,address[],address,uint256)",
    "0x8803dbee": "swapTokensForExactTokens(uint256,uint256,address[],address,uint256)",
    "0x7ff36ab5": "swapExactETHForTokens(uint256,address[],address,uint256)",
    "0x4a25d94a": "swapTokensForExactETH(uint256,uint256,address[],address,uint256)",
    "0x18cbafe5": "swapExactTokensForETH(uint256,uint256,address[],address,uint256)",
    "0xfb3bdb41": "swapETHForExactTokens(uint256,address[],address,uint256)",
    "0x5c11d795": (
        "swapExactTokensForTokensSupportingFeeOnTransferTokens(uint256,uint256,"
        "address[],address,uint256)"
    ),
    "0xb6f9de95": (
        "swapExactETHForTokensSupportingFeeOnTransferTokens(uint256,address[],address,uint256)"
    ),
    "0x791ac947": (
        "swapExactTokensForETHSupportingFeeOnTransferTokens(uint256,uint256,add"
        "ress[],address,uint256)"
    ),
    # V3 SwapRouter
    "0x414bf389": (
        "exactInputSingle((address,address,uint24,address,uint256,uint256,uint256,uint160))"
    ),
    "0xc04b8d59": "exactInput((bytes,address,uint256,uint256,uint256))",
    "0xdb3e2198": (
        "exactOutputSingle((address,address,uint24,address,uint256,uint256,uint256,uint160))"
    ),
    "0xf28c0498": "exactOutput((bytes,address,uint256,uint256,uint256))",
    "0xac9650d8": "multicall(bytes[])",
    "0x49404b7c": "unwrapWETH9(uint256,address)",
    "0xdf2ab5bb": "sweepToken(address,uint256,address)",
    "0x12210e8a": "refundETH()",
    "0x9b2c0a37": "unwrapWETH9WithFee(uint256,address,uint256,address)",
    "0xe0e189a0": "sweepTokenWithFee(address,uint256,address,uint256,address)",
    # SwapRouter02
    "0x04e45aaf": "exactInputSingle((address,address,uint24,address,uint256,uint256,uint160))",
    "0xb858183f": "exactInput((bytes,address,uint256,uint256))",
    "0x5023b4df": "exactOutputSingle((address,address,uint24,address,uint256,uint256,uint160))",
    "0x09b81346": "exactOutput((bytes,address,uint256,uint256))",
    "0x472b43f3": "swapExactTokensForTokens(uint256,uint256,address[],address)",
    "0x42712a67": "swapTokensForExactTokens(uint256,uint256,address[],address)",
    "0x5ae401dc": "multicall(uint256,bytes[])",
    "0x1f0464d1": "multicall(bytes32,bytes[])",
    "0x49616997": "unwrapWETH9(uint256)",
    "0xe90a182f": "sweepToken(address,uint256)",
    "0x1c58db4f": "wrapETH(uint256)",
    "0xf2d5d56b": "pull(address,uint256)",
    # 0x AllowanceHolder / Settler
    "0x2213bc0b": "exec(address,address,uint256,address,bytes)",
    "0x1fff991f": "execute((address,address,uint256),bytes[],bytes32)",
    "0xfd3ad6d4": "executeMetaTxn((address,address,uint256),bytes[],bytes32,address,bytes)",
    "0x06b8524c": "executeWithPermit((address,address,uint256),bytes[],bytes32,bytes)",
    # 1inch v6
    "0x07ed2379": "swap(address,(address,address,address,address,uint256,uint256,uint256),bytes)",
    "0x83800a8e": "unoswap(uint256,uint256,uint256,uint256)",
    "0x8770ba91": "unoswap2(uint256,uint256,uint256,uint256,uint256)",
    "0x19367472": "unoswap3(uint256,uint256,uint256,uint256,uint256,uint256)",
    "0xa76dfc3b": "ethUnoswap(uint256,uint256)",
    "0x89af926a": "ethUnoswap2(uint256,uint256,uint256)",
    "0x188ac35d": "ethUnoswap3(uint256,uint256,uint256,uint256)",
    "0xe2c95c82": "unoswapTo(uint256,uint256,uint256,uint256,uint256)",
    "0xea76dddf": "unoswapTo2(uint256,uint256,uint256,uint256,uint256,uint256)",
    "0xf7a70056": "unoswapTo3(uint256,uint256,uint256,uint256,uint256,uint256,uint256)",
    "0x175accdc": "ethUnoswapTo(uint256,uint256,uint256)",
    "0x0f449d71": "ethUnoswapTo2(uint256,uint256,uint256,uint256)",
    "0x493189f0": "ethUnoswapTo3(uint256,uint256,uint256,uint256,uint256)",
    "0x5816d723": "permitAndCall(bytes,bytes)",
    "0xd2d374e5": "clipperSwap(address,uint256,address,uint256,uint256,uint256,bytes32,bytes32)",
    # 1inch v5
    "0x12aa3caf": (
        "swap(address,(address,address,address,address,uint256,uint256,uint256),bytes,bytes)"
    ),
    "0x0502b1c5": "unoswap(address,uint256,uint256,uint256[])",
    "0xf78dc253": "unoswapTo(address,address,uint256,uint256,uint256[])",
    "0xe449022e": "uniswapV3Swap(uint256,uint256,uint256[])",
    "0xbc80f1a8": "uniswapV3SwapTo(address,uint256,uint256,uint256[])",
    "0x3c15fd91": "unoswapToWithPermit(address,address,uint256,uint256,uint256[],bytes)",
    "0x2521b930": "uniswapV3SwapToWithPermit(address,address,uint256,uint256,uint256[],bytes)",
    # 1inch v4
    "0x7c025200": (
        "swap(address,(address,address,address,address,uint256,uint256,uint256,bytes),bytes)"
    ),
    "0x2e95b6c8": "unoswap(address,uint256,uint256,bytes32[])",
    # CoW
    "0x13d79a0b": (
        "settle(address[],uint256[],(uint256,uint256,address,uint256,uint256,ui"
        "nt32,bytes32,uint256,uint256,uint256,bytes)[],(address,uint256,bytes)["
        "][3])"
    ),
    # Kyber v2
    "0xe21fd0e9": (
        "swap((address,address,bytes,(address,address,address[],uint256[],addre"
        "ss[],uint256[],address,uint256,uint256,uint256,bytes),bytes))"
    ),
    "0x8af033fb": (
        "swapSimpleMode(address,(address,address,address[],uint256[],address[],"
        "uint256[],address,uint256,uint256,uint256,bytes),bytes,bytes)"
    ),
    "0x59e50fed": (
        "swapGeneric((address,address,bytes,(address,address,address[],uint256["
        "],address[],uint256[],address,uint256,uint256,uint256,bytes),bytes))"
    ),
    # ParaSwap v6.2
    "0xe3ead59e": (
        "swapExactAmountIn(address,(address,address,uint256,uint256,uint256,byt"
        "es32,address),uint256,bytes,bytes)"
    ),
    "0x7f457675": (
        "swapExactAmountOut(address,(address,address,uint256,uint256,uint256,by"
        "tes32,address),uint256,bytes,bytes)"
    ),
    "0xe8bb3b6c": (
        "swapExactAmountInOnUniswapV2((address,address,uint256,uint256,uint256,"
        "bytes32,address,bytes),uint256,bytes)"
    ),
    "0x876a02f6": (
        "swapExactAmountInOnUniswapV3((address,address,uint256,uint256,uint256,"
        "bytes32,address,bytes),uint256,bytes)"
    ),
    "0xa76f4eb6": (
        "swapExactAmountOutOnUniswapV2((address,address,uint256,uint256,uint256"
        ",bytes32,address,bytes),uint256,bytes)"
    ),
    "0x5e94e28d": (
        "swapExactAmountOutOnUniswapV3((address,address,uint256,uint256,uint256"
        ",bytes32,address,bytes),uint256,bytes)"
    ),
    "0x1a01c532": (
        "swapExactAmountInOnCurveV1((uint256,uint256,address,address,uint256,ui"
        "nt256,uint256,bytes32,address),uint256,bytes)"
    ),
    "0xe37ed256": (
        "swapExactAmountInOnCurveV2((uint256,uint256,uint256,address,address,ad"
        "dress,uint256,uint256,uint256,bytes32,address),uint256,bytes)"
    ),
    "0xd85ca173": (
        "swapExactAmountInOnBalancerV2((uint256,uint256,uint256,bytes32,uint256"
        "),uint256,bytes,bytes)"
    ),
    "0xd6ed22e6": (
        "swapExactAmountOutOnBalancerV2((uint256,uint256,uint256,bytes32,uint25"
        "6),uint256,bytes,bytes)"
    ),
    # Odos v2
    "0x83bd37f9": "swapCompact()",
    "0x3b635ce4": (
        "swap((address,uint256,address,address,uint256,uint256,address),bytes,address,uint32)"
    ),
    "0x84a7f3dd": "swapMultiCompact()",
    "0x7bf2d6d4": (
        "swapMulti((address,uint256,address)[],(address,uint256,address)[],uint"
        "256,bytes,address,uint32)"
    ),
    # MetaMask swap
    "0x5f575529": "swap(string,address,uint256,bytes)",
    # 0x legacy
    "0x415565b0": "transformERC20(address,address,uint256,uint256,(uint32,bytes)[])",
    "0xd9627aa4": "sellToUniswap(address[],uint256,uint256,bool)",
    "0x3598d8ab": "sellEthForTokenToUniswapV3(bytes,uint256,address)",
    "0x6af479b2": "sellTokenForTokenToUniswapV3(bytes,uint256,uint256,address)",
    "0x803ba26d": "sellTokenForEthToUniswapV3(bytes,uint256,uint256,address)",
    # Balancer V2 Vault
    "0x52bbbe29": (
        "swap((bytes32,uint8,address,address,uint256,bytes),(address,bool,addre"
        "ss,bool),uint256,uint256)"
    ),
    "0x945bcec9": (
        "batchSwap(uint8,(bytes32,uint256,uint256,uint256,bytes)[],address[],(a"
        "ddress,bool,address,bool),int256[],uint256)"
    ),
}
"""Selector to signature."""
