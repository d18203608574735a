"""All that a start would refuse, where a start stops at the first: each part by itself, then everything together."""

from collections.abc import Iterator

from msgspec.structs import replace

from iskra_server.config import Config, ConfigError, MeterConfig, OutputsConfig
from iskra_server.config.sections import NO_METER
from iskra_server.outputs.mqtt.broker_settings import broker_settings
from iskra_server.runtime.plan import plan_of

_NO_METERS = Config(meters=(MeterConfig(url=NO_METER),))


def config_problems(config: Config) -> list[ConfigError]:
    """Without repetitions; contracts are checked together with everything else only."""
    problems: dict[str, ConfigError] = {}
    for part in (*_parts(config), config):
        try:
            plan_of(part)
            if part.collect.url:
                broker_settings("collect", part.collect)
        except ConfigError as error:
            problems.setdefault(str(error), error)
    return list(problems.values())


def _parts(config: Config) -> Iterator[Config]:
    """Each part with the defaults of all others, but for those that it depends on."""
    yield replace(_NO_METERS, server=config.server, tokens=config.tokens)
    yield from (Config(meters=(meter,)) for meter in config.meters)
    yield replace(_NO_METERS, history=config.history)
    yield replace(_NO_METERS, outputs=OutputsConfig(mqtt=config.outputs.mqtt))
    yield replace(_NO_METERS, outputs=OutputsConfig(influx=config.outputs.influx))
    yield replace(_NO_METERS, history=config.history, uplink=config.uplink)
    yield replace(_NO_METERS, collect=config.collect)
    yield replace(_NO_METERS, prices=config.prices)
    # parts of virtual meters go by the names of meters
    yield replace(
        _NO_METERS, meters=tuple(MeterConfig(NO_METER, meter.name) for meter in config.meters), virtual=config.virtual
    )
