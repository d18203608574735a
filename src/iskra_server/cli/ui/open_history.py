"""The configured history that a command works on, and a meter in it."""

import os
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

import typer

from iskra_server.base.address import Address
from iskra_server.base.timezone import zone
from iskra_server.cli.ui.usage_error import UsageError, usage_errors
from iskra_server.config import Config, load
from iskra_server.history.model.records import MeterInfo
from iskra_server.history.store import StoreError
from iskra_server.history.store.location import database_address, sqlite_file
from iskra_server.history.store.reads import Reads
from iskra_server.history.store.recorded_meter import VirtualRecordedMeter, recorded_meter
from iskra_server.history.store.schema import DatabaseProfile
from iskra_server.history.store.store import Store
from iskra_server.meter.identity import compact_name

# of the Debian package and of our systemd unit
_SERVICE_FOLDER = Path("/var/lib/iskra-server")
# fewer digits are more likely a mistake than a serial number
_SERIAL_DIGITS = 6
_WHOLE_SERIAL_DIGITS = 8
_MAX_LISTED = 10
# of more names all meters are read
_FEW_NAMES = 1_000
# not imported from sources and simulator: that would load the serial ports
_SIMULATED = ("simulator:", "file:")

Zone = Annotated[
    str,
    typer.Option("--tz", metavar="ZONE", help="Time zone, such as Europe/Berlin.", show_default="server.time_zone"),
]


def load_config(file: Path | None) -> Config:
    """The effective configuration."""
    return load(os.environ, file)


def history_address(config: Config) -> Address:
    """The database that the server uses; simulated meters and captures have one of their own."""
    urls = [meter.url.reveal() for meter in config.meters_read]
    simulated = bool(urls) and all(url.startswith(_SIMULATED) for url in urls)
    with usage_errors():
        return database_address(config.history.data_dir, config.history.database_url, simulated=simulated)


def sqlite_path(where: Address) -> Path | None:
    """The file of an SQLite database, None for PostgreSQL."""
    with usage_errors():
        return Path(sqlite_file(where)) if where.scheme == "sqlite" else None


@contextmanager
def open_history(where: Address, profile: DatabaseProfile) -> Iterator[Store]:
    """Open a history, or create it, in PostgreSQL in this profile; errors of the database become UsageError."""
    with database_errors():
        store = Store(where, profile)
        try:
            yield store
        finally:
            store.close()


@contextmanager
def open_existing(config: Config) -> Iterator[Store]:
    """Open the configured history, with its virtual meters; UsageError if it does not exist."""
    check_exists(config)
    with open_history(history_address(config), config.history.database_profile) as store:
        if config.virtual:
            # not imported without need: it loads the serial ports
            from iskra_server.runtime.virtual_setup import located, sources_by_name, virtual_meters  # noqa: PLC0415

            virtual = located(virtual_meters(config), sources_by_name(config.meters_read), {})
            store.virtual = lambda: virtual
        yield store


def check_exists(config: Config) -> None:
    """Raises UsageError where the configured history is a file that does not exist."""
    file = sqlite_path(history_address(config))
    if file is None or file.exists():
        return
    simulated = sqlite_path(database_address(config.history.data_dir, "", simulated=True))
    demo = " For that of the demo, set IES_METERS=simulator:MT175." if simulated and simulated.exists() else ""
    # its folder is open to root alone
    of_service = os.path.lexists(_SERVICE_FOLDER) and not file.is_relative_to(_SERVICE_FOLDER)
    service = f" For that of the service, sudo env IES_DATA_DIR={_SERVICE_FOLDER} and this command." * of_service
    raise UsageError(
        f"There is no history at {file} yet. Start iskra-server serve, or set history.data_dir.{demo}{service}"
    )


@contextmanager
def database_errors() -> Iterator[None]:
    """Turns errors of the database into UsageError."""
    try:
        yield
    except StoreError as error:
        raise UsageError(str(error)) from None


def find_meter(meters: Sequence[MeterInfo], name: str | None) -> MeterInfo:
    """The meter with this name, or the only meter if `name` is None."""
    if not meters:
        raise UsageError("History holds no meter yet. Start iskra-server serve, or import readings with --meter.")
    if name is None and len(meters) > 1:
        raise UsageError(f"History holds several meters; name one of them: {_listed(meters)}.")
    matching = [meter for meter in meters if name is None or matches_name(meter, name)]
    if not matching:
        raise UsageError(f"The meter {name} is not in history; it holds {_listed(meters)}.")
    if len(matching) > 1:
        raise UsageError(f"{name} may be {' or '.join(meter.meter_id for meter in matching)}; write the whole number.")
    return matching[0]


def stored_meter(reads: Reads, name: str | None) -> MeterInfo:
    """As `find_meter` in an open history. Only some rows are read: a central server has a million meters."""
    return find_meter(_named(reads, name or "") or reads.first_meters(_MAX_LISTED + 1), name)


def _named(reads: Reads, name: str) -> list[MeterInfo]:
    short = compact_name(name)
    chain = reads.replacement_chain([short]) if short else []
    found = [meter for meter in chain if matches_name(meter, name)]
    return found or _meters_ending(reads, [short])


def _meters_ending(reads: Reads, names: Iterable[str]) -> list[MeterInfo]:
    endings = {name.zfill(_WHOLE_SERIAL_DIGITS)[-_WHOLE_SERIAL_DIGITS:] for name in names if _is_serial(name)}
    return reads.meters_ending(endings) if endings else []


def _listed(meters: Sequence[MeterInfo]) -> str:
    """Their names; a central server may have a hundred thousand."""
    more = " and more" if len(meters) > _MAX_LISTED else ""
    return ", ".join(meter.meter_id for meter in meters[:_MAX_LISTED]) + more


def meters_by_name(reads: Reads, names: Collection[str]) -> dict[str, str]:
    """The ids of the meters that these names mean, as far as there are any. Raises UsageError where one may mean two.

    In one pass: a table of a central server names as many meters as there are.
    """
    index: dict[str, list[MeterInfo]] = defaultdict(list)
    for meter in _candidates(reads, {compact_name(name) for name in names}):
        short = compact_name(meter.meter_id)
        for key in {short, short[-_WHOLE_SERIAL_DIGITS:], compact_name(meter.server_id)}:
            index[key].append(meter)
    found: dict[str, str] = {}
    for name in names:
        short = compact_name(name)
        for key in (short, short.zfill(_WHOLE_SERIAL_DIGITS)):
            if candidates := [meter for meter in index.get(key, ()) if matches_name(meter, name)]:
                found[name] = find_meter(candidates, name).meter_id
                break
    return found


def _candidates(reads: Reads, names: set[str]) -> list[MeterInfo]:
    """Meters among which are those of these names: of a million meters few, where few are named."""
    if len(names) > _FEW_NAMES:
        return reads.meters()
    found = [*reads.replacement_chain(names), *_meters_ending(reads, names)]
    return list({meter.meter_id: meter for meter in found}.values())


def find_virtual(store: Store, name: str | None) -> VirtualRecordedMeter | None:
    """The virtual meter with this name, if there is one whose parts are all in history."""
    meter = recorded_meter(store, [name]) if name else None
    return meter if isinstance(meter, VirtualRecordedMeter) else None


def matches_name(meter: MeterInfo, name: str) -> bool:
    """Whether it names the meter: by label, with or without spaces, by serial number, or by server id in hex."""
    short = compact_name(name)
    serial = _is_serial(short) and compact_name(meter.meter_id).endswith(short.zfill(_WHOLE_SERIAL_DIGITS))
    return bool(short) and (serial or short in (compact_name(meter.meter_id), compact_name(meter.server_id)))


def _is_serial(short: str) -> bool:
    return short.isdecimal() and len(short) >= _SERIAL_DIGITS


def time_zone(name: str, config: Config) -> ZoneInfo:
    """The time zone of this name; that of the server for ""."""
    with usage_errors():
        return zone(name or config.server.time_zone)
