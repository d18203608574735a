"""`support-bundle`: versions, configuration, status, counters, log and telegrams in one file that names nobody.

The running server gives its part masked; where none runs, the command reads the meters itself for a while.
"""

import asyncio
import json
import os
import platform
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from http.client import HTTPException
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Annotated, Any
from urllib.error import HTTPError

import msgspec
import typer

from iskra_server import __version__
from iskra_server.cli.commands.config import as_toml
from iskra_server.cli.ui.local import address, ask
from iskra_server.cli.ui.observe import readers, running
from iskra_server.cli.ui.options import ConfigFile, examples, single
from iskra_server.cli.ui.refusal import Refused
from iskra_server.config import Loaded, ServerConfig, load_with_origins, secrets_of
from iskra_server.reading.hub import Hub
from iskra_server.reading.reader import Statuses
from iskra_server.redact.evidence import Evidence, evidence
from iskra_server.redact.text import Scrubber
from iskra_server.web.api.status import server_status

app = single()
_LIBRARIES = ("uvicorn", "starlette", "msgspec", "serialx", "sqlalchemy", "paho-mqtt", "uvloop", "httptools")
_README = """\
What this is: a support bundle of the ISKRA Electricity Server. Look through it before you hand it on.

Replaced everywhere, the same by the same: server ids, serial numbers, public keys and signatures of meters.
Masked: passwords, tokens and keys of the configuration. All checksums of the telegrams are right again.
Not replaced: names of files and machines, addresses in your network, meter readings.

versions.json        program, libraries, system
configuration.toml   what is configured, and where each value comes from
status.json          the diagnosis of every meter
metrics.txt          counters, where a server was running
log.txt              the last lines of its log
telegrams-N.bin      the last bytes of source N; read them with: iskra-server decode telegrams-1.bin
"""


class Found(msgspec.Struct):
    """What the server, or the command in its place, has found out: texts by the names of their files."""

    texts: dict[str, str]
    sources: list[Evidence]
    # hex of octet strings that meters sent as values
    values: list[str] = []


@app.command(
    epilog=examples(
        {
            "iskra-server support-bundle bundle.zip": "from the server",
            "iskra-server support-bundle b.zip --seconds 60": "listen for longer",
        }
    )
)
def support_bundle(
    output: Annotated[Path, typer.Argument(metavar="FILE.zip", help="A file that does not exist yet.")],
    seconds: Annotated[
        float, typer.Option("--seconds", min=1, max=3600, metavar="S", help="How long to read where no server runs.")
    ] = 15.0,
    config: ConfigFile = None,
) -> None:
    """Pack what a bug report needs, without who it is from."""
    loaded = load_with_origins(os.environ, config)
    found = _of_server(loaded.config.server) or asyncio.run(_of_meters(loaded, seconds))
    files = dict(_files(loaded, found))
    try:
        with zipfile.ZipFile(output, "x", zipfile.ZIP_DEFLATED) as bundle:
            for name, content in files.items():
                bundle.writestr(name, content)
    except FileExistsError:
        raise Refused(f"{output} exists already; name another file.") from None
    data = sum(len(each.data) // 2 for each in found.sources)
    print(f"{output} holds {len(files)} files and {data} bytes of {len(found.sources)} sources. Look through it first.")


def _files(loaded: Loaded, found: Found) -> Iterator[tuple[str, bytes | str]]:
    scrubber = Scrubber(_identities(found), secrets_of(loaded.config))
    yield "README.txt", _README
    texts = {"versions.json": json.dumps(_versions(), indent=1), "configuration.toml": "\n".join(as_toml(loaded))}
    for name, text in (texts | found.texts).items():
        yield name, scrubber.text(text)
    for number, each in enumerate(found.sources, 1):
        yield f"telegrams-{number}.bin", bytes.fromhex(each.data)


def _identities(found: Found) -> dict[bytes, bytes]:
    """Of meters what stands for them; other bytes that they sent become zeros."""
    known = {bytes.fromhex(a): bytes.fromhex(b) for each in found.sources for a, b in each.meters.items()}
    values = (bytes.fromhex(value) for value in found.values)
    return {value: bytes(len(value)) for value in values} | known


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


def _of_server(server: ServerConfig) -> Found | None:
    """From the server that this configuration describes, or None where it does not answer."""
    try:
        support = msgspec.json.decode(ask(server, "/api/v1/support"))
        texts = {"status.json": ask(server, "/api/v1/status").decode(), "metrics.txt": ask(server, "/metrics").decode()}
        values = _octet_strings(msgspec.json.decode(ask(server, "/api/v1/meters"))["meters"])
    except HTTPError as error:
        raise Refused(
            f"The server at {address(server)} refuses: {error.code} {error.reason}. Is server.token the same?"
        ) from None
    except (OSError, HTTPException, msgspec.DecodeError, KeyError):
        return None
    texts["log.txt"] = "\n".join(support["log"])
    return Found(texts, msgspec.convert(support["sources"], list[Evidence]), values)


def _octet_strings(meters: Iterable[Mapping[str, Any]]) -> list[str]:
    """Values of registers that are bytes, but for the maker and what is too short to name anybody."""
    values = (register for meter in meters for register in meter["registers"] if isinstance(register["value"], str))
    return [each["value"] for each in values if len(each["value"]) >= 8 and "manufacturer" not in each["name"]]


async def _of_meters(loaded: Loaded, seconds: float) -> Found:
    """By reading the meters of the configuration."""
    hub = Hub()
    made = readers(loaded.config, hub)
    async with running(made) as tasks:
        if tasks:
            await asyncio.wait(tasks, timeout=seconds)
        status = server_status(Statuses(made), "")
    samples = (register.raw for sample in hub.newest.values() for register in sample.reading.registers)
    values = [raw.hex() for raw in samples if isinstance(raw, bytes) and len(raw) >= 4]
    texts = {"status.json": msgspec.json.encode(status).decode()}
    return Found(texts, evidence((each.source.url, each.recent) for each in made), values)
