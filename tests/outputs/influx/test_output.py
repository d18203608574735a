"""The output against real databases: away for a day, killed, full, refusing."""

import asyncio
import re
import signal
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import httpx
import pytest

from iskra_server.base.address import Address
from iskra_server.base.spool import Spool
from iskra_server.config import Config, ConfigError, InfluxConfig, MeterConfig, ServerConfig
from iskra_server.config.output_sections import OutputsConfig
from iskra_server.meter.reading import Sample
from iskra_server.outputs.influx.output import LineProtocol
from iskra_server.reading.hub import Hub
from iskra_server.runtime.server import run
from outputs.influx.databases import DATABASE, Influx, Points, Victoria, target_of, wait_for
from running import DEADLINE_S, Server, free_port, serving, until
from samples import START, energy, power, sample

START_MS = int(START.timestamp()) * 1000
DAY_S = 86_400
SPOOL_BYTES = 64_000_000


@pytest.fixture(params=[Influx, Victoria], ids=lambda kind: kind.__name__)
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Influx:
    made: Influx = request.param(tmp_path)
    return made


@pytest.fixture
def influx(tmp_path: Path) -> Influx:
    return Influx(tmp_path)


class Line:
    """A hub and an output behind it, quick enough for a test."""

    def __init__(
        self, url: str, folder: Path, *, every_s: float = 0.0, memory_points: int = 10_000, **place: str
    ) -> None:
        self.hub = Hub()
        self.spool = Spool(folder, SPOOL_BYTES)
        self.output = LineProtocol(
            hub=self.hub,
            target=target_of(url, **(place or {"database": DATABASE})),
            spool=self.spool,
            every_s=every_s,
            flush_s=0.05,
            first_retry_s=0.01,
            max_retry_s=0.1,
            memory_points=memory_points,
        )

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        task = asyncio.create_task(self.output.run())
        await self.until(lambda: bool(self.hub.subscriptions()))
        try:
            yield
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    async def publish(self, samples: Sequence[Sample]) -> None:
        for each in samples:
            self.hub.publish(each)
            await asyncio.sleep(0)

    async def until(self, condition: Callable[[], bool], deadline_s: float = DEADLINE_S) -> None:
        async with asyncio.timeout(deadline_s):
            while not condition():  # noqa: ASYNC110 - what is waited for tells nobody
                await asyncio.sleep(0.005)


def samples(count: int, first: int = 0) -> list[Sample]:
    """A second apart."""
    return [sample(energy(1_000_000 + k), power(k % 700), at_s=float(k)) for k in range(first, first + count)]


def expected(seconds: Sequence[int]) -> Points:
    return {START_MS + k * 1000: {"energy_import": (1_000_000 + k) / 10, "power": k % 700} for k in seconds}


def test_points_arrive_as_they_are_measured_and_nothing_touches_the_disk(database: Influx, tmp_path: Path) -> None:
    async def live() -> None:
        line = Line(database.url, tmp_path / "spool")
        async with line.running():
            await line.publish(samples(100))
            await line.until(lambda: line.output.state.delivered == 100)
        assert line.output.state.ok

    with database.running():
        asyncio.run(live())
        assert wait_for(database, 100) == expected(range(100))
    assert not (tmp_path / "spool").exists()


def test_an_outage_of_a_day_loses_nothing_and_every_point_arrives_once(database: Influx, tmp_path: Path) -> None:
    """A telegram a second, a point every ten; what waits on the disk is stated in docs/outputs.md."""
    folder = tmp_path / "spool"

    async def outage() -> None:
        line = Line(database.url, folder, every_s=10.0)
        async with line.running():
            await line.publish(samples(DAY_S // 2))
            await line.until(lambda: bool(line.output.state.sentence) and line.spool.waiting > 0)
        # a restart in the middle of it
        line = Line(database.url, folder, every_s=10.0)
        async with line.running():
            await line.publish(samples(DAY_S // 2, DAY_S // 2))
            await line.until(lambda: line.spool.waiting == DAY_S // 10)
            state = line.output.state
            assert (state.ok, state.dropped, state.refused) == (False, 0, 0)
            assert "cannot be reached" in state.sentence
            assert state.waiting_bytes == sum(path.stat().st_size for path in folder.iterdir()) < 1_000_000
            with database.running():
                await line.until(lambda: line.output.state.waiting == 0)
                found = await asyncio.to_thread(wait_for, database, DAY_S // 10)
            assert found == expected(range(0, DAY_S, 10))
            assert line.output.state.ok
            assert list(folder.iterdir()) == []

    asyncio.run(outage())


def test_a_database_that_dies_in_the_middle_gets_every_point(influx: Influx, tmp_path: Path) -> None:
    async def outages() -> None:
        line = Line(influx.url, tmp_path / "spool")
        async with line.running():
            for round_ in range(3):
                with influx.running():
                    await line.publish(samples(200, 400 * round_))
                    await line.until(lambda: line.output.state.ok and line.output.state.waiting == 0)
                await line.publish(samples(200, 400 * round_ + 200))
                await line.until(lambda: not line.output.state.ok and line.spool.waiting == 200)
            with influx.running():
                await line.until(lambda: line.output.state.waiting == 0)
                assert await asyncio.to_thread(wait_for, influx, 1200) == expected(range(1200))

    asyncio.run(outages())


def test_points_that_are_refused_are_set_aside_and_the_others_arrive(influx: Influx, tmp_path: Path) -> None:
    """A field that is an integer in the database refuses our floats, and the whole batch with them."""

    async def conflict() -> None:
        line = Line(influx.url, tmp_path / "spool")
        poisoned = [sample(energy(5), power(1), at_s=float(k)) for k in (3, 40)]
        good = [sample(energy(1_000_000 + k), at_s=float(k)) for k in range(50) if k not in (3, 40)]
        async with line.running():
            await line.publish(sorted([*good, *poisoned], key=lambda each: each.monotonic_s))
            await line.until(lambda: (line.output.state.delivered, line.output.state.refused) == (48, 2))
            assert line.output.state.ok

    with influx.running():
        write_integer(influx)
        asyncio.run(conflict())
        assert len(influx.points()) == 48 + 1
    refused = [path.read_text().splitlines() for path in (tmp_path / "spool").iterdir()]
    assert all(reason.startswith("# 400 ") and "field type conflict" in reason for reason, *_ in refused)
    times = {line.rpartition(" ")[2] for _, *lines in refused for line in lines}
    assert times == {str(START_MS + 3000), str(START_MS + 40_000)}


def write_integer(influx: Influx) -> None:
    point = f"electricity,meter=1\\ ISK\\ 00\\ 12345678 power=1i {START_MS - 1000}"
    answer = httpx.post(
        f"{influx.url}/write", params={"db": DATABASE, "precision": "ms"}, content=point, timeout=60, verify=False
    )
    assert answer.status_code == 204


def test_who_may_not_write_is_told_once_and_what_waits_arrives_when_he_may(
    influx: Influx, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def refused() -> None:
        line = Line(influx.url, tmp_path / "spool", database=DATABASE, user="meter", password="wrong")
        async with line.running():
            await line.publish(samples(10))
            await line.until(lambda: line.spool.waiting == 10)
            told = "refuses the credentials (401). Correct outputs.influx.token"
            await line.until(lambda: told in line.output.state.sentence)

    async def allowed() -> None:
        line = Line(influx.url, tmp_path / "spool", database=DATABASE, user="meter", password="kWh")
        async with line.running():
            await line.until(lambda: line.output.state.delivered == 10)

    with influx.running():
        influx.query("CREATE USER meter WITH PASSWORD 'kWh' WITH ALL PRIVILEGES")
    influx.variables = {"INFLUXDB_HTTP_AUTH_ENABLED": "true"}
    influx.prepare = lambda: None  # type: ignore[method-assign]
    with influx.running():
        asyncio.run(refused())
        asyncio.run(allowed())
        assert influx.query("SELECT count(power) FROM electricity", u="meter", p="kWh")[0]["values"][0][1] == 10
    assert len([record for record in caplog.records if "refuses" in record.message]) == 1


def test_a_database_that_is_missing_is_named(influx: Influx, tmp_path: Path) -> None:
    async def missing() -> None:
        line = Line(influx.url, tmp_path / "spool", database="elsewhere")
        async with line.running():
            await line.publish(samples(3))
            await line.until(lambda: line.spool.waiting == 3 and "Create elsewhere" in line.output.state.sentence)
            await asyncio.to_thread(influx.query, "CREATE DATABASE elsewhere")
            await line.until(lambda: line.output.state.delivered == 3)

    with influx.running():
        asyncio.run(missing())


def test_victoriametrics_takes_the_form_of_influxdb_2_too(tmp_path: Path) -> None:
    victoria = Victoria(tmp_path)

    async def live() -> None:
        line = Line(victoria.url, tmp_path / "spool", bucket="iskra", org="home", token="any")
        async with line.running():
            await line.publish(samples(20))
            await line.until(lambda: line.output.state.delivered == 20)

    with victoria.running():
        asyncio.run(live())
        assert wait_for(victoria, 20) == expected(range(20))


def test_a_full_disk_is_told_and_the_newest_points_wait_in_memory(influx: Influx, small_disk: Path) -> None:
    async def full() -> None:
        line = Line(influx.url, small_disk / "spool", memory_points=3000)
        async with line.running():
            # more than the disk and the memory hold together
            for first in range(0, 6000, 100):
                await line.publish(samples(100, first))
                await asyncio.sleep(0.01)
            await line.until(lambda: "cannot be used (No space left on device)" in line.output.state.sentence)
            await line.until(lambda: line.output.state.waiting + line.output.state.dropped == 6000)
            dropped = line.output.state.dropped
            assert dropped > 0
            with influx.running():
                await line.until(lambda: line.output.state.waiting == 0)
                found = await asyncio.to_thread(wait_for, influx, 6000 - dropped)
            assert len(found) == 6000 - dropped
            assert found.items() <= expected(range(6000)).items()
            assert max(found) == START_MS + 5999_000
            assert line.output.state.ok

    asyncio.run(full())


def test_what_is_pending_at_the_end_is_on_the_disk(tmp_path: Path) -> None:
    async def ended() -> None:
        line = Line(f"http://127.0.0.1:{free_port()}", tmp_path / "spool")
        async with line.running():
            await line.publish(samples(7))
        assert (line.spool.waiting, line.output.state.waiting) == (7, 7)

    asyncio.run(ended())


def environ(influx: Influx, folder: Path) -> dict[str, str]:
    return {
        "IES_DATA_DIR": str(folder),
        "IES_INFLUX_URL": influx.url,
        "IES_INFLUX_EVERY_S": "0",
        "IES_INFLUX_FLUSH_S": "0.1",
    }


def waiting_bytes(server: Server) -> int:
    (output,) = server.get("/api/v1/status").json()["outputs"]
    assert output["name"] == "influx"
    return int(output["waiting_bytes"])


def test_kill_9_in_an_outage_loses_nothing_that_was_kept(influx: Influx, tmp_path: Path) -> None:
    with serving("serve", "simulator:MT175?rate=20", environ=environ(influx, tmp_path)) as server:
        until(lambda: waiting_bytes(server) > 5000)
        server.process.send_signal(signal.SIGKILL)
        server.process.wait()
    kept = b"".join(path.read_bytes() for path in sorted((tmp_path / "spool" / "influx").glob("*.lines")))
    times = {int(at) for at in re.findall(rb" (\d+)\n", kept)}
    assert len(times) > 10
    with influx.running(), serving("serve", "simulator:MT175?rate=20", environ=environ(influx, tmp_path)) as server:
        until(lambda: times <= influx.points().keys())
        until(lambda: waiting_bytes(server) == 0)
        until(lambda: server.get("/api/v1/status").json()["outputs"][0]["ok"])
        assert re.search(r'iskra_output_delivered_points_total{output="influx"} [1-9]', server.get("/metrics").text)


def test_an_address_that_is_none_is_one_sentence() -> None:
    config = Config(
        ServerConfig(host="127.0.0.1", port=free_port()),
        (MeterConfig(Address("simulator:MT175")),),
        outputs=OutputsConfig(influx=InfluxConfig(url=Address("pi:8086"))),
    )
    with pytest.raises(ConfigError, match=r"^outputs\.influx\.url cannot be used: .*8086\.$"):
        run(config)
