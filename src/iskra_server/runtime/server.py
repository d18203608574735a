"""The composition root: reads top to bottom as the road of a telegram goes.

sources -> codecs -> meter (guard) -> hub -> history | outputs | web

SIGTERM and SIGINT end it within 5 s. SIGHUP reads the configuration again: changed parts restart, everything else keeps
running, and the socket stays open.
"""

import asyncio
import gc
import logging
import os
import resource
import signal
import socket
import sys
from collections.abc import Callable, Hashable, Sequence
from contextlib import ExitStack
from pathlib import Path
from threading import Timer
from typing import TYPE_CHECKING

from iskra_server.base.clock import Clock, PauseDetector
from iskra_server.codecs.decoder import DECODERS
from iskra_server.config import Config, ConfigError, HistoryConfig, MeterConfig, secrets_of
from iskra_server.diagnosis.status import Status
from iskra_server.history.store.location import database_address, spool_folders
from iskra_server.meter.guard import Guard
from iskra_server.outputs.state import OutputState
from iskra_server.reading.arbitration import SourceArbiter
from iskra_server.reading.hub import Hub
from iskra_server.reading.reader import Reader, Statuses
from iskra_server.runtime.fault_log import watch
from iskra_server.runtime.http_server import Http, addresses, listen, loop_factory
from iskra_server.runtime.logs import ALWAYS, Recent, dropped_lines, end, set_up
from iskra_server.runtime.output_factory import Output
from iskra_server.runtime.plan import Plan, plan_of
from iskra_server.runtime.supervision import Part, Supervision
from iskra_server.runtime.systemd import READY, STOPPING, feed_watchdog, notify
from iskra_server.sources.source import Source
from iskra_server.web.api.live import Live
from iskra_server.web.app import App, create_app
from iskra_server.web.http.settings import Settings

if TYPE_CHECKING:
    # for their types alone: they bring the database library along
    from iskra_server.history.recording.archive import Archive
    from iskra_server.history.store.store import Store

log = logging.getLogger(__name__)
# what is pending is written within 3 s; a thread that hangs in a database is left behind then
_END_WITHIN_S = 4.2
# threads that answer from history hold up the event loop for so long at a time; with Python's 5 ms a live answer took
# 50 ms beside four of them, with 1 ms 18 ms (bench/abuse.py)
_SWITCH_S = 0.001
_LINGER_S = 0.5
# with history, a broker, a database and a dozen clients
_DESCRIPTORS = 64

Reload = Callable[[], Config]


def run(config: Config, reload: Reload | None = None) -> int:
    """Serve until SIGTERM or SIGINT. Raises ConfigError for what cannot be used, and a port that cannot be had.

    `reload` gives the configuration anew, or raises ConfigError.
    """
    _check_descriptors()
    plan = plan_of(config)
    listening = listen(config.server.host, config.server.port)
    recent = Recent()
    set_up(config.log.level, config.log.format, recent, secrets_of(config))
    sys.setswitchinterval(_SWITCH_S)
    with ExitStack() as sockets, asyncio.Runner(loop_factory=loop_factory()) as runner:
        for each in listening:
            sockets.enter_context(each)
        runner.run(_serve(plan, listening, recent, reload or (lambda: config)))
        # everything is written; what still runs are threads that a device or a name server holds up
        lingering = _leave_after(_LINGER_S, _leave_well)
    lingering.cancel()
    end(0)
    return 0


def _check_descriptors() -> None:
    """Raises ConfigError where the system allows so few that one thing or another would fail later."""
    allowed, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if 0 <= allowed < _DESCRIPTORS:
        raise ConfigError(
            f"This process may open {allowed} files and connections, and needs {_DESCRIPTORS} or more; raise "
            "ulimit -n, or LimitNOFILE in the systemd unit."
        )


async def _serve(plan: Plan, listening: Sequence[socket.socket], log_lines: Recent, reload: Reload) -> None:
    signals: asyncio.Queue[int] = asyncio.Queue()
    loop = asyncio.get_running_loop()
    # a terminal that is closed ends the server, as it ends any other command
    for number in (signal.SIGTERM, signal.SIGINT, *(() if os.isatty(0) else (signal.SIGHUP,))):
        loop.add_signal_handler(number, _take, number, signals)
    async with asyncio.TaskGroup() as tasks:
        composition = Composition(Supervision(tasks), listening, log_lines, plan)
        await composition.begin()
        while await _next_signal(signals) == signal.SIGHUP:
            await composition.reload(reload)
        notify(STOPPING)
        await composition.end()


async def _next_signal(signals: "asyncio.Queue[int]") -> int:
    """One reload serves all SIGHUPs that have come meanwhile; a signal that ends the server goes first."""
    numbers = [await signals.get()]
    while not signals.empty():
        numbers.append(signals.get_nowait())
    return next((number for number in numbers if number != signal.SIGHUP), signal.SIGHUP)


def _take(number: int, signals: "asyncio.Queue[int]") -> None:
    signals.put_nowait(number)
    if number != signal.SIGHUP:
        _leave_after(_END_WITHIN_S, _leave)


def _leave_after(seconds: float, leave: Callable[[], None]) -> Timer:
    last_resort = Timer(seconds, leave)
    last_resort.daemon = True
    last_resort.start()
    return last_resort


def _leave_well() -> None:
    end(0)
    os._exit(0)


def _leave() -> None:
    log.error("not everything has ended within %.1f s; it is left behind", _END_WITHIN_S)
    end(1)
    os._exit(1)


class Composition:
    """Everything that runs, made of one plan and changed to another: the hub and the guard outlive both."""

    def __init__(
        self, supervision: Supervision, listening: Sequence[socket.socket], log_lines: Recent, plan: Plan
    ) -> None:
        self._supervision = supervision
        self._listening = listening
        self._log_lines = log_lines
        self._plan = plan
        self._hub = Hub()
        self._guard = Guard()
        self._clock, self._pulse = Clock(), PauseDetector()
        self._arbiter = SourceArbiter()
        self._readers: dict[MeterConfig, Reader] = {}
        self._archive: Archive | None = None
        self._outputs: dict[Hashable, Output] = {}
        self._make_readers()
        self._live = self._create_live()
        self._app = self._create_app()
        self._http = Http(self._app, listening, plan.tls)

    async def begin(self) -> None:
        self._supervision.start("http", Part("http", self._http.run_until_stopped))
        await self._http.ready.wait()
        notify(READY)
        self._supervision.start("watchdog", Part("watchdog", lambda: feed_watchdog(self._is_diagnosed)))
        self._supervision.start("pulse", Part("pulse", self._pulse.run))
        self._supervision.start("faultlog", Part("faultlog", lambda: watch(self.statuses)))
        await self._record()
        # what starting has made stays: a collection that looks at all of it takes 20 ms, in which nothing is answered
        gc.freeze()
        # of a thousand meters what has lived long would take 60 ms every three seconds, in vain
        gc.set_threshold(*gc.get_threshold()[:2], max(10, len(self._plan.config.meters) // 10))
        await self._read()
        await self._hand_on()
        _tell_zone(self._plan.settings)
        log.info("serving on %s", addresses(self._listening, tls=self._plan.tls is not None))

    async def reload(self, reload: Reload) -> None:
        """Changed parts restart, everything else keeps running. A configuration with errors changes nothing."""
        try:
            # files may lie on a disk that sleeps
            plan = await asyncio.to_thread(lambda: plan_of(reload()))
            if plan.place != self._plan.place:
                raise ConfigError("server.host and server.port are taken over by a restart alone.")
        except ConfigError as error:
            log.error("The configuration stays as it was: %s", error, extra={ALWAYS: True})
            return
        except Exception:
            log.exception("The configuration stays as it was, because reading it failed.")
            return
        if plan.tls_files == self._plan.tls_files:
            plan = plan._replace(tls=self._plan.tls)
        old, self._plan = self._plan, plan
        if plan.config != old.config:
            # parts that end may still tell of what they were given
            secrets = *secrets_of(old.config), *secrets_of(plan.config)
            set_up(plan.config.log.level, plan.config.log.format, self._log_lines, secrets)
        if _recorded(plan) != _recorded(old):
            await self._record()
        await self._read()
        await self._hand_on()
        await self._answer(old)
        log.info("The configuration was read again and holds now.", extra={ALWAYS: True})

    async def _answer(self, old: Plan) -> None:
        """Requests that are being answered finish with the settings that they began with.

        Live streams go on, unless somebody else may see them now or a meter in them has gone: then they end, and their
        clients connect again.
        """
        plan, app, live = self._plan, self._app, self._live
        if plan.access != old.access or not set(old.config.meters) <= set(plan.config.meters):
            self._live = self._create_live()
        if plan.answers != old.answers or self._live is not live:
            self._app = self._create_app()
        if self._app is not app or plan.tls is not old.tls:
            await self._http.exchange(self._app, plan.tls)
        if self._live is not live:
            live.close()
        if self._app is not app:
            app.close()

    async def end(self) -> None:
        """Requests may end, what is pending is written, all at once: none waits for another that hangs."""
        self._live.close()
        self._app.close()
        self._http.stop()
        await self._supervision.end(last="http")

    def statuses(self) -> Sequence[Status]:
        meters = self._plan.config.meters
        return Statuses([self._readers[meter] for meter in meters if meter in self._readers])

    def _is_diagnosed(self) -> bool:
        """Whether every meter delivers, or it is known why it does not."""
        return all(status.ok or status.sentence for status in self.statuses())

    async def _record(self) -> None:
        """History, opened before the first telegram is read: the guard goes on from what it holds.

        On a reload nothing waits for either of the two, and what the old one cannot write the new one writes.
        """
        before, archive = self._archive, _archive(self._plan, self._clock)
        self._archive = archive
        if before:
            before.end()
        self._supervision.cancel("retention", "replacements", "history")
        if archive is None:
            return
        guard = self._guard if self._plan.sources else None
        archive.take_over(before, guard, self._hub)
        if before is None:
            await archive.open(guard)
        self._supervision.start("history", Part("history", lambda: archive.record(self._hub)))
        if self._plan.sources:
            self._supervision.start("retention", Part("retention", archive.thin))
            self._supervision.start("replacements", Part("replacements", archive.watch_replacements))

    def _make_readers(self) -> None:
        """A reader for each meter; those that are configured as before stay."""
        for meter, source in zip(self._plan.config.meters, self._plan.sources, strict=True):
            if meter not in self._readers:
                self._readers[meter] = self._reader(meter, source)

    async def _read(self) -> None:
        """Every reader runs, and none of a meter that is no longer configured so."""
        meters = self._plan.config.meters
        gone = [meter for meter in self._readers if meter not in meters]
        await self._supervision.stop(*gone)
        for meter in gone:
            self._forget(meter, self._readers.pop(meter))
        self._make_readers()
        for meter in meters:
            if not self._supervision.has(meter):
                reader = self._readers[meter]
                self._supervision.start(meter, Part(reader.source.url, reader.run))

    def _reader(self, meter: MeterConfig, source: Source) -> Reader:
        return Reader(
            source=source,
            decoder=DECODERS["sml"](),
            guard=self._guard,
            hub=self._hub,
            arbiter=self._arbiter,
            name=meter.name,
            stale_after_s=meter.stale_after_s,
            max_power_w=meter.max_power_w,
            replaced=self._replaced,
            clock=self._clock,
            pulse=self._pulse,
            set_aside=lambda: self._archive.set_aside if self._archive else 0,
        )

    def _replaced(self, meter_id: str, port: str, seen_before: str | None) -> str | None:
        return (
            self._archive.replacements.possible_predecessor(meter_id, port, seen_before)
            if self._archive
            else seen_before
        )

    def _forget(self, meter: MeterConfig, reader: Reader) -> None:
        """What is no longer read anywhere is not shown either."""
        meter_id = reader.facts().meter_id
        others = {other.facts().meter_id for other in self._readers.values()}
        if meter_id and meter_id not in others and meter.url not in {each.url for each in self._plan.config.meters}:
            self._hub.forget(meter_id)

    async def _hand_on(self) -> None:
        """Every configured output runs; one with the same settings as before is left alone."""
        planned = {output.settings: output for output in self._plan.outputs}
        gone = self._outputs.keys() - planned.keys()
        await self._supervision.stop(*gone)
        for settings in gone:
            del self._outputs[settings]
        for settings, output in planned.items():
            if settings not in self._outputs:
                self._outputs[settings] = started = output.create(self._hub, self.statuses, self._store)
                self._supervision.start(settings, started.part)

    def _create_live(self) -> Live:
        return Live(
            hub=self._hub,
            statuses=self.statuses,
            history_sentence=self._history_sentence,
            outputs=self._output_states,
        )

    def _create_app(self) -> App:
        return create_app(
            hub=self._hub,
            statuses=self.statuses,
            settings=self._plan.settings,
            history=self._store if self._plan.config.history.enabled else None,
            history_sentence=self._history_sentence,
            writer=lambda: self._archive.state if self._archive else None,
            outputs=self._output_states,
            recent=lambda: [(reader.source.url, reader.recent_bytes) for reader in self._readers.values()],
            days=lambda: [(reader.source.url, reader.day()) for reader in self._readers.values()],
            log_lines=lambda: self._log_lines.lines,
            live=self._live,
            dropped_lines=dropped_lines,
        )

    def _history_sentence(self) -> str:
        return self._archive.state.sentence if self._archive else ""

    def _output_states(self) -> list[OutputState]:
        return [
            output.state().failed(self._supervision.failure(settings))
            for settings, output in self._outputs.items()
            if output.state
        ]

    def _store(self) -> "Store | None":
        return self._archive.store if self._archive else None


def _tell_zone(settings: Settings) -> None:
    if settings.tz_reason == "none":
        log.warning("Nothing says which time zone this is: days begin in UTC. Set server.time_zone, or TZ.")
    else:
        log.info("days begin in %s (%s)", settings.tz, settings.tz_reason)


def _recorded(plan: Plan) -> tuple[HistoryConfig, bool, bool, list[Path]]:
    """The places depend on the meters: the next start looks where those of its configuration are."""
    return plan.config.history, plan.simulated, bool(plan.sources), _spool_places(plan)


def _spool_places(plan: Plan) -> list[Path]:
    meters = (meter.url for meter in plan.config.meters)
    return spool_folders(plan.config.history.data_dir, meters, simulated=plan.simulated)


def _archive(plan: Plan, clock: Clock) -> "Archive | None":
    history, simulated = plan.config.history, plan.simulated
    if not history.enabled:
        return None
    # the database library takes 15 MB of memory
    from iskra_server.history.recording.archive import Archive  # noqa: PLC0415
    from iskra_server.history.store.database_errors import display_address  # noqa: PLC0415
    from iskra_server.history.store.store import Store  # noqa: PLC0415

    address = database_address(history.data_dir, history.database_url, simulated=simulated)
    profile = history.database_profile
    return Archive(
        lambda: Store(address, profile),
        flush_s=history.flush_s,
        raw_days=history.raw_days,
        simulated=simulated,
        clock=clock,
        places=_spool_places(plan),
        name=display_address(address),
    )
