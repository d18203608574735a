"""`doctor` in a pipe, as JSON and on a terminal: exit status 0 only if values arrive."""

import json
import threading
from pathlib import Path

import httpx
import pytest

import pushes
import telegrams
from cli.counting import counted
from command import OnTerminal, Run
from iskra_server.codecs.dlms import encoder as dlms
from iskra_server.diagnosis.advice import LABELS
from running import Head, Server, fetch, free_port, serving, until

# with a household that has just begun: to compute one of most of a year takes seconds on a busy machine
METER = "simulator:MT175?rate=20&start=2026-01-02T10:00:00Z"


def test_a_meter_that_is_read_is_well(run: Run) -> None:
    done = run("doctor", METER)
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert lines[0].startswith(f"{METER}  1 ISK 00 10000001  SML")
    assert [line.split() for line in lines[1:13]] == [["passed", label.en] for label in LABELS.values()]
    assert lines[13] == "The meter is being read."
    assert lines[14].startswith("These values are simulated")


def test_a_locked_meter_delivers_values_and_is_told_of(run: Run) -> None:
    done = run("doctor", "simulator:MT175-locked?rate=20")
    assert done.returncode == 0
    assert "  failed   Unlocked  The meter sends whole kWh" in done.stdout
    assert "iskra-server unlock shows how" in done.stdout


def test_the_first_broken_link_and_the_next_step_in_german(run: Run) -> None:
    done = run("doctor", "/dev/ttyNONE", "--lang", "de")
    assert done.returncode == 1
    assert "  Fehler     Gerät  /dev/ttyNONE gibt es" in done.stdout
    assert "  offen      Daten" in done.stdout
    assert "Stecken Sie Lesekopf oder Kabel ein" in done.stdout.splitlines()[-1]


def test_one_object_a_source_as_json(run: Run) -> None:
    done = run("doctor", METER, "/dev/ttyNONE", "--json", "--seconds", 15)
    assert done.returncode == 1
    first, second = map(json.loads, done.stdout.splitlines())
    assert (first["ok"], first["failed_check"], first["advice"]["fault"]) == (True, None, "well")
    assert (second["ok"], second["failed_check"]) == (False, "device")
    assert second["advice"]["de"]["next_step"]


def test_a_chain_on_a_terminal(terminal: OnTerminal) -> None:
    visit = terminal("doctor", "simulator:MT631-locked?rate=20", columns=100)
    assert visit.end() == 0
    for part in ("✓", "✕", "Device", "Plausible", "→ Enter the PIN"):
        assert part in visit.text
    assert "Traceback" not in visit.text


def test_silence_is_waited_for_no_longer_than_asked(run: Run, tmp_path: Path) -> None:
    head = Head(tmp_path / "head")
    done = run("doctor", head.link, "--seconds", 1)
    head.unplug()
    assert done.returncode == 1
    assert "  failed   Data  Nothing " in done.stdout


def test_the_server_that_holds_the_port_is_asked(run: Run, reading: tuple[Head, Server]) -> None:
    head, server = reading
    for port in (server.url.rpartition(":")[2], "1"):
        # also where the configuration names another port than its own
        done = run("doctor", head.link, IES_PORT=port)
        assert done.returncode == 0, done.stdout
        assert done.stdout.startswith(f"The server at {server.url} reads it and says:\n{head.link}  1 ISK 00 12345678")


@pytest.mark.slow
def test_the_server_that_holds_two_ports_is_asked_once(run: Run, tmp_path: Path) -> None:
    heads = [Head(tmp_path / name) for name in ("first", "second")]
    links = [str(head.link) for head in heads]
    with serving("serve", *links) as server, counted(server) as (port, asked):
        until(lambda: all(meter["facts"]["is_open"] for meter in fetch(f"{server.url}/api/v1/status").json()["meters"]))
        done = run("doctor", *links, "--seconds", 2, IES_PORT=str(port), IES_ECOTRACKER_ENABLED="true")
    for head in heads:
        head.unplug()
    assert done.stdout.count("reads it and says:") == 2, done.stdout
    assert asked == ["/api/v1/status"]


def test_a_server_that_asks_for_a_token_is_named(run: Run, tmp_path: Path) -> None:
    head, token = Head(tmp_path / "head"), "0123456789abcdef"
    headers = {"authorization": f"Bearer {token}"}
    with serving("serve", str(head.link), environ={"IES_SERVER_TOKEN": token}, headers=headers) as server:
        until(lambda: server.status()["facts"]["is_open"])
        done = run("doctor", head.link, "--json", IES_PORT="1")
    head.unplug()
    status = json.loads(done.stdout)
    assert (done.returncode, status["advice"]["fault"]) == (1, "read_by_server")
    assert f"iskra-server serve (pid {server.process.pid})" in status["sentence"]


def test_ports_of_two_servers_are_asked_for_at_each(run: Run, tmp_path: Path, reading: tuple[Head, Server]) -> None:
    """The second is that of the configuration, which alone gets the token."""
    (first, server), second, token = reading, Head(tmp_path / "second"), "0123456789abcdef"
    headers = {"authorization": f"Bearer {token}"}
    with serving("serve", str(second.link), environ={"IES_SERVER_TOKEN": token}, headers=headers) as configured:
        until(lambda: configured.status()["facts"]["is_open"])
        port = configured.url.rpartition(":")[2]
        done = run("doctor", first.link, second.link, "--seconds", 2, IES_PORT=port, IES_SERVER_TOKEN=token)
    second.unplug()
    told = [line for line in done.stdout.splitlines() if line.startswith("The server at ")]
    assert told == [f"The server at {each.url} reads it and says:" for each in (server, configured)]


@pytest.mark.slow
def test_the_server_tells_who_asks_an_emulated_device(run: Run) -> None:
    port = str(free_port())
    environ = {"IES_ECOTRACKER_ENABLED": "true", "IES_ECOTRACKER_PORT": port, "IES_EMULATION_HOST": "127.0.0.1"}
    with serving("serve", METER, environ=environ) as server:
        until(lambda: is_answered(f"http://127.0.0.1:{port}/v1/json"))
        done = run("doctor", METER, "--lang", "de", IES_PORT=server.url.rpartition(":")[2], **environ)
        until(lambda: "ecotracker: A simulated meter is shown" in server.log)
    lines = [line for line in done.stdout.splitlines() if line.startswith("ecotracker: ")]
    assert lines[0].startswith("ecotracker: Ein simulierter Zähler wird gezeigt")
    assert lines[1].startswith("ecotracker: Anfragen von 127.0.0.1: ")


def is_answered(url: str) -> bool:
    try:
        return fetch(url).status_code == 200
    except httpx.TransportError:
        return False


def test_a_short_capture_is_judged_by_what_is_there(run: Run, tmp_path: Path) -> None:
    (tmp_path / "x.bin").write_bytes(b"".join(telegrams.series(2)))
    done = run("doctor", f"file:{tmp_path / 'x.bin'}?speed=0", "--json")
    status = json.loads(done.stdout)
    assert {check["state"] for check in status["checks"] if check["name"] != "unlocked"} == {"passed"}
    assert (done.returncode, status["advice"]["fault"]) == (0, "well")
    assert "short_capture" in [notice["fault"] for notice in status["notices"]]


def test_a_capture_with_telegrams_enough_is_not_called_short(run: Run, tmp_path: Path) -> None:
    """All of it is there at once: it has ended before the first look."""
    (tmp_path / "x.bin").write_bytes(b"".join(telegrams.series(9)))
    done = run("doctor", f"file:{tmp_path / 'x.bin'}?speed=0")
    assert (done.returncode, "The meter is being read." in done.stdout) == (0, True)
    assert "too short" not in done.stdout and "has ended" not in done.stdout


def test_a_short_capture_of_a_locked_meter_says_so_too(run: Run, tmp_path: Path) -> None:
    entries = telegrams.meter_entries(energy=28136, scaler=3, power=None)
    (tmp_path / "x.bin").write_bytes(telegrams.telegram(entries))
    done = run("doctor", f"file:{tmp_path / 'x.bin'}?speed=0", "--lang", "de")
    assert (done.returncode, "(Telegramme: 1)" in done.stdout) == (0, True)
    assert "PIN" in done.stdout


def test_a_damaged_capture_is_told_of_at_its_end(run: Run, tmp_path: Path) -> None:
    telegram = b"".join(telegrams.series(3))
    (tmp_path / "x.bin").write_bytes(telegram.replace(b"\xff", b"\xff\xff"))
    done = run("doctor", f"file:{tmp_path / 'x.bin'}?speed=0")
    assert done.returncode == 1
    assert "arrives twice: the serial server is in telnet mode" in done.stdout
    assert "has ended" not in done.stdout


@pytest.mark.slow
def test_a_meter_of_another_protocol_that_encrypts(run: Run, tmp_path: Path) -> None:
    head = Head(tmp_path / "head")
    stream = dlms.hdlc(pushes.sealed(pushes.tagged()))
    is_over = threading.Event()

    def send() -> None:
        while not is_over.wait(0.5):
            head.send(stream)

    sending = threading.Thread(target=send)
    sending.start()
    done = run("doctor", f"{head.link}?baud=9600", "--seconds", 5)
    is_over.set()
    sending.join()
    head.unplug()
    assert done.returncode == 1
    assert f"{head.link}  DLMS" in done.stdout
    assert f"Meter {pushes.METER_ID} sends encrypted telegrams, and no key is set." in done.stdout
