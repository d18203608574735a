from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from iskra_server.codecs.text.times import moment
from iskra_server.meter.reading import MeterTime


@pytest.mark.parametrize(
    ("text", "kind", "utc_or_wall", "season_min"),
    [
        ("260704104157S", "timestamp", datetime(2026, 7, 4, 8, 41, 57, tzinfo=UTC), 0),
        ("261122100519W", "timestamp", datetime(2026, 11, 22, 9, 5, 19, tzinfo=UTC), 0),
        ("261122100519", "wall", datetime(2026, 11, 22, 10, 5, 19, tzinfo=UTC), 0),
        ("2611221005", "wall", datetime(2026, 11, 22, 10, 5, tzinfo=UTC), 0),
        ("0261122100519", "wall", datetime(2026, 11, 22, 10, 5, 19, tzinfo=UTC), 0),
        ("1260704104157", "wall", datetime(2026, 7, 4, 10, 41, 57, tzinfo=UTC), 60),
        ("2261122100519", "timestamp", datetime(2026, 11, 22, 10, 5, 19, tzinfo=UTC), 0),
        ("18-01-03 08:22", "wall", datetime(2018, 1, 3, 8, 22, tzinfo=UTC), 0),
        ("20240111 09:35:00", "wall", datetime(2024, 1, 11, 9, 35, tzinfo=UTC), 0),
        ("2017-01-18&01:36:47", "wall", datetime(2017, 1, 18, 1, 36, 47, tzinfo=UTC), 0),
    ],
)
def test_forms(text: str, kind: str, utc_or_wall: datetime, season_min: int) -> None:
    time = moment(text)
    assert time is not None
    assert (time.kind, time.seconds, time.season_offset_min) == (kind, utc_or_wall.timestamp(), season_min)


@pytest.mark.parametrize(
    ("date", "clock", "kind"),
    [
        ("0220127", "105644", "wall"),
        ("2220127", "10:56:44", "timestamp"),
        ("220127", "105644", "wall"),
        ("22-01-27", "10:56:44", "wall"),
    ],
)
def test_date_and_clock_apart(date: str, clock: str, kind: str) -> None:
    time = moment(date, clock)
    assert time is not None
    assert (time.kind, time.seconds) == (kind, datetime(2022, 1, 27, 10, 56, 44, tzinfo=UTC).timestamp())


@pytest.mark.parametrize(
    "text",
    [
        "",
        "632525252525S",
        "700101010000W",
        "250000000000W",
        "000101000000W",
        "00-00-00 00:00",
        "161311190000",
        "00000000",
        "12345",
    ],
)
def test_a_clock_that_is_not_set_has_no_moment(text: str) -> None:
    assert moment(text) is None


def test_no_summer_time_is_guessed() -> None:
    # the repeated hour of autumn, once as summer and once as winter time
    assert moment("261025023000S") == MeterTime("timestamp", 1792888200)
    assert moment("261025023000W") == MeterTime("timestamp", 1792888200 + 3600)


@given(st.text(max_size=20), st.text(max_size=8))
def test_any_text(text: str, clock: str) -> None:
    moment(text, clock)
    moment(text)
