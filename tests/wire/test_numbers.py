"""Numbers as text: exact, finite, bounded, or refused with a reason."""

from __future__ import annotations

import contextlib
import datetime
from decimal import Decimal

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from trio_mev.errors import MalformedFrame
from trio_mev.wire.numbers import (
    MAX_INPUT,
    address,
    data,
    decimal,
    exact,
    exact_price,
    hash32,
    iso_time,
    maybe_quantity,
    microseconds,
    milliseconds,
    price,
    quantity,
    seconds,
    whole,
)

READERS = [decimal, price, quantity, data, hash32, address, iso_time]
NUMERIC = st.text("0123456789abcdefABCDEFxX.-+_eE ٣naNifty:TZ", max_size=90)
ANY_TEXT = st.text(st.characters(exclude_categories=()), max_size=90)
EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)


def reason_of(read, *arguments) -> str:
    with pytest.raises(MalformedFrame) as caught:
        read(*arguments)
    return caught.value.reason


@pytest.mark.parametrize("read", READERS, ids=lambda r: r.__name__)
def test_arbitrary_text_is_read_or_refused(read):
    @given(NUMERIC | ANY_TEXT | NUMERIC.map("0x".__add__))
    def attempt(text):
        with contextlib.suppress(MalformedFrame):
            read(text)

    attempt()


@given(st.integers(0, 10**19), st.integers(0, 20))
def test_a_decimal_is_exactly_its_digits(digits, places):
    text = f"{digits:0{places + 1}d}"
    text = f"{text[:-places]}.{text[-places:]}" if places else text
    read = decimal(text)
    assert read * 10**places == digits
    assert f"{read:f}" == text


@pytest.mark.parametrize(
    ("text", "value"),
    [("31500.1", "31500.1"), (".5", "0.5"), ("5.", "5"), ("0.00000000", "0"), ("007", "7")],
)
def test_a_decimal_has_at_most_one_point(text, value):
    assert decimal(text) == Decimal(value)


@pytest.mark.parametrize(
    "text",
    ["", ".", "1.2.3", "NaN", "Infinity", "1e999", "1E+5", "+1", "1_000", " 1", "1 ", "٣", "0x10",
     "sNaN", "--1", "-", "1" * 41],
)  # fmt: skip
def test_what_decimal_would_take_beyond_digits_is_a_bad_number(text):
    assert reason_of(decimal, text) == "bad_number"


def test_forty_digits_are_the_most():
    assert decimal("9" * 40) == 10**40 - 1


@pytest.mark.parametrize("text", ["-1", "-0.5", "-1e5"])
def test_a_negative_number_has_its_own_reason(text):
    assert reason_of(decimal, text) == "negative_number"


@pytest.mark.parametrize("text", ["0", "0.000", "-1", "-0.01"])
def test_a_price_is_over_zero(text):
    assert reason_of(price, text) == "price_not_positive"


def test_a_price_that_is_no_number_is_a_bad_number():
    assert reason_of(price, "NaN") == "bad_number"
    assert price("0.01") == Decimal("0.01")


@given(st.integers(0, 2**256 - 1))
def test_a_quantity_reads_back(value):
    assert quantity(hex(value)) == value
    assert quantity(hex(value).upper().replace("X", "x")) == value


@given(st.integers(1, 64), st.integers(0, 2**256 - 1))
def test_a_quantity_is_within_its_bits(nibbles, value):
    bits = 4 * nibbles
    if len(hex(value)) - 2 > nibbles:
        assert reason_of(quantity, hex(value), bits) == "hex_too_long"
    else:
        assert quantity(hex(value), bits) == value


@pytest.mark.parametrize(
    "text", ["", "0x", "10", "0X10", "0x1_0", "0x 1", "-0x1", "0x-1", "0xg", "0x٣", "0x1.0"]
)
def test_what_int_would_take_beyond_digits_is_bad_hex(text):
    assert reason_of(quantity, text) == "bad_hex"


def test_an_absurdly_long_quantity_is_refused_unread():
    assert reason_of(quantity, "0x" + "0" * 65) == "hex_too_long"
    assert reason_of(quantity, "0x" + "f" * 10_000_000) == "hex_too_long"


def test_a_quantity_may_be_absent():
    assert maybe_quantity(None) is None
    assert maybe_quantity("0x10") == 16
    assert reason_of(maybe_quantity, "0x100", 8) == "hex_too_long"


@given(st.binary(max_size=200))
@example(b"")
def test_data_reads_back(raw):
    assert data("0x" + raw.hex()) == raw


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "bad_hex"),
        ("00", "bad_hex"),
        ("0xzz", "bad_hex"),
        ("0x0 0 ", "bad_hex"),
        ("0x00 00 ", "bad_hex"),
        ("0x٣٣", "bad_hex"),
        ("0x0", "odd_hex"),
        ("0x" + "0" * (2 * MAX_INPUT + 1), "hex_too_long"),
    ],
)
def test_data_is_pairs_of_digits(text, reason):
    assert reason_of(data, text) == reason


def test_a_mebibyte_of_data_is_the_most():
    assert len(data("0x" + "00" * MAX_INPUT)) == 1_048_576


def test_hashes_and_addresses_are_lower_case():
    assert hash32("0x" + "aB" * 32) == "0x" + "ab" * 32
    assert address("0x" + "aB" * 20) == "0x" + "ab" * 20


@pytest.mark.parametrize("count", [63, 65])
def test_a_hash_has_64_digits(count):
    assert reason_of(hash32, "0x" + "a" * count) == "bad_hash"


@pytest.mark.parametrize(
    "text", ["0x" + "a" * 39, "0x" + "a" * 41, "a" * 42, "0x" + "a" * 40 + "\n"]
)
def test_an_address_has_40_digits(text):
    assert reason_of(address, text) == "bad_address"


def test_milliseconds_become_nanoseconds_between_1970_and_9999():
    assert milliseconds(1_672_515_782_136) == 1_672_515_782_136_000_000
    assert milliseconds(0) == 0
    assert milliseconds(253_402_300_799_999) == 253_402_300_799_999_000_000
    assert reason_of(milliseconds, -1) == "bad_time"
    assert reason_of(milliseconds, 253_402_300_800_000) == "bad_time"


@given(st.integers(0, 253_402_300_799_999_999), st.integers(-1439, 1439))
def test_a_time_with_its_zone_is_the_same_moment(microseconds, minutes):
    zone = datetime.timezone(datetime.timedelta(minutes=minutes))
    moment = EPOCH + datetime.timedelta(microseconds=microseconds)
    with contextlib.suppress(OverflowError):
        moment = moment.astimezone(zone)
    assert iso_time(moment.isoformat()) == microseconds * 1000


@pytest.mark.parametrize(
    ("text", "nanoseconds"),
    [
        ("2023-03-04T03:37:20.799258Z", 1_677_901_040_799_258_000),
        ("2023-03-04T05:37:20+02:00", 1_677_901_040_000_000_000),
        ("1970-01-01T00:00:00Z", 0),
    ],
)
def test_a_known_moment(text, nanoseconds):
    assert iso_time(text) == nanoseconds


@pytest.mark.parametrize(
    "text",
    [
        "",
        "now",
        "2023-03-04",
        "2023-03-04T03:37:20",
        "2023-13-04T03:37:20Z",
        "1969-12-31T23:59:59Z",
    ],
)
def test_a_time_without_a_zone_or_before_1970_is_a_bad_time(text):
    assert reason_of(iso_time, text) == "bad_time"


@pytest.mark.parametrize(
    "text", ["0.1", "108359.80", "17.17988863", "0", "1E-7", "1234567890123456789.0123456789"]
)
def test_a_number_of_json_is_exact(text):
    assert str(exact(Decimal(text))) == text


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("NaN", "bad_number"),
        ("sNaN", "bad_number"),
        ("-Infinity", "bad_number"),
        ("1E+41", "bad_number"),
        ("1E-41", "bad_number"),
        ("1" * 41, "bad_number"),
        ("-0.5", "negative_number"),
        ("-0", "negative_number"),
    ],
)
def test_a_number_of_json_that_cannot_be_is_refused(text, reason):
    assert reason_of(exact, Decimal(text)) == reason


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("0", "price_not_positive"),
        ("-1", "price_not_positive"),
        ("-1E+999", "price_not_positive"),
        ("NaN", "bad_number"),
        ("Infinity", "bad_number"),
        ("1E+999", "bad_number"),
    ],
)
def test_a_price_of_json_is_over_zero(text, reason):
    assert reason_of(exact_price, Decimal(text)) == reason
    assert exact_price(Decimal("0.00000001")) == Decimal("0.00000001")


def test_a_whole_number_is_digits_alone():
    assert whole("1626526618762") == 1_626_526_618_762
    for text in ("", "-1", "+1", "1.0", "1_0", " 1", "\u0661", "\u00b2", "1" * 20):
        assert reason_of(whole, text) == "bad_number"


def test_seconds_are_exact_to_the_nanosecond():
    assert seconds("1618678142.557535") == 1_618_678_142_557_535_000
    assert seconds("1618678142") == 1_618_678_142_000_000_000
    assert seconds("0.000000001") == 1
    texts = ("", ".", ".5", "-1", "1.0000000001", "1e3", "1.2.3", "9" * 12, "9" * 13, "\u0661")
    for text in texts:
        assert reason_of(seconds, text) == "bad_time"


def test_microseconds_are_digits():
    assert microseconds("1643643584587001") == 1_643_643_584_587_001_000
    for text in ("", "-1", "1.5", "٣", "1e9", "9" * 18, "1" * 19, " 1"):
        assert reason_of(microseconds, text) == "bad_time"
