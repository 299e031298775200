"""What can be done as of one moment: open opportunities beside what is pending."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

import attrs

from .chain import MempoolView
from .opportunity import Opportunity


@attrs.frozen
class OpenOpportunity:
    """An opportunity that nothing has decided yet."""

    opportunity: Opportunity
    """As it was told last."""
    confidence: float
    """Of its detector, from 0 to 1."""
    remaining: float | None
    """Seconds until the block is expected in which it can be done at the latest, as far as is
    known: until its pools change, or what it came of is in a block, that is always the next one.
    0 is that the block is due. None where nobody knows how far apart blocks are."""


@attrs.frozen
class MempoolSnapshot:
    """The mempool's view, and the opportunities that are open."""

    view: MempoolView | None
    """At the latest block; None before the first."""
    price_tracking: Mapping[str, Decimal]
    """The latest price of each instrument that can be believed."""
    opportunity_count: int
    """How many are open."""
    total_potential_profit: Decimal | None
    """USD of those that can be taken together: of several at one pool only the best counts. None
    where no price is known for any."""
    unpriced: int
    """How many have no value in USD and are not in it."""
    opportunities: tuple[OpenOpportunity, ...]
    """The best ones, by USD; those without come last; bounded."""
