from datetime import UTC, datetime
from itertools import pairwise

import pytest

from iskra_server.codecs.dlms import security
from iskra_server.codecs.dlms.hdlc import HdlcFrame
from iskra_server.codecs.dlms.identity import from_title
from iskra_server.codecs.dlms.transport import Transport
from iskra_server.simulator import dlms_lists
from iskra_server.simulator.household import Household
from iskra_server.simulator.profiles import PROFILES
from iskra_server.simulator.simulated_source import moment

START = int(datetime(2026, 1, 10, 12, tzinfo=UTC).timestamp())
HOUSEHOLD = Household(1, 5000, START)


def frames(name: str, second: int) -> list[HdlcFrame]:
    transport, found = Transport(), []
    transport.feed(PROFILES[name].write(moment(PROFILES[name], 1, HOUSEHOLD, second)))
    while (frame := transport.next()) is not None:
        assert isinstance(frame, HdlcFrame)
        found.append(frame)
    return found


def test_the_system_title_holds_the_serial_number() -> None:
    assert dlms_lists.title(10_000_001).hex() == "49534b6770989681"
    assert from_title(dlms_lists.title(10_000_001)).meter_id == "1 ISK 00 10000001"


def test_long_lists_come_in_segments_and_short_ones_in_one_frame() -> None:
    assert len(frames("AM550-CH", START)) == 3
    assert len(frames("AM550-KELAG", START)) == 1


def test_energies_come_with_the_power_every_quarter_of_an_hour() -> None:
    counts = {
        second: len(
            PROFILES["AM550-Ljubljana"].write(moment(PROFILES["AM550-Ljubljana"], 1, HOUSEHOLD, START + second))
        )
        for second in (0, 5, 895, 900)
    }
    assert counts[0] == counts[900] > counts[5] == counts[895]


@pytest.mark.parametrize("name", [name for name in PROFILES if name.endswith("-encrypted") and "Netz" not in name])
def test_counters_rise_with_every_telegram(name: str) -> None:
    step = PROFILES[name].interval_s
    sent = []
    for second in range(START, START + 3 * step, step):
        apdu = b""
        for frame in frames(name, second):
            apdu += frame.information.removeprefix(b"\xe6\xe7\x00")
            if not frame.is_segment:
                sent.append(security.parse(apdu).counter)
                apdu = b""
    assert all(before < after for before, after in pairwise(sent))
