"""`serve`: run the server with the configuration and the options of the command line."""

import os
from typing import Annotated

import typer

from iskra_server.cli.ui.options import ConfigFile, LogFormat, LogLevel, Port, Quiet, command_app, examples, only_set
from iskra_server.config import ConfigError, Loaded, load_with_origins
from iskra_server.config.app_options import in_option_names
from iskra_server.runtime import server

app = command_app()
_EXAMPLES = examples(
    {
        "iskra-server serve": "find the head automatically",
        "iskra-server serve /dev/ttyUSB0": "this port",
        "iskra-server serve tcp://192.168.1.20:2001": "a head on the network",
        "iskra-server serve --port 9000": "listen on another TCP port",
    }
)


@app.command(epilog=_EXAMPLES)
def serve(
    *,
    meters: Annotated[
        list[str] | None,
        typer.Argument(metavar="[METER_URL]...", help="Where the meters are: ports or URLs.", show_default="auto"),
    ] = None,
    port: Port = None,
    host: Annotated[
        str | None,
        typer.Option("--host", metavar="ADDRESS", help="Address to listen on.", show_default="all (0.0.0.0)"),
    ] = None,
    config: ConfigFile = None,
    log_level: LogLevel = None,
    log_format: LogFormat = None,
    quiet: Quiet = False,
) -> None:
    """Read the meters and serve their values over HTTP."""
    options = {
        "meters.url": meters,
        "server.port": port,
        "server.host": host,
        "log.format": log_format,
        "log.level": log_level or ("warning" if quiet else None),
    }

    def load() -> Loaded:
        return load_with_origins(os.environ, config, only_set(options))

    loaded = load()
    try:
        raise typer.Exit(server.run(loaded.config, load=lambda: load().config))
    except ConfigError as error:
        if loaded.file and loaded.file.suffix == ".json":
            raise ConfigError(in_option_names(str(error))) from None
        raise
