"""The container's health check, against real servers."""

import ssl
import subprocess
import sys
from pathlib import Path

import trustme

from running import Server, free_port, serving

CHECK = Path(__file__).parents[2] / "deploy" / "healthcheck.py"


def checked(port: object) -> int:
    done = subprocess.run([sys.executable, "-IS", CHECK], env={"IES_PORT": str(port)}, timeout=20, check=False)
    return done.returncode


def port_of(server: Server) -> str:
    return server.url.rpartition(":")[2]


def test_a_server_that_asks_for_a_token_is_healthy() -> None:
    with serving("demo", environ={"IES_SERVER_TOKEN": "0123456789abcdef"}) as server:
        assert checked(port_of(server)) == 0
        assert server.cumulated().status_code == 401


def test_a_server_that_speaks_https_is_healthy(tmp_path: Path) -> None:
    authority, file = trustme.CA(), tmp_path / "both.pem"
    authority.issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(file)
    trusting = ssl.create_default_context()
    authority.configure_trust(trusting)
    with serving("demo", environ={"IES_SERVER_TLS_CERT": str(file)}, verify=trusting) as server:
        assert checked(port_of(server)) == 0


def test_no_server_is_not_healthy() -> None:
    assert checked(free_port()) == 1
