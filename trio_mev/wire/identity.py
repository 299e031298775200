"""Which chain a node is on, before anything is asked of it."""

from __future__ import annotations

from collections.abc import Iterator

import attrs
import msgspec
from msgspec import UNSET

from ..errors import SubscriptionRejected
from ..model.settings import EthereumSettings
from .asking import BY_NUMBER
from .ethereum import parse_head
from .jsonrpc import Message, Request
from .numbers import quantity
from .session import decode
from .trunk import Trunk

CHAIN_ID = "eth_chainId"
IDENTITY = "identity"
"""The label of what a node is asked about its chain."""

_TEXT = msgspec.json.Decoder(str)


@attrs.define(eq=False)
class Identity:
    """What a node owes before it is believed.

    Args:
        settings: which chain it shall be on.
        source: its alias.
        trunk: which chain the others of its feed are on.
    """

    settings: EthereumSettings
    source: str
    trunk: Trunk
    _owed: int = 0

    def questions(self) -> Iterator[tuple[str, list[object]]]:
        """What to ask it; nothing where nothing is to be checked."""
        if self.settings.chain_id is not None:
            self._owed += 1
            yield CHAIN_ID, []
        if self.trunk.several or self.settings.genesis is not None:
            self._owed += 1
            yield BY_NUMBER, ["0x0", False]

    @property
    def proven(self) -> bool:
        """Whether it owes nothing more."""
        return not self._owed

    def answered(self, request: Request, message: Message) -> None:
        """One of its answers.

        Raises:
            SubscriptionRejected: it is on another chain.
            MalformedFrame: it is no answer.
        """
        raw = message.result if message.result is not UNSET else b"null"
        if request.method == CHAIN_ID:
            found, wanted = quantity(decode(_TEXT, raw), 64), self.settings.chain_id
            if found != wanted:
                raise SubscriptionRejected(
                    f"the node is on chain {found}, and {wanted} is configured"
                )
        elif bytes(raw) != b"null":  # some nodes have forgotten their first block
            self._check_genesis(parse_head(raw).hash)
        self._owed -= 1

    def _check_genesis(self, found: str) -> None:
        wanted = self.settings.genesis
        if wanted is not None and found != wanted.lower():
            raise SubscriptionRejected(
                f"the node's chain begins with {found}, and {wanted} is configured"
            )
        other = self.trunk.vouch(self.source, found)
        if other is not None:
            raise SubscriptionRejected(f"the node's chain begins otherwise than that of {other}")
