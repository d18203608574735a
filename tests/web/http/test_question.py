from datetime import UTC, datetime
from typing import Any

import pytest
from starlette.datastructures import QueryParams

from iskra_server.web.http.question import BadRequest, Query, whole_number

NOW = datetime(2026, 11, 22, 10, 5, tzinfo=UTC)
NAMES = ("from", "to", "at", "points", "tz")


def question(server: str = "Europe/Berlin", **given: Any) -> Query:
    return Query(QueryParams({key.rstrip("_"): str(value) for key, value in given.items()}), NAMES, now=NOW, tz=server)


def moments(asked: Query) -> tuple[str, ...]:
    return tuple(moment.isoformat() for moment in asked.period())


def test_a_period_is_today_in_the_servers_zone_unless_told_otherwise() -> None:
    assert moments(question()) == ("2026-11-21T23:00:00+00:00", "2026-11-22T23:00:00+00:00")
    assert moments(question("UTC")) == ("2026-11-22T00:00:00+00:00", "2026-11-23T00:00:00+00:00")
    assert moments(question("UTC", tz="Asia/Tokyo"))[0] == "2026-11-21T15:00:00+00:00"


def test_a_period_has_names_dates_and_moments() -> None:
    assert moments(question("UTC", from_="last_month")) == ("2026-10-01T00:00:00+00:00", "2026-11-01T00:00:00+00:00")
    assert moments(question("UTC", from_="2026-01", to="2026-02-03"))[1] == "2026-02-04T00:00:00+00:00"
    assert moments(question(from_="2026-11-22T10:00:00Z")) == ("2026-11-22T10:00:00+00:00", "2026-11-22T10:05:00+00:00")


def test_a_moment_is_the_present_unless_told_otherwise() -> None:
    assert question().moment("at") == NOW
    assert question("UTC", at="yesterday").moment("at") == datetime(2026, 11, 21, tzinfo=UTC)


def test_a_whole_number_has_a_default_and_a_limit() -> None:
    assert question().whole("points", default=7, most=20) == 7
    assert question(points=20).whole("points", default=7, most=20) == 20


@pytest.mark.parametrize("text", ["0", "21", "-1", "1.5", "", "ten", "٣", "9" * 5000, "+5", " 5"])
def test_any_other_number_is_refused(text: str) -> None:
    with pytest.raises(BadRequest, match="is not allowed; give a whole number from 1 to 5,000"):
        question(points=text if text != "21" else "5001").whole("points", default=7, most=5000)


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"from_": "tomorow"}, "'tomorow' is not a period; expected today,"),
        ({"from_": "2026-11-22", "to": "2026-11-20"}, "'2026-11-20' does not end after '2026-11-22' begins"),
        ({"from_": "2026-11-23T00:00:00Z"}, "'now' does not end after"),
    ],
)
def test_no_period_is_misuse(given: dict[str, str], sentence: str) -> None:
    with pytest.raises(BadRequest, match=sentence):
        question(**given).period()


@pytest.mark.parametrize("name", ["Mars", "Europe", "../../etc/passwd", "/etc/passwd", "a" * 999])
def test_no_time_zone_is_misuse(name: str) -> None:
    with pytest.raises(BadRequest, match="is not a time zone"):
        question(tz=name)


def test_a_control_character_is_misuse() -> None:
    with pytest.raises(BadRequest, match="'tz' holds a control character"):
        question(tz="a\0b")


@pytest.mark.parametrize(
    ("text", "number"),
    [
        *(("0", 0), ("99", 99), ("100", None), ("", None), ("-1", None), ("+1", None), ("1_0", None), (" 1", None)),
        *(("²", None), ("٣", None), ("9" * 5000, None), ("1.0", None), ("1e1", None)),
    ],
)
def test_a_whole_number_is_of_few_ascii_digits(text: str, number: int | None) -> None:
    assert whole_number(text, 99) == number


def test_no_moment_is_misuse() -> None:
    with pytest.raises(BadRequest, match="'noon' is not a period"):
        question(at="noon").moment("at")


def test_an_unknown_word_and_one_given_twice_are_misuse() -> None:
    with pytest.raises(BadRequest, match="'form' is not known here; known are from, to, at, points, tz"):
        question(form="today")
    with pytest.raises(BadRequest, match="'from' is given more than once"):
        Query(QueryParams("from=today&from=yesterday"), NAMES, now=NOW, tz="UTC")
