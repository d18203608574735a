import pytest

from iskra_server.meter.obis import Obis
from iskra_server.meter.reading import Register
from iskra_server.meter.totals import SUM_OF_TARIFFS, TotalMemory, add_totals
from iskra_server.meter.units import WATT_HOUR


def derived(sent: dict[str, tuple[int, int]], memory: TotalMemory | None = None) -> dict[str, tuple[str, str]]:
    """What is derived from counters given as code -> raw, scaler: value and mark by code."""
    found = {
        Obis.parse(code): Register(Obis.parse(code), raw, scaler, WATT_HOUR) for code, (raw, scaler) in sent.items()
    }
    add_totals(found, memory or TotalMemory())
    return {
        each.obis.short.removeprefix("1-0:"): (format(each.value, "f"), each.derived)
        for each in found.values()
        if each.derived and each.value is not None
    }


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        ({"1.8.0": (1000, -1), "1.8.1": (600, -1), "1.8.2": (400, -1)}, {}),
        ({"1.8.1": (600, -1), "1.8.2": (401, -1)}, {"1.8.0": ("100.1", SUM_OF_TARIFFS)}),
        ({"1.8.1": (7, 3), "1.8.2": (400, -1)}, {"1.8.0": ("7040.0", SUM_OF_TARIFFS)}),
        ({"2.8.1": (6, 0), "2.8.2": (4, 0), "2.8.3": (1, 0)}, {"2.8.0": ("11", SUM_OF_TARIFFS)}),
        # one tariff may be one of several
        ({"1.8.1": (600, -1)}, {}),
        (
            {"1-1:1.8.0": (9, -4), "1-2:2.8.0": (8, -4)},
            {"1.8.0": ("0.0009", "from 1-1:1.8.0"), "2.8.0": ("0.0008", "from 1-2:2.8.0")},
        ),
        (
            {"1-1:1.7.0": (5, 0), "1-1:2.7.0": (7, 0)},
            {"1.7.0": ("5", "from 1-1:1.7.0"), "2.7.0": ("7", "from 1-1:2.7.0")},
        ),
        ({"1-1:1.7.0": (5, 0), "1.7.0": (6, 0)}, {}),
        ({"1-1:1.7.0": (5, 0), "16.7.0": (6, 0)}, {}),
        ({"1-1:1.7.0": (5, 0), "1-2:1.7.0": (6, 0)}, {}),
        # two channels are two meters; a value of last year is no total; another medium is none
        ({"1-1:1.8.0": (9, 0), "1-2:1.8.0": (8, 0)}, {}),
        ({"1-0:1.8.0*99": (9, 0)}, {}),
        ({"1-1:1.8.0*99": (9, 0)}, {}),
        ({"7-1:1.8.0": (9, 0)}, {}),
        ({}, {}),
    ],
)
def test_totals(sent: dict[str, tuple[int, int]], expected: dict[str, tuple[str, str]]) -> None:
    assert derived(sent) == expected


def test_a_tariff_that_is_missing_leaves_no_smaller_sum() -> None:
    memory, whole = TotalMemory(), {"1.8.1": (600, -1), "1.8.2": (400, -1), "1.8.3": (5, -1)}
    assert derived(whole, memory)
    assert derived({"1.8.1": (600, -1), "1.8.2": (400, -1)}, memory) == {}
    assert derived(whole, memory)


def test_a_total_that_was_sent_once_is_never_derived() -> None:
    memory = TotalMemory()
    assert derived({"1.8.0": (1000, -1)}, memory) == {}
    assert derived({"1.8.1": (600, -1), "1.8.2": (400, -1)}, memory) == {}


def test_a_tariff_without_a_number_once_leaves_the_next_sum() -> None:
    memory, whole = TotalMemory(), {"1.8.1": (600, -1), "1.8.2": (400, -1)}
    found = {Obis.parse(code): Register(Obis.parse(code), raw, -1, WATT_HOUR) for code, (raw, _) in whole.items()}
    found[Obis.parse("1.8.1")] = Register(Obis.parse("1.8.1"), b"(ERROR)")
    add_totals(found, memory)
    assert Obis.parse("1.8.0") not in found
    assert derived(whole, memory) == {"1.8.0": ("100.0", SUM_OF_TARIFFS)}
