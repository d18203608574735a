from datetime import UTC, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import msgspec
import pytest

from iskra_server.base.json_values import instant, local, number, text_or_flag, utc
from iskra_server.meter.reading import scaled


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (scaled(107323090, -4), b"10732.3090"),
        (scaled(7167, 0), b"7167"),
        (scaled(0, -4), b"0.0000"),
        (scaled(1, -9), b"0.000000001"),
        (scaled(-29912, -2), b"-299.12"),
        (scaled(2**63 - 1, -4), b"922337203685477.5807"),
        (Decimal("1E+3"), b"1000"),
    ],
)
def test_a_number_keeps_every_digit_in_plain_notation(value: Decimal, text: bytes) -> None:
    assert msgspec.json.encode(number(value)) == text


def test_what_is_not_a_number_is_its_own_json() -> None:
    assert msgspec.json.encode([text_or_flag('a"b'), text_or_flag(True)]) == rb'["a\"b",true]'


def test_a_moment_is_utc_to_the_millisecond() -> None:
    assert instant(datetime(2026, 11, 22, 10, 0, 0, 123987, tzinfo=UTC)) == "2026-11-22T10:00:00.123Z"
    assert instant(datetime(2026, 11, 22, 10, tzinfo=UTC)) == "2026-11-22T10:00:00.000Z"


def test_a_local_moment_has_its_offset() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    assert local(1_761_436_800, berlin) == "2025-10-26T02:00:00+02:00"
    assert local(1_761_440_400, berlin) == "2025-10-26T02:00:00+01:00"
    assert local(0, ZoneInfo("UTC")) == "1970-01-01T00:00:00+00:00"


def test_a_moment_by_utc_has_seconds() -> None:
    assert utc(1_761_436_800) == "2025-10-26T00:00:00Z"
