"""A device tells why nobody can ask it, and opens its port again."""

import asyncio
import logging

import pytest

from emulating import CLIENT, GridMeter, in_event_loop, running, until
from iskra_server.diagnosis.advice import Advice, Words
from iskra_server.outputs.emulation import device
from iskra_server.outputs.emulation.device import EmulatedDevice, keep_open
from samples import power


@in_event_loop
async def test_a_port_that_cannot_be_opened_is_tried_again(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(device, "FIRST_RETRY_S", 0.001)
    made, tries, is_open = EmulatedDevice("ecotracker", GridMeter().clients()), 0, asyncio.Event()

    async def run() -> None:
        nonlocal tries
        tries += 1
        if tries < 4:
            raise PermissionError(13, "Permission denied")
        made.recovered()
        is_open.set()
        await asyncio.get_running_loop().create_future()

    def describe(error: OSError) -> Advice:
        return Advice("listening_failed", Words(f"Port 80: {error.strerror}.", ""), Words("Port 80: gesperrt.", ""))

    with caplog.at_level(logging.INFO):
        async with running(keep_open([made], run, describe)):
            async with asyncio.timeout(60):
                await until(lambda: made.sentence)
                assert (made.state().ok, made.state().sentence) == (False, "Port 80: Permission denied.")
                assert made.state().sentence_de == "Port 80: gesperrt."
                await is_open.wait()
    assert (made.state().ok, made.state().since, made.state().sentence_de) == (True, None, "")
    # not a line for each try
    assert [line.message for line in caplog.records] == [
        "ecotracker: Port 80: Permission denied.",
        "ecotracker works again.",
    ]


@in_event_loop
async def test_the_state_has_the_clients_and_the_answers() -> None:
    meter = GridMeter()
    meter.send(power(100))
    made = EmulatedDevice("ecotracker", meter.clients())
    made.clients.may_ask(CLIENT)
    await made.clients.reading_for(CLIENT)
    state = made.state()
    assert (state.name, state.ok, state.delivered) == ("ecotracker", True, 1)
    assert [client.address for client in state.clients] == [CLIENT]
