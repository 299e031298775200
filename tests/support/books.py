"""What must hold of every stream at every moment."""

from __future__ import annotations

from trio_mev.stream import RealtimeDataStream


def assert_balanced(stream: RealtimeDataStream) -> None:
    stats = stream.get_stats()
    assert stats.books.balanced, stats.books
    for consumer in stats.consumers:
        assert consumer.books.balanced, consumer
