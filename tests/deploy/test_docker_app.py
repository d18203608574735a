"""The app of Home Assistant for real: built, started as the Supervisor does, read, replugged, backed up, restored."""

import json
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, suppress
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import pytest

import iskra_server
from deploy.engine import ROOT, Engine
from deploy.head import Head
from deploy.supervised import Supervised
from running import fetch, free_port, until
from supervisor import SupervisorStandIn, Target, supervisor

APP = ROOT / "deploy" / "homeassistant" / "iskra_server"
# this engine has no network of its own: an address of this machine that is the Supervisor's alone
SUPERVISOR = "127.0.0.2"


class App(Supervised):
    """With free ports, at the stand-in of the Supervisor."""

    def __init__(self, engine: Engine, image: str, folder: Path, box: SupervisorStandIn) -> None:
        super().__init__(engine, image, APP, folder)
        self.port, self.ingress_port = free_port(), free_port()
        self._box = box
        box.app = Target("127.0.0.1", self.ingress_port, SUPERVISOR)
        box.services = {service.partition(":")[0] for service in self.config["services"]}
        box.discoverable = set(self.config["discovery"])
        self._environ = {
            **box.environ,
            "IES_SERVER_PORT": str(self.port),
            "IES_SERVER_INGRESS_PORT": str(self.ingress_port),
            "IES_SERVER_INGRESS_ADDRESS": SUPERVISOR,
            # for a test that does not wait for a minute
            "IES_HISTORY_FLUSH_S": "1",
        }

    def begin(self, options: dict[str, Any] | None = None) -> None:
        self.start(self._environ, options)

    def ask(self, path: str) -> httpx.Response:
        """As a browser does, through Home Assistant and the Supervisor."""
        return fetch(self._box.page_url + path, cookies=self._box.cookies)

    def shows(self, head: Head, energy: int) -> bool:
        """Send a telegram, and compare what ingress answers, digit by digit."""
        head.send(energy)
        with suppress(httpx.TransportError):
            answer = self.ask("api/electricity/cumulated")
            value = json.loads(answer.text, parse_float=Decimal)["value"] if answer.status_code == 200 else None
            return value == Decimal(energy).scaleb(-4)
        return False

    def telegrams(self, file: str = "iskra.sqlite") -> int:
        """How many the history holds."""
        with closing(sqlite3.connect(f"file:{self.data / file}?mode=ro", uri=True)) as history:
            (count,) = history.execute("SELECT coalesce(sum(telegrams), 0) FROM points").fetchone()
            return int(count)


@pytest.fixture(scope="module")
def box() -> Iterator[SupervisorStandIn]:
    with supervisor() as box:
        yield box


@pytest.fixture(scope="module")
def app(
    engine: Engine, image: str, head: Head, box: SupervisorStandIn, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[App]:
    engine.docker("build", "--build-arg", f"SERVER_IMAGE={image}", "--tag", f"{image}-app", APP)
    app = App(engine, f"{image}-app", tmp_path_factory.mktemp("app"), box)
    app.begin()
    yield app
    app.kill()


@pytest.mark.slow
def test_without_an_option_the_head_is_found_and_ingress_shows_the_exact_value(app: App, head: Head) -> None:
    until(lambda: app.shows(head, 123456789))
    assert "text/html" in app.ask("").headers["content-type"]
    assert app.ask("healthz").status_code == 200
    # fails with an exit status
    app.run("python -IS /opt/iskra-server/healthcheck.py")


@pytest.mark.slow
def test_ingress_answers_the_supervisor_alone(app: App) -> None:
    assert fetch(f"http://127.0.0.1:{app.ingress_port}/api/electricity/cumulated").status_code == 403


@pytest.mark.slow
def test_it_asks_the_supervisor_for_a_broker_and_offers_the_integration(app: App, box: SupervisorStandIn) -> None:
    until(lambda: ("GET", "/services/mqtt", 400) in box.requests)
    until(lambda: box.discovery)
    assert box.discovery[-1]["config"]["port"] == app.port
    assert box.discovery[-1]["config"]["host"] == "app-iskra-server"


@pytest.mark.slow
def test_a_head_that_comes_back_under_another_name_is_read_again(app: App, head: Head) -> None:
    head.unplug()
    head.plug_in("usb-FTDI_FT232R_USB_UART_A9007UX1-if00-port0")
    until(lambda: app.shows(head, 123456790))


@pytest.mark.slow
def test_it_runs_as_root_without_any_capability(app: App) -> None:
    assert app.run("id -u") == "0"
    status = dict(line.split(":\t", 1) for line in app.run("cat /proc/1/status").splitlines())
    assert int(status["CapBnd"], 16) == int(status["CapEff"], 16) == 0


@pytest.mark.slow
def test_a_backup_while_it_reads_is_restored_completely(app: App, head: Head, tmp_path: Path) -> None:
    until(lambda: app.shows(head, 123456791) and app.telegrams() > 0)
    before, archive = app.telegrams(), tmp_path / "backup.tar"
    app.backup(archive)
    assert not (app.data / "backup.sqlite").exists()
    assert (app.data / "not-in-backups").exists()
    app.stop()
    app.restore(archive)
    assert not (app.data / "not-in-backups").exists()
    # what is packed while it is written may be torn
    for name in ("iskra.sqlite", "iskra.sqlite-wal"):
        (app.data / name).write_bytes(b"torn" * 4096)
    assert app.telegrams("backup.sqlite") >= before
    app.begin()
    until(lambda: app.shows(head, 123456792))
    assert app.telegrams() >= before
    assert sorted(path.name for path in app.data.glob("*.sqlite*")) == [
        "iskra.sqlite",
        "iskra.sqlite-shm",
        "iskra.sqlite-wal",
    ]


@pytest.mark.slow
def test_a_restart_keeps_the_history_and_not_the_copy_of_a_backup_that_was_cut_off(app: App, head: Head) -> None:
    until(lambda: app.shows(head, 123456793) and app.telegrams() > 0)
    app.run(app.config["backup_pre"])
    copied = app.telegrams("backup.sqlite")
    until(lambda: app.shows(head, 123456794) and app.telegrams() > copied)
    before = app.telegrams()
    app.kill()
    app.begin()
    until(lambda: app.shows(head, 123456795))
    assert app.telegrams() >= before > copied
    assert not (app.data / "backup.sqlite").exists()


@pytest.mark.slow
def test_a_backup_of_a_stopped_app_has_its_history(app: App, head: Head, tmp_path: Path) -> None:
    before, archive = app.telegrams(), tmp_path / "backup.tar"
    # without a clean end: what is not in the file yet is in its WAL
    app.kill()
    app.backup(archive)
    app.restore(archive)
    app.begin()
    until(lambda: app.shows(head, 123456796))
    assert app.telegrams() >= before > 0


@pytest.mark.slow
def test_every_option_is_understood(app: App, head: Head) -> None:
    app.stop()
    app.begin(
        {
            "sources": [{"url": "auto", "name": "House", "factor": 1.0, "max_power_w": 50000, "stale_after_s": 30}],
            "contracts": [{"begins": "2026-01-01", "energy_price": 0.3265, "base_fee": 11.9, "base_fee_per": "month",
                           "feed_in": 0.0811, "instalment": 65, "currency": "EUR", "name": "Supplier", "meter": ""}],
            "language": "de",
            "mqtt": False,
            "history_days": 7,
            "token": "0123456789abcdef",
            "log_level": "debug",
        }
    )  # fmt: skip
    # ingress needs no token
    until(lambda: app.shows(head, 123456797))
    assert fetch(f"http://127.0.0.1:{app.port}/api/v1/status").status_code == 401
    assert '"House"' in app.ask("api/v1/status").text
    assert "0123456789abcdef" not in app.log()


@pytest.mark.slow
def test_a_local_app_is_built_from_its_own_folder_alone(engine: Engine, tmp_path: Path) -> None:
    subprocess.run([sys.executable, APP.parent / "publish.py", tmp_path / "addons", "--local"], check=True)
    # as the Supervisor builds it, apart from the network
    arguments = ("--build-arg", "BUILD_VERSION=9.9.9", "--build-arg", "BUILD_ARCH=amd64", "--tag", "local-app")
    engine.docker("build", "--network", "host", *arguments, tmp_path / "addons" / "iskra_server")
    (image,) = json.loads(engine.docker("inspect", "local-app"))
    assert image["Config"]["Labels"]["io.hass.version"] == "9.9.9"
    assert image["Config"]["Entrypoint"] == ["/opt/iskra-server/app.sh"]
    version = engine.docker(
        "run", "--rm", "--network", "none", "--entrypoint", "iskra-server", "local-app", "--version"
    )
    assert iskra_server.__version__ in version


@pytest.mark.slow
def test_a_wrong_option_is_one_sentence_in_the_log(app: App) -> None:
    app.stop()
    app.begin({"sources": [{"url": "teapot://kitchen"}]})
    until(lambda: app.state()["Status"] == "exited")
    assert app.state()["ExitCode"] == 2
    (sentence,) = app.log().splitlines()
    assert "teapot://kitchen" in sentence
