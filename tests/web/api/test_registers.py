from decimal import Decimal
from typing import Any

import pytest

from iskra_server.history.store.store import Store
from iskra_server.meter.obis import Obis
from iskra_server.web.api.registers import MAX_LIMIT
from samples import EXPORT, METER_ID
from web.past import BERLIN, Past, Q, anew, counted, info, quarter

HOUR = "from=2025-06-02T10:00:00Z&to=2025-06-02T11:00:00Z"


def shown(answer: dict[str, Any]) -> list[tuple[str, Decimal]]:
    return [(value["at"][11:16], value["register_wh"]) for value in answer["values"]]


@pytest.fixture
def past(store: Store) -> Past:
    """Five quarters from ten o'clock, one of them without a reading."""
    store.write(counted([107323090, 107323100, None, 107323101, 107323200]), [info()])
    store.write(counted([7], obis=EXPORT))
    return Past(store)


def test_a_moment_has_the_last_value_of_every_counter(past: Past) -> None:
    answer = past.ask("registers?at=2025-06-02T10:44:59Z")
    assert answer["values"] == [
        {
            "name": "energy_import",
            "obis": "1-0:1.8.0*255",
            "at": "2025-06-02T10:15:00+00:00",
            "register_wh": Decimal("10732310.0"),
            "continuous_wh": Decimal("10732310.0"),
            "quality": "measured",
            "epoch": 0,
        },
        {
            "name": "energy_export",
            "obis": "1-0:2.8.0*255",
            "at": "2025-06-02T10:00:00+00:00",
            "register_wh": Decimal("0.7"),
            "continuous_wh": Decimal("0.7"),
            "quality": "measured",
            "epoch": 0,
        },
    ]
    assert (answer["meter"], answer["unit"], answer["tz"], "next" in answer) == (METER_ID, "Wh", "UTC", False)


@pytest.mark.parametrize(
    ("at", "shows"),
    [
        ("at=2025-06-02T10:45:00Z", "10:45"),
        ("at=2025-06-02T10:44:59.999Z", "10:15"),
        ("at=2030", "11:00"),
        ("", "11:00"),
    ],
)
def test_at_the_edge_of_a_quarter_its_own_value_counts(past: Past, at: str, shows: str) -> None:
    assert shown(past.ask(f"registers?{at}"))[0][0] == shows


def test_a_moment_before_the_first_value_has_none(past: Past) -> None:
    assert past.ask("registers?at=2025-06-02T09:59:59Z")["values"] == []


@pytest.mark.parametrize("name", ["energy_export", "2.8.0", "1-0:2.8.0", "1-0:2.8.0*255"])
def test_one_register_is_requested_by_any_of_its_names(past: Past, name: str) -> None:
    assert [value["name"] for value in past.ask(f"registers?register={name}")["values"]] == ["energy_export"]
    assert [value["name"] for value in past.ask(f"registers?{HOUR}&register={name}")["values"]] == ["energy_export"]


def test_a_register_outside_the_table_is_named_by_its_code(store: Store) -> None:
    store.write(counted([7], obis=Obis.parse("1-1:1.8.9")), [info()])
    assert Past(store).ask("registers?register=1-1:1.8.9")["values"][0]["name"] == "1-1:1.8.9"


def test_a_period_includes_both_ends(past: Past) -> None:
    assert [at for at, _ in shown(past.ask(f"registers?{HOUR}"))] == ["10:00", "10:15", "10:45", "11:00"]
    inner = "from=2025-06-02T10:00:01Z&to=2025-06-02T10:59:59Z"
    assert [at for at, _ in shown(past.ask(f"registers?{inner}"))] == ["10:15", "10:45"]


def test_a_period_without_a_value_is_empty(past: Past) -> None:
    assert past.ask("registers?from=2024")["values"] == []
    assert past.ask("registers?from=2025-06-02T10:20:00Z&to=2025-06-02T10:40:00Z")["values"] == []


def test_values_have_local_times_and_continuous_epochs(store: Store) -> None:
    store.write([*counted([1000]), *counted([3], first=Q + 1, epoch=1), anew(Q * 900 + 60, 1001, 1)], [info()])
    values = Past(store, tz=BERLIN).ask("registers?from=2025-06-02")["values"]
    assert [(value["at"], value["epoch"], value["register_wh"], value["continuous_wh"]) for value in values] == [
        ("2025-06-02T12:00:00+02:00", 0, Decimal("100.0"), Decimal("100.0")),
        ("2025-06-02T12:15:00+02:00", 1, Decimal("0.3"), Decimal("100.3")),
    ]


def test_pages_continue_across_gaps_until_the_last_value(store: Store) -> None:
    places = {0, 1, 2, 5, 6, 400, 401, 30_000, 30_001, 30_002}
    store.write([reading for place in places for reading in counted([place], first=Q + place)], [info()])
    past, pages = Past(store, tz=BERLIN), []
    answer: dict[str, Any] = {"next": "2025-06-02"}
    while "next" in answer:
        answer = past.ask(f"registers?from={answer['next'].replace('+', '%2B')}&to=2026&limit=3")
        pages.append([int(value["register_wh"] * 10) for value in answer["values"]])
    assert pages == [[0, 1, 2], [5, 6, 400], [401, 30_000, 30_001], [30_002]]


def test_a_full_last_page_has_no_next(past: Past) -> None:
    assert "next" not in past.ask(f"registers?{HOUR}&limit=4")
    assert past.ask(f"registers?{HOUR}&limit=3")["next"] == "2025-06-02T11:00:00+00:00"


def test_the_largest_page_has_10_000_values(store: Store) -> None:
    store.write(counted(range(MAX_LIMIT + 5), first=quarter("2025-01-01T00:00:00Z")), [info()])
    answer = Past(store).ask(f"registers?from=1970&to=2999&limit={MAX_LIMIT}")
    assert (len(answer["values"]), answer["next"]) == (MAX_LIMIT, "2025-04-15T04:00:00+00:00")


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ("limit=10001&from=today", "'limit=10001' is not allowed; give a whole number from 1 to 10,000."),
        ("at=today&from=today", "'at' is a moment and 'from' begins a period; give one of them."),
        ("to=today", "'to' needs a period; give 'from' too."),
        ("limit=5", "'limit' needs a period; give 'from' too."),
        (
            "register=power",
            f"Meter {METER_ID} has no register 'power' in history; it has energy_import, energy_export.",
        ),
        (
            "register=4.8.0&from=today",
            f"Meter {METER_ID} has no register '4.8.0' in history; it has energy_import, energy_export.",
        ),
    ],
)
def test_invalid_parameters_are_refused_with_a_sentence(past: Past, query: str, sentence: str) -> None:
    assert past.refusal(f"registers?{query}") == sentence


def test_a_meter_without_recorded_registers_has_none_by_name(store: Store) -> None:
    store.write([], [info()])
    assert "nothing of it is recorded yet" in Past(store).refusal("registers?register=energy_export")
    assert Past(store).ask("registers?from=today")["values"] == []
