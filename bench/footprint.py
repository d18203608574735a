"""What one meter costs: memory, processor time, the start, and how many requests one worker answers.

    python bench/footprint.py [seconds]

Memory of a meter of each protocol comes first, then that of the emulated devices. Memory and processor time are then
those of `serve` at a pseudo-terminal that is fed a telegram a second at 9600 baud, as the kernel counts them; once with
history, which is the default, and once without. sml2mqtt gets the same bytes at the same moments at a port of its own,
and publishes to mosquitto. The start is measured at several phases of the second.
Our modules are compiled before, as pip compiles what it installs. Requests are counted by wrk, in turns with a bare
ASGI function under the same uvicorn settings. wrk and mosquitto are installed by apt for root; else what needs them is
left out.
"""

import compileall
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import termios
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from statistics import median

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

import iskra_server
import peers
import pushes
import telegrams
import texts
from control_loop.devices import DEVICES, ECOTRACKER, environment, ports
from device_answers import client
from iskra_server.codecs.dlms.encoder import hdlc
from iskra_server.codecs.text.parity import with_parity
from line import PERIOD_S, Line
from processes import answered, cpu_s, memory_mb, program, running
from running import COMMAND, Head, Server, free_port, serving, until

SECONDS = 60
# what happens once is not what a telegram costs
WARM_UP_S = 5
PHASES_S = (0.0, 0.15, 0.3, 0.45, 0.6, 0.75, 0.9)
ROUNDS = 3
MEMORY_TELEGRAMS = 40
AT_ONCE = {"IES_EMULATION_WAIT_FRESH_S": "0"}
# within the limit of requests of a client, and before the reading is stale
DEVICE_REQUESTS = 20
PATH = "/api/electricity/cumulated"
HISTORY = {"IES_HISTORY_ENABLED": "true"}
SML2MQTT = "sml2mqtt==3.7.0"
CONFIG = """\
logging: {{level: INFO, file: stdout}}
mqtt: {{connection: {{host: 127.0.0.1, port: {port}}}}}
inputs: [{{type: serial, url: {head}, timeout: 6}}]
"""


def main() -> None:
    seconds = int(sys.argv[1]) if len(sys.argv) > 1 else SECONDS
    # a server that is left behind would take the pseudo-terminals of the next
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    compileall.compile_dir(Path(iskra_server.__file__).parent, quiet=1)
    with tempfile.TemporaryDirectory() as directory:
        os.environ["IES_DATA_DIR"] = directory
        protocols(Head(Path(directory, "protocols")))
        emulated_devices(Head(Path(directory, "devices")))
        cost(Path(directory), seconds)
        start(Head(Path(directory, "start")))
        if wrk := program("wrk"):
            requests(Head(Path(directory, "requests")), wrk)


def protocols(head: Head) -> None:
    """Memory of a meter of each protocol, without history."""
    keys = {"IES_METERS_KEY": pushes.KEYS.encryption.hex(), "IES_METERS_AUTH_KEY": pushes.KEYS.authentication.hex()}
    sent: dict[str, tuple[Callable[[int], bytes], dict[str, str]]] = {
        "SML": (lambda k: telegrams.telegram(seconds=1000 + k), {}),
        "P1 with gas": (lambda k: texts.p1_telegram(texts.p1_lines(second=k)), {}),
        "D0": (lambda k: with_parity(texts.d0_readout(texts.d0_lines(power_kw=f"{k % 9}.908"))), {}),
        "DLMS": (lambda k: hdlc(pushes.apdu(pushes.tagged())), {}),
        "DLMS with a key": (lambda k: hdlc(pushes.sealed(pushes.tagged(), k)), keys),
    }
    print(f"{'a meter of each protocol':45}memory MB")
    for name, (make, environ) in sent.items():
        with serving("serve", f"{head.link}?baud=9600", environ=environ) as server:
            feed(head, server, make)
            print(f"{name:45}{memory_mb(server.process.pid):9.1f}")


def feed(head: Head, server: Server, make: Callable[[int], bytes]) -> None:
    """Sends MEMORY_TELEGRAMS, each when the one before was read."""
    until(lambda: server.status()["facts"]["is_open"])
    for number in range(1, MEMORY_TELEGRAMS + 1):
        head.send(make(number))
        until(lambda: server.status()["facts"]["telegrams"] == number)  # noqa: B023


def emulated_devices(head: Head) -> None:
    """Memory with no emulated device, with the first and with all of them; those with a client here are asked."""
    print(f"{'a meter, without history':45}memory MB")
    for name, devices in {"no emulated device": (), ECOTRACKER.name: (ECOTRACKER,), "all devices": DEVICES}.items():
        at = ports(devices)
        environ = environment(at) | AT_ONCE | (unasked() if len(devices) > 1 else {})
        with serving("serve", str(head.link), environ=environ) as server:
            feed(head, server, lambda k: telegrams.telegram(seconds=1000 + k))
            for device in devices:
                with client(device.name, at) as ask:
                    for _ in range(DEVICE_REQUESTS):
                        ask()
            print(f"{name:45}{memory_mb(server.process.pid):9.1f}")


def unasked() -> dict[str, str]:
    """The settings of the devices that no client here asks; no broker is there for Victron."""
    return {
        **{f"IES_{section}_ENABLED": "true" for section in ("SUNSPEC", "SHELLY_MODBUS", "SMA_ENERGY_METER", "VICTRON")},
        "IES_SUNSPEC_PORT": str(free_port()),
        "IES_SHELLY_MODBUS_PORT": str(free_port()),
        "IES_VICTRON_URL": f"mqtt://127.0.0.1:{free_port()}",
    }


def cost(directory: Path, seconds: int) -> None:
    """Memory and processor time, beside sml2mqtt where there is a broker."""
    heads = full, lean, theirs = [Head(directory / name) for name in ("full", "lean", "theirs")]
    with (
        serving("serve", str(full.link), environ=HISTORY) as server,
        serving("serve", str(lean.link)) as leaner,
        sml2mqtt(directory, theirs) as peer,
        Line(*heads) as line,
    ):
        pids = {"iskra-server": server.process.pid, "iskra-server without history": leaner.process.pid} | peer
        time.sleep(WARM_UP_S)
        before, first = {name: cpu_s(pid) for name, pid in pids.items()}, len(line.sent)
        time.sleep(seconds)
        count = len(line.sent) - first
        used_s = {name: cpu_s(pid) - before[name] for name, pid in pids.items()}
        print(f"{f'{count} telegrams, one a second':45}memory MB  CPU s per 1,000")
        for name, pid in pids.items():
            print(f"{name:45}{memory_mb(pid):9.1f}{used_s[name] / count * 1000:16.2f}")
        for asked in (server, leaner):
            if asked.cumulated().status_code != 200:
                raise SystemExit(f"the meter is not read: {asked.cumulated().text} {asked.log}")


def start(head: Head) -> None:
    """How soon a new process answers and has a value. A telegram that began before the port was open is not whole."""
    times_s = []
    with Line(head) as line:
        until(lambda: line.sent)
        for phase_s in PHASES_S:
            time.sleep((line.sent[-1][0] + phase_s - time.monotonic()) % PERIOD_S)
            port, began = free_port(), time.monotonic()
            with running(COMMAND, "serve", head.link, "--port", port) as pid:
                until(partial(has_open, pid, os.readlink(head.link)))
                opened = time.monotonic()
                forget(head)
                ready, value = answered(port, "/healthz"), answered(port, PATH)
            whole = next(end for begin, end in line.sent if begin >= opened)
            times_s.append((opened - began, ready - began, value - whole, value - began))
    names = "port is open", "first answer", "first value behind the first whole telegram", "first value"
    for name, figures in zip(names, zip(*times_s, strict=True), strict=True):
        print(f"{name:45}{median(figures):6.2f} s, at most {max(figures):.2f} s")


def requests(head: Head, wrk: str) -> None:
    """Requests a second of the cumulated endpoint while a meter is read, and of the bare function."""
    with serving("serve", str(head.link), environ=HISTORY) as server, Line(head), bare() as port:
        until(lambda: server.cumulated().status_code == 200)
        urls = server.url + PATH, f"http://127.0.0.1:{port}{PATH}"
        ours, least = map(max, zip(*([rate(wrk, url) for url in urls] for _ in range(ROUNDS)), strict=True))
        print(f"{'requests a second':45}{ours:6.0f}, a bare function {least:.0f}, ratio {ours / least:.2f}")
        print(f"{'memory after these requests':45}{memory_mb(server.process.pid):6.1f} MB")


def rate(wrk: str, url: str) -> float:
    done = subprocess.run([wrk, "-t1", "-c8", "-d3", url], capture_output=True, text=True, check=True)
    found = re.search(r"Requests/sec:\s+([\d.]+)", done.stdout)
    if not found or "Non-2xx" in done.stdout:
        raise SystemExit(f"wrk was not answered: {done.stdout}")
    return float(found[1])


@contextmanager
def bare() -> Iterator[int]:
    port = free_port()
    with running(sys.executable, "-c", f"import bare; bare.serve({port})", cwd=Path(__file__).parent):
        answered(port, PATH)
        yield port


@contextmanager
def sml2mqtt(directory: Path, head: Head) -> Iterator[dict[str, int]]:
    """sml2mqtt and a broker for it; nothing where there is no broker."""
    broker = program("mosquitto")
    if not broker:
        yield {}
        return
    command = peers.python_with(SML2MQTT).parent / "sml2mqtt"
    config, log, port = directory / "sml2mqtt.yml", directory / "sml2mqtt.log", free_port()
    config.write_text(CONFIG.format(port=port, head=head.link))
    with running(broker, "-p", port), log.open("w") as output:
        until(lambda: listens(port))
        with running(command, "-c", config, output=output) as pid:
            yield {SML2MQTT: pid}
    if "| OK" not in log.read_text():
        raise SystemExit(f"sml2mqtt has not read the meter: {log.read_text()}")


def listens(port: int) -> bool:
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) == 0


def has_open(pid: int, device: str) -> bool:
    """Whether a process has opened a device."""
    # files are closed while we look
    with suppress(FileNotFoundError):
        return any(os.readlink(file) == device for file in Path(f"/proc/{pid}/fd").iterdir())
    return False


def forget(head: Head) -> None:
    """A port that nobody has opened keeps nothing."""
    end = os.open(head.link, os.O_RDWR | os.O_NOCTTY)
    termios.tcflush(end, termios.TCIFLUSH)
    os.close(end)


if __name__ == "__main__":
    main()
