"""One SML telegram of a simulated meter: layout from the model, values from the household.

open response    file id = count of telegrams; MS2020: reference time and version
list response    maker, identity, the profile's rows, EDL: public key
close response
"""

from functools import lru_cache
from hashlib import shake_128

from msgspec import Struct

from iskra_server.codecs.sml import encoder, tlv
from iskra_server.codecs.sml.tlv import ABSENT, Leaf, Sequence
from iskra_server.meter.obis import Obis
from iskra_server.simulator.household import INSTALLED, State
from iskra_server.simulator.simulated_meter import MeterAtSecond, Write
from iskra_server.simulator.sml_layouts import LAYOUTS, Form, Row, SmlLayout

LIST_NAME = bytes.fromhex("0100620affff")
MAKER = b"ISK"
KEY_BYTES = 48
_WRAP = 1 << 32


class Plate(Struct, frozen=True):
    """The identity of one meter: server id and public key."""

    server_id: bytes
    key: bytes


def writer(model: str) -> Write:
    """What writes the telegrams of a model. The meter's own clock counts seconds since its installation."""
    layout = LAYOUTS[model]

    def write(moment: MeterAtSecond) -> bytes:
        own = plate(layout, moment.serial)
        return telegram(layout, own, moment.state, moment.state.second - INSTALLED, moment.count)

    return write


@lru_cache(maxsize=256)
def plate(layout: SmlLayout, serial: int) -> Plate:
    """The identity of a meter with this serial number."""
    server_id = bytes((layout.generation.server_id_mark, 0x01)) + MAKER + b"\0" + serial.to_bytes(4)
    return Plate(server_id, shake_128(f"public key {serial}".encode()).digest(KEY_BYTES))


def telegram(layout: SmlLayout, plate: Plate, state: State, sec_index: int, count: int) -> bytes:
    """The bytes on the wire. `sec_index` is the meter's own clock, `count` the number of this telegram."""
    generation = layout.generation
    time = encoder.sec_index(sec_index)
    file_id = (count % _WRAP).to_bytes(4)
    dated = (time, tlv.unsigned(1, 1)) if generation.is_dated else (ABSENT, ABSENT)
    bodies = (
        (encoder.OPEN_RESPONSE, encoder.open_response(file_id, plate.server_id, *dated)),
        (encoder.LIST_RESPONSE, _values(layout, plate, state, time)),
        (encoder.CLOSE_RESPONSE, encoder.close_response()),
    )
    first = 3 * count + generation.first_transaction
    return encoder.telegram(
        encoder.message(((first + place) % _WRAP).to_bytes(4), tlv.unsigned(tag, 2), body)
        for place, (tag, body) in enumerate(bodies)
    )


def _values(layout: SmlLayout, plate: Plate, state: State, time: Sequence) -> Sequence:
    generation = layout.generation
    entries = [_text(generation.maker, MAKER), _text(generation.identity, plate.server_id)]
    entries += (_number(row, state, layout.status(state)) for row in layout.rows)
    if generation.key:
        entries.append(_text(generation.key, plate.key))
    return encoder.list_response(plate.server_id, tlv.octet_string(LIST_NAME), time, entries)


def _text(obis: Obis, data: bytes) -> Sequence:
    return encoder.entry(obis, tlv.octet_string(data))


def _number(row: Row, state: State, status: int) -> Sequence:
    return encoder.entry(
        row.obis,
        _integer(row.form, row.amount(state) // row.divisor),
        scaler=tlv.integer(row.scaler, 1),
        unit=tlv.unsigned(row.unit, 1),
        status=tlv.unsigned(status, 4) if row.has_status else ABSENT,
    )


def _integer(form: Form, value: int) -> Leaf:
    make = tlv.unsigned if form.kind == tlv.UNSIGNED else tlv.integer
    return make(value, form.width or _shortest(value, is_signed=form.kind == tlv.INTEGER))


def _shortest(value: int, is_signed: bool) -> int:
    bits = (value if value >= 0 else ~value).bit_length() + is_signed
    return next(width for width in (1, 2, 4, 8) if bits <= 8 * width)
