from datetime import UTC, datetime

import pytest

from iskra_server.codecs.text.parity import SEVEN_BITS, wrong_bytes
from iskra_server.simulator import p1_lists
from iskra_server.simulator.household import Household
from iskra_server.simulator.profiles import PROFILES
from iskra_server.simulator.simulated_source import moment


def lines(name: str, hour: int) -> list[str]:
    second = int(datetime(2026, 1, 10, hour, tzinfo=UTC).timestamp())
    data = PROFILES[name].write(moment(PROFILES[name], 1, Household(1, 5000, second), second))
    return data.translate(SEVEN_BITS).decode().split("\r\n")


@pytest.mark.parametrize(("name", "night", "day"), [("MT382-P1", 1, 2), ("M550", 1, 2), ("IE.5", 2, 1)])
def test_the_tariff_changes_between_night_and_day(name: str, night: int, day: int) -> None:
    shown = {hour: next(line for line in lines(name, hour) if "96.14.0" in line)[-2] for hour in (4, 12, 22)}
    assert shown == {4: str(night), 12: str(day), 22: str(night)}


def test_only_seven_bit_lines_carry_parity() -> None:
    second = int(datetime(2026, 1, 10, tzinfo=UTC).timestamp())
    data = {
        name: PROFILES[name].write(moment(PROFILES[name], 1, Household(1, 5000, second), second))
        for name in ("MT382-P1", "M550")
    }
    assert not data["MT382-P1"].isascii() and wrong_bytes(data["MT382-P1"]) == 0
    assert data["M550"].isascii()


def test_a_gas_meter_has_an_identifier_of_seventeen_characters() -> None:
    assert p1_lists.gas_name(10_000_001) == "G0039001000000118"
