from decimal import Decimal

import pytest

from iskra_server.web.metrics.exposition import OPEN_METRICS, TEXT, Family, Metric, Series, families, media_type, write

ENERGY = Family("energy_wh", "counter", "Energy.", [Series(Decimal("12345678.90"), {"name": "import"})], "wh")


def test_the_text_format_names_counters_with_total() -> None:
    assert write([ENERGY], TEXT).decode().splitlines() == [
        "# HELP energy_wh_total Energy.",
        "# TYPE energy_wh_total counter",
        'energy_wh_total{name="import"} 12345678.90',
    ]


def test_openmetrics_has_family_names_units_and_an_end() -> None:
    assert write([ENERGY], OPEN_METRICS).decode().splitlines() == [
        "# HELP energy_wh Energy.",
        "# TYPE energy_wh counter",
        "# UNIT energy_wh wh",
        'energy_wh_total{name="import"} 12345678.90',
        "# EOF",
    ]


def test_a_family_without_series_is_not_written() -> None:
    assert write([Family("nothing", "gauge", "Nothing.", [])], TEXT) == b""


@pytest.mark.parametrize(
    ("value", "shown"),
    [(True, "1"), (7, "7"), (0.25, "0.25"), (Decimal("1E+3"), "1000"), (Decimal("-0.0010"), "-0.0010")],
)
def test_numbers_have_every_digit(value: Decimal | float, shown: str) -> None:
    assert write([Family("x", "gauge", "X.", [Series(value)])], TEXT).splitlines()[-1] == f"x {shown}".encode()


def test_labels_are_escaped_and_empty_ones_left_out() -> None:
    series = Series(1, {"a": 'C:\\ "x"\n', "b": ""})
    assert write([Family("x", "gauge", "X.", [series])], TEXT).splitlines()[-1] == rb'x{a="C:\\ \"x\"\n"} 1'


def test_every_metric_becomes_a_family_without_items_that_have_no_value() -> None:
    metrics = (Metric[str]("length", "gauge", "How long.", lambda text: len(text) or None),)
    (family,) = families("word", metrics, ["kWh", ""], lambda text: {"word": text})
    assert (family.name, family.series) == ("word_length", [Series(3, {"word": "kWh"})])


@pytest.mark.parametrize(
    ("accept", "form"),
    [
        ("", TEXT),
        ("*/*", TEXT),
        ("text/html,application/xhtml+xml,*/*;q=0.8", TEXT),
        ("text/plain;version=0.0.4", TEXT),
        ("application/openmetrics-text", OPEN_METRICS),
        ("application/openmetrics-text;version=1.0.0;q=0.5,text/plain;version=0.0.4;q=0.3,*/*;q=0.1", OPEN_METRICS),
        ("application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75", OPEN_METRICS),
        ("application/openmetrics-text;q=0.2, text/plain;q=0.9", TEXT),
        ("application/openmetrics-text;q=0", TEXT),
        ("application/openmetrics-text;q=much", TEXT),
    ],
)
def test_the_format_follows_the_accept_header(accept: str, form: str) -> None:
    assert media_type(accept) == form
