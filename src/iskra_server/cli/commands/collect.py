"""`collect`: write what readers send into the database of the central server. Several may run side by side."""

import logging
import os
import secrets
import signal
import socket
import time
from contextlib import AbstractContextManager, nullcontext
from threading import Event
from typing import TYPE_CHECKING, Annotated

import typer

from iskra_server import __version__
from iskra_server.base.backoff import Backoff
from iskra_server.base.timezone import zone
from iskra_server.cli.ui.options import ConfigFile, LogLevel, command_app, examples, only_set
from iskra_server.cli.ui.usage_error import UsageError, usage_errors
from iskra_server.config import Config, load_with_origins, secrets_of
from iskra_server.outputs.mqtt.broker_settings import broker_settings
from iskra_server.runtime.logs import flush_or_exit, set_up

if TYPE_CHECKING:
    from iskra_server.fleet.central.collector import Collector
    from iskra_server.history.store.store import Store

log = logging.getLogger(__name__)

_RETRY_S, _MAX_RETRY_S = 0.5, 15.0
app = command_app()
_EXAMPLES = examples(
    {
        "iskra-server collect": "several share the work",
        "iskra-server collect --broker mqtt://localhost": "with this broker",
    }
)


@app.command(epilog=_EXAMPLES)
def collect(
    *,
    broker: Annotated[
        str | None,
        typer.Option("--broker", metavar="URL", help="MQTT broker to which the readers send.", show_default=False),
    ] = None,
    config: ConfigFile = None,
    log_level: LogLevel = None,
) -> None:
    """Receive the data of all readers and store it in the central database."""
    options = only_set({"collect.url": broker, "log.level": log_level})
    loaded = load_with_origins(os.environ, config, options).config
    if not loaded.collect.url:
        raise UsageError("A collector needs the broker that readers send to. Set collect.url (IES_COLLECT_URL).")
    settings = broker_settings("collect", loaded.collect)
    if not loaded.history.database_url:
        raise UsageError(
            "A collector needs the PostgreSQL of the central server. Set history.database_url (IES_DATABASE_URL)."
        )
    set_up(loaded.log.level, loaded.log.format, secrets=secrets_of(loaded))
    # heavy imports, needed by this command only
    from iskra_server.fleet.central.collector import Collector  # noqa: PLC0415
    from iskra_server.fleet.central.rollup_refresh import refresh  # noqa: PLC0415

    stopping = Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    store = _open_store(loaded, stopping)
    if store is None:
        flush_or_exit(0)
        return
    # the client id must be unique: a broker disconnects the older of two equal ones
    name = f"iskra-collect-{socket.gethostname()}-{secrets.token_hex(4)}"
    with usage_errors():
        days_of = zone(loaded.server.time_zone)
    collector = Collector(
        settings=settings,
        group=loaded.collect.group,
        store=store,
        name=name,
        when_idle=lambda: refresh(store, time.time(), days_of),
    )
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: collector.stop())
    if stopping.is_set():
        # before the collector could be told
        collector.stop()
    with _listener(loaded, collector):
        collector.run()
    store.close()
    flush_or_exit(0)


def _open_store(config: Config, stopping: Event) -> "Store | None":
    """Waits while the database is away, as after a power failure; None when stopped meanwhile. Raises UsageError."""
    from iskra_server.history.store import DatabaseAway, StoreError  # noqa: PLC0415
    from iskra_server.history.store.store import Store  # noqa: PLC0415

    assert config.history.database_url
    backoff, logged = Backoff(_RETRY_S, _MAX_RETRY_S), ""
    while not stopping.is_set():
        try:
            return Store(config.history.database_url, config.history.database_profile)
        except DatabaseAway as error:
            if str(error) != logged:
                logged = str(error)
                log.warning("%s The collector waits for it.", logged)
            stopping.wait(backoff.next_s())
        except StoreError as error:
            raise UsageError(str(error), 1) from None
    return None


def _listener(config: Config, collector: "Collector") -> AbstractContextManager[None]:
    """Answers /metrics and /healthz, where a port is configured. Raises ConfigError."""
    if not config.collect.http_port:
        return nullcontext()
    # the web takes 20 MB of memory
    from iskra_server.base.hosts import Hosts  # noqa: PLC0415
    from iskra_server.runtime.collector_http import answering, collector_app  # noqa: PLC0415
    from iskra_server.runtime.http_server import listen  # noqa: PLC0415
    from iskra_server.web.http.gate import Gate  # noqa: PLC0415

    gate = Gate(config.server.token, (), Hosts(config.server.allowed_hosts.split(",")))
    listening = listen(config.collect.http_host, config.collect.http_port, "collect.http_port", "collect.http_host")
    return answering(collector_app(collector.state, gate, __version__), listening)
