"""`simulate`: send the telegrams of a simulated meter, for any program that reads meters."""

import errno
import sys
from collections.abc import AsyncGenerator
from math import inf
from pathlib import Path
from typing import Annotated, BinaryIO

import typer

from iskra_server.cli.ui import loop
from iskra_server.cli.ui.options import command_app
from iskra_server.cli.ui.profile_option import ProfileName, examples_and_profiles
from iskra_server.cli.ui.usage_error import UsageError, usage_errors
from iskra_server.simulator.d0_port import serve_d0_pty, serve_d0_tcp, wire_of
from iskra_server.simulator.line import serve_pty, serve_tcp
from iskra_server.simulator.simulated_meter import Profile
from iskra_server.simulator.simulated_source import SimulatedSource

app = command_app()
HOST = "127.0.0.1"
_EXAMPLES = examples_and_profiles(
    {
        "iskra-server simulate": "on a new pseudo-terminal",
        "iskra-server simulate --to tcp:2001": "on a TCP port",
        "iskra-server simulate --to x.bin --count 100": "into a file",
        "iskra-server simulate --to - | od -tx1": "into a pipe",
        "iskra-server simulate --profile ME162": "waits for requests",
        "iskra-server simulate --faults noise=0.1,cut=0.02": "like a badly placed head",
    }
)


class Finite(SimulatedSource):
    """A meter that stops one interval after `count` telegrams; None for endless."""

    count: int | None = None

    async def intervals(self) -> AsyncGenerator[bytes | None]:
        sent = 0
        async for data in super().intervals():
            if sent == self.count:
                return
            yield data
            sent += 1


@app.command(epilog=_EXAMPLES)
def simulate(
    *,
    profile: ProfileName = "MT175",
    to: Annotated[str, typer.Option("--to", metavar="pty|tcp[:PORT]|FILE|-", help="Where the telegrams go.")] = "pty",
    faults: Annotated[
        str,
        typer.Option(
            "--faults",
            metavar="KIND=SHARE,...",
            help="Faults, each with its share from 0 to 1: noise, lost, bits, cut, silence, unplug.",
        ),
    ] = "",
    rate: Annotated[
        float | None,
        typer.Option(
            "--rate",
            min=0,
            metavar="FACTOR",
            help="Speed factor; 0 sends without pause.",
            show_default="1, to a file 0",
        ),
    ] = None,
    seed: Annotated[int, typer.Option("--seed", metavar="N", help="Seed of household and serial number.")] = 1,
    unlock: Annotated[
        float | None,
        typer.Option("--unlock", min=0, metavar="SECONDS", help="Unlock a locked profile after SECONDS."),
    ] = None,
    relock: Annotated[
        float | None,
        typer.Option(
            "--relock", min=0, metavar="SECONDS", help="Lock it again after SECONDS, as a meter whose InF is off."
        ),
    ] = None,
    count: Annotated[int | None, typer.Option("--count", min=1, metavar="N", help="Stop after N telegrams.")] = None,
    echo: Annotated[
        bool,
        typer.Option("--echo", help="Return requests to a polled meter, like a head in front of a reflecting window."),
    ] = False,
) -> None:
    """Send the telegrams of a simulated meter to a port, a file or a pipe."""
    is_line = to in ("pty", "tcp") or to.startswith("tcp:")
    default_rate = 1.0 if is_line or to == "-" else 0.0
    with usage_errors():
        meter = Finite(
            profile,
            seed=seed,
            rate=default_rate if rate is None else rate,
            faults=faults,
            unlock=inf if unlock is None else unlock,
            relock=inf if relock is None else relock,
        )
    meter.count = count
    if meter.model.key:
        print(_keys(meter.model), file=sys.stderr)
    if is_line:
        _serve(meter, to, is_echoed=echo)
    elif to == "-":
        if sys.stdout.isatty():
            raise UsageError("A terminal cannot show binary data; use a pipe: iskra-server simulate --to - | od -tx1")
        loop.run(_write(meter, sys.stdout.buffer))
    else:
        _save(meter, Path(to))


def _keys(model: Profile) -> str:
    keys = f"key {model.key}" + (f", auth_key {model.auth_key}" if model.auth_key else "")
    return f"{model.name} encrypts: {keys}"


def _serve(meter: Finite, to: str, *, is_echoed: bool) -> None:
    if meter.rate == 0:
        raise UsageError("A port needs a --rate above 0; 1 is the speed of a real meter.")
    if meter.model.polled and meter.count is not None:
        raise UsageError(f"{meter.model.name} sends only what it is asked for: --count needs a file or a pipe.")
    if to == "pty":
        loop.run(_on_pty(meter, is_echoed=is_echoed))
        return
    port = to.partition(":")[2] or "0"
    if not port.isascii() or not port.isdecimal() or len(port) > 5 or int(port) > 65535:
        raise UsageError(f"'{port}' is not a TCP port; write --to tcp:2001, or --to tcp for any free port.")
    try:
        loop.run(_on_tcp(meter, int(port), is_echoed=is_echoed))
    except OSError as error:
        reason = "another program uses it" if error.errno == errno.EADDRINUSE else error.strerror
        raise UsageError(f"TCP port {port} cannot be served: {reason}; choose another one.") from None


async def _on_pty(meter: Finite, *, is_echoed: bool) -> None:
    def show(path: str) -> None:
        print(path, flush=True)

    if meter.model.polled:
        await serve_d0_pty(await wire_of(meter, is_echoed=is_echoed), show)
    else:
        await serve_pty(meter, show)


async def _on_tcp(meter: Finite, port: int, *, is_echoed: bool) -> None:
    def show(number: int) -> None:
        print(f"tcp://{HOST}:{number}", flush=True)

    if meter.model.polled:
        await serve_d0_tcp(await wire_of(meter, is_echoed=is_echoed), HOST, port, show)
    else:
        await serve_tcp(meter, HOST, port, show)


def _save(meter: Finite, path: Path) -> None:
    if meter.count is None:
        raise UsageError("A file needs a number of telegrams, such as --count 100.")
    try:
        with path.open("xb") as file:
            loop.run(_write(meter, file))
    except FileExistsError:
        raise UsageError(f"{path} exists already; choose another name.") from None
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror}.") from None


async def _write(meter: Finite, file: BinaryIO) -> None:
    async for data in meter.intervals():
        file.write(data or b"")
        file.flush()
