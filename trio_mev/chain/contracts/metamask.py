"""MetaMask swap and LiFi, on Ethereum's main network.

Address and method: published bindings of MetaMask's router, and recorded calls, by whose traces
the data of its adapters is known. What LiFi's methods swap is not known here.
"""

from __future__ import annotations

from collections.abc import Mapping

CHAIN_ID = 1

ROUTERS: Mapping[str, str] = {
    "0x881d40237659c251811cec9c364ef91dc08d300c": "MetaMask swap",
}
"""Address in lower case to name."""

OPAQUE: Mapping[str, str] = {
    "0x1231deb6f5749ef6ce6943a275a1d3e7486f4eae": "LiFi",
}

METHODS: Mapping[str, str] = {
    "0x5f575529": "swap(string,address,uint256,bytes)",
}
"""Selector to signature."""
