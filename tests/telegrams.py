"""Telegrams for the tests, made with the project's own encoder; the meter is an invented MT175."""

from collections.abc import Iterable, Iterator

from iskra_server.codecs.checksum import Variant
from iskra_server.codecs.sml import encoder, tlv
from iskra_server.codecs.sml.decoder import SmlDecoder
from iskra_server.codecs.sml.tlv import Leaf, Node, Sequence
from iskra_server.meter.obis import Obis
from iskra_server.meter.reading import Fault, Reading

SERVER_ID = bytes.fromhex("090149534b0000bc614e")
LIST_NAME = tlv.octet_string(bytes.fromhex("0100620affff"))
KEY = bytes(range(48))
IMPORT, POWER = Obis.parse("1.8.0"), Obis.parse("16.7.0")


def meter_entries(*, energy: int = 123456789, power: int | None = 321, scaler: int = -1) -> list[Sequence]:
    """Maker, server id, 1.8.0 in 10^scaler Wh, 16.7.0 in W (None: locked, no power), public key."""
    wh = {"scaler": tlv.integer(scaler, 1), "unit": tlv.unsigned(30, 1)}
    watt = {"scaler": tlv.integer(0, 1), "unit": tlv.unsigned(27, 1)}
    entries = [
        encoder.entry(Obis.parse("129-129:199.130.3"), tlv.octet_string(b"ISK")),
        encoder.entry(Obis.parse("1-0:0.0.9"), tlv.octet_string(SERVER_ID)),
        encoder.entry(IMPORT, tlv.integer(energy, 8), status=tlv.unsigned(0x182, 4), **wh),
        encoder.entry(Obis.parse("129-129:199.130.5"), tlv.octet_string(KEY)),
    ]
    if power is not None:
        entries.insert(3, encoder.entry(POWER, tlv.integer(power, 4), **watt))
    return entries


def telegram(
    entries: Iterable[Sequence] | None = None,
    *,
    seconds: int = 1000,
    sensor_time: Node | None = None,
    variant: Variant = Variant.X25,
    server_id: bytes = SERVER_ID,
    padding: int | None = None,
) -> bytes:
    """Open, list and close response in one telegram."""
    return encoder.telegram(
        list_messages(entries, seconds=seconds, sensor_time=sensor_time, server_id=server_id), variant, padding
    )


def list_messages(
    entries: Iterable[Sequence] | None = None,
    *,
    seconds: int = 1000,
    sensor_time: Node | None = None,
    server_id: bytes = SERVER_ID,
    tag_width: int = 2,
) -> list[Sequence]:
    transaction = seconds.to_bytes(4)
    listed = encoder.list_response(
        server_id,
        LIST_NAME,
        encoder.sec_index(seconds) if sensor_time is None else sensor_time,
        meter_entries() if entries is None else entries,
    )
    return [
        encoder.message(transaction + b"\1", _tag(0x0101, tag_width), encoder.open_response(transaction, server_id)),
        encoder.message(transaction + b"\2", _tag(0x0701, tag_width), listed),
        encoder.message(transaction + b"\3", _tag(0x0201, tag_width), encoder.close_response()),
    ]


def series(count: int) -> list[bytes]:
    """Telegrams a second apart, with growing energy and changing power."""
    return [telegram(meter_entries(energy=123456789 + k, power=300 + 7 * k), seconds=1000 + k) for k in range(count)]


def decode(data: bytes, chunk: int | None = None) -> list[Reading | Fault]:
    """All that a fresh decoder makes of a stream, fed in chunks of one size."""
    decoder = SmlDecoder()
    return [result for part in chunks(data, chunk or len(data) or 1) for result in decoder.feed(part)]


def readings(data: bytes, chunk: int | None = None) -> list[Reading]:
    return [result for result in decode(data, chunk) if isinstance(result, Reading)]


def chunks(data: bytes, size: int) -> Iterator[bytes]:
    return (data[at : at + size] for at in range(0, len(data), size))


def _tag(value: int, width: int) -> Leaf:
    return tlv.unsigned(value, width)
