"""The last bytes decode as before, and name nobody."""

import telegrams
from iskra_server.codecs.sml.decoder import SmlDecoder
from iskra_server.meter.reading import Reading
from iskra_server.redact.evidence import evidence

OTHER = bytes.fromhex("090149534b0001020304")


def bytes_of(server_id: bytes) -> bytes:
    return b"".join(telegrams.telegram(seconds=each, server_id=server_id) for each in range(3))


def test_values_are_kept_and_the_server_id_is_another_one() -> None:
    (found,) = evidence([("auto", b"noise" + bytes_of(telegrams.SERVER_ID) + b"\x1b\x1b\x1b\x1b\x01\x01\x01\x01cut")])
    readings = [each for each in SmlDecoder().feed(bytes.fromhex(found.data)) if isinstance(each, Reading)]
    (substitute,) = found.meters.values()
    assert list(found.meters) == [telegrams.SERVER_ID.hex()]
    assert {each.server_id.hex() for each in readings} == {substitute}
    assert [each.get(telegrams.IMPORT) for each in readings] == [
        each.get(telegrams.IMPORT) for each in telegrams.readings(bytes_of(telegrams.SERVER_ID))
    ]
    for trace in (telegrams.SERVER_ID, telegrams.SERVER_ID[6:], telegrams.KEY, b"noise"):
        assert trace.hex() not in found.data
    assert found.blanked > 0


def test_a_meter_is_the_same_in_every_source_and_two_are_two() -> None:
    one, two = bytes_of(telegrams.SERVER_ID), bytes_of(OTHER)
    first, second, third = evidence([("a", one), ("b", two), ("c", one)])
    assert first.meters == third.meters
    assert set(first.meters.values()).isdisjoint(second.meters.values())


def test_a_source_that_sent_nothing_is_there_too() -> None:
    assert [(each.data, each.meters) for each in evidence([("auto", b"")])] == [("", {})]
