import texts
from iskra_server.codecs.d0.readout import current
from iskra_server.codecs.text.entries import Entries, Entry
from iskra_server.codecs.text.widths import Widths


def entries(*lines: str) -> list[Entry]:
    return current(Entries().read("\r\n".join(lines)))


def test_two_equal_digits_lost_are_seen() -> None:
    widths = Widths()
    assert widths.check("A", entries("1.8.0(0033402.264*kWh)"))
    assert not widths.check("A", entries("1.8.0(00402.264*kWh)"))
    assert widths.check("A", entries("1.8.0(0033402.265*kWh)"))


def test_another_look_is_the_meters_when_it_has_come_three_times() -> None:
    widths = Widths()
    assert widths.check("A", entries("1.8.0(0033402.264*kWh)"))
    seen = [widths.check("A", entries(f"1.8.0(033402.{264 + k}*kWh)")) for k in range(4)]
    assert seen == [False, False, True, True]


def test_damage_that_is_never_the_same_is_not_believed() -> None:
    widths = Widths()
    assert widths.check("A", entries("1.8.0(0033402.264*kWh)"))
    assert not any(widths.check("A", entries(f"1.8.0({'1' * k}.264*kWh)")) for k in (3, 4, 5, 3, 4, 5))


def test_a_good_readout_between_two_damaged_ones_starts_the_count_again() -> None:
    widths, good, odd = Widths(), entries("1.8.0(0033402.264*kWh)"), entries("1.8.0(00402.264*kWh)")
    assert [widths.check("A", each) for each in (good, odd, odd, good, odd, odd)] == [
        True,
        False,
        False,
        True,
        False,
        False,
    ]


def test_numbers_that_are_not_padded_may_change() -> None:
    widths = Widths()
    for amperes in ("9.85", "10.40", "6.40", "0.52"):
        assert widths.check("A", entries(f"31.7.0({amperes}*A)"))
    assert not widths.check("A", entries("31.7.0(006.40*A)"))
    assert widths.check("A", entries("1.7.0(00.908*kW)"))
    assert not widths.check("A", entries("1.7.0(1.908*kW)"))


def test_the_identification_counts_too() -> None:
    widths = Widths()
    assert widths.check("ISk5MT174", entries(*texts.d0_lines()))
    assert not widths.check("ISk5MT17", entries(*texts.d0_lines()))
    assert widths.check("ISk5MT174", entries(*texts.d0_lines()))


def test_lists_that_take_turns_are_all_known() -> None:
    widths = Widths()
    for _ in range(3):
        assert widths.check("A", entries("1.8.0(0033402.264*kWh)"))
        assert widths.check("A", entries("2.8.0(00001*kWh)"))
    assert not widths.check("A", entries("2.8.0(0001*kWh)"))


def test_a_clock_has_no_format() -> None:
    widths = Widths()
    assert all(widths.check("A", entries(f"0.9.1({clock})")) for clock in ("201455", "01455", "093012"))
