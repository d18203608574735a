"""One real Home Assistant: started, asked over its own doors, stopped. Its owner is made as a person makes him."""

import json
import os
import re
import signal
import subprocess
import time
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx

import other_clock
from homeassistant.network import Machine
from homeassistant.release import Release, copy_ours
from running import until

PORT = 8123
WEBSOCKET = Path(__file__).with_name("websocket.py")
# some seconds on an idle machine; the first start compiles everything
START_S = 240.0
# between two questions: it shall do something else too
EVERY_S = 0.2
# it may be making the statistics of days that it was away for, some hundred questions a day, and ends that first
STOP_S = 300.0
JUST_BEHIND = timedelta(seconds=5)
APART = timedelta(minutes=12)
# a token of a login is good for half an hour
LOGGED_IN_S = 20 * 60
OWNER = {"name": "Owner", "username": "owner", "password": "not-a-secret", "language": "en"}
BASE = """\
homeassistant:
  name: Home
  time_zone: Europe/Berlin
  country: DE
  currency: EUR
  unit_system: metric
recorder:
  commit_interval: 1
diagnostics:
energy:
history:
repairs:
zeroconf:
"""
# what it says of this machine, what that one lacks or how busy it is: no matter of ours
OF_THE_MACHINE = re.compile(
    r"Skipping pip installation|running Python version .* is deprecated|zlib_ng and isal are not available"
    r"|Error loading libturbojpeg|is taking over \d+ seconds|took [\d.]+ seconds\. Please create a bug report"
    r"|took longer than the scheduled update interval|is still running at shutdown"
    r"|No ACK from MQTT server in \d+ seconds"
    # it says so of everything that does not come with it
    r"|We found a custom integration"
    # it validates what is announced while another thread compiles the same schema; the server announces it again
    r"|KeyError: 'connections'"
)
NUMBER = re.compile(r"-?\d+(?:\.\d+)?")
SMALLEST = Decimal("0.0001")
ENTRY = re.compile(r"^(?=\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d+ )", re.MULTILINE)
COMPLAINT = re.compile(r"\S+ \S+ (?:WARNING|ERROR|CRITICAL) ")


class HomeAssistant:
    """`clock` is how its clock differs from ours: its statistics are made of full hours, and nobody waits for those.

    A thread that sleeps fails with another clock (libfaketime knows no absolute sleep), so it gets one at the end.
    """

    def __init__(self, *, release: Release, machine: Machine, folder: Path) -> None:
        self.version = release.version
        self.url = f"http://{machine.address}:{PORT}"
        self.clock = timedelta()
        self._release = release
        self._machine = machine
        self._output = folder / "output.log"
        self._process: subprocess.Popen[bytes] | None = None
        self._socket: subprocess.Popen[str] | None = None
        self._client = httpx.Client(base_url=self.url, timeout=60, verify=False)
        self._token, self._refresh, self._renewed = "", "", 0.0
        self._config = folder / "config"
        self._config.mkdir(parents=True)
        self.has_ours = release.has_ours
        if self.has_ours:
            copy_ours(self._config)
        if release.root:
            (release.root / "config").mkdir(exist_ok=True)
            machine.bind(self._config, "/config")

    def __repr__(self) -> str:
        return f"Home Assistant {self.version}"

    def configure(self, *blocks: str) -> None:
        """What stands in configuration.yaml after the house itself; read at the next start."""
        (self._config / "configuration.yaml").write_text("\n".join((BASE, *blocks)))

    def start(self) -> None:
        with self._output.open("ab") as output:
            self._process = subprocess.Popen(
                [
                    *(*self._machine.command, self._release.interpreter, "-m", "homeassistant"),
                    *("--config", "/config" if self._release.root else self._config, "--skip-pip"),
                ],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env=environment() | (set_clock(self.clock) if self.clock else {}),
            )
        until(self._listens, START_S, EVERY_S)
        self._log_in()
        until(lambda: self.get("/api/config")["state"] == "RUNNING", START_S, EVERY_S)

    def stop(self, within_s: float = STOP_S) -> None:
        self._close_socket()
        if self._process:
            self._process.terminate()
            try:
                self._process.wait(within_s)
            except subprocess.TimeoutExpired:
                # it writes down what each of its threads did
                self._process.send_signal(signal.SIGABRT)
                self._process.wait()
                threads = "".join(file.read_text() for file in self._config.glob("home-assistant.log.fault"))
                raise AssertionError(f"{self} does not stop: {threads}\n{self.log()[-4000:]}") from None
        self._process = None

    def restart(self) -> list[str]:
        """What it complains of from its start until it runs again.

        While it stops, its RESTful sensors may still ask with a client that it has closed, and it complains of itself.
        """
        self.stop()
        heard = len(self.complaints())
        self.start()
        return self.complaints()[heard:]

    def start_behind_the_hour(self) -> None:
        """With its clock behind a full hour."""
        self.clock = until_full_hour() + JUST_BEHIND
        self.start()

    def end(self) -> None:
        """For ever: nobody looks at what it writes down in its last ten seconds."""
        if self._process:
            self.kill()
        self._client.close()

    def kill(self) -> None:
        assert self._process
        self._close_socket()
        self._process.kill()
        self._process.wait()
        self._process = None

    def now(self) -> datetime:
        """By its own clock, in UTC."""
        return datetime.now(UTC) + self.clock

    def add_mqtt(self, broker: str, port: int) -> None:
        """By the form of its own page."""
        flows = "/api/config/config_entries/flow"
        form = self.post(flows, {"handler": "mqtt", "show_advanced_options": False})
        assert form["step_id"] == "broker", form
        answers: dict[str, Any] = {"broker": broker, "port": port}
        if any(field["name"] == "other_settings" for field in form["data_schema"]):
            answers["other_settings"] = {"set_client_cert": False, "set_ca_cert": "off"}
        done = self.post(f"{flows}/{form['flow_id']}", answers)
        assert done["type"] == "create_entry", done

    def get(self, path: str, **parameters: str) -> Any:
        return self._answer(self._client.get(path, params=parameters, headers=self._headers()))

    def post(self, path: str, content: dict[str, Any]) -> Any:
        return self._answer(self._client.post(path, json=content, headers=self._headers()))

    def delete(self, path: str) -> Any:
        return self._answer(self._client.delete(path, headers=self._headers()))

    def ask(self, command: str, **content: Any) -> Any:
        """The result of a WebSocket command."""
        self._socket = self._socket or self._open_socket()
        assert self._socket.stdin and self._socket.stdout
        self._socket.stdin.write(json.dumps({"type": command, **content}) + "\n")
        self._socket.stdin.flush()
        answer = json.loads(self._socket.stdout.readline())
        assert answer["success"], f"{self}: {command}: {answer}"
        return answer["result"]

    def states(self) -> dict[str, dict[str, Any]]:
        """Every entity by its id."""
        return {state["entity_id"]: state for state in self.get("/api/states")}

    def state(self, entity: str) -> str | None:
        found = self.states().get(entity)
        return found["state"] if found else None

    def wait_for(self, entity: str, expected: Decimal | str, within_s: float) -> None:
        """Until an entity is in this state, a number by its value."""
        seen: list[str | None] = [None]

        def is_there() -> bool:
            seen[0] = state = self.state(entity)
            is_number = state is not None and NUMBER.fullmatch(state)
            return (Decimal(state) if state and is_number else state) == expected

        try:
            until(is_there, within_s, EVERY_S)
        except AssertionError:
            raise AssertionError(f"{self}: {entity} is {seen[0]}, not {expected}, after {within_s} s") from None

    def past(self, entity: str) -> list[str]:
        """Every state that was recorded of an entity, in order."""
        begin = (self.now() - timedelta(hours=2)).isoformat()
        (states,) = self.get(f"/api/history/period/{begin}", filter_entity_id=entity, end_time=self.now().isoformat())
        return [state["state"] for state in states]

    def sums(self, entity: str, period: str) -> dict[int, Decimal]:
        """What the statistics have added up by the end of each period, 5minute or hour; to the 0.1 Wh of a meter.

        By the beginning of the period, in ms.
        """
        return {start: sum_ for start, (_, sum_) in self.statistics(entity, period).items()}

    def statistics(self, entity: str, period: str) -> dict[int, tuple[Decimal, Decimal]]:
        """State and sum, as `sums`."""
        # its clock may be more than an hour ahead, behind a full hour that passed while it ran: the one before counts
        begin = (self.now() - timedelta(hours=4)).isoformat()
        wanted = {"start_time": begin, "statistic_ids": [entity], "period": period, "types": ["state", "sum"]}
        rows = self.ask("recorder/statistics_during_period", **wanted).get(entity, ())
        state, sum_ = ([Decimal(row[kind]).quantize(SMALLEST) for row in rows] for kind in ("state", "sum"))
        return dict(zip((row["start"] for row in rows), zip(state, sum_, strict=True), strict=True))

    def entities(self, platform: str) -> dict[str, str]:
        """Entity ids by unique id, of rest, mqtt or our integration."""
        entries = self.ask("config/entity_registry/list")
        return {entry["unique_id"]: entry["entity_id"] for entry in entries if entry["platform"] == platform}

    def log(self) -> str:
        return self._output.read_text(errors="replace")

    def complaints(self) -> list[str]:
        """Warnings and errors so far, with their tracebacks, but for those about the machine that it runs on."""
        entries = ENTRY.split(self.log())
        return [entry for entry in entries if COMPLAINT.match(entry) and not OF_THE_MACHINE.search(entry)]

    def _listens(self) -> bool:
        assert self._process
        if self._process.poll() is not None:
            raise AssertionError(f"{self} has ended: {self.log()[-2000:]}")
        try:
            return self._client.get("/manifest.json").is_success
        except httpx.TransportError:
            return False

    def _open_socket(self) -> "subprocess.Popen[str]":
        url = f"ws://127.0.0.1:{PORT}/api/websocket"
        opened = subprocess.Popen(
            [*self._machine.command, self._release.interpreter, "-c", WEBSOCKET.read_text(), url],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=environment(),
        )
        assert opened.stdin
        opened.stdin.write(self._token + "\n")
        return opened

    def _close_socket(self) -> None:
        if self._socket:
            self._socket.communicate()
        self._socket = None

    def _log_in(self) -> None:
        """With what the owner got when he was made, on the first page that a new installation shows."""
        client = f"http://{self._machine.address}:{PORT}/"
        self._token = ""
        if self._refresh:
            grant = {"grant_type": "refresh_token", "refresh_token": self._refresh}
        else:
            made = self.post("/api/onboarding/users", {"client_id": client, **OWNER})
            grant = {"grant_type": "authorization_code", "code": made["auth_code"]}
        answer = self._answer(self._client.post("/auth/token", data={**grant, "client_id": client}))
        self._token, self._refresh = answer["access_token"], answer.get("refresh_token", self._refresh)
        self._renewed = time.monotonic()

    def _headers(self) -> dict[str, str]:
        if self._token and time.monotonic() > self._renewed + LOGGED_IN_S:
            self._log_in()
        return {"authorization": f"Bearer {self._token}"} if self._token else {}

    def _answer(self, response: httpx.Response) -> Any:
        assert response.is_success, f"{self}: {response.request.url}: {response.status_code} {response.text}"
        return response.json() if response.content else None


def environment() -> dict[str, str]:
    """Ours, but what is compiled at the first start is kept for the next one."""
    return {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}


def set_clock(clock: timedelta) -> dict[str, str]:
    """A clock that is set differently and runs as ours does."""
    return other_clock.other_clock(FAKETIME=f"{clock.total_seconds():+.3f}s")


def until_full_hour() -> timedelta:
    """The next one that is some minutes away.

    Else it would begin in the same five minutes in which an entity came, before statistics have its first state.
    """
    now = datetime.now(UTC)
    hour = (now + APART).replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)
    return hour - now
