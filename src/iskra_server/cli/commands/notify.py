"""`notify test`: send a test message through each channel and say what the other side answered."""

import asyncio
import os
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated

import typer
from msgspec import Struct
from rich.table import Table
from rich.text import Text

from iskra_server.cli.ui import loop
from iskra_server.cli.ui.console import text_console
from iskra_server.cli.ui.options import ConfigFile, group_app
from iskra_server.cli.ui.usage_error import UsageError
from iskra_server.config import load
from iskra_server.outputs.notify.channel import Channel
from iskra_server.outputs.notify.delivery import send
from iskra_server.outputs.notify.failures import MessageRefused, NotSent
from iskra_server.outputs.notify.messages import notification, trial_message
from iskra_server.runtime.output_factory import notify_channels

app = group_app(
    "Send a test message through the configured channels.",
    {
        "iskra-server notify test": "through every channel",
        "iskra-server notify test phone": "through the channel of this name",
    },
)


class _Trial(Struct, frozen=True):
    channel: Channel
    is_sent: bool
    answer: str


@app.callback()
def _notify() -> None:
    """Send a test message through the configured channels."""


@app.command()
def test(
    channel: Annotated[
        str | None,
        typer.Argument(metavar="[CHANNEL]", help="Name of one channel.", show_default="all channels"),
    ] = None,
    config: ConfigFile = None,
) -> None:
    """Send a test message. Exit status 0 if every channel took it, 1 if not, 2 if none is configured."""
    channels = _chosen(notify_channels(load(os.environ, config)), channel)
    trials: list[_Trial] = []
    loop.run(_try_all(channels, trials))
    _print(trials)
    raise typer.Exit(0 if len(trials) == len(channels) and all(trial.is_sent for trial in trials) else 1)


def _chosen(channels: Sequence[Channel], name: str | None) -> Sequence[Channel]:
    if not channels:
        raise UsageError("No channel is configured; write a section [[notify]] with a url.")
    if name is None:
        return channels
    chosen = [channel for channel in channels if channel.name == name]
    if not chosen:
        names = ", ".join(channel.name for channel in channels)
        raise UsageError(f"'{name}' is not the name of a channel; known are {names}.")
    return chosen


async def _try_all(channels: Sequence[Channel], trials: list[_Trial]) -> None:
    trials += await asyncio.gather(*map(_try, channels))


async def _try(channel: Channel) -> _Trial:
    message = notification(trial_message(datetime.now(UTC)), channel.language, channel.page_url)
    try:
        return _Trial(channel, is_sent=True, answer=f"sent ({await send(channel, message)})")
    except (NotSent, MessageRefused) as error:
        return _Trial(channel, is_sent=False, answer=str(error))


def _print(trials: Sequence[_Trial]) -> None:
    console = text_console()
    if not console.is_terminal:
        for trial in trials:
            print(trial.channel.name, trial.channel.kind, trial.channel.place, trial.answer, sep="\t")
        return
    table = Table("channel", "kind", "address", "answer", box=None, padding=(0, 2, 0, 0))
    for trial in trials:
        style = "green" if trial.is_sent else "red"
        place = trial.channel.place
        table.add_row(trial.channel.name, trial.channel.kind, place, Text(trial.answer, style=style))
    console.print(table)
