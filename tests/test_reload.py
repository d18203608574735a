"""SIGHUP: changed parts restart, everything else keeps running, and a configuration with errors changes nothing."""

import os
import signal
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from itertools import cycle
from pathlib import Path
from typing import NamedTuple

import httpx
import pytest

import pushes
import telegrams
from iskra_server.base.address import Address
from iskra_server.codecs.dlms import encoder as dlms_encoder
from iskra_server.history.store.location import spool_folders
from iskra_server.history.store.store import Store
from outputs.mqtt.broker import Mosquitto, Subscriber
from outputs.mqtt.published import SERVER
from running import DEADLINE_S, Head, Server, events, fetch, free_port, serving, until

TOKEN = "0123456789abcdef"


def telegram(raw: int) -> bytes:
    return telegrams.telegram(telegrams.meter_entries(energy=raw), seconds=raw)


class Setup(NamedTuple):
    """A running server, the head that it reads, and a way to another configuration."""

    server: Server
    head: Head
    change: Callable[..., None]

    def total(self) -> object:
        answer = self.server.cumulated()
        return answer.json()["value"] if answer.status_code == 200 else None

    def reads(self, raw: int) -> None:
        """A telegram of so many tenths of a Wh is served."""

        def is_served() -> bool:
            # one that comes too soon for the read-out interval is passed over: a meter sends the next one
            self.head.send(telegram(raw))
            return self.total() == raw / 10_000

        until(is_served)


@pytest.fixture
def setup(tmp_path: Path) -> Iterator[Setup]:
    head = Head(tmp_path / "head")
    file = tmp_path / "iskra-server.toml"

    def write(changes: str = "", *, meter: str = "", history: str = "enabled = false") -> None:
        place = f'data_dir = "{tmp_path}"'
        file.write_text(f'[[meters]]\nurl = "{head.link}"\n{meter}\n[history]\n{place}\n{history}\n{changes}')

    write()
    with serving("serve", "--config", str(file), environ={"IES_HISTORY_ENABLED": ""}) as server:

        def change(changes: str = "", **sections: str) -> None:
            said = server.log.count("The configuration")
            write(changes, **sections)
            server.process.send_signal(signal.SIGHUP)
            until(lambda: server.log.count("The configuration") > said)

        until(lambda: server.status()["facts"]["is_open"])
        yield Setup(server, head, change)


def test_a_meter_that_is_configured_as_before_reads_on(setup: Setup) -> None:
    setup.head.send(telegram(100))
    until(lambda: setup.total() == 0.01)
    setup.change("[server]\nreadout_interval = 0.1\n")
    assert setup.total() == 0.01
    assert setup.server.status()["facts"]["telegrams"] == 1
    setup.reads(101)
    assert "reloaded and is in force" in setup.server.log


def test_a_token_holds_from_the_next_request_on_also_on_open_connections(setup: Setup) -> None:
    with httpx.Client(base_url=setup.server.url, timeout=DEADLINE_S, verify=False) as client:
        assert client.get("/api/v1/status").status_code == 200
        setup.change(f'[server]\ntoken = "{TOKEN}"\n')
        assert client.get("/api/v1/status").status_code == 401
        assert client.get("/api/v1/status", headers={"authorization": f"Bearer {TOKEN}"}).status_code == 200
    assert TOKEN not in setup.server.log


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ("[server]\ntoken = 'short'", "server.token must be at least 16"),
        ("[server]\nprot = 1", "did you mean server.port?"),
        ("[server]\nhost = '127.0.0.2'", "needs a restart"),
        ("[[meters]]\nurl = 'gopher://x'", "gopher://x cannot be read"),
        ("[[meters]]\nurl = 'tcp://x:1'\nkey = '0123'", "meters.key is no key: it has 4 characters"),
        ("[[meters]]\nurl = 'tcp://x:1'\nlayouts = '/nowhere'", "/nowhere cannot be read"),
        ("[server", "is not valid TOML"),
        ("[server]\ntls_cert = '/nowhere'", "server.tls_cert names /nowhere"),
    ],
)
def test_a_mistake_is_told_and_changes_nothing(setup: Setup, changes: str, sentence: str) -> None:
    setup.reads(100)
    setup.change(changes)
    assert "The configuration stays as it was" in setup.server.log
    assert sentence in setup.server.log
    assert "Traceback" not in setup.server.log
    setup.reads(101)


def test_a_meter_is_added_and_taken_away(setup: Setup) -> None:
    setup.reads(100)
    setup.change('[[meters]]\nurl = "simulator:MT681?seed=7"\n')
    until(lambda: len(setup.server.get("/api/v1/meters").json()["meters"]) == 2)
    setup.reads(101)
    setup.change()
    assert len(setup.server.get("/api/v1/meters").json()["meters"]) == 1
    setup.reads(102)


def test_a_meter_that_is_configured_otherwise_is_opened_anew_and_does_not_go_back(setup: Setup) -> None:
    setup.reads(5000)
    setup.change(meter="name = 'House'")
    until(lambda: setup.server.status()["facts"]["is_open"])
    assert setup.server.status()["facts"]["name"] == "House"
    setup.head.send(telegram(10))
    until(lambda: setup.server.status()["facts"]["quarantined"] == 1)
    assert setup.total() == 0.5


def test_a_changed_file_of_layouts_is_read_anew(setup: Setup, tmp_path: Path) -> None:
    layouts = tmp_path / "own.toml"
    layout = '[[layout]]\nname="a"\nsource="b"\nelements=["0-0:42.0.0 o", "skip u1", "{} u4", "2.8.0 u4", "skip a"]'
    unknown = dlms_encoder.hdlc(pushes.apdu(pushes.unknown()))

    def sees(what: str) -> None:
        def is_seen() -> object:
            setup.head.send(unknown)
            facts = setup.server.status()["facts"]
            return facts["last_unreadable"] if what == "unknown list" else facts["telegrams"]

        until(is_seen, every_s=0.1)

    layouts.write_text(layout.format("1.8.0").replace("skip u1", "skip u2"))
    setup.change(meter=f'layouts = "{layouts}"')
    sees("unknown list")
    layouts.write_text(layout.format("1.8.0"))
    setup.change(meter=f'layouts = "{layouts}"')
    sees("telegram")
    # as it is: the reader goes on
    telegrams_before = setup.server.status()["facts"]["telegrams"]
    setup.change(meter=f'layouts = "{layouts}"')
    assert setup.server.status()["facts"]["telegrams"] >= telegrams_before


def test_history_is_switched_on_and_off(setup: Setup) -> None:
    def detail() -> object:
        return setup.server.get("/api/v1/meters/1ISK0012345678/energy").json().get("detail")

    setup.reads(100)
    assert str(detail()).startswith("History is switched off")
    setup.change(history="enabled = true")
    setup.reads(101)
    until(lambda: detail() is None)
    setup.change()
    assert str(detail()).startswith("History is switched off")


def test_a_server_that_read_nothing_records_the_meter_that_it_gets_and_lets_go_of_old_databases(tmp_path: Path) -> None:
    file = tmp_path / "x.toml"

    def write(url: str, flush_s: int) -> None:
        file.write_text(f'[[meters]]\nurl = "{url}"\n[history]\ndata_dir = "{tmp_path}"\nflush_s = {flush_s}\n')

    write("none", 1)
    with serving("serve", "--config", str(file), environ={"IES_HISTORY_ENABLED": ""}) as server:

        def change(url: str, flush_s: int) -> None:
            said = server.log.count("is in force")
            write(url, flush_s)
            server.process.send_signal(signal.SIGHUP)
            until(lambda: server.log.count("is in force") > said)

        def writers() -> int:
            threads = Path(f"/proc/{server.process.pid}/task").iterdir()
            return sum((each / "comm").read_text() == "history\n" for each in threads)

        for flush_s in (2, 3, 4):
            change("none", flush_s)
        old_writers = writers()
        head = Head(tmp_path / "head")
        change(str(head.link), 4)
        until(lambda: server.status()["facts"]["is_open"])
        head.send(telegram(100))
        until(lambda: server.cumulated().status_code == 200)
    head.unplug()
    store = Store(f"sqlite:///{tmp_path / 'iskra.sqlite'}")
    assert [info.meter_id for info in store.meters()] == ["1 ISK 00 12345678"]
    store.close()
    assert old_writers <= 1


def test_live_streams_go_on_unless_somebody_else_may_see_them(setup: Setup) -> None:
    setup.reads(100)
    with httpx.stream("GET", setup.server.url + "/api/v1/live", timeout=DEADLINE_S, verify=False) as stream:
        lines = stream.iter_lines()
        assert next(lines) == "retry: 2000"
        setup.change("[server]\nreadout_interval = 0.1\n")
        setup.reads(101)
        while '"value":10.1' not in next(lines):
            pass
        setup.change(f'[server]\ntoken = "{TOKEN}"\n')
        # it ends, properly
        assert list(lines)[-1] == ""


def test_a_secret_that_a_reload_brings_is_in_no_line_of_the_log(setup: Setup) -> None:
    secret = "another-0123456789abcdef"
    setup.change(f'[server]\ntoken = "{secret}"\n')
    setup.change(f'[server]\ntoken = "{secret}"\ntime_zone = "{secret}"\n')
    assert "The configuration stays as it was" in setup.server.log
    assert secret not in setup.server.log


def test_a_live_stream_ends_when_a_meter_in_it_is_taken_away(setup: Setup) -> None:
    setup.change('[[meters]]\nurl = "simulator:MT681?seed=7"\n')
    until(lambda: len(setup.server.get("/api/v1/meters").json()["meters"]) == 1)
    with httpx.stream("GET", setup.server.url + "/api/v1/live", timeout=DEADLINE_S, verify=False) as stream:
        lines = stream.iter_lines()
        assert next(lines) == "retry: 2000"
        setup.change()
        assert list(lines)


def test_nobody_notices_reloads_without_a_change(tmp_path: Path) -> None:
    """Twenty of them, while a stream, a subscriber and requests go on; then a change, which restarts MQTT alone."""
    broker = Mosquitto(tmp_path).start()
    file = tmp_path / "iskra-server.toml"
    # no database listens there: what waits for it waits in memory
    influx = f'[outputs.influx]\nurl = "http://127.0.0.1:{free_port()}"\nevery_s = 0\nflush_s = 3600\n'
    mqtt = f'[outputs.mqtt]\nurl = "{broker.url}"\n'
    file.write_text(influx + mqtt)
    environ = {"IES_DATA_DIR": str(tmp_path), "IES_METERS": "simulator:MT175", "IES_HISTORY_ENABLED": "true"}
    try:
        with (
            Subscriber(broker.port) as subscriber,
            serving("serve", "--config", str(file), environ=environ) as server,
            events(server) as readings,
            Asking(server.url, "/api/v1/status", "/metrics", "/api/v1/fleet/meters") as asking,
        ):
            until(lambda: subscriber.now.get(SERVER) == b"online")
            until(lambda: waiting(server) > 1)
            heard, asked = len(subscriber.all_of(SERVER)), asking.statuses[200]
            for _ in range(20):
                before = waiting(server)
                reload(server)
                assert waiting(server) >= before
            until(lambda: asking.statuses[200] > asked + 20)
            next(readings)
            assert len(subscriber.all_of(SERVER)) == heard
            assert server.log.count("Publishing to") == 1
            before = waiting(server)
            file.write_text(influx + mqtt + "state_every_s = 0.5\n")
            reload(server)
            until(lambda: subscriber.all_of(SERVER)[heard:] == [b"offline", b"offline", b"online"])
            assert waiting(server) >= before
            next(readings)
    finally:
        broker.kill()
    assert asking.statuses.keys() == {200}
    assert asking.errors == []
    assert "Traceback" not in server.log


def test_a_reload_that_comes_before_the_server_can_take_it_waits(tmp_path: Path) -> None:
    log, changed = tmp_path / "log", {"IES_DATA_DIR": str(tmp_path), "IES_SERVER_ANNOUNCE": "false"}
    command = [sys.executable, "-m", "iskra_server", "serve", "simulator:MT175", "--port", str(free_port())]
    with (
        log.open("w") as output,
        subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stderr=output, env=os.environ | changed, cwd=tmp_path
        ) as process,
    ):
        try:
            until(lambda: is_held_back(process.pid, signal.SIGHUP))
            process.send_signal(signal.SIGHUP)
            until(lambda: process.poll() is not None or "is in force" in log.read_text())
            assert process.poll() is None, log.read_text()
            assert not is_held_back(process.pid, signal.SIGHUP)
            # later ones are taken at once
            process.send_signal(signal.SIGHUP)
            until(lambda: log.read_text().count("is in force") == 2)
        finally:
            process.terminate()
    assert process.returncode == 0


def is_held_back(pid: int, number: int) -> bool:
    """Whether a signal waits until the process takes signals of its kind again."""
    status = Path(f"/proc/{pid}/status").read_text()
    (blocked,) = (line.split()[1] for line in status.splitlines() if line.startswith("SigBlk:"))
    return bool(int(blocked, 16) >> number - 1 & 1)


def reload(server: Server) -> None:
    said = server.log.count("is in force")
    server.process.send_signal(signal.SIGHUP)
    until(lambda: server.log.count("is in force") > said)


def waiting(server: Server) -> int:
    """Points that wait for a database."""
    outputs = {output["name"]: output for output in server.get("/api/v1/status").json()["outputs"]}
    return int(outputs["influx"]["waiting"])


class Asking:
    """Asks one question after the other over one connection, and counts what comes back."""

    def __init__(self, url: str, *paths: str) -> None:
        self.statuses: Counter[int] = Counter()
        self.errors: list[httpx.HTTPError] = []
        self._url, self._paths = url, paths
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._ask)

    def __enter__(self) -> "Asking":
        # the history may be opening just now
        until(lambda: all(fetch(self._url + path).is_success for path in self._paths))
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _ask(self) -> None:
        with httpx.Client(base_url=self._url, timeout=DEADLINE_S, verify=False) as client:
            for path in cycle(self._paths):
                try:
                    self.statuses[client.get(path).status_code] += 1
                except httpx.HTTPError as error:
                    self.errors.append(error)
                if self._over.wait(0.01):
                    return


def test_a_storm_of_reloads_leaves_nothing_behind(tmp_path: Path) -> None:
    """Each of them changes the app, the history and the outputs."""
    file = tmp_path / "iskra-server.toml"

    def write(number: int) -> None:
        file.write_text(
            f'[server]\ntime_zone = "{"UTC" if number % 2 else "Europe/Berlin"}"\n'
            f'[outputs.mqtt]\nurl = "mqtt://127.0.0.1:{1 + number % 2}"\n'
            f'[outputs.influx]\nurl = "http://127.0.0.1:{1 + number % 2}"\n'
        )

    write(0)
    environ = {"IES_DATA_DIR": str(tmp_path), "IES_METERS": "simulator:MT175", "IES_HISTORY_ENABLED": "true"}
    with serving("serve", "--config", str(file), environ=environ) as server:

        def burst(reloads: int) -> tuple[int, int]:
            for number in range(reloads):
                server.get("/api/v1/meters/x/energy")
                write(number)
                reload(server)
            process = Path(f"/proc/{server.process.pid}")
            return len(list((process / "fd").iterdir())), len(list((process / "task").iterdir()))

        descriptors, threads = burst(6)
        until(lambda: (now := burst(6)) and now[0] <= descriptors + 2 and now[1] <= threads + 2)


def test_signals_that_come_together_are_one_reload_and_the_end_goes_first(setup: Setup) -> None:
    for _ in range(50):
        setup.server.process.send_signal(signal.SIGHUP)
    setup.server.process.send_signal(signal.SIGTERM)
    assert setup.server.process.wait(DEADLINE_S) == 0
    assert setup.server.log.count("is in force") < 50


def test_what_waits_lies_where_the_next_start_looks_although_the_meters_were_changed(tmp_path: Path) -> None:
    head, file, other = Head(tmp_path / "head"), tmp_path / "x.toml", "tcp://127.0.0.1:9"
    # no database can be opened there
    (tmp_path / "away").mkdir()

    def write(*meters: str) -> None:
        sections = "".join(f'[[meters]]\nurl = "{each}"\n' for each in meters)
        place = f'data_dir = "{tmp_path}"\ndatabase_url = "sqlite:///{tmp_path}/away"'
        file.write_text(f"{sections}[history]\n{place}\n")

    write(str(head.link))
    with serving("serve", "--config", str(file), environ={"IES_HISTORY_ENABLED": ""}) as server:
        until(lambda: server.status()["facts"]["is_open"])
        write(str(head.link), other)
        server.process.send_signal(signal.SIGHUP)
        until(lambda: "is in force" in server.log)
        head.send(telegram(100))
        until(lambda: server.get("/api/v1/meters").json()["meters"])
    head.unplug()
    folder, *_ = spool_folders(str(tmp_path), [Address(str(head.link)), Address(other)])
    assert list((folder / "samples").glob("*.lines"))
