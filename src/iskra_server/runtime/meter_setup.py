"""What the configuration says of its meters, for the server and for commands that read a meter without one."""

from collections.abc import Sequence
from pathlib import Path

from iskra_server.base.address import Address
from iskra_server.config import ConfigError, MeterConfig
from iskra_server.history.store.location import expand_folder
from iskra_server.reading.decoding import Decoding, decoding
from iskra_server.sources.port_memory import PortMemory

AUTO = Address("auto")


def named_ports(meters: Sequence[MeterConfig]) -> list[str]:
    """The serial ports in the configuration: `auto` leaves them alone."""
    return sorted(
        meter.url.reveal().partition("?")[0] for meter in meters if not meter.url.scheme and meter.url != AUTO
    )


def port_memory(data_dir: str, *, writes: bool = True) -> PortMemory:
    """What was found on the serial ports before."""
    try:
        return PortMemory(expand_folder(data_dir), writes=writes)
    except ValueError:
        # told where history is on
        return PortMemory()


def meter_decoding(meter: MeterConfig) -> Decoding:
    """Raises ConfigError for a key or a file of layouts that cannot be used."""
    layouts = Path(meter.layouts) if meter.layouts else None
    try:
        names = ("meters.key", "meters.auth_key", "meters.system_title")
        return decoding(meter.key, meter.auth_key, layouts, names, meter.system_title)
    except ValueError as error:
        raise ConfigError(f"The meter {meter.url} cannot be decoded: {error}.") from None
