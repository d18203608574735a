"""What meters measure of a household, as integers. Where a household has no such thing, it is made up from its power.

energy      0.1 Wh         power        W          reactive    var, 0.1 varh: 12 % of import, 8 % of export
voltage     0.1 V          current      0.01 A     gas         dm³: by the season, read every five minutes or hour
"""

from collections.abc import Callable
from math import pi, sin

from iskra_server.simulator.household import FLICKER, FLICKER_S, INSTALLED, TENTH_WH, State

Amount = Callable[[State], int]
# inductive where power flows in, capacitive where it flows out
_INDUCTIVE, _CAPACITIVE = 12, 8
_NOMINAL_TENTHS = 2325
# a tenth of a volt less for each
_DROP_W = 90
_YEAR_S = 365.2425 * 86_400
# a house burns 1500 m³ a year, nine times as much in January as in July
_GAS_DM3_S = 1_500_000 / _YEAR_S
_GAS_SEASON = 0.8
_COLDEST_S = 20 * 86_400


def imported(state: State) -> int:
    return state.import_mws // TENTH_WH


def exported(state: State) -> int:
    return state.export_mws // TENTH_WH


def imported_by_day(state: State) -> int:
    return imported(state) - state.night


def imported_by_night(state: State) -> int:
    return state.night


def inductive_energy(state: State) -> int:
    return imported(state) * _INDUCTIVE // 100


def capacitive_energy(state: State) -> int:
    return exported(state) * _CAPACITIVE // 100


def nothing(_: State) -> int:
    return 0


def watt(power_mw: int) -> int:
    return (power_mw + 500) // 1000


def power(state: State) -> int:
    return watt(state.power_mw)


def import_power(state: State) -> int:
    """A one-way meter has a backstop: export counts as 0."""
    return max(0, power(state))


def export_power(state: State) -> int:
    return max(0, -power(state))


def inductive_power(state: State) -> int:
    return import_power(state) * _INDUCTIVE // 100


def capacitive_power(state: State) -> int:
    return export_power(state) * _CAPACITIVE // 100


def phase_power(phase: int) -> Amount:
    return lambda state: watt(state.phases_mw[phase])


def phase_import(phase: int) -> Amount:
    return lambda state: max(0, watt(state.phases_mw[phase]))


def phase_export(phase: int) -> Amount:
    return lambda state: max(0, -watt(state.phases_mw[phase]))


def voltage(phase: int) -> Amount:
    """It sags under load, rises with the sun, and is never still."""

    def tenths(state: State) -> int:
        wave = FLICKER[(state.second // 3 + 50 * phase) % FLICKER_S]
        return _NOMINAL_TENTHS + wave - watt(state.phases_mw[phase]) // _DROP_W

    return tenths


def current(phase: int) -> Amount:
    tenths = voltage(phase)
    # mW / 0.1 V = 0.01 A
    return lambda state: abs(state.phases_mw[phase]) // tenths(state)


def gas(every_s: int) -> Callable[[State], tuple[int, int]]:
    """The counter in dm³ and the Unix second at which it was read."""

    def read(state: State) -> tuple[int, int]:
        second = state.second // every_s * every_s
        passed = second - INSTALLED
        season = _GAS_SEASON * _YEAR_S / (2 * pi) * sin(2 * pi * (passed - _COLDEST_S) / _YEAR_S)
        return int(_GAS_DM3_S * (passed + season + _YEAR_S)), second

    return read
