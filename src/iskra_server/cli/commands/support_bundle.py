"""`support-bundle`: versions, configuration, status, metrics, log and telegrams in one anonymised file.

The running server sends its part masked. If none runs, the command reads the meters itself for some seconds.
"""

import asyncio
import json
import os
import platform
import time
import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from http.client import HTTPException
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Annotated, Any
from urllib.error import HTTPError
from urllib.parse import parse_qsl

import msgspec
import typer

from iskra_server import __version__
from iskra_server.cli.commands.config import as_toml
from iskra_server.cli.ui.local_server import ask, base_url
from iskra_server.cli.ui.observe import make_readers, running_readers
from iskra_server.cli.ui.options import ConfigFile, command_app, examples
from iskra_server.cli.ui.telegram_text import plural
from iskra_server.cli.ui.usage_error import UsageError
from iskra_server.config import Config, Loaded, ServerConfig, load_with_origins, secrets_of
from iskra_server.meter import identity
from iskra_server.reading.hub import Hub
from iskra_server.reading.reader import Reader
from iskra_server.reading.statuses import Statuses
from iskra_server.redact.elements import masked_elements
from iskra_server.redact.evidence import Evidence, evidence
from iskra_server.redact.text import Scrubber
from iskra_server.web.api.status import server_status

app = command_app()
# keys of a status with the id of a meter
_METER_IDS = ("meter_id", "previous_meter_id")
_MIN_NAME = 5
_LISTEN_S = 15.0
# a round of all line settings takes 34 s (sources/search.py)
_SEARCH_S = 45.0
_LIBRARIES = ("uvicorn", "starlette", "msgspec", "serialx", "sqlalchemy", "paho-mqtt", "uvloop", "httptools")
_README = """\
What this is: a support bundle of the ISKRA Electricity Server. Look through it before you send it to anybody.

Replaced, each by the same substitute everywhere: server ids, serial numbers, public keys and signatures of meters.
Masked: passwords, tokens and keys of the configuration, texts that a meter sends, the content of encrypted telegrams.
Rounded: large numbers in a list that the program does not know. The checksums of the telegrams are valid.
Not replaced: names of files and machines, addresses in your network, meter readings.

versions.json        program, libraries, system
configuration.toml   the configuration, with the origin of each value
status.json          the diagnosis of each meter: protocol, line, what is wrong, the elements of an unknown list
metrics.txt          metrics, if a server was running
log.txt              the last lines of its log
telegrams-N.bin      the last bytes of source N; to read them: iskra-server decode telegrams-1.bin
"""


class Content(msgspec.Struct):
    """From the server or read here. `texts` by file name; `values`: octet strings that meters sent, in hex."""

    texts: dict[str, str]
    sources: list[Evidence]
    values: list[str] = []


@app.command(
    epilog=examples(
        {
            "iskra-server support-bundle bundle.zip": "ask the running server",
            "iskra-server support-bundle b.zip --seconds 60": "listen for 60 s",
        }
    )
)
def support_bundle(
    output: Annotated[Path, typer.Argument(metavar="FILE.zip", help="File to write; must not exist.")],
    seconds: Annotated[
        float | None,
        typer.Option(
            "--seconds",
            min=1,
            max=3600,
            metavar="S",
            help="How long to read if no server runs.",
            show_default=f"{_LISTEN_S:.0f}, up to {_SEARCH_S:.0f} while a meter is searched for",
        ),
    ] = None,
    config: ConfigFile = None,
) -> None:
    """Write an anonymised support bundle for a bug report."""
    loaded = load_with_origins(os.environ, config)
    content = _from_server(loaded.config.server) or asyncio.run(_from_meters(loaded, seconds))
    files = dict(_files(loaded, content))
    try:
        with zipfile.ZipFile(output, "x", zipfile.ZIP_DEFLATED) as bundle:
            for name, data in files.items():
                bundle.writestr(name, data)
    except FileExistsError:
        raise UsageError(f"{output} exists already; name another file.") from None
    byte_count = sum(len(source.data) // 2 for source in content.sources)
    telegrams = (
        f"{plural(byte_count, 'byte')} of {plural(len(content.sources), 'meter')}" if byte_count else "no telegrams"
    )
    print(f"{output} has {plural(len(files), 'file')} and {telegrams}. Look through it before you send it.")


def _files(loaded: Loaded, content: Content) -> Iterator[tuple[str, bytes | str]]:
    # without a meter there is no status
    status = json.loads(content.texts.get("status.json", "{}"))
    addresses = _meter_addresses(loaded.config)
    scrubber = Scrubber(_identities(content, _meter_ids(status), addresses), secrets_of(loaded.config))
    texts = {"versions.json": json.dumps(_versions(), indent=1), "configuration.toml": "\n".join(as_toml(loaded))}
    texts |= content.texts
    if status:
        texts["status.json"] = json.dumps(_with_masked_elements(status))
    yield "README.txt", _README
    for name, text in texts.items():
        yield name, scrubber.text(text)
    for number, source in enumerate(content.sources, 1):
        yield f"telegrams-{number}.bin", bytes.fromhex(source.data)


def _meter_ids(status: Any) -> Iterator[str]:
    """All meters that a status names, also those that are not read now."""
    for key, value in status.items() if isinstance(status, dict) else enumerate(status):
        if key in _METER_IDS and isinstance(value, str):
            yield value
        elif key == "sub_meters":
            yield from value
        elif isinstance(value, dict | list):
            yield from _meter_ids(value)


def _with_masked_elements(status: dict[str, Any]) -> dict[str, Any]:
    for meter in status["meters"]:
        if unreadable := meter["facts"].get("last_unreadable"):
            unreadable["elements"] = list(masked_elements(unreadable["elements"]))
    return status


def _meter_addresses(config: Config) -> Iterator[bytes]:
    """Of meters on an RS-485 line: the address of a D0 meter is its serial number."""
    for meter in config.meters:
        options = parse_qsl(meter.url.reveal().partition("?")[2])
        yield from (value.encode() for name, value in options if name == "address")


def _identities(content: Content, meter_ids: Iterable[str], addresses: Iterable[bytes]) -> dict[bytes, bytes]:
    """Meter ids and their pseudonyms; other octet strings, and meters without a telegram, become zeros."""
    ids = {bytes.fromhex(a): bytes.fromhex(b) for source in content.sources for a, b in source.meters.items()}
    known = set(map(identity.meter_id, ids))
    unknown = (identity.server_id(meter_id) for meter_id in meter_ids if meter_id not in known)
    others = (*addresses, *map(bytes.fromhex, content.values), *unknown)
    return {value: bytes(len(value)) for value in others if value} | ids


def _versions() -> dict[str, Any]:
    def installed(name: str) -> str:
        try:
            return version(name)
        except PackageNotFoundError:
            return "not installed"

    return {
        "iskra-server": __version__,
        "python": platform.python_version(),
        "system": platform.platform(),
        "machine": platform.machine(),
        "libraries": {name: installed(name) for name in _LIBRARIES},
    }


def _from_server(server: ServerConfig) -> Content | None:
    """From the running server; None if it does not answer."""
    try:
        support = msgspec.json.decode(ask(server, "/api/v1/support"))
        texts = {"status.json": ask(server, "/api/v1/status").decode(), "metrics.txt": ask(server, "/metrics").decode()}
        values = _octet_strings(msgspec.json.decode(ask(server, "/api/v1/meters"))["meters"])
    except HTTPError as error:
        raise UsageError(
            f"The server at {base_url(server)} refuses: {error.code} {error.reason}. Is server.token the same there?"
        ) from None
    except (OSError, HTTPException, ValueError, KeyError):
        return None
    texts["log.txt"] = "\n".join(support["log"])
    return Content(texts, msgspec.convert(support["sources"], list[Evidence]), values)


def _octet_strings(meters: Iterable[Mapping[str, Any]]) -> list[str]:
    """Octet strings among the values, except the maker and values too short to identify anybody."""
    rows = (register for meter in meters for register in meter["registers"] if isinstance(register["value"], str))
    values = ((row["value"], row.get("text", "")) for row in rows if "manufacturer" not in row["name"])
    return [value for value, text in values if len(value) >= 8 and _may_identify(text)]


def _may_identify(text: str) -> bool:
    """False for states, counts and versions, whose characters also occur elsewhere."""
    return not text or len(text.strip("0 ")) >= _MIN_NAME


def _is_searching(reader: Reader) -> bool:
    state = reader.source.state
    return reader.meter_id is None and (state.is_open or state.probe.seconds > 0)


async def listen(tasks: Sequence["asyncio.Task[None]"], meters: Sequence[Reader], seconds: float | None) -> None:
    """For `seconds`, else for _LISTEN_S, and up to _SEARCH_S while a port is searched for its meter."""
    began_s = time.monotonic()
    _, pending = await asyncio.wait(tasks, timeout=_LISTEN_S if seconds is None else seconds)
    while seconds is None and pending and time.monotonic() - began_s < _SEARCH_S:
        if not any(map(_is_searching, meters)):
            return
        _, pending = await asyncio.wait(pending, timeout=1.0)


async def _from_meters(loaded: Loaded, seconds: float | None) -> Content:
    """By reading the configured meters."""
    hub = Hub()
    meters = make_readers(loaded.config, hub)
    async with running_readers(meters) as tasks:
        if tasks:
            await listen(tasks, meters, seconds)
        status = server_status(Statuses(meters), "")
    samples = (register.raw for sample in hub.newest.values() for register in sample.reading.registers)
    values = [raw.hex() for raw in samples if isinstance(raw, bytes) and len(raw.strip(b"0 ")) >= _MIN_NAME]
    texts = {"status.json": msgspec.json.encode(status).decode()}
    return Content(texts, evidence((reader.source.url, reader.recent_bytes) for reader in meters), values)
