"""The plug-in interface: a processor in a few lines, and the one way of events."""

from __future__ import annotations

import pytest

from trio_mev.errors import ConfigError
from trio_mev.flow.processor import DataProcessor, check_stages
from trio_mev.model.event import DataType


class Plain(DataProcessor):
    consumes = frozenset({DataType.QUOTE})

    async def process_event(self, event):
        return ()


def variant(**attributes):
    return type("Variant", (Plain,), attributes)()


def test_a_processor_admits_everything_and_emits_findings_unless_it_says_otherwise(make_event):
    processor = Plain()
    check_stages(processor)
    assert processor.admits(make_event())
    assert processor.emits == {DataType.FINDING}


@pytest.mark.parametrize(
    ("consumes", "emits"),
    [
        ({DataType.QUOTE}, {DataType.QUOTE}),
        ({DataType.QUOTE, DataType.PRICE}, {DataType.PRICE}),
        ({DataType.PRICE}, {DataType.BLOCK_SUMMARY}),
        ({DataType.FINDING}, {DataType.ALERT}),
    ],
)
def test_emitting_a_stage_not_later_than_consumed_is_refused(consumes, emits):
    with pytest.raises(ConfigError, match=r"Variant consumes the stage .* emit only later stages"):
        check_stages(variant(consumes=frozenset(consumes), emits=frozenset(emits)))


@pytest.mark.parametrize("consumes", [frozenset(), None])
def test_a_processor_that_consumes_nothing_is_refused(consumes):
    class Idle(DataProcessor):
        async def process_event(self, event):
            return ()

    if consumes is not None:
        Idle.consumes = consumes
    with pytest.raises(ConfigError, match="Idle consumes nothing"):
        check_stages(Idle())


def test_a_processor_that_emits_nothing_may_consume_findings():
    check_stages(variant(consumes=frozenset({DataType.FINDING}), emits=frozenset()))
