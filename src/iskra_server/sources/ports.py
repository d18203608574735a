"""The serial ports of this machine: by their stable by-id names first, each device once, with who holds it.

The by-id name comes from the maker and serial number in the plug, so it survives a replug; /dev/ttyUSB0 does not. Two
adapters with the same serial number, or without one, share a single by-id name: their by-path names tell them apart.
"""

import os
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Protocol

import serialx
from msgspec import Struct

from iskra_server.sources.holders import holders

# what an infrared head can hang on where nothing lists it (containers without /sys)
PLAIN_NAMES = ("ttyUSB*", "ttyACM*", "ttyAMA*", "serial0")
BY_ID = "serial/by-id"
BY_PATH = "serial/by-path"
# sticks that are reset, or lose their network, when a stranger opens them
FOREIGN = re.compile(
    r"zig-?bee|z-?wave|zwa-?\d|z-?stick|conbee|raspbee|dresden|skyconnect|connect_zbt|hubz|thread"
    r"|cc2531|cc2652|cc1352|blue-?tooth|gps|gnss|u-?blox|modem|huawei|quectel|sierra|simcom",
    re.IGNORECASE,
)


class Listed(Protocol):
    """What serialx tells of a port."""

    resolved_device: str
    manufacturer: str | None
    product: str | None
    vid: int | None
    pid: int | None
    serial_number: str | None
    interface_num: int | None
    port_number: int | None


class Port(Struct, frozen=True):
    """A serial port. `holder` is "name (pid 812)" as far as we may see; `may_open` is about permissions alone.

    `has_twin`: another adapter here has the same maker and serial number, and the by-id name leads to either of them.
    """

    device: str
    by_id: str | None
    description: str
    holder: str | None
    may_open: bool
    by_path: str | None = None
    has_twin: bool = False

    @property
    def path(self) -> str:
        """The name to keep in a configuration."""
        return (self.by_path if self.has_twin else self.by_id) or self.device

    @property
    def is_foreign(self) -> bool:
        """Whether its name says that it belongs to something else (Zigbee, Z-Wave, GPS, modem ...)."""
        return bool(FOREIGN.search(f"{self.by_id} {self.description}"))


def list_ports(
    dev: Path = Path("/dev"), listed: Callable[[], Iterable[Listed]] = serialx.list_serial_ports
) -> list[Port]:
    """All ports, those with a by-id name first. Looks at files only; opens nothing."""
    known = {os.path.realpath(port.resolved_device): port for port in listed()}
    names = Counter(map(_udev_name, known.values()))
    by_path = {os.path.realpath(path): str(path) for path in reversed(_links(dev / BY_PATH))}
    held = holders()
    ports: dict[str, Port] = {}
    for path in [*_links(dev / BY_ID), *map(Path, sorted(known)), *_plain(dev)]:
        device = os.path.realpath(path)
        if device in ports or not os.path.exists(device):
            continue
        by_id = str(path) if path.parent == dev / BY_ID else None
        port = known.get(device)
        ports[device] = Port(
            device=device,
            by_id=by_id,
            description=_description(port, by_id),
            holder=held.get(device),
            may_open=os.access(device, os.R_OK | os.W_OK, effective_ids=True),
            by_path=by_path.get(device),
            has_twin=port is not None and port.vid is not None and names[_udev_name(port)] > 1,
        )
    return list(ports.values())


def plugged(dev: Path = Path("/dev")) -> frozenset[str]:
    """The names of what is plugged in: cheap, changes when a port comes or goes."""
    return frozenset(map(str, [*_links(dev / BY_ID), *_plain(dev)]))


def _links(folder: Path) -> list[Path]:
    return sorted(folder.glob("*"))


def _udev_name(port: Listed) -> tuple[object, ...]:
    """What udev makes the by-id name of."""
    return port.vid, port.pid, port.serial_number, port.interface_num, port.port_number


def _plain(dev: Path) -> Iterator[Path]:
    # on a Raspberry Pi serial1 is the way to the Bluetooth chip, whatever it is called
    bluetooth = os.path.realpath(dev / "serial1")
    for name in PLAIN_NAMES:
        yield from (path for path in sorted(dev.glob(name)) if os.path.realpath(path) != bluetooth)


def _description(port: Listed | None, by_id: str | None) -> str:
    if port and port.product:
        maker = port.manufacturer or ""
        return port.product if port.product.startswith(maker) else f"{maker} {port.product}"
    if by_id:
        name = re.sub(r"^usb-|-if\d\d.*$", "", Path(by_id).name)
        return name.replace("_", " ")
    return ""
