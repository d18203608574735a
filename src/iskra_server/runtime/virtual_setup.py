"""The virtual meters of the configuration, checked; and which meters their parts are."""

from collections import Counter
from collections.abc import Mapping, Sequence

from msgspec.structs import replace

from iskra_server.config import Config, ConfigError, MeterConfig, VirtualConfig
from iskra_server.meter.identity import compact_name
from iskra_server.meter.virtual_meter import MeterPart, VirtualMeter
from iskra_server.reading.reader import Reader

# numbers of meters have more: 1 ISK 00 70347617
_MIN_DIGITS = 4


def virtual_meters(config: Config) -> tuple[VirtualMeter, ...]:
    """Raises ConfigError. That no meter has the number of a part shows only when meters are read."""
    names = [compact_name(entry.name) for entry in config.virtual]
    entries = [(f"virtual.{number}", entry) for number, entry in enumerate(config.virtual, 1)]
    # first: with a wrong name, the parts of another one look wrong
    for path, entry in entries:
        _check_name(entry, path, config, names)
    meters = []
    for path, entry in entries:
        parts = [MeterPart(name, sign) for sign, text in ((1, entry.plus), (-1, entry.minus)) for name in _names(text)]
        if not _names(entry.plus):
            raise ConfigError(f"{path}.plus names no meter; list those that '{entry.name}' adds up.", f"{path}.plus")
        for part in parts:
            _check_part(part, entry, f"{path}.{'plus' if part.sign > 0 else 'minus'}", config, names)
        counts = Counter(compact_name(part.name) for part in parts)
        if twice := next((part.name for part in parts if counts[compact_name(part.name)] > 1), None):
            raise ConfigError(f"{path} names the meter '{twice}' twice; name each meter once.", path)
        meters.append(VirtualMeter(entry.name, tuple(parts), entry.stale_after_s))
    return tuple(meters)


def _check_name(entry: VirtualConfig, path: str, config: Config, names: Sequence[str]) -> None:
    name = compact_name(entry.name)
    if not name:
        raise ConfigError(
            f'{path}.name is missing; give the virtual meter a name, such as "Heat pump".', f"{path}.name"
        )
    # a name is part of addresses, of lists with commas, and of lines for InfluxDB
    if entry.name != entry.name.strip() or set("/\\,") & set(entry.name):
        raise ConfigError(
            f"{path}.name is '{entry.name}'; it must have no slash, backslash or comma, and no space at its ends.",
            f"{path}.name",
        )
    if names.count(name) > 1 or name in map(compact_name, _configured(config)):
        raise ConfigError(f"{path}.name is '{entry.name}', as another meter is called; choose its own.", f"{path}.name")


def _check_part(part: MeterPart, entry: VirtualConfig, path: str, config: Config, names: Sequence[str]) -> None:
    name = compact_name(part.name)
    if name == compact_name(entry.name):
        raise ConfigError(f"{path} names '{part.name}' itself; name the meters that it is computed from.", path)
    if name in names:
        raise ConfigError(
            f"{path} names '{part.name}', which is a virtual meter too; name the meters that it is computed from.", path
        )
    configured = _configured(config)
    matches = [other for other in configured if compact_name(other) == name]
    if len(matches) > 1:
        raise ConfigError(
            f"{path} names '{part.name}', and {len(matches)} meters have this meters.name; give each its own.", path
        )
    if not matches and not may_be_number(name):
        raise ConfigError(no_such_meter(path, part.name, configured), path)


def may_be_number(name: str) -> bool:
    """Whether this may be the number or the server id of a meter that is not read yet."""
    return sum(character.isdigit() for character in name) >= _MIN_DIGITS


def no_such_meter(path: str, name: str, known: Sequence[str]) -> str:
    names = f"the names are {', '.join(known)}" if known else "no meter has a meters.name"
    return f"{path} names '{name}', which is no meter: {names}. Name a meter by its meters.name, number or server id."


def _configured(config: Config) -> list[str]:
    return [meter.name for meter in config.meters if meter.name]


def _names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]


def sources_by_name(configured: Sequence[MeterConfig]) -> dict[str, MeterConfig]:
    return {compact_name(meter.name): meter for meter in configured if meter.name}


def located(
    meters: Sequence[VirtualMeter], by_name: Mapping[str, MeterConfig], readers: Mapping[MeterConfig, Reader]
) -> list[VirtualMeter]:
    """The virtual meters with what is known of their parts: those that are named as a source are what it reads.

    `by_name` are the sources (`sources_by_name`). Any thread may call it.
    """
    return [
        replace(
            meter, parts=tuple(_located(part, by_name.get(compact_name(part.name)), readers) for part in meter.parts)
        )
        for meter in meters
    ]


def _located(part: MeterPart, source: MeterConfig | None, readers: Mapping[MeterConfig, Reader]) -> MeterPart:
    if source is None:
        return part
    reader = readers.get(source)
    if reader is None:
        return replace(part, port=str(source.url))
    return replace(part, meter_id=reader.meter_id or "", port=reader.source.state.port or str(source.url))
