"""The whole output: a real server process, a head on a pseudo-terminal that falls silent, and receivers."""

import asyncio
import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from msgspec.structs import replace

from diagnosis.well import facts
from iskra_server.config import AlertsConfig
from iskra_server.diagnosis.status import Status, run_checks
from iskra_server.history.store.store import Store
from iskra_server.meter.virtual_meter import VIRTUAL
from iskra_server.outputs.notify.digests import DigestSettings
from iskra_server.outputs.notify.memory import MemoryFile
from iskra_server.outputs.notify.notifier import Notifier
from iskra_server.reading.hub import Hub
from outputs.notify.receivers import HttpReceiver, channel, receiving
from running import Head, Server, repeating, serving, until, wait_over_midnight
from samples import energy, power, sample
from telegrams import telegram
from web.past import counted, info

BERLIN = ZoneInfo("Europe/Berlin")
# a minute and a half of a second
CONFIG = """
[[notify]]
url = "{url}/our-topic"
language = "de"
events = "silent, fault, locked, load"
[[notify]]
kind = "webhook"
url = "{url}/hook"
events = "silent"
[alerts]
silent_after_minutes = 0.03
[history]
enabled = false
data_dir = "{folder}/data"
[[meters]]
url = "{link}"
name = "House"
stale_after_s = 1
"""


@pytest.fixture
def receiver() -> Iterator[HttpReceiver]:
    with receiving() as made:
        yield made


@contextmanager
def server_of(receiver: HttpReceiver, head: Head, folder: Path) -> Iterator[Server]:
    file = folder / "iskra-server.toml"
    file.write_text(CONFIG.format(url=receiver.url, folder=folder, link=head.link))
    with serving("serve", "--config", str(file)) as server:
        yield server


def titles(receiver: HttpReceiver, path: str) -> list[str]:
    return [message["title"] for to, _, message in receiver.posts if to == path]


def output(server: Server) -> dict[str, Any]:
    (found,) = server.get("/api/v1/status").json()["outputs"]
    assert isinstance(found, dict)
    return found


def test_a_meter_that_falls_silent_sends_one_message_and_one_recovery_over_restarts(
    receiver: HttpReceiver, tmp_path: Path
) -> None:
    head = Head(tmp_path / "head")

    def send_until(condition: Callable[[], object]) -> None:
        def sent_and_met() -> object:
            head.send(telegram())
            return condition()

        until(sent_and_met, every_s=0.3)

    with ExitStack() as stack:
        # from the beginning: on a busy machine a start takes longer than the limit
        with repeating(head, telegram(), 0.3):
            server = stack.enter_context(server_of(receiver, head, tmp_path))
            until(lambda: server.status()["ok"])
        # more than the limit
        until(lambda: titles(receiver, "/hook"))
        until(lambda: output(server)["delivered"] == 2)
        assert output(server) | {"name": "notify", "ok": True, "waiting": 0, "dropped": 0} == output(server)
        metrics = server.get("/metrics").text
        assert 'iskra_output_up{output="notify"} 1' in metrics
        assert "our-topic" not in server.log + metrics
    with server_of(receiver, head, tmp_path) as server:
        # still silent, longer than the limit: people know
        until(lambda: server.status()["facts"]["is_open"])
        until(lambda: json.loads((tmp_path / "data" / "notify.json").read_bytes())["told"])
        receiver.status = 503
        send_until(lambda: output(server)["waiting"] == 2)
        until(lambda: "answers with an error (503" in output(server)["sentence"])
    receiver.status = 200
    with server_of(receiver, head, tmp_path) as server:
        until(lambda: output(server)["delivered"] == 2)
    (silent, again) = titles(receiver, "/")
    assert silent.startswith("House: seit ") and silent.endswith(" kein Wert")
    assert again == "House: Es kommen wieder Werte an"
    messages = [message for path, _, message in receiver.posts if path == "/hook"]
    assert [(message["event"], message["phase"]) for message in messages] == [("silent", "begin"), ("silent", "end")]
    assert messages[0]["meter"] == "1 ISK 00 12345678"
    head.unplug()


def notifier(receiver: HttpReceiver, folder: Path, hub: Hub, statuses: Sequence[Status], **changes: Any) -> Notifier:
    keys: dict[str, Any] = {"digest_hour": 0, **changes.pop("alerts", {})}
    settings: dict[str, Any] = {
        "channels": (channel(f"{receiver.url}/topic"),),
        "alerts": AlertsConfig(silent_after_minutes=0.01, **keys),
        "digest": DigestSettings(hour=0, base_load_percent=Decimal(25), contracts=(), zone="Europe/Berlin"),
        "file": MemoryFile(folder / "notify.json"),
        "hub": hub,
        "statuses": lambda: statuses,
        "store": lambda: None,
        "first_retry_s": 0.01,
    }
    return Notifier(**settings | changes)


async def run_until(made: Notifier, condition: Callable[[], object], each: Callable[[], object] = bool) -> None:
    task = asyncio.create_task(made.run())

    def happened() -> object:
        assert not task.done(), task.exception()
        return condition()

    try:
        async with asyncio.timeout(60):
            while not happened():
                each()
                await asyncio.sleep(0.02)
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def test_a_high_load_is_told_with_the_name_of_the_meter(receiver: HttpReceiver, tmp_path: Path) -> None:
    hub, statuses = Hub(), [run_checks(facts(name="House"))]
    made = notifier(receiver, tmp_path, hub, statuses, alerts={"load_above_w": 6000, "load_for_minutes": 0.001})
    at_s = iter(range(1, 10_000))

    def publish() -> None:
        hub.publish(replace(sample(power(7000), energy(1000), at_s=next(at_s)), received_at=datetime.now(UTC)))

    asyncio.run(run_until(made, lambda: titles(receiver, "/"), publish))
    assert titles(receiver, "/")[0].endswith("above 6,000 W for 1 minute")


def test_plants_and_virtual_meters_are_no_load(receiver: HttpReceiver, tmp_path: Path) -> None:
    """A plant's meter that is wired the other way round shows production as import."""
    hub, statuses = Hub(), [run_checks(facts(name="Roof", role="production"))]
    made = notifier(receiver, tmp_path, hub, statuses, alerts={"load_above_w": 6000, "load_for_minutes": 0.001})
    at_s = iter(range(1, 10_000))
    house = "1 ISK 00 12345679"

    def publish() -> None:
        now, second = datetime.now(UTC), next(at_s)
        roof = sample(power(9000), energy(1000), at_s=second)
        hub.publish(replace(roof, received_at=now), is_production=True)
        flats = sample(power(9000), at_s=second, meter_id="Flats")
        hub.publish(replace(flats, received_at=now, reading=replace(flats.reading, protocol=VIRTUAL)))
        hub.publish(replace(sample(power(7000), energy(1000), at_s=second, meter_id=house), received_at=now))

    looks = iter(range(100))
    asyncio.run(run_until(made, lambda: titles(receiver, "/") and next(looks, None) is None, publish))
    assert all(title.startswith(house) for title in titles(receiver, "/"))


@pytest.fixture
def week(tmp_path: Path) -> Iterator[Store]:
    """The last whole week, to which a digest is due whatever day it is."""
    made = Store(f"sqlite:///{tmp_path}/iskra.sqlite")
    wait_over_midnight(BERLIN)
    monday = datetime.now(BERLIN).replace(hour=0, minute=0, second=0, microsecond=0)
    monday -= timedelta(days=monday.weekday())
    first = int((monday - timedelta(days=7)).timestamp()) // 900
    made.write(counted(range(0, 300 * 700, 300), first=first), [info(first=first)])
    yield made
    made.close()


def digest_of(
    receiver: HttpReceiver,
    folder: Path,
    store: Store,
    monkeypatch: pytest.MonkeyPatch,
    *,
    is_production: bool = False,
    **fact: Any,
) -> Notifier:
    """One with a digest that is due: none was sent before."""
    monkeypatch.setattr("iskra_server.outputs.notify.digests._LATE_DAYS", {"weekly": 7, "monthly": -1})
    (folder / "notify.json").write_text("{}")
    hub = Hub()
    hub.publish(sample(energy(1000)), is_production=is_production)
    return notifier(receiver, folder, hub, [run_checks(facts(name="House", **fact))], store=lambda: store)


def test_a_digest_is_sent_once_over_restarts(
    receiver: HttpReceiver, tmp_path: Path, week: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = digest_of(receiver, tmp_path, week, monkeypatch)
    asyncio.run(run_until(made, lambda: made.state.delivered))
    (title,) = titles(receiver, "/")
    assert title.startswith("Week ") and title.endswith(" kWh from the grid")
    remembered = (tmp_path / "notify.json").read_text()
    again = digest_of(receiver, tmp_path, week, monkeypatch)
    (tmp_path / "notify.json").write_text(remembered)
    looks = iter(range(20))
    asyncio.run(run_until(again, lambda: next(looks, None) is None))
    assert len(titles(receiver, "/")) == 1


def test_under_a_clock_that_is_not_trusted_no_digest_is_sent(
    receiver: HttpReceiver, tmp_path: Path, week: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = datetime.now(BERLIN)
    made = digest_of(receiver, tmp_path, week, monkeypatch, clock_problem="stepped", clock_time=now)
    looks = iter(range(40))
    asyncio.run(run_until(made, lambda: next(looks, None) is None))
    assert receiver.posts == []


def test_a_meter_of_a_solar_plant_has_no_digest(
    receiver: HttpReceiver, tmp_path: Path, week: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = digest_of(receiver, tmp_path, week, monkeypatch, is_production=True)
    looks = iter(range(40))
    asyncio.run(run_until(made, lambda: next(looks, None) is None))
    assert receiver.posts == []


def test_what_waits_for_a_channel_that_is_gone_is_lost_and_counted(receiver: HttpReceiver, tmp_path: Path) -> None:
    waiting = {
        "id": "0" * 32,
        "event": "silent",
        "phase": "begin",
        "title": "t",
        "message": "m",
        "priority": 4,
        "tags": [],
        "at": "2026-11-27T13:05:00.000Z",
        "meter": "",
        "meter_name": "",
        "simulated": False,
        "language": "en",
        "page_url": "",
        "values": {},
    }
    (tmp_path / "notify.json").write_text(json.dumps({"channels": {"gone": {"waiting": [waiting]}}}))
    made = notifier(receiver, tmp_path, Hub(), [])
    asyncio.run(run_until(made, lambda: made.state.dropped == 1))
    assert "gone" not in json.loads((tmp_path / "notify.json").read_text())["channels"]
