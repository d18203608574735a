"""What D0 meters list (IEC 62056-21, IEC 62056-61), line by line, as the models do.

MT171    whole kWh, value and unit parted by a blank, no power
MT174    343 lines: four tariffs, peaks, and the counters of 15 months, newest first
ME162    nine lines without power; the counters alone on request
ME172    three tariffs, history in a ring of 100 numbers whose newest is the number of billings (0.1.0)
MT382    eight tariffs, steps of 10 Wh, its identification of DIN 43863-5 as hex text
"""

from collections.abc import Callable, Iterator
from datetime import date, datetime

from iskra_server.codecs.d0 import encoder
from iskra_server.codecs.text.parity import with_parity
from iskra_server.simulator import measured
from iskra_server.simulator.central_time import is_summer, wall_clock
from iskra_server.simulator.household import State
from iskra_server.simulator.measured import Amount
from iskra_server.simulator.simulated_meter import MeterAtSecond, Write, din_name

_EPOCH = date(1970, 1, 1)
_HISTORY = 15
# the ring of an ME172 counts from its first billing, in January 2020
_RING = 6
_BILLINGS_MAX = 100
_IMPORT = (measured.imported, measured.imported_by_day, measured.imported_by_night, measured.nothing, measured.nothing)
_EXPORT = (measured.exported, measured.exported, measured.nothing, measured.nothing, measured.nothing)


def readout(ident: str, lines: Callable[[MeterAtSecond], list[str]]) -> Write:
    """Identification and readout as a port of 8 bits without parity hears them."""
    return lambda moment: with_parity(encoder.identification(ident) + encoder.readout(lines(moment)))


def mt171(moment: MeterAtSecond) -> list[str]:
    tariffs = ((1, _IMPORT[:3]), (2, _EXPORT[:3]))
    return [
        f"0-0:C.1.0*255({moment.serial:08})",
        f"1-0:0.0.0*255({moment.serial:08})",
        "1-0:0.2.0*255(V1.0)",
        *(
            f"1-0:{direction}.8.{tariff}*255({amount(moment.state) // 10_000:06} kWh)"
            for direction, tariffs_of in tariffs
            for tariff, amount in enumerate(tariffs_of)
        ),
        "FF(00000000)",
    ]


def mt174_short(moment: MeterAtSecond) -> list[str]:
    date_text, clock = _date_and_clock(moment.state)
    return [
        f"1-0:0.9.2*255({date_text})",
        f"1-0:0.9.1*255({clock})",
        f"1-0:1.8.0*255({kwh(measured.imported(moment.state))})",
        f"1-0:2.8.0*255({kwh(measured.exported(moment.state))})",
    ]


def mt174(moment: MeterAtSecond) -> list[str]:
    state = moment.state
    date_text, clock = _date_and_clock(state)
    return [
        f"1-0:0.9.1*255({clock})",
        f"1-0:0.9.2*255({date_text})",
        f"1-0:0.0.0*255({moment.serial:08})",
        f"1-0:0.0.1*255({din_name(moment.serial)})",
        f"1-0:0.1.0*255({_months_since_2020(state) % _BILLINGS_MAX:02})",
        "1-0:0.2.0*255(1.03)",
        f"0-0:C.1.0*255({moment.serial:08})",
        "0-0:C.1.6*255(FDF5)",
        "0-0:C.51.1*255(3)",
        "0-0:C.51.2*255(0200107101053)",
        "0-0:C.51.2*01(0200107101053)",
        "0-0:C.51.2*02(0191211111412)",
        "0-0:C.51.2*03(0191211111407)",
        *(f"1-0:1.6.0*255{peak}" for peak in (_peak(moment, _month(state, 0), state.second),)),
        f"1-0:1.7.0*255({kw(measured.import_power(state), 1)})",
        *(f"1-0:1.8.{tariff}*255({kwh(amount(state))})" for tariff, amount in enumerate(_IMPORT)),
        f"1-0:2.6.0*255({kw(0, 2)})({wall_clock(state.second):%y%m%d%H%M})",
        f"1-0:2.7.0*255({kw(measured.export_power(state), 1)})",
        *(f"1-0:2.8.{tariff}*255({kwh(amount(state))})" for tariff, amount in enumerate(_EXPORT)),
        "0-0:F.F.0*255(0000000)",
        *_mt174_history(moment),
    ]


def _mt174_history(moment: MeterAtSecond) -> Iterator[str]:
    """Fifteen entries for each code; months before the household began were never filled."""
    starts = [_month(moment.state, -past) for past in range(_HISTORY + 1)]
    states = [moment.household.at_midnight(_day(start)) for start in starts]

    def rows(code: str, content: Callable[[int], str]) -> Iterator[str]:
        for past in range(1, _HISTORY + 1):
            yield f"1-0:{code}*{past:02}{content(past) if states[past - 1] else '()'}"

    def counter(amount: Amount) -> Callable[[int], str]:
        return lambda past: f"({kwh(amount(state))})" if (state := states[past - 1]) else "()"

    def peak(past: int) -> str:
        end = states[past - 1]
        return _peak(moment, starts[past], end.second) if end and states[past] else "()"

    yield from rows("0.1.2", lambda past: f"({starts[past - 1]:%y%m%d}0000)")
    for direction, tariffs in ((1, _IMPORT), (2, _EXPORT)):
        yield from rows(f"{direction}.6.0", peak if direction == 1 else lambda _: f"({kw(0, 2)})")
        yield from rows(f"{direction}.8.0", counter(tariffs[0]))
        for tariff in range(1, len(tariffs)):
            yield from rows(f"{direction}.6.{tariff}", peak if direction == tariff == 1 else lambda _: "()")
        for tariff in range(1, len(tariffs)):
            yield from rows(f"{direction}.8.{tariff}", counter(tariffs[tariff]))


def me162(moment: MeterAtSecond) -> list[str]:
    return [
        f"C.1.0({moment.serial:08})",
        f"0.0.0({moment.serial:08})",
        *(f"1.8.{tariff}({kwh(amount(moment.state))})" for tariff, amount in enumerate(_IMPORT[:3])),
        *(f"2.8.{tariff}({kwh(amount(moment.state))})" for tariff, amount in enumerate(_EXPORT[:3])),
        "F.F(0000000)",
    ]


def me172(moment: MeterAtSecond) -> list[str]:
    state = moment.state
    billings = _months_since_2020(state)
    date_text, clock = _date_and_clock(state)
    starts = [_month(state, -past) for past in range(_RING)]
    states = [moment.household.at_midnight(_day(start)) for start in starts]
    places = [f"{(billings - past) % _BILLINGS_MAX:02}" for past in range(_RING)]
    lines = [
        f"C.1.0({moment.serial:08})",
        f"0.0.0({moment.serial:08})",
        "0.2.0(1.02)",
        f"0.1.0({places[0]})",
        *(f"0.1.2*{place}({start:%y%m%d}0000)" for place, start in zip(places, starts, strict=True)),
    ]
    for direction, tariffs in ((1, _IMPORT[:4]), (2, _EXPORT[:1])):
        for tariff, amount in enumerate(tariffs):
            lines.append(f"{direction}.8.{tariff}({kwh(amount(state))})")
            lines += (
                f"{direction}.8.{tariff}*{place}({kwh(amount(past)) if past else ''})"
                for place, past in zip(places, states, strict=True)
            )
    return [*lines, f"0.9.1({clock})", f"0.9.2({date_text})", "C.7.0(0004)", "C.1.6(FDF5)", "F.F(0000000)"]


def mt382(moment: MeterAtSecond) -> list[str]:
    state = moment.state
    clock = wall_clock(state.second)
    rest = (measured.nothing,) * 4
    return [
        f"0-0:96.1.1*255({din_name(moment.serial).encode().hex().upper()})",
        f"1-0:0.9.1*255({clock:%H%M%S})",
        f"1-0:0.9.2*255({clock:%y%m%d})",
        *(
            f"1-0:{direction}.8.{tariff}*255({kwh(amount(state), 6, 2)})"
            for direction, tariffs in ((1, (*_IMPORT, *rest)), (2, (*_EXPORT, *rest)))
            for tariff, amount in enumerate(tariffs)
        ),
        f"1-0:1.7.0*255({kw(measured.import_power(state), 2)})",
        f"1-0:2.7.0*255({kw(measured.export_power(state), 2)})",
        "0-0:96.14.0*255(01)",
        "0-0:97.97.0*255(00000000)",
    ]


def registers(lines: list[str]) -> Callable[[str], str]:
    """The answer to a request for a single register: what the readout has, or an error."""
    current = {
        code.removeprefix("1-0:").removesuffix("*255"): f"({content}"
        for code, _, content in (line.partition("(") for line in lines)
    }
    return lambda code: current.get(code, "(ERROR)")


def kwh(tenths: int, digits: int = 7, decimals: int = 3) -> str:
    """A counter of 0.1 Wh, such as 0033402.264*kWh; what is smaller than its last digit is cut off."""
    whole, rest = divmod(tenths, 10_000)
    return f"{whole:0{digits}}.{rest // 10 ** (4 - decimals):0{decimals}}*kWh"


def kw(watt: int, digits: int, decimals: int = 3) -> str:
    """A power in W, such as 0.908*kW, rounded to its last digit."""
    steps = (watt + 10 ** (3 - decimals) // 2) // 10 ** (3 - decimals)
    whole, rest = divmod(steps, 10**decimals)
    return f"{whole:0{digits}}.{rest:0{decimals}}*kW"


def _date_and_clock(state: State) -> tuple[str, str]:
    """Date as yYYMMDD with y = 1 in summer time, and clock."""
    clock = wall_clock(state.second)
    return f"{is_summer(state.second):d}{clock:%y%m%d}", f"{clock:%H%M%S}"


def _month(state: State, months: int) -> date:
    """The first day of this month or of another, counted from it."""
    today = wall_clock(state.second)
    index = today.year * 12 + today.month - 1 + months
    return date(index // 12, index % 12 + 1, 1)


def _months_since_2020(state: State) -> int:
    today = wall_clock(state.second)
    return (today.year - 2020) * 12 + today.month


def _day(start: date) -> int:
    return (start - _EPOCH).days


def _peak(moment: MeterAtSecond, start: date, second: int) -> str:
    """The highest mean of a quarter of an hour since a day, and its end."""
    peak_mw, end = moment.household.peak(_day(start), second)
    ended: datetime = wall_clock(end)
    return f"({kw(measured.watt(peak_mw), 2)})({ended:%y%m%d%H%M})" if peak_mw else "()"
