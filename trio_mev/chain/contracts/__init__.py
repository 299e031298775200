"""Addresses, methods and events of Ethereum's main network: data, one file a protocol.

Each file names the chain and where its facts are from. Methods are by selector: the first four
bytes of the Keccak-256 of the signature; events are by topic: the whole of it.
"""
