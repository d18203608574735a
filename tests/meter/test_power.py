import pytest

from iskra_server.meter import power
from iskra_server.meter.obis import Obis
from iskra_server.meter.power import PowerMemory, add_powers, halves
from iskra_server.meter.reading import MeterTime, Register
from iskra_server.meter.units import WATT, WATT_HOUR

# FNN/MS2020 words; EDL words tell nothing
IMPORTING, EXPORTING, EXPORTING_L3 = 0x1C0104, 0x1C0904, 0x1C4904
EDL = 0x1A2
ONE_PHASE, THREE_PHASES = 0x40104, 0x1C0104
TWO_WAY = {"2.8.0": 0}

Powers = dict[str, tuple[str, str]]


def derived(
    sent: dict[str, int],
    status: int | None = None,
    memory: PowerMemory | None = None,
    *,
    scaler: int = 0,
    seconds: int | None = None,
) -> Powers:
    """What is derived from registers given as code -> raw: value and mark by code."""
    found = {}
    for code, raw in sent.items():
        obis = Obis.parse(code)
        is_power = obis[3] == 7
        found[obis] = Register(obis, raw, scaler if is_power else -1, WATT if is_power else WATT_HOUR)
    time = None if seconds is None else MeterTime("sec_index", seconds)
    add_powers(found, status, memory or PowerMemory(), time)
    assert all(each.unit == WATT for each in found.values() if each.derived)
    return {
        each.obis.short.removeprefix("1-0:"): (format(each.value, "f"), each.derived)
        for each in found.values()
        if each.derived and each.value is not None
    }


@pytest.mark.parametrize(
    ("sent", "status", "expected"),
    [
        # signed, or import anyway
        ({"16.7.0": 425}, IMPORTING, {}),
        ({"16.7.0": -425}, EXPORTING, {}),
        ({"16.7.0": -425}, IMPORTING, {}),
        ({"16.7.0": 425}, EDL, {}),
        ({"16.7.0": 425} | TWO_WAY, None, {}),
        ({"16.7.0": 0}, EXPORTING, {}),
        # a magnitude, and the direction in the status word
        ({"16.7.0": 425}, EXPORTING, {"16.7.0": ("-425", power.BY_STATUS)}),
        ({"16.7.0": 30, "36.7.0": 50, "76.7.0": 80}, EXPORTING_L3, {
            "16.7.0": ("-30", power.BY_STATUS), "76.7.0": ("-80", power.BY_STATUS)}),
        ({"15.7.0": 425}, EXPORTING, {"16.7.0": ("-425", power.BY_STATUS)}),
        ({"15.7.0": 425} | TWO_WAY, IMPORTING, {"16.7.0": ("425", power.BY_STATUS)}),
        ({"1.7.0": 425}, EXPORTING, {
            "16.7.0": ("-425", power.BY_STATUS), "1.7.0": ("0", power.BY_STATUS), "2.7.0": ("425", power.BY_STATUS)}),
        # a magnitude without a direction
        ({"15.7.0": 425}, EDL, {"16.7.0": ("425", power.ONE_WAY)}),
        ({"15.7.0": 425} | TWO_WAY, EDL, {}),
        ({"15.7.0": 0} | TWO_WAY, None, {"16.7.0": ("0", power.BY_COUNTERS)}),
        ({"15.7.0": 9, "21.7.0": 4, "41.7.0": 3, "61.7.0": 2} | TWO_WAY, EDL, {}),
        # halves
        ({"1.7.0": 5, "2.7.0": 0}, None, {"16.7.0": ("5", power.IMPORT_LESS_EXPORT)}),
        ({"1.7.0": 0, "2.7.0": 425}, None, {"16.7.0": ("-425", power.IMPORT_LESS_EXPORT)}),
        ({"21.7.0": 0, "22.7.0": 425}, None, {
            "36.7.0": ("-425", power.IMPORT_LESS_EXPORT), "16.7.0": ("-425", power.ONLY_PHASE)}),
        ({"1.7.0": 5}, None, {"16.7.0": ("5", power.FROM_IMPORT)}),
        ({"1.7.1": 5}, None, {"16.7.0": ("5", power.FROM_IMPORT)}),
        ({"1.7.0": 5} | TWO_WAY, None, {"16.7.0": ("5", power.FROM_IMPORT)}),
        ({"1.7.0": 0} | TWO_WAY, None, {}),
        ({"1.7.0": 0} | TWO_WAY, IMPORTING, {"16.7.0": ("0", power.FROM_IMPORT)}),
        ({"2.7.0": 5}, None, {"16.7.0": ("-5", power.FROM_EXPORT)}),
        ({"2.7.0": 0}, None, {}),
        # the import register as a signed sum
        ({"1.7.0": -425}, EDL, {
            "16.7.0": ("-425", power.SIGNED_IMPORT), "1.7.0": ("0", power.SIGNED_IMPORT),
            "2.7.0": ("425", power.SIGNED_IMPORT)}),
        ({"1.7.0": 30, "21.7.0": -50, "41.7.0": 50, "61.7.0": 30}, None, {
            "16.7.0": ("30", power.SIGNED_IMPORT), "1.7.0": ("30", power.SIGNED_IMPORT),
            "2.7.0": ("0", power.SIGNED_IMPORT),
            "36.7.0": ("-50", power.SIGNED_IMPORT), "21.7.0": ("0", power.SIGNED_IMPORT),
            "22.7.0": ("50", power.SIGNED_IMPORT),
            "56.7.0": ("50", power.SIGNED_IMPORT), "41.7.0": ("50", power.SIGNED_IMPORT),
            "42.7.0": ("0", power.SIGNED_IMPORT),
            "76.7.0": ("30", power.SIGNED_IMPORT), "61.7.0": ("30", power.SIGNED_IMPORT),
            "62.7.0": ("0", power.SIGNED_IMPORT)}),
        ({"1.7.1": -425}, EDL, {"16.7.0": ("-425", power.SIGNED_IMPORT)}),
        ({"15.7.0": -425}, EDL, {
            "16.7.0": ("-425", power.SIGNED_ABSOLUTE), "15.7.0": ("425", power.SIGNED_ABSOLUTE)}),
        ({"1.7.1": 0, "15.7.0": -425} | TWO_WAY, None, {
            "16.7.0": ("-425", power.SIGNED_ABSOLUTE), "15.7.0": ("425", power.SIGNED_ABSOLUTE)}),
        # phases without a sum
        ({"36.7.0": 507}, ONE_PHASE, {"16.7.0": ("507", power.ONLY_PHASE)}),
        ({"36.7.0": 507}, None, {"16.7.0": ("507", power.ONLY_PHASE)}),
        ({"36.7.0": 507}, THREE_PHASES, {}),
        ({"36.7.0": 507, "56.7.0": 1}, None, {}),
        ({"36.7.0": 507, "56.7.0": 1, "76.7.0": -9}, None, {"16.7.0": ("499", power.SUM_OF_PHASES)}),
        ({"56.7.0": 1}, None, {}),
        ({}, EXPORTING, {}),
    ],
)  # fmt: skip
def test_the_sign_of_power_by_one_telegram(sent: dict[str, int], status: int | None, expected: Powers) -> None:
    assert derived(sent, status) == expected


def test_a_meter_that_has_sent_an_export_below_0_has_signs() -> None:
    memory = PowerMemory()
    assert derived({"16.7.0": -5}, EXPORTING, memory) == {}
    # the power is already that of the next second
    assert derived({"16.7.0": 5}, EXPORTING, memory) == {}


def test_an_import_register_that_was_signed_once_is_signed_from_then_on() -> None:
    memory = PowerMemory()
    derived({"1.7.0": -5} | TWO_WAY, None, memory)
    assert derived({"1.7.0": 0} | TWO_WAY, None, memory)["16.7.0"] == ("0", power.SIGNED_IMPORT)


def flow(*steps: tuple[int, int, int], code: str = "15.7.0", seconds: int = 1) -> list[str | None]:
    """The signed power after each telegram of (import, export, magnitude), so many seconds apart."""
    memory = PowerMemory()
    found = []
    for number, (imported, exported, watts) in enumerate(steps):
        sent = {"1.8.0": imported, "2.8.0": exported, code: watts}
        found.append(derived(sent, EDL, memory, seconds=number * seconds).get("16.7.0", (None,))[0])
    return found


def test_the_counter_that_ticked_last_tells_the_direction_of_a_magnitude() -> None:
    steps = [(9, 5, 2150), (9, 6, 2150), (9, 6, 2150), (10, 6, 70), (11, 7, 70), (11, 8, 80)]
    assert flow(*steps) == [None, "-2150", "-2150", "70", None, "-80"]


def test_a_tick_that_is_late_leaves_the_direction_unknown() -> None:
    waiting = [(9, 6, 3600)] * 4
    assert flow((9, 5, 3600), (9, 6, 3600), *waiting) == [None, "-3600", "-3600", None, None, None]


def test_a_sum_above_0_is_a_magnitude_where_only_the_export_counter_ticks() -> None:
    steps = [(9, 5 + number, 2150) for number in range(5)]
    assert flow(*steps, code="16.7.0") == [None, None, None, "-2150", "-2150"]
    assert flow(*steps, code="1.7.0") == ["2150", "2150", "2150", "-2150", "-2150"]


def test_a_sum_that_was_a_magnitude_once_follows_every_tick() -> None:
    export = [(9, 5 + number, 2150) for number in range(4)]
    steps = [*export, (10, 8, 300), (10, 9, 40), (11, 10, 20), (11, 11, 20)]
    assert flow(*steps, code="16.7.0") == [None, None, None, "-2150", None, "-40", None, "-20"]


def test_a_sum_that_was_taken_for_a_magnitude_is_kept_once_it_was_below_0() -> None:
    memory = PowerMemory()
    for number in range(4):
        derived({"1.8.0": 9, "2.8.0": 5 + number, "16.7.0": 3600}, EDL, memory, seconds=number)
    assert memory.has_magnitude
    # no tick for so long that the direction is not known
    for number in range(4, 9):
        derived({"1.8.0": 9, "2.8.0": 8, "16.7.0": 3600}, EDL, memory, seconds=number)
    sent = {"1.8.0": 9, "2.8.0": 8, "16.7.0": -40, "1.7.0": 0}
    assert "15.7.0" not in derived(sent, EDL, memory, seconds=9)


def test_halves_are_never_below_0() -> None:
    for raw in (-5, 0, 5):
        imported, exported = halves(Register(Obis.parse("16.7.0"), raw, -1, WATT))
        assert imported.raw == max(raw, 0) and exported.raw == max(-raw, 0)
        assert (imported.obis.short, exported.obis.short) == ("1-0:1.7.0", "1-0:2.7.0")
