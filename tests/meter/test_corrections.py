from msgspec.structs import replace

from iskra_server.meter.corrections import corrected
from iskra_server.meter.reading import Reading, Register
from iskra_server.meter.units import WATT, WATT_HOUR
from samples import IMPORT, POWER, reading

DZG = bytes.fromhex("0a01445a470000bc614e")


def dzg(power: int, status: int | None, server_id: bytes = DZG) -> Reading:
    total = Register(IMPORT, 100, -1, WATT_HOUR, status)
    return replace(reading(total, Register(POWER, power, -2, WATT)), server_id=server_id)


def power_of(content: Reading) -> int | bytes | bool:
    register = corrected(content).get(POWER)
    assert register is not None
    return register.raw


def test_a_negative_power_of_two_octets_is_meant_unsigned_while_the_meter_imports() -> None:
    assert power_of(dzg(-29912, 0x1C0104)) == 35624


def test_a_negative_power_is_right_while_the_meter_exports() -> None:
    assert power_of(dzg(-30000, 0x1C6904)) == -30000


def test_nothing_else_is_corrected() -> None:
    for content in (
        dzg(29912, 0x1C0104),
        dzg(-40000, 0x1C0104),
        dzg(-5, None),
        dzg(-5, 0x104, b"\x0a\x01ISK\0\0\0\0\1"),
    ):
        assert corrected(content) is content
