"""The fast path says what the long way says."""

from collections.abc import Callable, Iterable, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

import texts
from iskra_server.codecs.d0 import encoder as d0_encoder
from iskra_server.codecs.d0.blocks import Blocks
from iskra_server.codecs.d0.decoder import D0Decoder
from iskra_server.codecs.p1.decoder import P1Decoder
from iskra_server.codecs.text.fast_path import MAX_FORMS, Forms
from iskra_server.codecs.text.parity import with_parity
from iskra_server.meter.reading import Fault, Reading
from trying import tries

Lines = Sequence[str]
# lines of all kinds: counters, padded and other numbers, two values, history, an error text, the clock of D0
LINES = [
    *texts.p1_lines(),
    *texts.d0_lines(),
    "1-0:16.7.0(-0012.5*W)",
    "1-0:1.8.0(ERROR)",
    "1-0:31.7.0(9.85*A)",
    "C.1(5)",
]


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """Of each telegram whether the fast path has read it."""
    found: list[bool] = []
    read = Forms.read

    def watched(forms: Forms, text: bytes, length: int) -> object:
        known = read(forms, text, length)
        found.append(known is not None)
        return known

    monkeypatch.setattr(Forms, "read", watched)
    return found


class NoForms(Forms):
    """The long way."""

    def read(self, text: bytes, length: int) -> None:
        return None


def p1(telegrams: Iterable[Lines], forms: Callable[[], Forms] = Forms) -> list[list[Reading | Fault]]:
    decoder = P1Decoder()
    decoder._forms = forms()  # noqa: SLF001
    return [list(decoder.feed(texts.p1_telegram(lines))) for lines in telegrams]


def d0(telegrams: Iterable[Lines], forms: Callable[[], Forms] = Forms) -> list[list[Reading | Fault]]:
    decoder, blocks = D0Decoder(), Blocks()
    blocks._forms = forms()  # noqa: SLF001
    decoder._blocks = blocks  # noqa: SLF001
    return [list(decoder.feed(with_parity(texts.d0_readout(lines)))) for lines in telegrams]


def test_other_numbers_and_another_time_take_the_fast_path(reads: list[bool]) -> None:
    second = texts.p1_lines(import_kwh="001299.000", power_kw="12.345", second=20)
    assert p1([texts.p1_lines(), second])[1] == p1([second])[0]
    lines = texts.d0_lines(import_kwh="0008049.001", power_kw="1.111")
    lines[0] = "1-0:0.9.1*255(201501)"
    assert d0([texts.d0_lines(), lines])[1] == d0([lines])[0]
    assert reads == [False, True, False] * 2


@pytest.mark.parametrize(
    ("line", "other"),
    [
        ("1-0:1.7.0(00.321*kW)", "1-0:2.7.0(00.321*kW)"),
        ("1-0:1.7.0(00.321*kW)", "1-0:1.7.0(00.321*kA)"),
        ("1-0:1.7.0(00.321*kW)", "1-0:1.7.0(003.21*kW)"),
        ("0-0:96.1.1(4530303939303030303030303030303139)", "0-0:96.1.1(4530303939303030303030303030303138)"),
        ("0-0:1.0.0(261122100519W)", "0-0:1.0.0(261122100519S)"),
        ("0-1:24.2.1(261122100010W)(01569.646*m3)", "0-1:24.2.1(261122110010W)(01570.646*m3)"),
    ],
)
def test_what_else_differs_goes_the_long_way(line: str, other: str, reads: list[bool]) -> None:
    lines = texts.p1_lines()
    changed = [other if each == line else each for each in lines]
    assert changed != lines
    assert p1([lines, changed])[1] == p1([changed])[0]
    assert not any(reads)


@pytest.mark.parametrize("clock", ["0-0:1.0.0((26)1122100519W)", "0-0:1.0.0(261122100519*s)", "0-0:1.0.0(ERROR)"])
def test_a_clock_that_is_none_is_read_alike(clock: str) -> None:
    second = texts.p1_lines(import_kwh="001235.000")
    first, second = ([clock if "1.0.0(" in line else line for line in lines] for lines in (texts.p1_lines(), second))
    assert p1([first, second, second]) == p1([first, second, second], NoForms)


def test_a_time_that_is_impossible_is_none(reads: list[bool]) -> None:
    (meter, _) = p1([texts.p1_lines(), texts.p1_lines(second=99)])[1]
    assert isinstance(meter, Reading) and meter.meter_time is None
    assert reads == [False, True]


@tries(2)
@given(st.data(), st.lists(st.sampled_from(LINES), min_size=1, max_size=12), st.sampled_from((p1, d0)))
def test_telegrams_in_a_row_are_read_alike(
    data: st.DataObject, lines: list[str], read: Callable[..., list[list[Reading | Fault]]]
) -> None:
    """Digits, and now and then another character, of some lines change from one telegram to the next."""
    telegrams = [lines]
    for _ in range(data.draw(st.integers(1, 6))):
        lines = list(data.draw(st.sampled_from(telegrams)))
        for _ in range(data.draw(st.integers(0, 3))):
            index = data.draw(st.integers(0, len(lines) - 1))
            at = data.draw(st.integers(0, len(lines[index]) - 1))
            if lines[index][at].isdigit() or data.draw(st.booleans()):
                character = data.draw(st.sampled_from("00000123456789.-(*k"))
                lines[index] = lines[index][:at] + character + lines[index][at + 1 :]
        telegrams.append(lines)
    assert read(telegrams) == read(telegrams, NoForms)


def test_widths_that_count_no_more_are_forgotten() -> None:
    """The form of a readout is no way around the count of those whose numbers have other widths (widths.py)."""
    usual, other = (d0_encoder.readout([f"1.8.0({number}*kWh)"]) for number in ("0033402.264", "033402.264"))
    kinds = []
    for is_long_way in (False, True):
        decoder = D0Decoder()
        if is_long_way:
            decoder._blocks._forms = NoForms()  # noqa: SLF001
        stream = [usual, other, other, usual, other, other, other, usual]
        kinds.append([[type(each) for each in decoder.feed(readout)] for readout in stream])
    assert kinds[0] == kinds[1]
    assert kinds[0][3:] == [[Reading], [Fault], [Fault], [Reading], [Fault]]


def test_few_forms_are_remembered() -> None:
    forms = Forms()
    decoder = P1Decoder()
    decoder._forms = forms  # noqa: SLF001
    for length in range(3 * MAX_FORMS):
        list(decoder.feed(texts.p1_telegram([*texts.p1_lines(), f"0-0:96.13.1({'3' * length})"])))
    assert 0 < len(forms._forms) <= MAX_FORMS  # noqa: SLF001
