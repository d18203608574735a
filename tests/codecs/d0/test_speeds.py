import pytest

from iskra_server.codecs.d0.speeds import Learned, attempts, baud, mode


@pytest.mark.parametrize(
    ("ident", "letter", "speed"),
    [
        ("ISk5MT174", "C", 9600), ("ABC0x", "C", 300), ("ABC6x", "C", 19200),
        ("ABCAx", "B", 600), ("ABCFx", "B", 19200),
        ("ABC7x", "A", 300), ("ABC9x", "A", 300), ("ABCZx", "A", 300), ("ABC", "A", 300), ("ABC\\2x", "A", 300),
    ],
)  # fmt: skip
def test_modes(ident: str, letter: str, speed: int) -> None:
    found = mode(ident)
    assert (found.letter, found.baud) == (letter, speed)


def test_what_is_tried_one_after_the_other() -> None:
    tried = attempts("ISk5MT174", None, can_switch=True)
    assert [each.speed for each in tried] == ["5", "5", "5", "5", "4", ""]
    # 200 ms for the acknowledgement, and so much more
    assert [each.delay_s for each in tried[:4]] == [0.05, 0.015, 0.1, 0.2]
    assert baud(tried[4].speed) == 4800


def test_what_has_worked_comes_first_and_once_more_for_a_damaged_readout() -> None:
    worked = Learned("5", 0.2)
    assert attempts("ISk5MT174", worked, can_switch=True)[:3] == (worked, worked, Learned("5", 0.05))
    assert len(attempts("ISk5MT174", worked, can_switch=True)) == 7
    assert attempts("ISk5MT174", Learned(""), can_switch=True)[0] == Learned("")
    # another meter, which does not offer that speed
    assert attempts("ABC3x", Learned("5", 0.2), can_switch=True)[0] == Learned("3", 0.05)
    assert attempts("ABC0x", None, can_switch=True)[-1] == Learned("")
    assert attempts("ISk5MT174", Learned("5", 0.2), can_switch=False) == (Learned(""),)


def test_speeds_that_the_line_cannot_take_are_left_out() -> None:
    tried = attempts("ISk5MT174", Learned("5"), can_switch=True, refused={9600})
    # the first one twice: the attempt that was refused has counted
    assert [each.speed for each in tried] == ["4", "4", "4", "4", "4", "3", ""]
    assert [each.delay_s for each in tried[:3]] == [0.05, 0.05, 0.015]
    assert attempts("ABC0x", None, can_switch=True, refused={300}) == (Learned(""), Learned(""))


def test_a_letter_without_a_speed_is_not_acknowledged() -> None:
    assert attempts("ISKAME162", None, can_switch=True) == (Learned(""),)
