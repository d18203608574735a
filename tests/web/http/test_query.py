from datetime import UTC, datetime
from typing import Any

import pytest
from starlette.datastructures import QueryParams

from iskra_server.web.http.query import BadRequest, Query, whole_number

NOW = datetime(2026, 11, 22, 10, 5, tzinfo=UTC)
NAMES = ("from", "to", "at", "points", "tz")


def query(server: str = "Europe/Berlin", **parameters: Any) -> Query:
    return Query(
        QueryParams({key.rstrip("_"): str(value) for key, value in parameters.items()}), NAMES, now=NOW, tz=server
    )


def moments(query: Query) -> tuple[str, ...]:
    return tuple(moment.isoformat() for moment in query.period())


def test_the_default_period_is_today_in_the_servers_time_zone() -> None:
    assert moments(query()) == ("2026-11-21T23:00:00+00:00", "2026-11-22T23:00:00+00:00")
    assert moments(query("UTC")) == ("2026-11-22T00:00:00+00:00", "2026-11-23T00:00:00+00:00")
    assert moments(query("UTC", tz="Asia/Tokyo"))[0] == "2026-11-21T15:00:00+00:00"


def test_a_period_has_names_dates_and_moments() -> None:
    assert moments(query("UTC", from_="last_month")) == ("2026-10-01T00:00:00+00:00", "2026-11-01T00:00:00+00:00")
    assert moments(query("UTC", from_="2026-01", to="2026-02-03"))[1] == "2026-02-04T00:00:00+00:00"
    assert moments(query(from_="2026-11-22T10:00:00Z")) == ("2026-11-22T10:00:00+00:00", "2026-11-22T10:05:00+00:00")


def test_a_period_has_quarters_and_now_lies_in_one() -> None:
    begin = 1_795_305_600 // 900
    assert query("UTC").quarters() == (begin, begin + 96)
    assert query("UTC", from_="2026-11-22T00:14:59Z", to="2026-11-22T00:15:00Z").quarters() == (begin, begin + 1)
    assert query("UTC").quarter == begin + 40
    with pytest.raises(BadRequest, match="longer than 1 days"):
        query("UTC", from_="2026-11").quarters(max_days=1)


def test_today_is_that_of_the_time_zone() -> None:
    assert [query("UTC", tz=tz).today.day for tz in ("UTC", "Pacific/Kiritimati")] == [22, 23]


def test_the_default_moment_is_now() -> None:
    assert query().moment("at") == NOW
    assert query("UTC", at="yesterday").moment("at") == datetime(2026, 11, 21, tzinfo=UTC)


def test_a_whole_number_has_a_default_and_a_limit() -> None:
    assert query().integer("points", default=7, maximum=20) == 7
    assert query(points=20).integer("points", default=7, maximum=20) == 20


@pytest.mark.parametrize("text", ["0", "21", "-1", "1.5", "", "ten", "٣", "9" * 5000, "+5", " 5"])
def test_any_other_number_is_refused(text: str) -> None:
    with pytest.raises(BadRequest, match="is not allowed; give a whole number from 1 to 5,000"):
        query(points=text if text != "21" else "5001").integer("points", default=7, maximum=5000)


@pytest.mark.parametrize(
    ("parameters", "sentence"),
    [
        ({"from_": "tomorow"}, "'tomorow' is not a period; expected today,"),
        ({"from_": "2026-11-22", "to": "2026-11-20"}, "'2026-11-20' does not end after '2026-11-22' begins"),
        ({"from_": "2026-11-23T00:00:00Z"}, "'now' does not end after"),
    ],
)
def test_an_invalid_period_is_refused(parameters: dict[str, str], sentence: str) -> None:
    with pytest.raises(BadRequest, match=sentence):
        query(**parameters).period()


@pytest.mark.parametrize("name", ["Mars", "Europe", "../../etc/passwd", "/etc/passwd", "a" * 999])
def test_an_invalid_time_zone_is_refused(name: str) -> None:
    with pytest.raises(BadRequest, match="is not a time zone"):
        query(tz=name)


def test_a_control_character_is_refused() -> None:
    with pytest.raises(BadRequest, match="'tz' contains a control character"):
        query(tz="a\0b")


@pytest.mark.parametrize(
    ("text", "number"),
    [
        *(("0", 0), ("99", 99), ("100", None), ("", None), ("-1", None), ("+1", None), ("1_0", None), (" 1", None)),
        *(("²", None), ("٣", None), ("9" * 5000, None), ("1.0", None), ("1e1", None)),
    ],
)
def test_a_whole_number_has_few_ascii_digits(text: str, number: int | None) -> None:
    assert whole_number(text, 99) == number


def test_an_invalid_moment_is_refused() -> None:
    with pytest.raises(BadRequest, match="'noon' is not a period"):
        query(at="noon").moment("at")


def test_unknown_and_repeated_parameters_are_refused() -> None:
    with pytest.raises(BadRequest, match="'form' is not a parameter here; allowed are from, to, at, points, tz"):
        query(form="today")
    with pytest.raises(BadRequest, match="'from' is given more than once"):
        Query(QueryParams("from=today&from=yesterday"), NAMES, now=NOW, tz="UTC")
