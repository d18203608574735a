"""The listener of a collector's own process: the health check of its container asks it, and Prometheus its counts."""

import subprocess
import sys
from pathlib import Path

from fleet.conftest import MakeReader
from fleet.field import Collecting
from history.postgres import Postgres
from iskra_server.history.store.store import Store
from outputs.mqtt.broker import Mosquitto
from running import fetch, free_port, until

CHECK = Path(__file__).parents[2] / "deploy" / "healthcheck.py"


def checked(collector: Collecting) -> int:
    command = [sys.executable, "-IS", str(CHECK), str(collector.process.pid)]
    return subprocess.run(command, timeout=60, check=False).returncode


def test_it_is_healthy_while_it_collects_and_counts_what_it_kept(
    central: Store, postgres: Postgres, broker: Mosquitto, reader: MakeReader
) -> None:
    port = free_port()
    collector = Collecting(broker.url, postgres.url("postgres"), IES_COLLECT_HTTP_PORT=str(port))
    try:
        until(lambda: checked(collector) == 0)
        field = reader("house-7")
        field.live_through(2)
        until(lambda: not field.waiting)

        def kept() -> float:
            lines = fetch(f"http://127.0.0.1:{port}/metrics").text.splitlines()
            (line,) = (line for line in lines if line.startswith('iskra_collector_messages_total{answer="kept"}'))
            return float(line.rpartition(" ")[2])

        until(lambda: kept() >= 1)
        broker.kill()
        until(lambda: checked(collector) == 1)
        until(lambda: "away" in fetch(f"http://127.0.0.1:{port}/healthz").json().get("detail", ""))
    finally:
        collector.end()
