from iskra_server.meter.units import SYMBOLS, WATT, WATT_HOUR, Unit


def test_a_unit_is_its_code_and_knows_its_symbol() -> None:
    assert (WATT_HOUR, str(WATT_HOUR), repr(WATT_HOUR)) == (30, "Wh", "Unit(30)")
    assert WATT.symbol == "W"
    assert len(SYMBOLS) == 71


def test_a_code_outside_the_table_is_kept_without_a_symbol() -> None:
    assert (Unit(0).symbol, str(Unit(0)), Unit(0)) == (None, "unit 0", 0)
