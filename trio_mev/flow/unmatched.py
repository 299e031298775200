"""Calls that a tape does not have: counted under the feed, and said once."""

from __future__ import annotations

from loguru import logger

from .status import FeedStatus

UNMATCHED = "call_not_on_tape"
"""Under which they are counted, beside the frames that cannot be used."""


def count_unmatched(status: FeedStatus, what: str) -> None:
    """A processor has asked something that the tape does not have.

    Args:
        status: of the feed that would have been asked.
        what: the call, in words.
    """
    if not status.refused[UNMATCHED]:
        logger.warning(
            "feed {}: processors ask what the tape does not have, such as {}; they go on without",
            status.name,
            what,
        )
    status.refused[UNMATCHED] += 1
