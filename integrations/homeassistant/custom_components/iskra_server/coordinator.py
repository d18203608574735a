"""Follows the live stream of one server and keeps its meters, for all entities of a config entry.

    snapshot (status, meters)      at the start and after each reconnection
    live stream                    each telegram; each change of a diagnosis; a heartbeat every 15 s
    status                         every 30 s, for the signal quality
    energy, cost, prices           each quarter-hour (history.py)

Entities are told by the dispatcher, each about its own meter: of a thousand meters one telegram updates one.
A meter is current until its reading is older than the server's limit, and only while the connection lives.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final, TypeVar

from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import device_registry as dr
from homeassistant.helpers.dispatcher import async_dispatcher_connect, async_dispatcher_send
from homeassistant.util import dt as dt_util

from .client import Client, ClientError, TokenError
from .const import CONF_UPDATE_EVERY_S, DEFAULT_UPDATE_EVERY_S, DOMAIN
from .history import History
from .issues import Issues, async_set_another_server
from .model import UNREADABLE, Meter, Server, Snapshot, Source, decode, meter_from, server_from
from .problems import Change, Problems
from .reconnection import Reconnection

if TYPE_CHECKING:
    from asyncio import TimerHandle

    from homeassistant.config_entries import ConfigEntry

    from .sse import Event

    IskraConfigEntry = ConfigEntry["Coordinator"]

_T = TypeVar("_T")
_LOGGER = logging.getLogger(__name__)
_FIRST_DELAY_S: Final = 2.0
_STATUS_EVERY_S: Final = 30.0
# in place of a meter: the server itself
SERVER: Final = ""


class Coordinator:
    """`meters`: what the server tells of each, by its id; `is_current` says whether that is a current reading."""

    def __init__(self, hass: HomeAssistant, entry: IskraConfigEntry, client: Client) -> None:
        self.hass = hass
        self.entry = entry
        self.client = client
        self.server_device_id = ""
        self.meters: dict[str, Meter] = {}
        self.server = Server(None, "", (), ())
        self.is_connected = False
        # another server answers at the address of this one
        self.is_another = False
        self.lost_at: datetime | None = None
        self.history = History(self)
        self._problems = Problems()
        self._issues = Issues(self)
        self._last_event_id = ""
        self._has_unreadable = False
        # loop time at which the reading of each meter becomes too old
        self._current_until: dict[str, float] = {}
        self._stale_timers: dict[str, TimerHandle] = {}
        self._told_at: dict[str, float] = {}
        self._tell_timers: dict[str, TimerHandle] = {}
        self._problem_timer: TimerHandle | None = None

    @property
    def server_key(self) -> str:
        """The server in identifiers: its id, else that of the config entry."""
        return self.entry.unique_id or self.entry.entry_id

    async def async_prepare(self) -> None:
        """Ask for everything once. Raises ClientError."""
        self.entry.async_on_unload(self._stop)
        self._set_snapshot(await self._snapshot())
        self.is_connected = True

    @callback
    def async_start(self) -> None:
        """Follow the stream until the entry is unloaded."""
        works = {"live": self._follow(), "status": self._follow_status(), "history": self.history.async_run()}
        for name, work in works.items():
            # Home Assistant cancels these when it stops; it would wait for the answer to any other request
            self.entry.async_create_background_task(self.hass, work, f"{DOMAIN} {self.client.url} {name}")
        self._issues.update()

    def is_current(self, meter_id: str) -> bool:
        return self.is_connected and self._current_until.get(meter_id, 0.0) > self.hass.loop.time()

    def is_present(self, meter_id: str) -> bool:
        """False for a meter that was replaced, or is no longer configured."""
        return self.is_current(meter_id) or meter_id in self.server.meter_ids

    def sources_of(self, meter_id: str) -> list[Source]:
        """The sources that bring a meter, those with a problem first; SERVER: those without a meter."""
        sources = [source for source in self.server.sources if (source.meter_id or SERVER) == meter_id]
        return sorted(sources, key=lambda source: source not in self._problems)

    def has_problem(self, source: Source) -> bool:
        return source in self._problems

    @callback
    def async_on_new(self, tell: Callable[[], None]) -> Callable[[], None]:
        """Call `tell` when a meter or a register appears."""
        return async_dispatcher_connect(self.hass, self._signal("new"), tell)

    @callback
    def async_on_update(self, meter_id: str, tell: Callable[[], None]) -> Callable[[], None]:
        """Call `tell` when there is something new of a meter, or of the server (SERVER)."""
        return async_dispatcher_connect(self.hass, self._signal(f"update_{meter_id}"), tell)

    @callback
    def async_on_fault(self, meter_id: str, tell: Callable[[Change], None]) -> Callable[[], None]:
        """Call `tell` when a problem of a meter's source begins or is over; SERVER: of a source without a meter."""
        return async_dispatcher_connect(self.hass, self._signal(f"fault_{meter_id}"), tell)

    @callback
    def async_tell_history(self, meter_id: str) -> None:
        """There are new numbers of today and this month, or new prices."""
        async_dispatcher_send(self.hass, self._signal("new"))
        self._tell(meter_id)

    def _signal(self, name: str) -> str:
        return f"{DOMAIN}_{self.entry.entry_id}_{name}"

    @callback
    def _stop(self) -> None:
        timers = (*self._stale_timers.values(), *self._tell_timers.values(), self._problem_timer)
        for timer in filter(None, timers):
            timer.cancel()
        self._issues.clear()
        # another entry may show them now
        self.meters.clear()

    async def _follow(self) -> None:
        """Read the stream, and connect again when it ends. A stream that ends in order loses nothing at first."""
        reconnection, has_snapshot = Reconnection(), True
        while True:
            try:
                if not has_snapshot:
                    self._set_snapshot(await self._snapshot())
                has_snapshot = False
                async for event in self.client.live(self._last_event_id):
                    reconnection.on_arrival(self.hass.loop.time())
                    self._set_connected()
                    if event:
                        await self._on_event(event)
                reason = ClientError("cannot_connect", "the server ended the connection")
            except TokenError as error:
                self._set_lost(error)
                self.entry.async_start_reauth(self.hass)
                return
            except ClientError as error:
                reason = error
            except Exception:
                _LOGGER.exception("An event of %s cannot be used", self.client.url)
                reason = ClientError("not_this_server", "an event that cannot be used")
            delay_s = reconnection.delay_s(self.hass.loop.time())
            # after a reload of its configuration the server can be reached at once
            if delay_s or reason.key == "no_answer":
                self._set_lost(reason)
                await asyncio.sleep(max(delay_s, _FIRST_DELAY_S) * random.uniform(0.5, 1.0))

    async def _snapshot(self) -> Snapshot:
        """Raises ClientError, also where another server answers: its meters are not those of this entry."""
        snapshot = await self.client.snapshot()
        self._check_id(snapshot.server)
        return snapshot

    @callback
    def _check_id(self, server: Server) -> None:
        """A server without an id is known by its address."""
        expected = self.entry.unique_id
        self.is_another = bool(expected and server.id and server.id != expected)
        async_set_another_server(self.hass, self.entry, str(self.client.url) if self.is_another else None)
        if self.is_another:
            raise ClientError("another_server", f"the server there has the id {server.id}, not {expected}")

    async def _follow_status(self) -> None:
        while True:
            await asyncio.sleep(_STATUS_EVERY_S)
            await self._refresh_status()

    async def _refresh_status(self) -> None:
        if self.is_connected:
            try:
                server = await self.client.server()
                self._check_id(server)
                self._set_server(server)
            except ClientError as error:
                _LOGGER.debug("No status of %s: %s", self.client.url, error)
        self._issues.update()

    async def _on_event(self, event: Event) -> None:
        if event.name == "reading":
            self._last_event_id = event.id or self._last_event_id
            meter = self._read(meter_from, event)
            if meter is None:
                return
            if meter.id not in self.meters and meter.id not in self.server.meter_ids:
                # the status has the name of a new meter
                await self._refresh_status()
            self._set_meter(meter)
        elif event.name == "status":
            server = self._read(server_from, event)
            if server is None:
                return
            self._set_server(Server(self.server.id, self.server.version, server.sources, server.failures))
            self._issues.update()

    def _read(self, parse: Callable[[Any], _T], event: Event) -> _T | None:
        """None for an event in another form, such as that of another version: the others are still used."""
        try:
            return parse(decode(event.data))
        except UNREADABLE as error:
            if not self._has_unreadable:
                _LOGGER.warning("An event (%s) of %s cannot be read: %r", event.name, self.client.url, error)
            self._has_unreadable = True
            return None

    @callback
    def _set_snapshot(self, snapshot: Snapshot) -> None:
        if not self.server_device_id or snapshot.server.version != self.server.version:
            self._set_device(snapshot.server)
        self._set_server(snapshot.server)
        for meter_id in self.meters.keys() - {meter.id for meter in snapshot.present}:
            # no source of the server reads it any more
            del self.meters[meter_id]
            self._current_until.pop(meter_id, None)
            self._tell(meter_id)
        for meter in snapshot.present:
            self._set_meter(meter)

    @callback
    def _set_device(self, server: Server) -> None:
        device = dr.async_get(self.hass).async_get_or_create(
            config_entry_id=self.entry.entry_id,
            identifiers={(DOMAIN, self.server_key)},
            entry_type=dr.DeviceEntryType.SERVICE,
            name="ISKRA Electricity Server",
            model="ISKRA Electricity Server",
            sw_version=server.version or None,
            configuration_url=str(self.client.url),
        )
        self.server_device_id = device.id

    @callback
    def _set_server(self, server: Server) -> None:
        self.server = server
        self._update_problems()
        self._tell(SERVER)
        for meter_id in {source.meter_id for source in server.sources if source.meter_id}:
            self._tell_soon(meter_id)

    @callback
    def _update_problems(self) -> None:
        for change in self._problems.update(self.server.sources, self.hass.loop.time()):
            meter_id = change.source.meter_id or SERVER
            async_dispatcher_send(self.hass, self._signal(f"fault_{meter_id}"), change)
            self._tell(meter_id)
            self._tell(SERVER)
        if self._problem_timer:
            self._problem_timer.cancel()
            self._problem_timer = None
        if (due_s := self._problems.due_s) is not None:
            self._problem_timer = self.hass.loop.call_at(due_s, self._update_problems)

    @callback
    def _set_meter(self, meter: Meter) -> None:
        if self._is_shown_by_another_entry(meter.id):
            return
        before, was_current = self.meters.get(meter.id), self.is_current(meter.id)
        self.meters[meter.id] = meter
        if timer := self._stale_timers.pop(meter.id, None):
            timer.cancel()
        left_s = meter.stale_after_s - meter.age_s if meter.registers else 0.0
        self._current_until[meter.id] = self.hass.loop.time() + left_s
        if left_s > 0:
            self._stale_timers[meter.id] = self.hass.loop.call_later(left_s, self._on_stale, meter.id)
        if before is None or meter.registers.keys() - before.registers.keys():
            async_dispatcher_send(self.hass, self._signal("new"))
        if was_current and before and before.locked == meter.locked:
            self._tell_soon(meter.id)
        else:
            self._tell(meter.id)
            self._issues.update()

    def _is_shown_by_another_entry(self, meter_id: str) -> bool:
        """One meter is one device: the entry that was first keeps it."""
        others = (
            getattr(entry, "runtime_data", None)
            for entry in self.hass.config_entries.async_entries(DOMAIN)
            if entry.entry_id != self.entry.entry_id
        )
        is_shown = any(isinstance(other, Coordinator) and meter_id in other.meters for other in others)
        self._issues.set_shown_twice(meter_id, is_shown)
        return is_shown

    @callback
    def _on_stale(self, meter_id: str) -> None:
        self._stale_timers.pop(meter_id, None)
        self._tell(meter_id)

    @callback
    def _tell_soon(self, meter_id: str) -> None:
        """At most one state of a meter per interval; the newest one is never left out."""
        if meter_id in self._tell_timers:
            return
        every_s = float(self.entry.options.get(CONF_UPDATE_EVERY_S, DEFAULT_UPDATE_EVERY_S))
        wait_s = self._told_at.get(meter_id, -every_s) + every_s - self.hass.loop.time()
        if wait_s <= 0:
            self._tell(meter_id)
        else:
            self._tell_timers[meter_id] = self.hass.loop.call_later(wait_s, self._tell, meter_id)

    @callback
    def _tell(self, meter_id: str) -> None:
        if timer := self._tell_timers.pop(meter_id, None):
            timer.cancel()
        self._told_at[meter_id] = self.hass.loop.time()
        async_dispatcher_send(self.hass, self._signal(f"update_{meter_id}"))

    @callback
    def _set_connected(self) -> None:
        if not self.is_connected:
            self.is_connected, self.lost_at = True, None
            _LOGGER.info("The connection to %s is back", self.client.url)
            self._tell_all()

    @callback
    def _set_lost(self, error: ClientError) -> None:
        if self.is_connected:
            self.is_connected, self.lost_at = False, dt_util.utcnow()
            _LOGGER.info("The connection to %s is lost: %s", self.client.url, error)
            self._tell_all()

    @callback
    def _tell_all(self) -> None:
        for meter_id in (SERVER, *self.meters):
            self._tell(meter_id)
        self._issues.update()
