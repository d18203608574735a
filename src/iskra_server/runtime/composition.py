"""The composition root: makes everything that runs, in the order in which a telegram passes it.

sources -> codecs -> meter (guard) -> hub -> history | outputs | web
"""

import asyncio
import gc
import logging
import os
import socket
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from starlette.types import ASGIApp

from iskra_server.base.clock import Clock
from iskra_server.base.pauses import PauseDetector
from iskra_server.base.secret import Secret
from iskra_server.config import Config, ConfigError, MeterConfig, secrets_of
from iskra_server.diagnosis.central_state import CentralState
from iskra_server.diagnosis.status import Status
from iskra_server.meter.guard import Guard
from iskra_server.outputs.state import OutputState
from iskra_server.reading.arbitration import SourceArbiter
from iskra_server.reading.decoding import Decoding
from iskra_server.reading.hub import Hub
from iskra_server.reading.reader import Reader
from iskra_server.reading.reception import ReceptionDay
from iskra_server.reading.statuses import Statuses
from iskra_server.reading.virtual_readings import VirtualState
from iskra_server.runtime.contract_log import log_doubts, log_unread_meters
from iskra_server.runtime.fault_log import watch
from iskra_server.runtime.history_setup import archive_of, history_settings
from iskra_server.runtime.http_server import Http, addresses
from iskra_server.runtime.logs import ALWAYS, RecentLines, dropped_lines, set_up
from iskra_server.runtime.meter_reader import configured_reader
from iskra_server.runtime.plan import Plan, plan_of
from iskra_server.runtime.running_central import RunningCentral
from iskra_server.runtime.running_outputs import RunningOutputs
from iskra_server.runtime.running_prices import RunningPrices
from iskra_server.runtime.running_readers import RunningReaders
from iskra_server.runtime.running_virtual import RunningVirtual
from iskra_server.runtime.server_id import server_id
from iskra_server.runtime.supervision import Part, RunningPart, Supervision
from iskra_server.runtime.systemd import READY, feed_watchdog, notify
from iskra_server.sources.source import Source
from iskra_server.web.api.live import Live
from iskra_server.web.app import create_app
from iskra_server.web.http.ingress import IngressGate
from iskra_server.web.http.settings import WebSettings
from iskra_server.web.server_view import history_sentence

if TYPE_CHECKING:
    # for their types alone: they bring libraries along
    from iskra_server.history.recording.archive import Archive
    from iskra_server.history.recording.writer_state import WriterState
    from iskra_server.history.store.store import Store
    from iskra_server.runtime.home_assistant_app import HomeAssistantApp

log = logging.getLogger(__name__)

LoadConfig = Callable[[], Config]
# of a time zone in the log
_MAX_NAME = 100


class Composition:
    """Everything that runs, made from a plan and changed to the next one. The hub and the guard stay across reloads.

    It is the `ServerView` of the web.
    """

    def __init__(
        self,
        supervision: Supervision,
        listening: Sequence[socket.socket],
        recent_lines: RecentLines,
        plan: Plan,
        ingress: Sequence[socket.socket] = (),
    ) -> None:
        """`ingress`: the sockets for Home Assistant alone, where there are some."""
        self._supervision = supervision
        self._listening = listening
        self._recent_lines = recent_lines
        self._plan = plan
        self.hub = Hub()
        self.server_id = server_id(plan.config)
        self._guard = Guard()
        self._clock, self._pauses = Clock(), PauseDetector()
        self._arbiter = SourceArbiter()
        self._readers = RunningReaders(supervision, self.hub, self._reader)
        self._archive: Archive | None = None
        self._archive_parts: list[RunningPart] = []
        self._outputs = RunningOutputs(supervision, self.hub, self.statuses, self.store)
        self._central = RunningCentral(supervision, self.store, lambda: history_sentence(self))
        self._prices = RunningPrices(supervision, self.store, self._clock)
        self._home_assistant: HomeAssistantApp | None = None
        self._virtual = RunningVirtual(supervision, self.hub, self._readers.by_meter)
        self._readers.create(plan)
        self._live = Live(self)
        self._app = create_app(plan.settings, self, self._live)
        self._http = Http(self._app, listening, plan.tls)
        self._ingress = Http(self._ingress_app(), ingress) if ingress else None
        self._http_parts: list[RunningPart] = []

    async def start(self) -> None:
        self._virtual.change_to(self._plan.virtual, self._plan.config.meters)
        for name, http in (("http", self._http), ("ingress", self._ingress)):
            if http:
                self._http_parts.append(self._supervision.start(Part(name, http.run_until_stopped)))
                await http.ready.wait()
        notify(READY)
        self._supervision.start(Part("watchdog", lambda: feed_watchdog(self._is_diagnosed)))
        self._supervision.start(Part("pauses", self._pauses.run))
        self._supervision.start(Part("fault log", lambda: watch(self.statuses, self.output_states)))
        self._supervision.start(
            Part("contract log", lambda: log_unread_meters(lambda: self._plan, self.statuses, self.hub))
        )
        await self._restart_history()
        # what exists now stays: a collection of all of it takes 20 ms, in which nothing is answered
        gc.freeze()
        # with 1,000 meters a full collection takes 60 ms every 3 s and frees nothing: raise its threshold
        gc.set_threshold(*gc.get_threshold()[:2], max(10, len(self._plan.config.meters) // 10))
        await self._central.change_to(is_central=_is_central(self._plan))
        await self._readers.change_to(self._plan)
        await self._prices.change_to(self._plan.prices)
        await self._restart_outputs()
        self._start_home_assistant_app()
        _log_time_zone(self._plan.settings)
        log_doubts(self._plan)
        log.info("Serving on %s", addresses(self._listening, tls=self._plan.tls is not None))
        if self._ingress:
            log.info("Serving Home Assistant on port %d", self._plan.config.server.ingress_port)

    async def reload(self, load: LoadConfig) -> None:
        """Changed parts restart, everything else keeps running. A configuration with errors changes nothing."""
        try:
            # its files may be on a disk that sleeps
            plan = await asyncio.to_thread(lambda: plan_of(load()))
            if plan.place != self._plan.place:
                raise ConfigError("A change of server.host, server.port or server.ingress_port needs a restart.")
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
            # parts that are ending may still log old secrets
            self._set_up_log(*secrets_of(old.config))
            log_doubts(plan)
        if history_settings(plan) != history_settings(old):
            await self._restart_history()
        self._virtual.change_to(plan.virtual, plan.config.meters)
        await self._central.change_to(is_central=_is_central(plan))
        await self._readers.change_to(plan)
        await self._prices.change_to(plan.prices)
        await self._restart_outputs()
        await self._replace_app(old)
        if self._home_assistant:
            self._home_assistant.ask_again()
        log.info("The configuration was reloaded and is in force.", extra={ALWAYS: True})

    async def stop(self) -> None:
        """Requests may end and what is pending is written, all at the same time: none waits for another that hangs."""
        self._live.close()
        self._app.close()
        for http in filter(None, (self._http, self._ingress)):
            http.stop()
        await self._supervision.end(*self._http_parts)

    def statuses(self) -> Sequence[Status]:
        # the first one is the default of every answer: the meter of a solar plant only where there is no other
        meters = sorted(self._plan.config.meters, key=lambda meter: meter.role == "production")
        readers = self._readers.by_meter
        return Statuses([readers[meter] for meter in meters if meter in readers])

    def store(self) -> "Store | None":
        return self._archive.store if self._archive else None

    def history_state(self) -> "WriterState | None":
        return self._archive.state if self._archive else None

    def central_state(self) -> CentralState | None:
        return self._central.state

    def output_states(self) -> list[OutputState]:
        return self._outputs.states()

    def virtual_states(self) -> list[VirtualState]:
        return self._virtual.states()

    def recent_bytes(self) -> list[tuple[str, bytes]]:
        return [(reader.source.url, reader.recent_bytes) for reader in self._readers.by_meter.values()]

    def reception_days(self) -> list[tuple[str, ReceptionDay]]:
        return [(reader.source.url, reader.day()) for reader in self._readers.by_meter.values()]

    def log_lines(self) -> Sequence[str]:
        return self._recent_lines.lines

    def dropped_log_lines(self) -> int:
        return dropped_lines()

    def _is_diagnosed(self) -> bool:
        """Whether every meter delivers, or the reason why it does not is found."""
        return all(status.ok or status.sentence for status in self.statuses())

    async def _restart_history(self) -> None:
        """Opened before the first telegram is read: the guard continues from its counters.

        On a reload nothing waits for the old or the new archive, and the new one writes what the old one cannot.
        """
        before, archive = self._archive, archive_of(self._plan, self._clock, self._virtual.meters)
        self._archive = archive
        if before:
            before.end()
        self._supervision.cancel(*self._archive_parts)
        self._archive_parts = []
        if archive is None:
            return
        guard = self._guard if self._plan.sources else None
        archive.take_over(before, guard, self.hub)
        if before is None:
            await archive.open(guard)
        parts = [Part("history", lambda: archive.record(self.hub))]
        if self._plan.sources:
            parts += [Part("retention", archive.thin), Part("replacements", archive.watch_replacements)]
        self._archive_parts = [self._supervision.start(part) for part in parts]

    def _reader(self, meter: MeterConfig, source: Source, decoding: Decoding) -> Reader:
        return configured_reader(meter, source, decoding)(
            guard=self._guard,
            hub=self.hub,
            arbiter=self._arbiter,
            replaced=self._replaced_meter,
            clock=self._clock,
            pauses=self._pauses,
            set_aside=lambda: self._archive.set_aside if self._archive else 0,
            missing_prices=self._prices.missing,
        )

    def _replaced_meter(self, meter_id: str, port: str, seen_before: str | None) -> str | None:
        if self._archive is None:
            return seen_before
        return self._archive.replacements.possible_predecessor(meter_id, port, seen_before)

    async def _restart_outputs(self) -> None:
        app = self._home_assistant
        await self._outputs.change_to(app.outputs(self._plan) if app else self._plan.outputs)

    def _start_home_assistant_app(self) -> None:
        if not os.environ.get("SUPERVISOR_TOKEN"):
            return
        from iskra_server.homeassistant.supervisor import supervisor_of  # noqa: PLC0415
        from iskra_server.runtime.home_assistant_app import HomeAssistantApp  # noqa: PLC0415

        self._home_assistant = HomeAssistantApp(supervisor_of(os.environ), lambda: self._plan.config, self._use_broker)
        self._supervision.start(Part("home assistant", self._home_assistant.run))

    async def _use_broker(self, *old_secrets: Secret) -> None:
        """The broker of Home Assistant has appeared, changed or gone."""
        self._set_up_log(*old_secrets)
        await self._restart_outputs()

    def _set_up_log(self, *old_secrets: Secret) -> None:
        config = self._plan.config
        found = self._home_assistant.secrets() if self._home_assistant else ()
        set_up(config.log.level, config.log.format, self._recent_lines, (*old_secrets, *secrets_of(config), *found))

    def _ingress_app(self) -> ASGIApp:
        return self._app.behind(IngressGate(self._plan.config.server.ingress_address))

    async def _replace_app(self, old: Plan) -> None:
        """Running requests finish with the settings that they began with.

        Live streams continue, unless access rules changed or a meter was removed: then they end, and clients reconnect.
        """
        plan, app, live = self._plan, self._app, self._live
        if plan.access != old.access or not set(old.config.meters) <= set(plan.config.meters):
            self._live = Live(self)
        if plan.answers != old.answers or self._live is not live:
            self._app = create_app(plan.settings, self, self._live)
        if self._app is not app or plan.tls is not old.tls:
            await self._http.exchange(self._app, plan.tls)
            if self._ingress:
                await self._ingress.exchange(self._ingress_app(), None)
        if self._live is not live:
            live.close()
        if self._app is not app:
            app.close()


def _is_central(plan: Plan) -> bool:
    """Whether it has readers to look after."""
    return plan.settings.is_central and plan.settings.has_history


def _log_time_zone(settings: WebSettings) -> None:
    variable = os.environ.get("TZ", "")
    if variable and settings.tz_reason not in ("variable", "configured"):
        log.warning(
            "TZ is '%s', which is no name of a time zone: days begin in %s. Write a name such as Europe/Berlin.",
            variable[:_MAX_NAME],
            settings.tz,
        )
    elif settings.tz_reason == "none":
        log.warning("No time zone is configured: days begin in UTC. Set server.time_zone, or TZ.")
    else:
        log.info("Days begin in %s (%s)", settings.tz, settings.tz_reason)
