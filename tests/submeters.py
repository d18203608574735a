"""Records of an electricity meter with gas and heat on its M-Bus, and of a meter that sends two lists in turn."""

from datetime import UTC, datetime, timedelta

from msgspec.structs import replace

import texts
from iskra_server.base.clock import boottime_s
from iskra_server.codecs.p1.decoder import P1Decoder
from iskra_server.meter.normalise import MeterMemory, normalise
from iskra_server.meter.reading import Register, Sample
from samples import sample

HEAT_ID = "H0099000000000077"
_HEAT = ("0-2:24.1.0(004)", f"0-2:96.1.0({texts.hex_text(HEAT_ID)})", "0-2:24.2.1(261122100010W)(00012.345*GJ)")


def p1_samples() -> list[Sample]:
    """The electricity meter first, then gas in m³, then heat in GJ."""
    decoder, lines = P1Decoder(), [*texts.p1_lines(), *_HEAT]
    records = [normalise(sent, MeterMemory())[0] for sent in texts.readings(decoder.feed(texts.p1_telegram(lines)))]
    return [Sample(record, datetime.now(UTC), boottime_s(), simulated=False, source="test") for record in records]


def list_sample(*registers: Register, age_s: float) -> Sample:
    """A telegram with a list of a DLMS meter, which arrived `age_s` ago."""
    content = sample(*registers)
    at = datetime.now(UTC) - timedelta(seconds=age_s)
    dlms = replace(content.reading, protocol="dlms")
    return replace(content, reading=dlms, received_at=at, monotonic_s=boottime_s() - age_s)
