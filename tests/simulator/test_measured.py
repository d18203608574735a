"""What meters measure beside the energies and powers of a household (those: test_profiles.py)."""

from iskra_server.simulator import measured
from iskra_server.simulator.household import INSTALLED, KWH, State

YEAR_S = 31_556_952


def state(second: int = INSTALLED, l1_mw: int = 0) -> State:
    return State(second, (l1_mw, 0, 0), 100 * KWH, 50 * KWH, 0)


def test_a_current_and_a_voltage_make_the_power() -> None:
    for l1_mw in (-3_000_000, 0, 460_000, 2_300_000):
        here = state(l1_mw=l1_mw)
        volts, amperes = measured.voltage(0)(here) / 10, measured.current(0)(here) / 100
        assert abs(volts * amperes - abs(l1_mw) / 1000) < 2.5
    assert (
        measured.voltage(0)(state(l1_mw=3_000_000))
        < measured.voltage(0)(state())
        < measured.voltage(0)(state(l1_mw=-3_000_000))
    )


def test_reactive_power_follows_the_power_of_its_direction() -> None:
    assert (measured.inductive_power(state(l1_mw=1_000_000)), measured.capacitive_power(state(l1_mw=1_000_000))) == (
        120,
        0,
    )
    assert (measured.inductive_power(state(l1_mw=-1_000_000)), measured.capacitive_power(state(l1_mw=-1_000_000))) == (
        0,
        80,
    )
    assert (measured.inductive_energy(state()), measured.capacitive_energy(state())) == (120_000, 40_000)


def test_a_house_burns_its_gas_in_winter_and_the_counter_never_goes_back() -> None:
    read = measured.gas(3600)
    days = [read(state(INSTALLED + day * 86_400))[0] for day in range(366)]
    assert days == sorted(days) and days[0] > 0
    assert 1_400_000 < days[365] - days[0] < 1_600_000
    january, july = days[31] - days[0], days[212] - days[181]
    assert january > 5 * july > 0
    assert read(state(INSTALLED + 3700)) == read(state(INSTALLED + 3600))
    assert read(state(INSTALLED + 3700))[1] == INSTALLED + 3600
