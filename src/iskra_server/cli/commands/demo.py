"""`demo`: serve a simulated meter."""

import os
import sys
from datetime import UTC, date, datetime
from threading import Thread
from typing import Annotated
from urllib.parse import quote

import typer
from msgspec.structs import replace
from rich.progress import Progress

from iskra_server.cli.ui.console import text_console
from iskra_server.cli.ui.options import ConfigFile, LogFormat, LogLevel, Port, Quiet, command_app, only_set
from iskra_server.cli.ui.profile_option import ProfileName, examples_and_profiles, known_profile
from iskra_server.config import Config, ContractConfig, load_with_origins
from iskra_server.history.store import StoreError
from iskra_server.history.store.location import database_address
from iskra_server.history.store.store import Store
from iskra_server.runtime import server
from iskra_server.simulator.demo_history import fill, first_moment
from iskra_server.simulator.profiles import PROFILES

app = command_app()
_EXAMPLES = examples_and_profiles(
    {
        "iskra-server demo": "an MT175 in real time",
        "iskra-server demo --rate 60": "a minute per second",
        "iskra-server demo --profile MT631-locked": "before the PIN is entered",
        "iskra-server demo --profile MT174": "a meter that is asked for its list",
        "iskra-server demo --solar": "with the meter of a solar roof",
    }
)


@app.command(epilog=_EXAMPLES)
def demo(
    *,
    profile: ProfileName = "MT175",
    rate: Annotated[
        float,
        typer.Option("--rate", min=0.01, max=1000, metavar="FACTOR", help="Speed: 60 lets a minute pass every second."),
    ] = 1.0,
    solar: Annotated[bool, typer.Option("--solar", help="Also read the meter of the household's solar roof.")] = False,
    port: Port = None,
    config: ConfigFile = None,
    log_level: LogLevel = None,
    log_format: LogFormat = None,
    quiet: Quiet = False,
) -> None:
    """Serve a simulated meter in a realistic household."""
    name = known_profile(profile)
    since = first_moment(datetime.now(UTC))
    url = f"simulator:{quote(name)}?rate={rate:g}&since={since:%Y-%m-%d}"
    model = PROFILES[name]
    options = {
        "meters.url": [url, f"{url}&measures=production"] if solar else [url],
        "meters.key": model.key or None,
        "meters.auth_key": model.auth_key or None,
        "server.port": port,
        "log.format": log_format,
        "log.level": log_level or ("warning" if quiet else None),
    }
    loaded = load_with_origins(os.environ, config, only_set(options))
    settings = loaded.config
    if not settings.contracts:
        settings = replace(settings, contracts=(contract(since.date()),))
    if solar:
        house, roof = settings.meters
        settings = replace(
            settings, meters=(replace(house, name="House"), replace(roof, name="Solar roof", role="production"))
        )
    # in a thread: the server answers at once, even while a stopped terminal blocks the print
    Thread(target=_introduce, args=(settings, name, solar), name="demo-history", daemon=True).start()
    raise typer.Exit(server.run(settings))


def contract(begins: date) -> ContractConfig:
    """What electricity costs in the demo's household, where the configuration has no contract."""
    return ContractConfig(
        begins=begins,
        name="Household electricity",
        energy_price=0.3265,
        base_fee=11.90,
        feed_in=0.0811,
        instalment=20,
    )


def _introduce(config: Config, profile: str, has_plant: bool) -> None:
    print(
        f"Demo with a simulated meter ({profile}). Stop with Ctrl+C.\nOpen http://localhost:{config.server.port}/",
        file=sys.stderr,
    )
    if config.history.enabled:
        _fill(config.history.data_dir, profile, has_plant)


def _fill(data_dir: str, profile: str, has_plant: bool) -> None:
    """Write two years of history, with a progress bar on a terminal."""
    try:
        store = Store(database_address(data_dir, "", simulated=True))
        now, console = datetime.now(UTC), text_console(stderr=True)
        with Progress(console=console, transient=True, disable=not console.is_terminal) as progress:
            for is_plant in (False, True)[: 1 + has_plant]:
                task = progress.add_task("Two years of history", total=1.0)
                for share in fill(store, profile, seed=1, now=now, is_plant=is_plant):
                    progress.update(task, completed=share)
        store.close()
    except (StoreError, ValueError) as error:
        print(f"The demo has no history: {error}", file=sys.stderr)
