"""The reader of a configured meter: the server and the commands that watch a meter make it alike."""

from functools import partial

from iskra_server.config import MeterConfig
from iskra_server.reading.decoding import Decoding
from iskra_server.reading.reader import Reader
from iskra_server.sources.source import Source


def configured_reader(meter: MeterConfig, source: Source, decoding: Decoding) -> partial[Reader]:
    """Makes a reader with the settings of a meter; call it with the guard, the hub and what else they share."""
    return partial(
        Reader,
        source=source,
        decoder=decoding.decoder(source.state.protocol),
        name=meter.name,
        role=meter.role,
        production_counter=meter.production_counter,
        stale_after_s=meter.stale_after_s,
        counters_stale_after_s=meter.counters_stale_after_s,
        max_power_w=meter.max_power_w,
        factor=meter.factor,
        has_key=decoding.has_key,
        has_auth_key=decoding.has_auth_key,
    )
