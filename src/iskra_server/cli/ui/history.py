"""The history that a command works on: that of the configuration, opened, and a meter in it."""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

import typer

from iskra_server.base.address import Address
from iskra_server.base.timezone import zone
from iskra_server.cli.ui.profiles import sentence
from iskra_server.cli.ui.refusal import Refused
from iskra_server.config import Config, load
from iskra_server.history.model.records import MeterInfo
from iskra_server.history.store import StoreError
from iskra_server.history.store.location import database_address
from iskra_server.history.store.store import Store
from iskra_server.meter.identity import compact_name

_SQLITE = "sqlite:///"
# fewer digits of a serial number are more likely a mistake
_SERIAL_DIGITS = 6
# not imported: they bring the serial ports along
_SIMULATED = ("simulator:", "file:")

Zone = Annotated[
    str,
    typer.Option("--tz", metavar="ZONE", help="Time zone, such as Europe/Berlin.", show_default="server.time_zone"),
]


def configured(file: Path | None) -> Config:
    """The configuration in force."""
    return load(os.environ, file)


def address(config: Config) -> Address:
    """Of the database, as the server has it: simulated meters and captures have one of their own."""
    urls = [meter.url.reveal() for meter in config.meters_read]
    simulated = bool(urls) and all(url.startswith(_SIMULATED) for url in urls)
    try:
        return database_address(config.history.data_dir, config.history.database_url, simulated=simulated)
    except ValueError as error:
        raise Refused(sentence(error)) from None


def file_of(where: Address) -> Path | None:
    """The file of an SQLite database, None for any other."""
    text = where.reveal()
    return Path(text.removeprefix(_SQLITE)) if text.startswith(_SQLITE) else None


@contextmanager
def opened(where: Address) -> Iterator[Store]:
    """A history; what the database has against it, now or later, ends the command."""
    with refusing():
        store = Store(where)
        try:
            yield store
        finally:
            store.close()


@contextmanager
def existing(config: Config) -> Iterator[Store]:
    """The configured history, which is not made where it does not exist."""
    file = file_of(address(config))
    if file is not None and not file.exists():
        raise Refused(f"There is no history at {file} yet. Start iskra-server serve, or set data_dir to where it is.")
    with opened(address(config)) as store:
        yield store


@contextmanager
def refusing() -> Iterator[None]:
    """Whatever a database says ends the command with its sentence."""
    try:
        yield
    except StoreError as error:
        raise Refused(str(error)) from None


def known_meter(meters: Sequence[MeterInfo], name: str | None) -> MeterInfo:
    """The meter of a name, or the only one where none is named."""
    names = ", ".join(meter.meter_id for meter in meters)
    if not meters:
        raise Refused("History holds no meter yet. Start iskra-server serve, or import readings with --meter.")
    if name is None and len(meters) > 1:
        raise Refused(f"History holds several meters; name one of them: {names}.")
    found = [meter for meter in meters if name is None or is_named(meter, name)]
    if not found:
        raise Refused(f"History knows no meter {name}; it knows {names}.")
    if len(found) > 1:
        raise Refused(f"{name} may be {' or '.join(meter.meter_id for meter in found)}; write the whole number.")
    return found[0]


def is_named(meter: MeterInfo, name: str) -> bool:
    """Whether a name is a meter's: its label, with or without spaces, its serial number, or its server id in hex."""
    short = compact_name(name)
    serial = (
        short.isdecimal() and len(short) >= _SERIAL_DIGITS and compact_name(meter.meter_id).endswith(short.zfill(8))
    )
    return bool(short) and (serial or short in (compact_name(meter.meter_id), compact_name(meter.server_id)))


def known_zone(name: str, config: Config) -> ZoneInfo:
    """The time zone of a name, for "" that of the server."""
    try:
        return zone(name or config.server.time_zone)
    except ValueError as error:
        raise Refused(sentence(error)) from None
