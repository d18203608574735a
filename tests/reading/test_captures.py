"""Real telegrams of every protocol, kept beside the project, through a reader: the readings are those of the codec."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from iskra_server.codecs.decoder import DECODERS
from iskra_server.meter.guard import Guard
from iskra_server.meter.normalise import MeterMemory, merge_parts, normalise
from iskra_server.meter.reading import Reading
from iskra_server.reading.decoding import Decoding
from iskra_server.reading.hub import Hub
from iskra_server.reading.reader import Reader
from iskra_server.sources.source import Chunk
from reading.given import Given

ROOT = Path(__file__).parents[3] / "shared" / "captures"
CAPTURES = [(path.parent.name, path) for name in ("p1", "d0", "dlms") for path in sorted((ROOT / name).glob("*.bin"))]

pytestmark = pytest.mark.skipif(not CAPTURES, reason=f"the captures are not in {ROOT}")


@pytest.mark.parametrize("size", [50, 4096])
@pytest.mark.parametrize(("protocol", "path"), CAPTURES, ids=[path.stem for _, path in CAPTURES])
def test_a_reader_publishes_what_the_codec_reads(protocol: str, path: Path, size: int) -> None:
    data, start = path.read_bytes(), datetime(2026, 11, 22, tzinfo=UTC)
    decoded = [item for item in merge_parts(DECODERS[protocol]().feed(data)) if isinstance(item, Reading)]
    made = Reader(source=Given(), decoder=Decoding().decoder(), guard=Guard(), hub=(hub := Hub()))
    for at in range(0, len(data), size):
        made.process(Chunk(data[at : at + size], start + timedelta(seconds=at / 960), at / 960))
    published = [sample.reading for sample in hub.newest.values()]
    facts = made.facts(now_s=len(data) / 960)
    assert facts.telegrams == sum(not reading.channel for reading in decoded)
    assert {reading.protocol for reading in published} <= {protocol}
    # a first reading without a checksum is held back, and power alone waits for a list that names its meter; of several
    # with other values only the newest is kept
    if len(decoded) == 1 and not decoded[0].is_weak and path.stem != "Kaifa_NO_list1_gh180-1":
        (reading,) = published
        assert reading.registers == normalise(decoded[0], MeterMemory())[0].registers
