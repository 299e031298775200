"""Arguments read by slices: what eth-abi reads, and a clear error for what is no encoding."""

from __future__ import annotations

import pytest
from eth_abi import encode

from tests.support.encoding import arguments, plain
from trio_mev.chain.abi import MAX_ELEMENTS, Arguments, BadData, TooLarge, arguments_of, split

ONE, TWO = "0x" + "11" * 20, "0x" + "22" * 20
WORD = 32


@pytest.mark.parametrize(
    ("types", "values"),
    [
        ("uint256,uint8,bool", (2**256 - 1, 255, True)),
        ("int256,int24,int128", (-1, -(2**23), 2**127 - 1)),
        ("address,bytes32,bytes4", (ONE, b"x" * 32, b"abcd")),
        ("bytes,string", (b"", "text")),
        ("bytes", (bytes(range(100)),)),
        ("uint256[],address[]", ((1, 2, 3), (ONE, TWO))),
        ("uint256[]", ((),)),
        ("bytes[],uint256", ((b"a", b"", b"b" * 40), 7)),
        ("bytes32[3],uint16", ((b"a" * 32, b"b" * 32, b"c" * 32), 9)),
        ("(address,uint24),uint256", ((ONE, 500), 3)),
        ("(address,bytes),uint256", ((ONE, b"abc"), 3)),
        ("(address,(uint8,bytes)[])[2]", (((ONE, ((1, b"a"),)), (TWO, ())),)),
        ("(address,uint256,bytes)[][3]", ((((ONE, 1, b"x"),), (), ((TWO, 2, b""),)),)),
        ("", ()),
    ],
)
def test_arguments_come_out_as_they_went_in(types, values):
    data = b"\x01\x02\x03\x04" + arguments(types, *values)
    assert plain(Arguments(types).read(data, 4)) == plain(values)


@pytest.mark.parametrize(
    ("types", "data", "words"),
    [
        ("uint256", bytes(31), "shorter than its arguments"),
        ("address", b"\x01" + bytes(31), "more than 20 bytes"),
        ("uint8", (256).to_bytes(WORD, "big"), "over 8 bits"),
        ("int24", (2**23).to_bytes(WORD, "big"), "over 24 bits"),
        ("bool", (2).to_bytes(WORD, "big"), "neither true nor false"),
        ("bytes4", b"abcde" + bytes(27), "more than 4 bytes"),
        ("bytes", (2**255).to_bytes(WORD, "big"), "bytes outside"),
        ("bytes", (32).to_bytes(WORD, "big") + (33).to_bytes(WORD, "big"), "bytes outside"),
        ("uint256[]", (32).to_bytes(WORD, "big") + (2**255).to_bytes(WORD, "big"), "an array out"),
        ("bytes[2]", (32).to_bytes(WORD, "big") + bytes(WORD), "shorter than its arguments"),
        ("(uint8,bytes)", (32).to_bytes(WORD, "big") + bytes(WORD), "shorter than its arguments"),
        (
            "address[]",
            (32).to_bytes(WORD, "big") + (1).to_bytes(WORD, "big") + b"\x01" * 32,
            "20 b",
        ),
    ],
)
def test_what_is_no_encoding_is_a_clear_error(types, data, words):
    with pytest.raises(BadData, match=words):
        Arguments(types).read(data)


def test_an_array_of_values_of_changing_size_has_a_bound():
    most = encode(["bytes[]"], [[b""] * MAX_ELEMENTS])
    assert len(Arguments("bytes[]").read(most)[0]) == MAX_ELEMENTS
    more = encode(["bytes[]"], [[b""] * (MAX_ELEMENTS + 1)])
    with pytest.raises(BadData, match="more than 1024 elements"):
        Arguments("bytes[]").read(more)


def test_bytes_within_an_array_are_views_and_not_copies():
    data = arguments("(uint8,bytes)[]", [(1, b"x" * 100)])
    (((_, view),),) = Arguments("(uint8,bytes)[]").read(data)
    assert view.obj is data
    (((_, view),),) = Arguments("(uint8,bytes)[]").read(data[:-32] + bytes(32))
    assert bytes(view[:68]) == b"x" * 68


@pytest.mark.parametrize("length", [2**255, 33])
def test_bytes_within_an_array_that_are_not_there_are_a_clear_error(length):
    for at in (64, 2**200):
        words = 32, 1, 32, at, length
        data = b"".join([word.to_bytes(WORD, "big") for word in words])
        with pytest.raises(BadData, match="outside of the data"):
            Arguments("(bytes)[]").read(data)


def test_elements_that_overlap_are_copied_within_a_bound():
    shared = encode(["bytes"], [bytes(100_000)])[32:]
    heads = [(5 * WORD).to_bytes(WORD, "big")] * 5
    data = b"".join([(32).to_bytes(WORD, "big"), (5).to_bytes(WORD, "big"), *heads, shared])
    with pytest.raises(TooLarge, match="more than 262144 bytes"):
        Arguments("bytes[]").read(data)


@pytest.mark.parametrize("types", ["uint256[][]", "(bytes,uint8[])[]", "bytes[][]"])
def test_an_array_within_an_array_is_not_read(types):
    with pytest.raises(ValueError, match="no bound"):
        Arguments(types)


def test_a_place_too_far_away_to_count_is_a_clear_error():
    with pytest.raises(BadData, match="shorter than its arguments"):
        Arguments("(uint8,bytes)").read((2**255).to_bytes(WORD, "big") + bytes(96))


def test_a_list_of_types_is_split_at_its_outermost_commas():
    assert split("(address,(uint8,bytes)[]),bytes32[3],bool") == [
        "(address,(uint8,bytes)[])",
        "bytes32[3]",
        "bool",
    ]
    assert split("") == []
    assert arguments_of("f(uint8,bytes)").size == 2 * WORD


def test_there_is_no_other_type():
    with pytest.raises(ValueError, match="no type of the ABI is named real"):
        Arguments("real")


@pytest.mark.parametrize(
    ("types", "words", "reason"),
    [
        ("address[]", (32, 2), "an array outside"),
        ("bytes[]", (32, 2), "an array outside"),
        ("bytes[]", (32, 1, 32, 33), "bytes outside"),
        ("(bytes)[]", (32, 1, 32, 32, 33), "bytes outside"),
        ("(bytes)[]", (32, MAX_ELEMENTS + 1, *[0] * (MAX_ELEMENTS + 1)), "more than 1024"),
    ],
)
def test_arrays_that_are_not_all_there_are_a_clear_error(types, words, reason):
    data = b"".join([word.to_bytes(WORD, "big") for word in words])
    with pytest.raises(BadData, match=reason):
        Arguments(types).read(data)
