import pytest

import texts
from iskra_server.codecs.d0.readout import current, reading
from iskra_server.codecs.d0.registers import Registers
from iskra_server.codecs.text.entries import Entries
from iskra_server.meter.reading import Reading

ANSWERS = {"1.8.0": "(0008048.376*kWh)", "2.8.0": "(0000013.465*kWh)", "1.7.0": "(0.910*kW)"}


def readout(ident: str = texts.D0_IDENT, lines: list[str] | None = None) -> Reading:
    text = "\r\n".join(texts.d0_lines() if lines is None else lines)
    return reading(ident, current(Entries().read(text)), 400)


def learnt(ident: str = texts.D0_IDENT, lines: list[str] | None = None) -> Registers:
    registers = Registers()
    registers.learn(ident, readout(ident, lines))
    return registers


def test_only_what_a_readout_has_listed_is_asked_for() -> None:
    assert learnt().codes == ("1.8.0", "2.8.0", "1.7.0", "32.7.0")
    assert learnt(lines=["1.8.0(0008048.375*kWh)"]).codes == ("1.8.0",)
    assert learnt(lines=["1.7.0(0.910*kW)"]).codes == ()
    assert learnt("ISk5MT171-0099").codes == ()


def test_answers_become_a_reading_of_the_same_meter() -> None:
    found = learnt().reading(ANSWERS)
    assert found is not None
    assert (found.meter_id, found.byte_count) == ("1 ISK 00 63000199", sum(map(len, ANSWERS.values())))
    assert [texts.value(found, code) for code in ("1.8.0", "2.8.0")] == [texts.wh(8048376), texts.wh(13465)]


def test_a_register_that_cannot_be_read_alone_is_not_asked_for_again() -> None:
    registers = learnt()
    assert registers.reading(ANSWERS | {"32.7.0": "(ERROR)"}) is not None
    assert registers.codes == ("1.8.0", "2.8.0", "1.7.0")


@pytest.mark.parametrize(
    "answer",
    [
        "(0008048.374*kWh)",
        "(0008058.376*kWh)",
        "(008048.3760*kWh)",
        "(0008048376*kWh)",
        "(0008048.376*kW)",
        "(ERROR)",
        "",
    ],
)
def test_first_answers_must_go_on_from_the_readout(answer: str) -> None:
    registers = learnt(lines=["1.8.0(0008048.375*kWh)"])
    assert registers.reading({"1.8.0": answer}) is None
    registers.give_up()
    registers.learn(texts.D0_IDENT, readout())
    assert registers.codes == ()


def test_later_answers_must_look_like_the_first_one() -> None:
    registers = learnt()
    assert registers.reading(ANSWERS) is not None
    # two equal digits lost: no block check sees it
    assert registers.reading(ANSWERS | {"1.8.0": "(08048.376*kWh)"}) is None
    registers.give_up()
    assert registers.codes == ()
    registers.learn(texts.D0_IDENT, readout())
    assert registers.codes != ()


def test_a_meter_that_counts_whole_kwh() -> None:
    registers = learnt("ISk5MT174", ["1.8.0(024562*kWh)"])
    assert registers.reading({"1.8.0": "(024564*kWh)"}) is None
    assert registers.reading({"1.8.0": "(024563*kWh)"}) is not None
