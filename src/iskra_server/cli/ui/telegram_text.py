"""A telegram as text: one JSON object, or plain lines. Numbers keep every digit that the meter sent."""

from collections.abc import Iterator
from decimal import Decimal

import msgspec

from iskra_server.meter.reading import Fault, Reading, Register, scaled
from iskra_server.meter.registers import describe
from iskra_server.meter.units import WATT_HOUR

_WEAK = {
    "parity": {"checksum": "parity alone"},
    "sum": {"protected": "a sum of 8 bits alone"},
    "none": {"protected": "without a checksum"},
}


def as_json(item: Reading | Fault) -> str:
    """One line, as documented for `decode --json`."""
    content = _fault(item) if isinstance(item, Fault) else _reading(item)
    return msgspec.json.encode(content).decode()


def as_lines(item: Reading | Fault) -> Iterator[str]:
    """A heading and one line per register; a fault is one line."""
    if isinstance(item, Fault):
        yield f"! {fault_sentence(item)}"
        return
    yield heading(item)
    for register in item.registers:
        parts = (str(register.obis), name(register), value_text(register), raw_text(register), status_text(register))
        yield "  " + "  ".join(part for part in parts if part)


def as_line(reading: Reading) -> str:
    """The telegram in one line: meter, all numbers with units as on its display, and the protocol."""
    numbers = (
        f"{name(register) or register.obis.short}={' '.join(filter(None, displayed(register)))}"
        for register in reading.numbers()
    )
    return "  ".join((reading.meter_id, *numbers, f"({kind(reading)})"))


def heading(reading: Reading) -> str:
    time = f"meter time {reading.meter_time.iso or f'{reading.meter_time.seconds} s'}, " if reading.meter_time else ""
    size = f"channel {reading.channel}" if reading.channel else f"{reading.byte_count} bytes"
    return f"{reading.meter_id}  ({time}{size}, {kind(reading)})"


def kind(reading: Reading) -> str:
    """The protocol, and what a telegram lacks."""
    return ", ".join((reading.protocol, *_doubts(reading).values()))


def _doubts(reading: Reading) -> dict[str, str]:
    """What a telegram lacks: JSON key -> words."""
    unchecked = {"authentic": "tag not checked: no authentication key"} if reading.has_unchecked_tag else {}
    return unchecked | _WEAK.get(reading.protection, {})


def fault_sentence(fault: Fault) -> str:
    about = f"{fault.meter_id}, {fault.detail}" if fault.meter_id else fault.detail
    listed = f": {', '.join(fault.elements)}" if fault.elements else ""
    return f"{fault.kind}: {about} ({plural(fault.byte_count, 'byte')}){listed}"


def name(register: Register) -> str:
    """The API name of a register; empty if it is not in the table."""
    row = describe(register.obis)
    return row.key if row else ""


def value_text(register: Register) -> str:
    """Value and unit, such as "10732309.1 Wh"; bytes as text, else in hex."""
    if register.value is not None:
        return f"{exact(register.value)} {register.unit or ''}".rstrip()
    if isinstance(register.raw, bytes):
        return register.text or register.raw.hex() or "-"
    return str(register.raw).lower()


def displayed(register: Register) -> tuple[str, str]:
    """Number and unit as on the meter's display: energy in kWh."""
    raw, scaler = int(register.raw), register.scaler or 0
    if register.unit == WATT_HOUR:
        return exact(scaled(raw, scaler - 3)), "kWh"
    return exact(scaled(raw, scaler)), str(register.unit or "")


def raw_text(register: Register) -> str:
    """The integer and scaler sent, such as "107323091e-1"; empty without a scaler."""
    return f"{int(register.raw)}e{register.scaler}" if register.value is not None and register.scaler else ""


def status_text(register: Register) -> str:
    return "" if register.status is None else f"0x{register.status:08x}"


def exact(value: Decimal) -> str:
    """Every digit, never an exponent."""
    return format(value, "f")


def plural(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count:,} {noun}s"


def _reading(reading: Reading) -> dict[str, object]:
    return {
        "meter_id": reading.meter_id,
        "server_id": reading.server_id.hex(),
        "protocol": reading.protocol,
        "meter_time": reading.meter_time.seconds if reading.meter_time else None,
        "registers": [_register(register) for register in reading.registers],
        "octets": reading.byte_count,
        **({"channel": reading.channel} if reading.channel else {}),
        **dict.fromkeys(_doubts(reading), False),
    }


def _register(register: Register) -> dict[str, object]:
    raw = register.raw.hex() if isinstance(register.raw, bytes) else register.raw
    text = {"text": register.text} if register.text else {}
    return {
        "obis": str(register.obis),
        "name": name(register) or None,
        "value": raw if register.value is None else exact(register.value),
        **text,
        "unit": str(register.unit) if register.unit is not None else None,
        "raw": raw,
        "scaler": register.scaler,
        "status": status_text(register) or None,
        **({"time": register.time.seconds} if register.time else {}),
        **({"derived": register.derived} if register.derived else {}),
    }


def _fault(fault: Fault) -> dict[str, object]:
    content: dict[str, object] = {"fault": fault.kind, "detail": fault.detail, "octets": fault.byte_count}
    if fault.meter_id:
        content["meter_id"] = fault.meter_id
    if fault.elements:
        content["elements"] = fault.elements
    return content
