from hypothesis import given
from hypothesis import strategies as st

import telegrams
from iskra_server.codecs.checksum import Variant
from iskra_server.codecs.sml import encoder, tlv
from iskra_server.codecs.sml.decoder import parse_telegram
from iskra_server.codecs.sml.transport import payload
from iskra_server.meter.obis import Obis
from iskra_server.meter.reading import Reading


def test_a_parsed_telegram_encodes_to_the_same_bytes() -> None:
    for variant in Variant:
        data = telegrams.telegram(variant=variant)
        assert encoder.telegram(*parse_telegram(data)) == data


def test_padding_fills_up_to_a_multiple_of_four_or_as_asked() -> None:
    assert all(len(telegrams.telegram(server_id=bytes(n))) % 4 == 0 for n in range(1, 9))
    data = telegrams.telegram(padding=4)
    assert data[-3] == 4
    assert encoder.telegram(*parse_telegram(data)) == data


@given(st.binary(max_size=64), st.integers(0, 3))
def test_the_escape_inside_is_doubled_and_undone(data: bytes, at: int) -> None:
    inside = data[:at] + encoder.ESCAPE + data[at:] + b"\0"
    wrapped = encoder.wrap(inside)
    padding = wrapped[-3]
    assert payload(wrapped)[: -padding or None] == inside


@given(
    energy=st.integers(-(2**63), 2**63 - 1),
    power=st.integers(-(2**31), 2**31 - 1),
    scaler=st.integers(-4, 4),
    key=st.binary(max_size=70),
    variant=st.sampled_from(Variant),
)
def test_what_is_encoded_is_decoded(energy: int, power: int, scaler: int, key: bytes, variant: Variant) -> None:
    entries = [
        *telegrams.meter_entries(energy=energy, power=power, scaler=scaler),
        encoder.entry(Obis.parse("1-0:96.5.0"), tlv.octet_string(key)),
    ]
    (reading,) = telegrams.decode(telegrams.telegram(entries, variant=variant))
    assert isinstance(reading, Reading)
    sent = {register.obis: (register.raw, register.scaler) for register in reading.registers}
    assert sent[telegrams.IMPORT] == (energy, scaler)
    assert sent[telegrams.POWER] == (power, 0)
    assert sent[Obis.parse("1-0:96.5.0")] == (key, None)
