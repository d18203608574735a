"""SIGTERM ends the server within 5 s, whatever hangs, and what has arrived is written."""

import os
import signal
import socket
import sqlite3
import subprocess
import termios
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

import telegrams
from running import COMMAND, Head, Server, fetch, free_port, serving, until

ENDS_WITHIN_S = 5.0
# what a busy machine may take besides
BUSY_S = 15.0


def ends(server: Server) -> int:
    """The exit status, after SIGTERM: 1 where the server has waited no longer, after 4.2 s by its own clock."""
    server.process.send_signal(signal.SIGTERM)
    return server.process.wait(ENDS_WITHIN_S + BUSY_S)


def connected(server: Server, data: bytes) -> socket.socket:
    client = socket.create_connection(("127.0.0.1", int(server.url.rpartition(":")[2])))
    client.sendall(data)
    return client


@contextmanager
def hanging() -> Iterator[int]:
    """A port that takes connections and never says a word, as a database or broker that hangs does."""
    taken: list[socket.socket] = []
    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=_take, args=(listening, taken), daemon=True)
        thread.start()
        yield listening.getsockname()[1]
        listening.shutdown(socket.SHUT_RDWR)
    thread.join()
    for each in taken:
        each.close()


def _take(listening: socket.socket, taken: list[socket.socket]) -> None:
    try:
        while True:
            taken.append(listening.accept()[0])
    except OSError:
        return


def test_with_slow_clients_of_every_kind() -> None:
    with serving("demo") as server:
        clients = [
            connected(server, b""),
            connected(server, b"GET /api/v1/met"),
            connected(server, b"GET /api/v1/live HTTP/1.1\r\nhost: a\r\n\r\n"),
            connected(server, b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 1000\r\n\r\nx"),
            connected(server, b"GET /static/app.js HTTP/1.1\r\nhost: a\r\n\r\n" * 50),
        ]
        assert ends(server) == 0
        for client in clients:
            client.close()


def test_with_a_database_that_hangs(tmp_path: Path) -> None:
    pytest.importorskip("psycopg")
    head = Head(tmp_path / "head")
    with hanging() as port:
        url = f"postgresql://iskra:geheim@127.0.0.1:{port}/iskra"
        environ = {"IES_HISTORY_ENABLED": "true", "IES_DATABASE_URL": url}
        with serving("serve", str(head.link), environ=environ) as server:
            until(lambda: server.status()["facts"]["is_open"])
            head.send(telegrams.telegram())
            until(lambda: server.cumulated().status_code == 200)
            ends(server)
        assert "geheim" not in server.log


def test_with_a_broker_that_hangs() -> None:
    with hanging() as port, serving("demo", environ={"IES_MQTT_URL": f"mqtt://me:geheim@127.0.0.1:{port}"}) as server:
        until(lambda: server.cumulated().status_code == 200)
        assert ends(server) == 0
        assert "geheim" not in server.log


def test_what_has_arrived_is_written(tmp_path: Path) -> None:
    head = Head(tmp_path / "head")
    environ = {"IES_HISTORY_ENABLED": "true", "IES_DATA_DIR": str(tmp_path)}
    with serving("serve", str(head.link), environ=environ) as server:
        until(lambda: server.status()["facts"]["is_open"])
        for raw in range(1000, 1010):
            head.send(telegrams.telegram(telegrams.meter_entries(energy=raw), seconds=raw))
        until(lambda: server.status()["facts"]["telegrams"] == 10)
        assert ends(server) == 0
    with sqlite3.connect(tmp_path / "iskra.sqlite") as database:
        assert database.execute("SELECT sum(telegrams) FROM points").fetchone() == (10,)
    database.close()


def test_while_it_is_still_starting(tmp_path: Path) -> None:
    with hanging() as port:
        environ = {"IES_HISTORY_ENABLED": "true", "IES_DATABASE_URL": f"postgresql://127.0.0.1:{port}/iskra"}
        with serving("serve", str(tmp_path / "nowhere"), environ=environ) as server:
            ends(server)


@pytest.mark.parametrize(
    "command",
    [
        pytest.param(("serve", "simulator:MT175"), id="serve"),
        pytest.param(("demo",), id="demo", marks=pytest.mark.slow),
    ],
)
def test_with_a_terminal_that_was_stopped_it_serves_and_ends(command: tuple[str, ...], tmp_path: Path) -> None:
    ours, theirs = os.openpty()
    # what Ctrl-S does, in the demonstration before its first line
    if command == ("demo",):
        termios.tcflow(theirs, termios.TCOOFF)
    environ = {"IES_SERVER_ANNOUNCE": "false", "IES_SERVER_HOST": "127.0.0.1", "IES_DATA_DIR": str(tmp_path)}
    port = free_port()
    process = subprocess.Popen(
        [COMMAND, *command, "--port", str(port)],
        stdin=subprocess.DEVNULL,
        stdout=theirs,
        stderr=theirs,
        env=os.environ | environ,
    )

    def answer() -> int:
        try:
            return fetch(f"http://127.0.0.1:{port}/api/electricity/cumulated").status_code
        except httpx.TransportError:
            return 0

    try:
        until(lambda: answer() == 200)
        termios.tcflow(theirs, termios.TCOOFF)
        for _ in range(3):
            # each reload is a line of the log
            process.send_signal(signal.SIGHUP)
            assert answer() == 200
        process.send_signal(signal.SIGTERM)
        assert process.wait(ENDS_WITHIN_S + BUSY_S) == 0
    finally:
        process.kill()
        process.wait()
        for end in (ours, theirs):
            os.close(end)


@pytest.mark.parametrize("url", ["file:{fifo}", "{fifo}"])
def test_soon_with_a_pipe_that_nobody_writes_to(tmp_path: Path, url: str) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    with serving("serve", url.format(fifo=fifo)) as server:
        # not by its last resort
        assert ends(server) == 0
        assert "left behind" not in server.log


def test_soon_with_a_pipe_that_somebody_holds_open(tmp_path: Path) -> None:
    """Answers come while the server waits for the pipe, and what comes through it is read."""
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    writer = os.open(fifo, os.O_RDWR)
    try:
        os.write(writer, telegrams.telegram())
        with serving("serve", f"file:{fifo}") as server:
            until(lambda: server.status()["facts"]["byte_count"] > 0)
            assert server.get("/api/v1/status").status_code == 200
            assert ends(server) == 0
            assert "left behind" not in server.log
    finally:
        os.close(writer)


def test_a_server_without_any_standard_stream_works_and_ends(tmp_path: Path) -> None:
    """As some supervisors start it: the first sockets that it opens must not take their numbers."""
    port = free_port()
    command = f'exec "{COMMAND}" serve simulator:MT175 --port {port} <&- >&- 2>&-'
    environ = {"IES_HISTORY_ENABLED": "false", "IES_SERVER_ANNOUNCE": "false", "HOME": str(tmp_path)}
    process = subprocess.Popen(["sh", "-c", command], env=environ, cwd=tmp_path)

    def answers() -> bool:
        assert process.poll() is None
        try:
            return fetch(f"http://127.0.0.1:{port}/healthz").status_code == 200
        except httpx.TransportError:
            return False

    try:
        until(answers)
        process.terminate()
        assert process.wait(ENDS_WITHIN_S + BUSY_S) == 0
    finally:
        process.kill()
        process.wait()


@pytest.mark.parametrize("allowed", [12, 30, 63])
def test_too_few_descriptors_are_one_sentence(allowed: int) -> None:
    command = f'ulimit -n {allowed}; exec "{COMMAND}" serve simulator:MT175 --port {free_port()}'
    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2
    assert done.stderr.startswith(f"iskra-server: This process may open {allowed} files and connections, and needs 64")
    assert done.stderr.count("\n") == 1
