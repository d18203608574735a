"""Every simulated meter is decoded by the codec of its protocol, and says exactly what its household did."""

from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from functools import cache

import pytest

import telegrams
from iskra_server.meter.obis import Obis
from iskra_server.meter.reading import Fault, MeterTime, Reading, Register
from iskra_server.simulator.central_time import is_summer, wall_clock
from iskra_server.simulator.household import INSTALLED, KWH, TENTH_WH, Household, State
from iskra_server.simulator.profiles import DEFAULT, PROFILES, decoder, profile
from iskra_server.simulator.simulated_meter import Profile
from iskra_server.simulator.simulated_source import moment

SINCE = int(datetime(2024, 12, 1, tzinfo=UTC).timestamp())
SUMMER = int(datetime(2026, 6, 21, 19, 45, tzinfo=UTC).timestamp())
WINTER = int(datetime(2026, 1, 4, 2, 30, tzinfo=UTC).timestamp())
# the days on which the clocks change
CHANGES = (
    int(datetime(2026, 3, 28, 23, tzinfo=UTC).timestamp()),
    int(datetime(2026, 10, 24, 22, tzinfo=UTC).timestamp()),
)
SEED = 7
SERIAL = "10000007"
DIN = f"1 ISK 00 {SERIAL}"
# what names a meter in the telegrams that do not hold its identification of DIN 43863-5
NAMES = {
    "MT174-short": "ISK MT174-0002",
    "MT382-P1": "K8EG001000000714",
    "M550": "E0044001000000718",
    "Smarty": f"SAG10307{SERIAL}",
    "AM550-CH": SERIAL,
    "NetzNOE": "4b464d6700989687",
    "NetzNOE-encrypted": "4b464d6700989687",
}
NIGHT_IS_TARIFF_1 = ("MT382-P1", "M550")
ONE_TARIFF = ("MT175", "MT175-locked", "MT175-one-way", "MT681", "MT681-2012")
# neither date nor time in their telegrams
WITHOUT_CLOCK = ("MT171", "ME162", "MT382-P1")
# the phases of L1, L2 and L3: power of each direction, voltage, current
PHASE_CODES = {f"{base + 20 * phase}.7.0": (base, phase) for base in (21, 22, 31, 32) for phase in range(3)}


@cache
def household(pv_peak_w: int) -> Household:
    return Household(SEED, pv_peak_w, SINCE)


def written(model: Profile, second: int) -> bytes:
    return model.write(moment(model, SEED, household(model.pv_peak_w), second))


def decoded(model: Profile, second: int, chunk: int | None = None) -> list[Reading]:
    data, reader = written(model, second), decoder(model)
    results = [result for part in telegrams.chunks(data, chunk or len(data)) for result in reader.feed(part)]
    assert not [result for result in results if isinstance(result, Fault)]
    return [result for result in results if isinstance(result, Reading)]


def own_registers(readings: list[Reading]) -> Iterator[Register]:
    return (register for reading in readings if not reading.channel for register in reading.numbers())


def energies(model: Profile, state: State) -> dict[str, int]:
    """Energies in mW x s by code."""
    night = state.night * TENTH_WH
    tariffs = (state.import_mws // TENTH_WH * TENTH_WH - night, night)
    if model.name in NIGHT_IS_TARIFF_1:
        tariffs = tariffs[::-1]
    if model.name in ONE_TARIFF:
        tariffs = (state.import_mws, 0)
    exports = (0, state.export_mws) if model.name in NIGHT_IS_TARIFF_1 else (state.export_mws, 0)
    return {
        "1.8.0": state.import_mws,
        "1.8.1": tariffs[0],
        "1.8.2": tariffs[1],
        "2.8.0": state.export_mws,
        "2.8.1": exports[0],
        "2.8.2": exports[1],
    }


def powers(state: State) -> dict[str, int]:
    """Powers in mW by code; those of a one-way meter stop at 0."""
    total = state.power_mw
    signed = {"1.7.0": max(0, total), "2.7.0": max(0, -total), "16.7.0": total}
    for phase, power in enumerate(state.phases_mw):
        signed |= {f"{21 + 20 * phase}.7.0": max(0, power), f"{22 + 20 * phase}.7.0": max(0, -power)}
        signed[f"{36 + 20 * phase}.7.0"] = power
    return signed


@pytest.mark.parametrize("name", PROFILES)
@pytest.mark.parametrize("second", [SUMMER, WINTER, WINTER + 3600 * 10])
def test_a_telegram_says_exactly_what_the_household_did(name: str, second: int) -> None:
    model = PROFILES[name]
    state = household(model.pv_peak_w).at(second)
    readings = decoded(model, second)
    wanted_energies, wanted_powers = energies(model, state), powers(state)
    seen = set()
    for register in own_registers(readings):
        code = register.obis.short.removeprefix("1-0:")
        scaler, raw = register.scaler or 0, int(register.raw)
        if code in wanted_energies:
            # a counter shows complete steps alone
            step = 3_600_000 * Decimal(10) ** scaler
            assert raw == wanted_energies[code] // step, code
            assert str(register.unit) == "Wh"
        elif code in wanted_powers:
            wanted = wanted_powers[code] if "one-way" not in name else max(0, wanted_powers[code])
            if code == "16.7.0" or "one-way" not in name:
                assert abs(raw * 10**scaler * 1000 - wanted) <= 500 * 10**scaler, code
            assert str(register.unit) == "W"
        else:
            continue
        seen.add(code)
    assert {"1.8.0"} <= seen or {"1.8.1", "1.8.2", "2.8.1", "2.8.2"} <= seen
    assert {reading.meter_id for reading in readings if not reading.channel} == {NAMES.get(name, DIN)}


@pytest.mark.parametrize("name", PROFILES)
def test_phases_sum_up_and_fit_voltage_and_current(name: str) -> None:
    found: dict[tuple[int, int], Decimal] = {}
    total = dict[str, Decimal]()
    for register in own_registers(decoded(PROFILES[name], SUMMER - 6 * 3600)):
        code = register.obis.short.removeprefix("1-0:")
        assert register.value is not None
        if code in PHASE_CODES:
            found[PHASE_CODES[code]] = register.value
        elif code in ("1.7.0", "2.7.0"):
            total[code] = register.value
    imports = [found.get((21, phase)) for phase in range(3)]
    if None not in imports and total:
        net = sum(found[21, phase] - found[22, phase] for phase in range(3))
        assert abs(net - (total["1.7.0"] - total["2.7.0"])) <= 2
    for phase in range(3):
        if (32, phase) in found:
            assert 225 < found[32, phase] < 240
            if (21, phase) in found:
                power = found[21, phase] + found[22, phase]
                # some meters send whole amperes
                assert abs(found[32, phase] * found[31, phase] - power) < 130


@pytest.mark.parametrize("name", PROFILES)
def test_the_time_of_a_telegram_is_the_meters_own(name: str) -> None:
    for second in (SUMMER, WINTER):
        for reading in decoded(PROFILES[name], second):
            time = reading.meter_time
            if name in WITHOUT_CLOCK and not reading.channel:
                assert time is None
                continue
            assert time is not None
            if time.kind == "sec_index":
                assert time.seconds == second - INSTALLED
            elif time.kind == "wall":
                shown = datetime.fromtimestamp(time.seconds, UTC).replace(tzinfo=None)
                assert shown == wall_clock(second - second % 3600 if reading.channel else second)
                assert time.season_offset_min in (0, 60 * is_summer(second))
            else:
                assert time == MeterTime(
                    "timestamp",
                    second - second % 300 if reading.channel else second,
                    time.utc_offset_min,
                    time.season_offset_min,
                )


@pytest.mark.parametrize("name", PROFILES)
@pytest.mark.parametrize("chunk", [1, 7, 64])
def test_pieces_give_the_same(name: str, chunk: int) -> None:
    whole = decoded(PROFILES[name], SUMMER)
    assert whole and decoded(PROFILES[name], SUMMER, chunk) == whole


@pytest.mark.parametrize("name", PROFILES)
def test_a_day_on_which_the_clocks_change_has_no_seam(name: str) -> None:
    model = PROFILES[name]
    for begin in CHANGES:
        reader = decoder(model)
        last: dict[Obis, int] = {}
        # a quarter of an hour, so that the rarest list is there
        for second in range(begin, begin + 26 * 3600, 1800 if name != "MT174" else 7200):
            results = list(reader.feed(written(model, second)))
            assert all(isinstance(result, Reading) for result in results), results
            for register in own_registers([result for result in results if isinstance(result, Reading)]):
                if register.obis[3] == 8:
                    assert last.get(register.obis, 0) <= int(register.raw)
                    last[register.obis] = int(register.raw)
        assert last


@pytest.mark.parametrize("name", ["MT382-P1", "M550"])
def test_a_gas_meter_counts_on_and_says_when_it_was_read(name: str) -> None:
    values = []
    for second in range(WINTER, WINTER + 3 * 3600, 150):
        *_, gas = decoded(PROFILES[name], second)
        (register,) = [each for each in gas.numbers() if str(each.unit) == "m³"]
        assert gas.channel == 1 and gas.meter_id == "G0039001000000718"
        values.append(register.value)
    assert values == sorted(values, key=lambda value: value or 0)
    assert 1 < len(set(values)) <= (4 if name == "MT382-P1" else 37)


def test_encrypted_meters_say_nothing_without_their_key() -> None:
    from iskra_server.codecs.decoder import DECODERS  # noqa: PLC0415

    encrypted = [model for model in PROFILES.values() if model.key]
    assert len(encrypted) >= 6
    for model in encrypted:
        results = list(DECODERS["dlms"]().feed(written(model, SUMMER)))
        assert {result.kind for result in results if isinstance(result, Fault)} == {"encrypted"}
        assert not [result for result in results if isinstance(result, Reading)]


def test_the_full_list_of_an_mt174_has_fifteen_months_and_its_own_highest_quarter() -> None:
    model = PROFILES["MT174"]
    assert model.polled
    lines = model.polled.lines(moment(model, SEED, household(model.pv_peak_w), SUMMER))
    assert len(lines) == 343
    history = [line for line in lines if line.startswith("1-0:1.8.0*") and "*255" not in line]
    values = [Decimal(line.partition("(")[2].partition("*")[0]) for line in history]
    assert len(history) == 15 and values == sorted(values, reverse=True) and values[-1] > 0
    june = household(model.pv_peak_w).at_midnight(int(datetime(2026, 6, 1, tzinfo=UTC).timestamp()) // 86_400)
    assert june and values[0] == Decimal(june.import_mws // (KWH // 1000)) / 1000
    (peak,) = [line for line in lines if line.startswith("1-0:1.6.0*255")]
    assert 1 < Decimal(peak.partition("(")[2].partition("*")[0]) < 8


def test_names_are_found_in_any_case_and_an_unknown_one_lists_them_all() -> None:
    assert profile("mt175") is PROFILES[DEFAULT]
    with pytest.raises(ValueError, match=r"'MT999'.*MT175-locked.*MT681-2012.*MT691.*MT174.*M550.*NetzNOE"):
        profile("MT999")
