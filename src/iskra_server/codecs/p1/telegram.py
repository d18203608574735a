"""The readings of a P1 telegram: one of the meter and one of each sub-meter on its M-Bus (DSMR 5.0.2, 6.12 and 7).

    0-n:24.1.0(003)                                    kind: 3 gas, 7 water, 4 and 12 heat
    0-n:96.1.0(4730...) or 96.1.1                      its own identity, as hex text
    0-n:24.2.1(181106140010W)(01569.646*m3)            24.2.3 in Belgium; the time is when it was read
    0-n:24.3.0(090212160000)(00)(60)(1)(0-n:24.2.1)(m3) and (00001.001) on the next line: DSMR 2 and 3

A channel without a meter has an empty identity, no unit or an impossible time, and gives no reading. Other codes of a
channel, such as a relay (0-n:96.3.10), belong to the meter itself.
"""

from collections.abc import Iterator, Sequence

from iskra_server.codecs.text import codes, identity
from iskra_server.codecs.text.entries import Entry, now
from iskra_server.codecs.text.numbers import number
from iskra_server.codecs.text.times import moment
from iskra_server.meter.identity import UNKNOWN, Identity
from iskra_server.meter.obis import Obis
from iskra_server.meter.reading import Protection, Reading, Register

PROTOCOL = "p1"
_IDENTITIES = tuple(map(Obis.parse, ("0-0:96.1.1", "0-0:42.0.0", "0-0:96.1.0")))
_TIME = Obis.parse("0-0:1.0.0")
_CLOCK, _DATE = Obis.parse("1-0:0.9.1"), Obis.parse("1-0:0.9.2")
_CHANNELS = range(1, 5)
_DEVICE, _ABSTRACT, _IDENTITY, _LAST_VALUE = 24, 96, 1, 2
_DEVICE_KINDS = frozenset((_DEVICE, _ABSTRACT))
# the medium of gas, which DSMR 2.2 writes into its codes
_GAS = 7
_OLD_FORM = 3

Device = tuple[int, int]


def clock(entries: Sequence[Entry]) -> list[Entry]:
    """The entries whose contents are the meter's time (`moment`); none where it sends no time."""
    first: dict[Obis, Entry] = {}
    for entry in now(entries):
        if entry.register is not None:
            first.setdefault(entry.code.obis, entry)
    codes = (_TIME,) if _TIME in first else (_DATE, _CLOCK)
    return [first[code] for code in codes] if first.keys() >= set(codes) else []


def readings(ident: str, entries: Sequence[Entry], length: int, *, protection: Protection) -> Iterator[Reading]:
    """`ident` is the identification line without its "/"; `length` counts for the meter's own reading."""
    own: dict[Obis, Entry] = {}
    registers: list[Register] = []
    devices: dict[Device, list[Entry]] = {}
    for entry in now(entries):
        obis, register = entry.code.obis, entry.register
        if (obis[2] in _DEVICE_KINDS or obis[0] == _GAS) and (device := _device(obis)):
            devices.setdefault(device, []).append(entry)
        elif register is not None:
            registers.append(register)
            if obis in _IDENTITIES:
                own.setdefault(obis, entry)
    meter = _meter(ident, own)
    time = moment(*dated) if (dated := [entry.sent.contents[0] for entry in clock(entries)]) else None
    yield Reading(meter.meter_id, meter.server_id, tuple(registers), time, PROTOCOL, length, protection=protection)
    for (_, channel), sent in devices.items():
        reading = _sub_meter(meter, channel or 1, sent, protection=protection)
        if reading:
            yield reading


def _device(obis: Obis) -> Device | None:
    """The medium and channel of the sub-meter that a code belongs to; None for codes of the meter itself."""
    a, b, c, d, *_ = obis
    if a == _GAS:
        return a, b
    is_device = a == 0 and b in _CHANNELS and (c == _DEVICE or (c == _ABSTRACT and d == _IDENTITY))
    return (a, b) if is_device else None


def _meter(ident: str, own: dict[Obis, Entry]) -> Identity:
    maker = identity.maker_of(ident)
    names = (own[obis].sent.contents[0] for obis in _IDENTITIES if obis in own)
    named = next((meter for name in names if (meter := identity.identity(name, maker))), None)
    return named or identity.of_ident(ident) or UNKNOWN


def _sub_meter(meter: Identity, channel: int, sent: list[Entry], *, protection: Protection) -> Reading | None:
    names = [entry.sent.contents[0] for entry in sent if _names(entry)]
    values = list(map(_value, sent))
    value = next(filter(None, values), None)
    if value is None or (names and not any(name.strip() for name in names)):
        return None
    sub_meter = next(filter(None, map(identity.identity, names)), None)
    if sub_meter is None:
        name = f"{meter.meter_id} channel {channel}"
        sub_meter = Identity(name, name.encode() if meter.server_id else b"")
    registers = tuple(register for own, entry in zip(values, sent, strict=True) if (register := own or entry.register))
    return Reading(
        sub_meter.meter_id,
        sub_meter.server_id,
        registers,
        value.time,
        PROTOCOL,
        0,
        channel=channel,
        protection=protection,
    )


def _names(entry: Entry) -> bool:
    """Whether an entry is the identity of a sub-meter: 96.1.0 or 96.1.1, in DSMR 2 7-0:0.0.0."""
    a, _, c, d, e, _ = entry.register.obis if entry.register else bytes(6)
    return (c, d) == (_ABSTRACT, _IDENTITY) and e < 2 if a != _GAS else (c, d, e) == (0, 0, 0)


def _value(entry: Entry) -> Register | None:
    """The counter of a sub-meter, or None: it must have a unit, and its time must be possible."""
    register, contents = entry.register, entry.sent.contents
    if register is None:
        return None
    if len(contents) > _OLD_FORM and codes.parse(contents[-3]):
        value = number(f"{contents[-1]}*{contents[-2]}")
        time = moment(contents[0])
        return Register(register.obis, value.raw, value.scaler, value.unit, None, time) if value else None
    if register.unit is None or register.obis[2:4] != bytes((_DEVICE, _LAST_VALUE)):
        return None
    return register if register.time or len(contents) == 1 else None
