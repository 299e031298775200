"""Reasons of reverts, and what a node's errors mean."""

from __future__ import annotations

import pytest
from eth_abi import encode
from hypothesis import given
from hypothesis import strategies as st

from trio_mev.errors import RpcFailed
from trio_mev.wire.reverts import LONGEST, Refusal, decode_revert, meaning, shown

ERROR, PANIC = bytes.fromhex("08c379a0"), bytes.fromhex("4e487b71")


@given(st.text(max_size=2 * LONGEST))
def test_the_text_of_an_error_is_told_in_one_line(text):
    told = decode_revert(ERROR + encode(["string"], [text]))
    assert told == shown(text)
    assert len(told) <= LONGEST + 1
    assert told.isprintable()


@pytest.mark.parametrize(
    ("returned", "reason"),
    [
        (b"", ""),
        (b"\x01\x02", "0x0102"),
        (PANIC + (0x11).to_bytes(32), "panic 0x11: arithmetic overflow or underflow"),
        (PANIC + (0x77).to_bytes(32), "panic 0x77: of an unknown kind"),
        (PANIC + (2**200).to_bytes(32), "panic: of an unknown kind"),
        (PANIC, "error 0x4e487b71"),
        (ERROR, "error 0x08c379a0"),
        (bytes.fromhex("1b31d4cf") + bytes(32), "error 0x1b31d4cf"),
        (ERROR + (2**255).to_bytes(32) + bytes(32), "error 0x08c379a0"),
        (ERROR + (32).to_bytes(32) + (33).to_bytes(32) + bytes(32), "error 0x08c379a0"),
        (ERROR + (32).to_bytes(32) + (2).to_bytes(32) + b"\xff\x0a", "\N{REPLACEMENT CHARACTER}"),
    ],
)
def test_a_reason_is_told_as_far_as_there_is_one(returned, reason):
    assert decode_revert(returned) == reason


@given(st.binary(max_size=300), st.sampled_from([b"", ERROR, PANIC]))
def test_no_bytes_make_it_fail(rest, start):
    told = decode_revert(start + rest)
    assert told.isprintable()
    assert len(told) <= LONGEST + 1


@pytest.mark.parametrize(
    ("code", "message"),
    [
        (-32601, "the method debug_traceCall does not exist/is not available"),
        (-32601, "rpc method is unsupported"),
        (-32602, "data did not match any variant of untagged enum EthRpcCall"),
        (-32602, "invalid 3rd argument: options 'tracer': invalid tracer value"),
        (-32603, "method trace_call not supported"),
        (-32000, "Method debug_traceCall not allowed"),
        (-32000, "debug and trace methods are not supported on your current plan"),
        (-32001, "rpc method is not whitelisted"),
        (-32600, "debug_traceCall is not available on the Free tier - upgrade to Pay As You Go"),
        (-32053, "API key is not allowed to access method"),
        (-32605, "no"),
        (-32004, "unsupported"),
        (403, "Forbidden"),
        (0, "Access denied"),
    ],
)
def test_a_node_without_the_method_says_so_in_many_ways(code, message):
    assert meaning(RpcFailed(code, message), proven=False) is Refusal.METHOD


@pytest.mark.parametrize(
    ("code", "message"),
    [
        (-32005, "daily request count exceeded"),
        (429, "slow down"),
        (-32000, "Too Many Requests"),
        (-32016, "you are over your rate limit"),
        (-32000, "compute units per second capacity exceeded"),
    ],
)
def test_too_many_calls_are_no_lack_of_the_method(code, message):
    assert meaning(RpcFailed(code, message), proven=False) is Refusal.RATE


@pytest.mark.parametrize(
    ("code", "message"),
    [
        (-32001, "Resource not found"),
        (-32003, "Insufficient funds for gas * price + value"),
        (-38014, "insufficient funds for gas * price + value: address 0x11 have 0 want 5"),
        (-38015, "block gas limit reached: 0 >= 30000000"),
        (-32000, "header not found"),
        (-32000, "required historical state unavailable"),
        (-32000, "historical state 0xab is not available"),
        (-32603, "internal error"),
        (3, "execution reverted: method not found, forbidden by your current plan"),
        (3, "Execution reverted: rate limit"),
    ],
)
def test_other_errors_are_about_the_call_alone(code, message):
    assert meaning(RpcFailed(code, message), proven=False) is Refusal.CALL


def test_wrong_parameters_are_the_calls_own_once_the_method_has_answered():
    error = RpcFailed(-32602, "invalid argument 0: hex string of odd length")
    assert meaning(error, proven=False) is Refusal.METHOD
    assert meaning(error, proven=True) is Refusal.CALL


@given(st.integers(), st.text(max_size=600), st.booleans())
def test_any_error_means_something(code, message, proven):
    assert meaning(RpcFailed(code, message), proven) in Refusal
