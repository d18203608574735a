"""The serial ports of this machine: stable by-id names first, each device once, with the program that has it open.

The by-id name is made of the maker and serial number of the adapter: unlike /dev/ttyUSB0 it stays the same when the
adapter is plugged in again. Adapters with equal or missing serial numbers share one; their by-path names differ.
"""

import os
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Protocol

import serialx
from msgspec import Struct

from iskra_server.base.processes import PROC, open_files

# device names of infrared heads, for containers without /sys, where serialx lists nothing
PLAIN_NAMES = ("ttyUSB*", "ttyACM*", "ttyAMA*", "serial0")
_DEV = Path("/dev")
BY_ID = "serial/by-id"
BY_PATH = "serial/by-path"
# devices that reset, or lose their network, when another program opens them
FOREIGN = re.compile(
    r"zig-?bee|z-?wave|zwa-?\d|z-?stick|conbee|raspbee|dresden|skyconnect|connect_zbt|hubz|thread"
    r"|cc2531|cc2652|cc1352|blue-?tooth|gps|gnss|u-?blox|modem|huawei|quectel|sierra|simcom",
    re.IGNORECASE,
)


class Listed(Protocol):
    """A port as serialx lists it."""

    resolved_device: str
    manufacturer: str | None
    product: str | None
    vid: int | None
    pid: int | None
    serial_number: str | None
    interface_num: int | None
    port_number: int | None


class Port(Struct, frozen=True):
    """A serial port. `holder` is the program that has it open, "name (pid 812)"; `may_open` checks permissions only.

    `has_twin`: another adapter has the same maker and serial number, so the by-id name may lead to either of them.
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
        """The name to write into a configuration."""
        return (self.by_path if self.has_twin else self.by_id) or self.device

    @property
    def is_foreign(self) -> bool:
        """Whether its name is that of another kind of device (Zigbee, Z-Wave, GPS, modem ...)."""
        return bool(FOREIGN.search(f"{self.by_id} {self.description}"))


def list_ports(dev: Path = _DEV, listed: Callable[[], Iterable[Listed]] = serialx.list_serial_ports) -> list[Port]:
    """All ports, those with a by-id name first. Opens no port."""
    usb = {os.path.realpath(port.resolved_device): port for port in listed()}
    names = Counter(map(_udev_name, usb.values()))
    by_path = {os.path.realpath(path): str(path) for path in reversed(_links(dev / BY_PATH))}
    programs = programs_by_device()
    ports: dict[str, Port] = {}
    for path in [*_links(dev / BY_ID), *map(Path, sorted(usb)), *_plain(dev)]:
        device = os.path.realpath(path)
        if device in ports or not os.path.exists(device):
            continue
        by_id = str(path) if path.parent == dev / BY_ID else None
        port = usb.get(device)
        ports[device] = Port(
            device=device,
            by_id=by_id,
            description=_description(port, by_id),
            holder=programs.get(device),
            may_open=os.access(device, os.R_OK | os.W_OK, effective_ids=True),
            by_path=by_path.get(device),
            has_twin=port is not None and port.vid is not None and names[_udev_name(port)] > 1,
        )
    return list(ports.values())


def plugged(dev: Path = _DEV) -> frozenset[str]:
    """The names of the ports: cheap to compute, changes when a port is plugged in or unplugged."""
    return frozenset(map(str, [*_links(dev / BY_ID), *_plain(dev)]))


def stable_name(path: str) -> str:
    """The by-id name of a device, else its by-path name, else the device: it is the same after a restart."""
    device = os.path.realpath(path)
    links = [*_links(_DEV / BY_ID), *_links(_DEV / BY_PATH)]
    return next((str(link) for link in links if os.path.realpath(link) == device), device)


def _links(folder: Path) -> list[Path]:
    return sorted(folder.glob("*"))


def _udev_name(port: Listed) -> tuple[object, ...]:
    """The properties that udev makes the by-id name of."""
    return port.vid, port.pid, port.serial_number, port.interface_num, port.port_number


def _plain(dev: Path) -> Iterator[Path]:
    # on a Raspberry Pi serial1 leads to the Bluetooth chip, whatever the device is called
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


def programs_by_device(proc: Path = PROC) -> dict[str, str]:
    """Device -> "name (pid 812)", several with commas, of all open files below /dev.

    Processes of other users are hidden from all users but root.
    """
    programs: dict[str, dict[str, None]] = {}
    for program, target in open_files(proc):
        if target.startswith("/dev/"):
            programs.setdefault(target, {})[program] = None
    return {device: ", ".join(names) for device, names in programs.items()}
