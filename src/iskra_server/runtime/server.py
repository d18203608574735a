"""The process of `serve`: sockets, logs, signals, its end.

SIGTERM and SIGINT end it within 5 s. SIGHUP reads the configuration again: changed parts restart, everything else keeps
running, and the sockets stay open.
"""

import asyncio
import logging
import os
import resource
import signal
import socket
import sys
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from threading import Timer

from iskra_server.config import Config, ConfigError, secrets_of
from iskra_server.runtime.composition import Composition, LoadConfig
from iskra_server.runtime.data_folder import data_folder_in_use
from iskra_server.runtime.http_server import addresses, listen, loop_factory
from iskra_server.runtime.logs import RecentLines, flush_or_exit, set_up
from iskra_server.runtime.plan import Plan, plan_of
from iskra_server.runtime.supervision import Supervision
from iskra_server.runtime.systemd import STOPPING, notify

log = logging.getLogger(__name__)
# the writer of history has 3 s; after this the process ends without a thread that hangs in a database
_END_WITHIN_S = 4.2
# threads that answer from history hold the event loop up for so long at a time; with Python's 5 ms a live answer took
# 50 ms beside four of them, with 1 ms 18 ms (bench/abuse.py)
_SWITCH_S = 0.001
_LINGER_S = 0.5
# with history, a broker, a database and a dozen clients
_MIN_DESCRIPTORS = 64


def run(config: Config, load: LoadConfig | None = None) -> int:
    """Serve until SIGTERM or SIGINT. Raises ConfigError, also for a port that is taken.

    `load` reads the configuration at SIGHUP, or raises ConfigError.
    """
    _check_descriptors()
    plan = plan_of(config)
    listening = listen(config.server.host, config.server.port)
    ingress_port = config.server.ingress_port
    ingress = listen(config.server.host, ingress_port, "server.ingress_port") if ingress_port else []
    recent_lines = RecentLines()
    set_up(config.log.level, config.log.format, recent_lines, secrets_of(config))
    sys.setswitchinterval(_SWITCH_S)
    with ExitStack() as sockets, asyncio.Runner(loop_factory=loop_factory()) as runner:
        for opened in (*listening, *ingress):
            sockets.enter_context(opened)
        sockets.enter_context(data_folder_in_use(config, addresses(listening, tls=plan.tls is not None)))
        runner.run(_serve(plan, listening, ingress, recent_lines, load or (lambda: config)))
        # everything is written; threads that wait for a device or a name server may still run
        timer = _call_after(_LINGER_S, _exit_in_order)
    timer.cancel()
    flush_or_exit(0)
    return 0


def _check_descriptors() -> None:
    """Raises ConfigError: with fewer file descriptors something would fail later."""
    allowed, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if 0 <= allowed < _MIN_DESCRIPTORS:
        raise ConfigError(
            f"This process may open {allowed} files and connections, and needs {_MIN_DESCRIPTORS} or more; raise "
            "ulimit -n, or LimitNOFILE in the systemd unit."
        )


async def _serve(
    plan: Plan,
    listening: Sequence[socket.socket],
    ingress: Sequence[socket.socket],
    recent_lines: RecentLines,
    load: LoadConfig,
) -> None:
    signals: asyncio.Queue[int] = asyncio.Queue()
    loop = asyncio.get_running_loop()
    # closing the terminal ends the server, as it ends any other command
    for number in (signal.SIGTERM, signal.SIGINT, *(() if os.isatty(0) else (signal.SIGHUP,))):
        loop.add_signal_handler(number, _enqueue_signal, number, signals)
    # one that has waited since the start (__main__.py) is a reload now
    signal.pthread_sigmask(signal.SIG_UNBLOCK, (signal.SIGHUP,))
    async with asyncio.TaskGroup() as tasks:
        composition = Composition(Supervision(tasks), listening, recent_lines, plan, ingress)
        await composition.start()
        while await _next_signal(signals) == signal.SIGHUP:
            await composition.reload(load)
        notify(STOPPING)
        await composition.stop()


async def _next_signal(signals: "asyncio.Queue[int]") -> int:
    """One reload serves all SIGHUPs that have arrived; a signal that ends the server comes first."""
    numbers = [await signals.get()]
    while not signals.empty():
        numbers.append(signals.get_nowait())
    return next((number for number in numbers if number != signal.SIGHUP), signal.SIGHUP)


def _enqueue_signal(number: int, signals: "asyncio.Queue[int]") -> None:
    signals.put_nowait(number)
    if number != signal.SIGHUP:
        _call_after(_END_WITHIN_S, _exit_unfinished)


def _call_after(seconds: float, call: Callable[[], None]) -> Timer:
    timer = Timer(seconds, call)
    timer.daemon = True
    timer.start()
    return timer


def _exit_in_order() -> None:
    flush_or_exit(0)
    os._exit(0)


def _exit_unfinished() -> None:
    log.error("Not everything has ended within %.1f s; the process ends without it.", _END_WITHIN_S)
    flush_or_exit(1)
    os._exit(1)
