"""The messages that travel: 1 kB transactions of a node and 182 B quotes of an exchange."""

from __future__ import annotations

import struct

TRANSACTION = "transaction"
QUOTE = "quote"
SIZES = {TRANSACTION: 1024, QUOTE: 182}
"""Bytes of one message's payload."""
SERVER_ID = "0x9cef478923ff08bf67fde6c64013158d"

_TRANSACTION_HEAD = (
    '{"jsonrpc":"2.0","method":"eth_subscription","params":{"subscription":"'
    + SERVER_ID
    + '","result":{"blockHash":null,"blockNumber":null,'
    '"from":"0x2b5634c42055806a59e9107ed44d43c426e58258","gas":"0x38d7e","gasPrice":"0x2cb417800",'
    '"maxFeePerGas":"0x2cb417800","maxPriorityFeePerGas":"0x59682f00","hash":"0x'
).encode()
_TRANSACTION_TAIL = (
    '","to":"0x3fc91a3afd70395cd496c647d5a6cc9d4b2b7fad",'
    '"transactionIndex":null,"value":"0x1bc16d674ec80000","type":"0x2","accessList":[],'
    '"chainId":"0x1","v":"0x1",'
    '"r":"0x88ff6cf0fefd94db46111149ae4bfc179e9b94721fffd821d38d16464b3f71d0",'
    '"s":"0x45e0aff800961cfce805daef7016b9b675c137a6a41a548f7b60a3484c06a33a",'
    '"input":"0x%s"}}}'
)
_QUOTE_TAIL = (
    ',"s":"ETHUSDT","b":"3120.51000000","B":"31.21000000","a":"3120.52000000","A":"40.66000000"%s}}'
)


def header(size: int) -> bytes:
    """A WebSocket header of an unmasked text message."""
    if size < 126:
        return bytes([0x81, size])
    if size < 2**16:
        return b"\x81\x7e" + struct.pack(">H", size)
    return b"\x81\x7f" + struct.pack(">Q", size)


class Template:
    """Frames that differ in one number: a transaction's hash and nonce, or an update's number."""

    def __init__(self, kind: str) -> None:
        size = SIZES[kind]
        if kind == TRANSACTION:
            # Two with one nonce would replace each other.
            self._number = b'%(n)064x","nonce":"0x1%(n)014x'
            head, tail = _TRANSACTION_HEAD, _TRANSACTION_TAIL
            room = size - len(head) - len(self._number % {b"n": 0}) - len(tail % "")
            call = "3593564c" + "".join(f"{n % 256:02x}" for n in range(200))
            filled = tail % call[: room - room % 2]
            if room % 2:  # a byte of data is two digits
                filled = filled.replace('"v":"0x1"', '"v":"0x01"')
        else:
            self._number = b"%(n)16d"  # JSON has no numbers that begin with a zero
            head, tail = b'{"stream":"ethusdt@bookTicker","data":{"u":', _QUOTE_TAIL
            room = size - len(head) - 16 - len(tail % "")
            filled = tail % (',"_":"' + "1" * (room - 7) + '"')
        self._head = header(size) + head
        self._tail = filled.encode()
        assert len(self.frame(10**15)) == len(header(size)) + size

    def frame(self, number: int) -> bytes:
        """A whole frame, header and all; the number has at most 16 digits."""
        return self._head + self._number % {b"n": number} + self._tail
