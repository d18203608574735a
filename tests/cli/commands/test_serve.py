"""`serve` and `demo` from the outside: the value arrives over HTTP, and SIGTERM ends it well."""

import json
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import pytest

from command import COMMAND, DEADLINE_S, environment
from running import free_port

# what the smallest machine can spare, in KiB
RESIDENT_KIB = 50 * 1024
# SQLAlchemy takes the difference; of it the tables take 1 MiB, a quarter of that the 62 columns of `rollup`
RESIDENT_WITH_HISTORY_KIB = 64_000


@contextmanager
def serving(folder: Path, *args: object, **variables: str) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """A running server and its port."""
    port = free_port()
    command = [str(COMMAND), *map(str, args), "--port", str(port)]
    process = subprocess.Popen(
        command, cwd=folder, env=environment(folder, **variables), stderr=subprocess.PIPE, text=True
    )
    try:
        yield process, port
    finally:
        process.kill()
        process.communicate()


def answer(port: int, path: str) -> dict[str, object]:
    """The first answer with a value. The demo computes years of a household first."""
    deadline = time.monotonic() + 6 * DEADLINE_S
    while True:
        try:
            with urlopen(f"http://127.0.0.1:{port}{path}", timeout=DEADLINE_S) as found:
                content = json.load(found)
                assert isinstance(content, dict)
                return content
        except URLError:
            assert time.monotonic() < deadline
            time.sleep(0.05)


def test_demo_serves_a_value_that_says_that_it_is_simulated_and_ends_well(tmp_path: Path) -> None:
    with serving(tmp_path, "demo", "--profile", "mt681", "--rate", "10", IES_METERS="/dev/null") as (process, port):
        assert answer(port, "/api/electricity/cumulated")["simulated"] is True
        process.send_signal(signal.SIGTERM)
        _, said = process.communicate(timeout=DEADLINE_S)
    assert process.returncode == 0
    assert said.startswith("Demo with a simulated meter (MT681). Stop with Ctrl+C.\nOpen http://")
    assert "Traceback" not in said


@pytest.mark.skipif("COVERAGE_RUN" in os.environ, reason="measuring coverage takes memory")
@pytest.mark.parametrize(("history", "at_most_kib"), [("false", RESIDENT_KIB), ("true", RESIDENT_WITH_HISTORY_KIB)])
def test_serve_takes_meters_and_port_from_the_command_line_and_stays_small(
    tmp_path: Path, history: str, at_most_kib: int
) -> None:
    variables = {"IES_PORT": "1", "IES_HISTORY_ENABLED": history}
    with serving(tmp_path, "serve", "--host", "127.0.0.1", "-q", "simulator:MT175?rate=10", **variables) as (
        process,
        port,
    ):
        assert answer(port, "/api/electricity/cumulated")["unit"] == "kWh"
        status = Path(f"/proc/{process.pid}/status").read_text()
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=DEADLINE_S)
    assert (process.returncode, said) == (0, "")
    resident_kib = int(status.partition("VmRSS:")[2].split()[0])
    assert resident_kib <= at_most_kib


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"lanugage": "de"}, "'lanugage' in options.json is not an option; did you mean language?"),
        ({"token": "short"}, "token must be at least 16 letters, digits or punctuation, without spaces."),
        ({"mqtt_url": "http://pi"}, "mqtt_url: the url must be like mqtt://user@host:1883, or mqtts:// for TLS."),
    ],
)
def test_a_wrong_option_of_the_app_of_home_assistant_is_one_sentence(
    options: dict[str, str], sentence: str, tmp_path: Path
) -> None:
    (tmp_path / "options.json").write_text(json.dumps(options))
    with serving(tmp_path, "serve", "--config", "options.json") as (process, _):
        _, said = process.communicate(timeout=DEADLINE_S)
        assert (process.returncode, said.strip()) == (2, f"iskra-server: {sentence}")
