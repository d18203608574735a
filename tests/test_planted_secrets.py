"""Odd secrets in every key that may hold one: whatever the program writes or answers, none of them is in it."""

import json
import re
import signal
import socket
import subprocess
import traceback
import zipfile
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path

import pytest

from command import COMMAND, environment
from iskra_server.config import describe, load
from iskra_server.web.app import all_endpoints
from running import free_port, serving, until
from stub_server import QuietHandler, serving_requests

ODD = (
    *(
        "@",
        "/",
        ":",
        "#",
        "?",
        "%",
        "%41",
        "%zz",
        " ",
        "'",
        '"',
        "`",
        "\\",
        "[",
        "]",
        "{",
        "}",
        "<",
        ">",
        "|",
        "^",
        "&",
    ),
    *("&", "=", "+", ";", ",", "~", "ä", "€", "日本", "🔑", "?a=b", "@/", "://", "/@:", "#@?"),
)
TOKEN, TENANT = "Qtokq!\"#$%&'()*+,-./:;<=>?@Wtokw", "Qtenq[\\]^_`{|}~Wtenw"
# of a meter that sends encrypted telegrams: a key has no room for odd signs
KEY, AUTH_KEY = bytes(range(0xD0, 0xE0)), bytes(range(0x30, 0x40))
# the first and the last part of every secret; whatever stands between them may be written in many ways
MARK = re.compile(r"Q[a-z0-9]{3}q|W[a-z0-9]{3}w")
COMMANDS = ("config show", "config check", "prepare", "export", "ports")
CASES = tuple(ODD[start::2] for start in range(2))


def secret(number: int, odd: str) -> str:
    return f"Q{number:03d}q{odd}W{number:03d}w"


class Case:
    """A configuration with `odd` signs in all its secrets; nothing that it names takes them."""

    def __init__(self, odd: tuple[str, ...], number: int, folder: Path, port: int, influx: int) -> None:
        self.secrets = [secret(100 * number + place, each) for place, each in enumerate((*odd, *odd, *odd))]
        self.texts = [*self.secrets, TOKEN, TENANT]
        left = iter(self.secrets)
        closed = free_port()
        meters = [
            f"tcp://me:{next(left)}@127.0.0.1:{closed}",
            f"rfc2217://me:{next(left)}@127.0.0.1:{closed}",
            f"esphome://me:{next(left)}@127.0.0.1:{closed}/?port_name=x",
            f"esphome://:{next(left)}@127.0.0.1:{closed}/?port_name=x",
            f"esphome://127.0.0.1:{closed}/?port_name=x&KEY={next(left).replace('@', '')}",
            f"esphome://127.0.0.1:{closed}/?noise_psk={next(left).replace('@', '')}&port_name=x",
            f"http://me:{next(left)}@127.0.0.1:{closed}/data.json?node_id=1",
            f"http://me:{next(left)}@127.0.0.1:{influx}",
            f"mqtt://me:{next(left)}@127.0.0.1:{closed}/topic",
            *(f"tcp://me:{next(left)}@127.0.0.1:{closed}" for _ in range(9)),
        ]
        broker = f"mqtt://me:{next(left)}@127.0.0.1:{closed}"
        sections = {
            "server": {"token": TOKEN, "host": "127.0.0.1", "port": port, "announce": False},
            "log": {"level": "debug", "format": ("text", "json")[number % 2]},
            "history": {"data_dir": str(folder), "database_url": f"postgresql://me:{next(left)}@127.0.0.1:{closed}/x"},
            "outputs": {
                "mqtt": {"url": broker}
                if number % 2
                else {"url": f"mqtt://me@127.0.0.1:{closed}", "password": next(left)},
                "influx": {"url": f"http://me:{next(left)}@127.0.0.1:{influx}", "every_s": 0, "flush_s": 0.1}
                if number
                else {"url": f"http://127.0.0.1:{influx}", "user": "me", "password": next(left)},
            },
            "prices": {"zone": "DE-LU", "file": f"http://me:{next(left)}@127.0.0.1:{closed}/prices"},
            # without a name it waits for the database
            "uplink": {"url": f"mqtt://me:{next(left)}@127.0.0.1:{closed}", "reader": ("cellar", "")[number % 2]},
            "collect": {"url": f"mqtt://me:{next(left)}@127.0.0.1:{closed}"},
            # a message about each meter that is silent, at once
            "alerts": {"silent_after_minutes": 0.01},
        }
        people = {"sender": "me@example.org", "recipients": "you@example.org"}
        lists = {
            "meters": [
                {"url": "simulator:MT175"},
                *({"url": url} for url in meters),
                {"url": f"tcp://127.0.0.1:{closed}", "key": KEY.hex(" ", 4), "auth_key": AUTH_KEY.hex().upper()},
            ],
            "tokens": [{"token": TENANT, "groups": "tenant:Meyer"}],
            "notify": [
                {"kind": "webhook", "url": f"http://me:{next(left)}@127.0.0.1:{influx}/{next(left)}"},
                {"kind": "email", "url": f"smtp://me@127.0.0.1:{closed}", "password": next(left), **people},
            ],
        }
        self.file = folder / "x.json"
        self.file.write_text(json.dumps(sections | lists))

    def leaks(self, text: str) -> set[str]:
        """What of the secrets stands in a text, also in hex and as a browser or a database is told."""
        forms = {each.encode().hex() for each in self.texts}
        forms |= {
            b64encode(f"{user}{each}".encode()).decode().rstrip("=") for each in self.texts for user in ("", "me:")
        }
        keys = {key.hex(*sep) for key in (KEY, AUTH_KEY) for sep in ((), (" ",), (" ", 4), (":",))}
        keys |= {repr(key)[2:-1] for key in (KEY, AUTH_KEY)}
        found = {form for form in forms if form in text} | {key for key in keys if key in text or key in text.lower()}
        return set(MARK.findall(text)) | found


@pytest.fixture
def mirror() -> Iterator[int]:
    """The port of a database that refuses, and says what it was told."""

    class Handler(QuietHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["content-length"]))
            body = f"refused: {self.headers['authorization']}".encode()
            self.send_response(500)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    with serving_requests(Handler) as port:
        yield port


@pytest.mark.parametrize("number", [0, pytest.param(1, marks=pytest.mark.slow)])
def test_no_secret_is_seen_anywhere(number: int, tmp_path: Path, mirror: int) -> None:
    port = free_port()
    case = Case(CASES[number], number, tmp_path, port, mirror)
    environ = environment(tmp_path, IES_CONFIG=str(case.file), IES_HISTORY_ENABLED="true", IES_SERVER_ANNOUNCE="false")
    written: dict[str, str] = {}

    def run(*arguments: str) -> None:
        done = subprocess.run(
            [COMMAND, *arguments], capture_output=True, text=True, env=environ, cwd=tmp_path, timeout=60, check=False
        )
        assert "Traceback" not in done.stderr
        written[" ".join(arguments)] = done.stdout + done.stderr

    def collect() -> None:
        """It waits for its database until it is stopped."""
        log = tmp_path / "collect.log"
        with (
            log.open("w") as output,
            subprocess.Popen([COMMAND, "collect"], stdout=output, stderr=output, env=environ, cwd=tmp_path) as process,
        ):
            try:
                until(lambda: "waits for it." in log.read_text() or process.poll() is not None)
            finally:
                process.send_signal(signal.SIGINT)
        assert process.returncode == 0
        written["collect"] = log.read_text()

    with serving("serve", environ=environ, headers={"Authorization": f"Bearer {TOKEN}"}, port=port) as server:
        # every meter, output and the database have said what they cannot do
        until(lambda: all(each["facts"]["problem"] for each in server.get("/api/v1/status").json()["meters"][1:]))
        until(lambda: not any(each["ok"] for each in server.get("/api/v1/status").json()["outputs"]))
        until(lambda: server.get("/api/v1/status").json()["history"])
        for endpoint in all_endpoints():
            if "live" not in endpoint.path:
                path = endpoint.path.replace("{id}", "1ISK0012345678")
                written[path] = server.get(path).text
        run("support-bundle", "bundle.zip")
    written["log"] = server.log
    with zipfile.ZipFile(tmp_path / "bundle.zip") as bundle:
        written |= {f"bundle {name}": bundle.read(name).decode(errors="replace") for name in bundle.namelist()}
    for command in COMMANDS[number::2]:
        run(*command.split())
    collect()
    assert {name: case.leaks(text) for name, text in written.items() if case.leaks(text)} == {}
    # it was the configuration with the secrets that was in force
    assert server.log.count("me:***@127.0.0.1") >= 12
    assert "refused: Basic ***" in server.log
    assert "notify webhook: http://127.0.0.1:" in server.log and "notify email: smtp://127.0.0.1:" in server.log


@pytest.mark.parametrize("number", range(len(CASES)))
def test_a_traceback_with_all_its_values_shows_none(number: int, tmp_path: Path) -> None:
    case = Case(CASES[number], number, tmp_path, 1, 1)
    config = load({}, case.file)
    sections = vars(type(config)) and [config.server, *config.meters, config.history, config.outputs, config.uplink]
    assert config.server.token.reveal() == TOKEN
    try:
        raise ValueError(f"{config} {sections!r} {config.meters[1].url}")
    except ValueError as error:
        told = "".join(traceback.TracebackException.from_exception(error, capture_locals=True).format())
    # the values of this test itself are no secret's printed form
    told = "\n".join(line for line in told.splitlines() if "case = " not in line)
    assert case.leaks(told) == set()
    assert told.count("***") > 20


def test_every_key_that_may_hold_a_secret_has_one_here(tmp_path: Path) -> None:
    text = "".join(Case(each, number, tmp_path, 1, 1).file.read_text() for number, each in enumerate(CASES))
    secret_keys = {key.name for key in describe() if key.secret}
    assert {name for name in secret_keys if f'"{name}"' not in text} <= {"token"}


def test_nobody_listens_at_a_closed_port() -> None:
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", free_port())) != 0
