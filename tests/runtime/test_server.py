"""From the infrared head to the HTTP answer, with real pseudo-terminals and the real server."""

import fcntl
import os
import random
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import msgspec
import pytest

import telegrams
from iskra_server.base.address import Address
from iskra_server.config import Config, ConfigError, MeterConfig, ServerConfig
from iskra_server.runtime.server import run
from running import DEADLINE_S, Head, Server, events, free_port, repeating, serving, until

# each costs megabytes of a small computer's memory, and what serves one meter needs none of them
HEAVY = {
    *("paho", "alembic", "greenlet", "httpx", "mako", "psycopg", "pyarrow", "pydantic", "rich", "statistics"),
    *("sqlalchemy.dialects.postgresql", "sqlalchemy.ext", "sqlalchemy.orm", "websockets", "zeroconf"),
    *("iskra_server.simulator.demo_history", "iskra_server.history.store.migrations", "iskra_server.simulator"),
}
CAPTURE = Path(__file__).parents[3] / "shared" / "captures" / "sml" / "ISKRA_MT175_PIN_pazifical.bin"


@pytest.fixture
def head(tmp_path: Path) -> Iterator[Head]:
    made = Head(tmp_path / "usb-infrared-head")
    yield made
    made.unplug()


@pytest.fixture
def server(head: Head) -> Iterator[Server]:
    with serving("serve", str(head.link)) as running:
        until(lambda: running.status()["facts"]["is_open"])
        yield running


def telegram(energy: int, scaler: int = -1, power: int | None = 300) -> bytes:
    return telegrams.telegram(telegrams.meter_entries(energy=energy, scaler=scaler, power=power), seconds=energy)


def value(server: Server) -> Decimal | None:
    """The served total with every digit, None while there is none."""
    answer = server.cumulated()
    body = msgspec.json.decode(answer.content, type=dict[str, msgspec.Raw])
    assert ("value" in body) == (answer.status_code == 200)
    return Decimal(bytes(body["value"]).decode()) if "value" in body else None


def test_there_is_no_number_before_the_first_telegram(server: Server) -> None:
    answer = server.cumulated()
    assert answer.status_code == 503
    assert "value" not in answer.json()
    assert answer.json()["reason"] == "no_reading"
    assert server.status()["failed_check"] == "data"


def test_the_reading_is_served_digit_by_digit(head: Head, server: Server) -> None:
    head.send_at_line_speed(telegram(123456780))
    until(lambda: value(server) is not None)
    assert b'"value":12345.6780' in server.cumulated().content
    meter = server.get("/api/v1/meters/1%20ISK%2000%2012345678").json()
    named = {register["name"]: register["value"] for register in meter["registers"]}
    assert (named["energy_import"], named["power"]) == (12345678.0, 300)
    assert "public_key" not in named


def test_a_locked_meter_gives_whole_kwh_and_says_why(head: Head, server: Server) -> None:
    head.send(telegram(7167, 3, None))
    until(lambda: value(server) is not None)
    assert b'"value":7167}' in server.cumulated().content
    assert "PIN" in server.status()["sentence"]


def test_a_meter_that_locks_does_not_step_back(head: Head, server: Server) -> None:
    for data, expected in (
        (telegram(71675432), "7167.5432"),
        (telegram(7167, 3, None), "7167.5432"),
        (telegram(7168, 3, None), "7168"),
    ):
        head.send(data)
        until(lambda: value(server) == Decimal(expected))  # noqa: B023


def test_damage_costs_nothing_but_itself(head: Head, server: Server) -> None:
    good = telegram(500)
    head.send(b"\x55\xaa" * 100 + good[:100] + good[:-1] + b"\0" + good + telegram(501)[:200])
    until(lambda: value(server) == Decimal("0.0500"))
    facts = server.status()["facts"]
    assert (facts["telegrams"], facts["faults"]) == (1, {"noise": 1, "cut": 1, "checksum": 1})


def test_a_counter_that_goes_back_is_not_served(head: Head, server: Server) -> None:
    head.send(telegram(5000))
    until(lambda: value(server) == Decimal("0.5000"))
    head.send(telegram(10))
    until(lambda: server.status()["facts"]["quarantined"] == 1)
    assert value(server) == Decimal("0.5000")
    until(lambda: "reading held back: 1-0:1.8.0 went back from 500.0 to 1.0" in server.log)


def test_unplugged_and_plugged_in_again_under_another_name(head: Head, server: Server) -> None:
    head.send(telegram(100))
    until(lambda: value(server) == Decimal("0.0100"))
    head.unplug()
    until(lambda: server.status()["failed_check"] == "device")
    assert head.link.name in server.status()["sentence"]
    head.plug()
    until(lambda: server.status()["facts"]["is_open"])
    head.send(telegram(101))
    until(lambda: value(server) == Decimal("0.0101"))

    def lines() -> list[str]:
        """But those of the search, which knows a device by its number: the new one may have the old number."""
        about_head = [line for line in server.log.splitlines() if head.link.name in line]
        return [line for line in about_head if "found a meter that speaks SML" not in line]

    # one line when it goes, one when it is back
    until(lambda: len(lines()) == 2)


def test_every_telegram_is_an_event(head: Head, server: Server) -> None:
    with events(server) as stream:
        for energy in range(101, 105):
            head.send(telegram(energy))
            event = next(stream)
            total = next(register for register in event["registers"] if register["name"] == "energy_import")
            assert total["value"] == energy / 10


def test_a_stale_reading_is_no_reading(head: Head) -> None:
    with serving("serve", str(head.link), environ={"IES_METERS_STALE_AFTER_S": "0.5"}) as server:
        until(lambda: server.status()["facts"]["is_open"])
        with repeating(head, telegram(100)):
            until(lambda: value(server) == Decimal("0.0100"))
        until(lambda: value(server) is None)
        assert server.cumulated().json()["reason"] == "stale"
        with repeating(head, telegram(100)):
            until(lambda: value(server) == Decimal("0.0100"))


def test_new_values_come_at_the_readout_interval(head: Head) -> None:
    with serving("serve", str(head.link), environ={"IES_READOUT_INTERVAL": "1"}) as server:
        until(lambda: server.status()["facts"]["is_open"])
        began_s = time.monotonic()
        seen: set[Decimal | None] = set()
        for energy in range(100, 130):
            head.send(telegram(energy))
            until(lambda: server.status()["facts"]["telegrams"] == energy - 99)  # noqa: B023
            seen.add(value(server))
            if len(seen) == 2:
                break
            time.sleep(0.05)
        assert None not in seen
        assert len(seen) == 2
        # since before the first telegram: a busy machine makes it longer, never shorter
        assert time.monotonic() - began_s >= 1


@pytest.mark.skipif(not CAPTURE.exists(), reason=f"no captures at {CAPTURE.parent}")
def test_a_capture_at_9600_baud_is_served_to_its_last_digit(head: Head, server: Server) -> None:
    data = CAPTURE.read_bytes()[-1200:]
    last = telegrams.readings(data)[-1].get(telegrams.IMPORT)
    assert last is not None
    total_wh = last.value
    assert total_wh is not None
    head.send_at_line_speed(data)
    until(lambda: value(server) == total_wh.scaleb(-3))


def test_the_demo_answers_at_once_and_says_what_it_is() -> None:
    with serving("demo") as server:
        answer = until(lambda: (found := server.cumulated()).status_code == 200 and found)
        assert answer.json()["simulated"] is True


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_promptly_with_clients_connected(number: int) -> None:
    with serving("demo") as server, events(server) as stream:
        next(stream)
        server.process.send_signal(number)
        # by itself: what has not ended after 4.2 s is ended with another status
        assert server.process.wait(DEADLINE_S) == 0


def test_it_tells_the_service_manager(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "notify"))
        manager.settimeout(60)
        environ = {"NOTIFY_SOCKET": str(tmp_path / "notify"), "WATCHDOG_USEC": "200000"}
        with serving("demo", environ=environ) as server:
            said = {manager.recv(100) for _ in range(4)}
            assert said == {b"READY=1", b"WATCHDOG=1"}
            server.process.terminate()
            while manager.recv(100) == b"WATCHDOG=1":
                pass


def test_a_variable_that_names_no_time_zone_is_a_warning() -> None:
    with serving("serve", "none", environ={"TZ": "Europe/Berln"}) as server:
        until(lambda: "Serving on" in server.log)
    assert "WARNING TZ is 'Europe/Berln', which is no name of a time zone: days begin in " in server.log


def test_a_port_in_use_is_one_sentence() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(
            ConfigError, match=rf"Cannot listen on 127.0.0.1 port {port}: .* uses it; stop that program"
        ):
            run(Config(ServerConfig(host="127.0.0.1", port=port)))


def test_an_address_of_another_machine_is_one_sentence() -> None:
    with pytest.raises(ConfigError, match=r"Cannot listen on 192\.0\.2\.1"):
        run(Config(ServerConfig(host="192.0.2.1", port=free_port())))


@pytest.mark.parametrize("url", ["gopher://x", "simulator:MT999", "tcp://nowhere"])
def test_an_address_of_no_meter_is_one_sentence(url: str) -> None:
    with pytest.raises(ConfigError) as caught:
        run(Config(ServerConfig(host="127.0.0.1", port=free_port()), (MeterConfig(Address(url)),)))
    assert "\n" not in str(caught.value)


def test_a_meter_that_ends_does_not_end_the_server(tmp_path: Path) -> None:
    capture = tmp_path / "capture.bin"
    capture.write_bytes(telegram(100))
    with serving("serve", f"file:{capture}?speed=0") as server:
        until(lambda: value(server) == Decimal("0.0100"))
        until(lambda: not server.status()["facts"]["is_open"])
        assert os.path.exists(f"/proc/{server.process.pid}")


def test_noise_of_another_speed_is_told_from_a_meter(head: Head, server: Server) -> None:
    head.send(random.Random(1).randbytes(3000))
    until(lambda: server.status()["failed_check"] == "signal")
    assert "no telegram begins" in server.status()["sentence"]
    assert server.cumulated().status_code == 503
    head.send(telegram(100))
    until(lambda: value(server) == Decimal("0.0100"))


def test_a_port_that_another_program_holds_is_named_and_read_when_it_is_free(head: Head) -> None:
    with head.link.open("rb") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        with serving("serve", str(head.link)) as server:
            until(lambda: "is in use by" in server.status()["sentence"])
            fcntl.flock(held, fcntl.LOCK_UN)
            until(lambda: server.status()["facts"]["is_open"])
            head.send(telegram(100))
            until(lambda: value(server) == Decimal("0.0100"))


def recording(directory: Path) -> dict[str, str]:
    return {"IES_HISTORY_ENABLED": "true", "IES_DATA_DIR": str(directory)}


# the interpreter then writes each import to stderr
PROFILED = {"PYTHONPROFILEIMPORTTIME": "1"}


def imported(server: Server) -> set[str]:
    """The modules that a server which runs PROFILED has imported, or tried to."""
    return {line.rpartition("|")[2].strip() for line in server.log.splitlines() if line.startswith("import time:")}


def test_history_outlives_a_kill_and_a_counter_does_not_go_back_behind_it(head: Head, tmp_path: Path) -> None:
    with serving("serve", str(head.link), environ=recording(tmp_path)) as server:
        until(lambda: server.status()["facts"]["is_open"])
        head.send(telegram(5000))
        until(lambda: value(server) == Decimal("0.5000"))
    with serving("serve", str(head.link), environ=recording(tmp_path)) as server:
        until(lambda: server.status()["facts"]["is_open"])
        head.send(telegram(4000))
        until(lambda: server.status()["facts"]["quarantined"] == 1)
        assert value(server) is None
        head.send(telegram(5001))
        until(lambda: value(server) == Decimal("0.5001"))
        server.process.kill()
        server.process.wait()
    with sqlite3.connect(tmp_path / "iskra.sqlite") as database:
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    database.close()


def test_the_reading_is_served_whatever_history_has_against_its_disk(head: Head, tmp_path: Path) -> None:
    (tmp_path / "iskra.sqlite").write_text("this is no database, and it is longer than a header of one would be " * 9)
    with serving("serve", str(head.link), environ=recording(tmp_path)) as server:
        until(lambda: server.status()["facts"]["is_open"])
        head.send(telegram(5000))
        until(lambda: value(server) == Decimal("0.5000"))
        until(lambda: "iskra.sqlite is not a database" in server.get("/api/v1/status").json()["history"])
        assert server.get("/api/v1/meters/1ISK0012345678/energy").status_code == 503


def test_a_database_that_does_not_answer_questions_does_not_end_the_server(head: Head, tmp_path: Path) -> None:
    with serving("serve", str(head.link), environ=recording(tmp_path)):
        pass
    with sqlite3.connect(tmp_path / "iskra.sqlite") as database:
        database.execute("ALTER TABLE boundary RENAME COLUMN quarter TO another")
    database.close()
    with serving("serve", str(head.link), environ=recording(tmp_path)) as server:
        until(lambda: server.status()["facts"]["is_open"])
        for energy in (5000, 5001):
            head.send(telegram(energy))
            until(lambda: value(server) == Decimal(energy) / 10000)  # noqa: B023
        until(lambda: "no such column" in server.log)
        assert "Traceback" not in server.log


def test_what_serving_does_not_need_is_not_imported(head: Head, tmp_path: Path) -> None:
    with serving("serve", str(head.link), environ=recording(tmp_path) | PROFILED) as server:
        until(lambda: server.status()["facts"]["is_open"])
        head.send(telegram(5000))
        until(lambda: value(server) == Decimal("0.5000"))
        until(lambda: server.get("/api/v1/meters/1ISK0012345678/energy").status_code == 200)
    assert "sqlalchemy" in imported(server)
    assert imported(server) & HEAVY == set()


@pytest.mark.skipif("COVERAGE_RUN" in os.environ, reason="coverage keeps its data in SQLite")
def test_the_database_library_is_not_imported_without_history(head: Head) -> None:
    with serving("serve", str(head.link), environ=PROFILED) as server:
        until(lambda: server.status()["facts"]["is_open"])
    assert "starlette" in imported(server)
    assert imported(server) & (HEAVY | {"sqlalchemy", "sqlite3"}) == set()


@pytest.mark.slow
def test_the_demonstration_has_two_years_of_history(tmp_path: Path) -> None:
    with serving("demo", environ=recording(tmp_path)) as server:

        def years() -> bool:
            answer = server.get("/api/v1/meters/1ISK0010000001/energy?from=2024&to=2025&bucket=month&tz=UTC")
            return answer.status_code == 200 and all("import_wh" in bucket for bucket in answer.json()["buckets"])

        until(years, 180)
    assert (tmp_path / "simulated.sqlite").exists()
    assert not (tmp_path / "iskra.sqlite").exists()


@pytest.mark.slow
def test_a_replaced_meter_is_asked_about_after_a_restart_until_it_is_answered(head: Head, tmp_path: Path) -> None:
    environ = {"IES_HISTORY_ENABLED": "true", "IES_DATA_DIR": str(tmp_path / "data")}
    new = telegrams.telegram(server_id=bytes.fromhex("090149534b0000bc614f"))

    def told(data: bytes, *, asked: bool) -> None:
        """With a server of its own."""
        with serving("serve", str(head.link), environ=environ) as running:
            until(lambda: running.status()["facts"]["is_open"])
            head.send(data)
            until(lambda: running.status()["ok"])
            until(lambda: ("other_meter" in [each["fault"] for each in running.status()["notices"]]) is asked)

    told(telegram(1), asked=False)
    time.sleep(1)  # history knows the second in which a meter was seen
    told(new, asked=True)
    told(new, asked=True)
    command = [sys.executable, "-m", "iskra_server", "meters", "replace", "1 ISK 00 12345678", "1 ISK 00 12345679"]
    subprocess.run(command, env=os.environ | environ, check=True, stdout=subprocess.DEVNULL)
    told(new, asked=False)
