import pytest
from msgspec.structs import replace

from iskra_server.meter.corrections import CORRECTED, CORRECTIONS, SIGNED_POWERS, correct
from iskra_server.meter.obis import Obis
from iskra_server.meter.reading import Register
from iskra_server.meter.units import WATT

IMPORTING, EXPORTING, EXPORTING_L2_L3 = 0x1C0104, 0x1C7904, 0x1C6904
TOTAL, L1, L2, L3 = SIGNED_POWERS


def power(raw: int, obis: Obis = TOTAL) -> Register:
    return Register(obis, raw, -2, WATT)


@pytest.mark.parametrize(
    ("obis", "raw", "width", "status", "meant"),
    [
        (TOTAL, -29912, 2, IMPORTING, 35624),
        (TOTAL, -100, 1, IMPORTING, 156),
        (TOTAL, -70000, 3, IMPORTING, (1 << 24) - 70000),
        (L1, -28000, 2, IMPORTING, 37536),
        (L1, -28000, 2, EXPORTING_L2_L3, 37536),
        (L3, -1, 1, IMPORTING, 255),
        # the direction bit of this register says export
        (TOTAL, -30000, 2, EXPORTING, -30000),
        (TOTAL, -30000, 2, EXPORTING_L2_L3, -30000),
        (L2, -30000, 2, EXPORTING_L2_L3, -30000),
        # wider than any wrong one, of unknown width, right already, no word of this generation, no word
        (TOTAL, -40000, 4, IMPORTING, -40000),
        (TOTAL, -5, 0, IMPORTING, -5),
        (TOTAL, 29912, 2, IMPORTING, 29912),
        (TOTAL, -5, 1, 0x182, -5),
        (TOTAL, -5, 1, None, -5),
        (Obis.parse("1.7.0"), -5, 1, IMPORTING, -5),
    ],
)
def test_a_dzg_power_below_0_is_meant_unsigned_while_it_imports(
    obis: Obis, raw: int, width: int, status: int | None, meant: int
) -> None:
    sent = power(raw, obis)
    expected = sent if raw == meant else replace(sent, raw=meant, derived=CORRECTED)
    assert correct(sent, width, "DZG", status) == expected


@pytest.mark.parametrize("maker", ["ISK", "EMH", None])
def test_no_other_maker_is_corrected(maker: str | None) -> None:
    sent = power(-29912)
    assert correct(sent, 2, maker, IMPORTING) is sent


def test_every_correction_says_where_it_comes_from() -> None:
    for row in CORRECTIONS:
        assert all((row.maker, row.registers, row.widths, row.condition, row.effect, row.source))
