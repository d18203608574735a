"""The container's health check, against real servers."""

import signal
import ssl
import subprocess
import sys
from pathlib import Path

import pytest
import trustme

from running import COMMAND, Server, free_port, serving, until

CHECK = Path(__file__).parents[2] / "deploy" / "healthcheck.py"


def checked(server: Server) -> int:
    return checked_process(server.process.pid)


def checked_process(number: int, **environ: str) -> int:
    """One alone; in a container it is all of them."""
    command = [sys.executable, "-IS", str(CHECK), str(number)]
    return subprocess.run(command, env=environ, timeout=60, check=False).returncode


def test_a_server_that_asks_for_a_token_is_healthy() -> None:
    with serving("demo", environ={"IES_SERVER_TOKEN": "0123456789abcdef"}) as server:
        assert checked(server) == 0
        assert server.cumulated().status_code == 401


def test_a_server_that_speaks_https_is_healthy(tmp_path: Path) -> None:
    authority, file = trustme.CA(), tmp_path / "both.pem"
    authority.issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(file)
    trusting = ssl.create_default_context()
    authority.configure_trust(trusting)
    with serving("demo", environ={"IES_SERVER_TLS_CERT": str(file)}, verify=trusting) as server:
        assert checked(server) == 0


@pytest.mark.parametrize("host", ["127.0.0.2", "::"])
def test_it_asks_where_the_server_listens_whatever_has_configured_that(tmp_path: Path, host: str) -> None:
    port = free_port()
    file = tmp_path / "iskra-server.toml"
    file.write_text(f'[server]\nhost = "{host}"\nport = {port}\nannounce = false\n[history]\nenabled = false\n')
    command: list[str | Path] = [COMMAND, "serve", "none", "--config", str(file)]
    with subprocess.Popen(command, env={}, stderr=subprocess.DEVNULL) as process:
        try:
            until(lambda: checked_process(process.pid, IES_PORT=str(free_port())) == 0)
        finally:
            process.terminate()


@pytest.mark.slow
def test_a_server_that_has_stopped_answering_is_not_healthy() -> None:
    with serving("demo") as server:
        assert checked(server) == 0
        server.process.send_signal(signal.SIGSTOP)
        try:
            assert checked(server) == 1
        finally:
            server.process.send_signal(signal.SIGCONT)


def test_where_the_server_cannot_be_looked_at_it_asks_at_the_port_of_the_environment() -> None:
    with serving("demo") as server:
        ended = subprocess.Popen([sys.executable, "-c", ""])
        ended.wait()
        assert checked_process(ended.pid, IES_PORT=server.url.rpartition(":")[2]) == 0


def test_no_server_is_not_healthy() -> None:
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    assert checked_process(process.pid, IES_PORT=str(free_port())) == 1
