"""A good meter beside everything that wears a server out: nothing of it is lost, and what waits is bounded.

How soon it is answered is measured by bench/abuse.py.
"""

import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

import telegrams
from running import Head, Server, fetch, serving, until

HOSTILE = Path(__file__).with_name("hostile.py")
CONNECTIONS = 100
TELEGRAMS = 40
EVERY_S = 0.1
MAX_MB = 250


TOTAL = "/api/electricity/cumulated"


def ask(server: Server, path: str) -> httpx.Response:
    """With the patience that a busy machine wants: how long it takes is not the matter here."""
    return fetch(server.url + path)


@contextmanager
def hostile() -> Iterator["subprocess.Popen[str]"]:
    """All of it, in a process of its own."""
    process = subprocess.Popen(
        [sys.executable, str(HOSTILE), str(CONNECTIONS)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def metric(server: Server, name: str) -> float:
    """The largest of this name."""
    found = re.findall(rf"^{name}(?:{{[^}}]*}})? (\S+)$", ask(server, "/metrics").text, re.MULTILINE)
    return max(map(float, found), default=0.0)


@pytest.mark.slow
def test_a_good_meter_is_served_on_beside_everything_that_is_hostile(tmp_path: Path) -> None:
    head = Head(tmp_path / "head")
    environ = {"IES_HISTORY_ENABLED": "true", "IES_DATA_DIR": str(tmp_path)}
    with hostile() as attack:
        assert attack.stdin and attack.stdout
        device = int(attack.stdout.readline())
        with serving("serve", str(head.link), f"tcp://127.0.0.1:{device}", environ=environ) as server:
            until(lambda: all(each["facts"]["is_open"] for each in ask(server, "/api/v1/status").json()["meters"]))
            head.send(telegrams.telegram(telegrams.meter_entries(energy=1000), seconds=1000))
            until(lambda: ask(server, TOTAL).status_code == 200)
            attack.stdin.write(f"{server.url.rpartition(':')[2]}\n")
            attack.stdin.flush()
            assert attack.stdout.readline() == "attacking\n"
            for raw in range(1001, 1001 + TELEGRAMS):
                head.send(telegrams.telegram(telegrams.meter_entries(energy=raw), seconds=raw))
                time.sleep(EVERY_S)
                if not raw % 10:
                    # never stale, and never an older one than the last but some
                    assert ask(server, TOTAL).status_code == 200
            until(lambda: ask(server, TOTAL).json()["value"] == 0.104)
            good, bad = (each["facts"] for each in ask(server, "/api/v1/status").json()["meters"])
            assert (good["telegrams"], good["faults"], good["quarantined"]) == (1 + TELEGRAMS, {}, 0)
            # the hostile one was read all the time
            assert bad["byte_count"] > 100_000 and not bad["telegrams"]
            assert metric(server, "iskra_hub_dropped_readings_total") == 0 or only_streams_lost(server)
            assert metric(server, "process_resident_memory_bytes") < MAX_MB * 1_000_000
            assert metric(server, "process_open_fds") < 2 * 256
    assert "Traceback" not in server.log, server.log


def only_streams_lost(server: Server) -> bool:
    """Whether only subscribers of live streams were too slow, as those of the attack are."""
    found = re.findall(
        r'^iskra_hub_dropped_readings_total\{subscriber="([^"]*)"\} (\S+)$', ask(server, "/metrics").text, re.M
    )
    return {name for name, count in found if float(count)} <= {"live"}
