"""Whatever a client sends by Modbus TCP: each answer is complete, and the next client is answered."""

import asyncio
import gc
from contextlib import suppress
from itertools import pairwise
from struct import pack, unpack

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulating import MAC, GridMeter
from iskra_server.outputs.emulation import clients
from iskra_server.outputs.emulation.modbus_listener import ModbusListener
from iskra_server.outputs.emulation.shelly_modbus import ShellyModbus
from iskra_server.outputs.emulation.sunspec import SunSpec
from outputs.emulation.modbus_client import LOOPBACK, connected, frame, reading
from running import free_port
from trying import tries

words = st.integers(0, 0xFFFF)
addresses = words | st.sampled_from((0, 13, 1000, 1079, 1160, 1239, 40_000, 40_071, 40_196))
counts = words | st.sampled_from((0, 1, 2, 124, 125, 126))
reads = st.builds(
    lambda function, address, count, rest: pack(">BHH", function, address, count) + rest,
    st.sampled_from((3, 4)) | st.integers(0, 255),
    addresses,
    counts,
    st.sampled_from((b"",) * 9 + (b"\0",)),
)
frames = st.builds(
    lambda request, unit, transaction, protocol: frame(request, unit=unit, transaction=transaction, protocol=protocol),
    reads | st.binary(min_size=1, max_size=260),
    st.sampled_from((1, 2)) | st.integers(0, 255),
    words,
    st.sampled_from((0,) * 9 + (1,)),
)
streams = st.lists(frames, min_size=1, max_size=5).map(b"".join) | st.binary(max_size=60)


async def exchange(port: int, parts: list[bytes]) -> bytes:
    """All that is answered, after the client has closed its side."""
    async with asyncio.timeout(60), connected(port) as client:
        for part in parts:
            client.writer.write(part)
            await asyncio.sleep(0)
        with suppress(OSError):
            client.writer.write_eof()
            return await client.reader.read()
    return b""


def check(answers: bytes) -> None:
    """Whether each one is complete, and registers or an exception."""
    while answers:
        _, protocol, length = unpack(">HHH", answers[:6])
        content, answers = answers[6 : 6 + length], answers[6 + length :]
        assert protocol == 0 and len(content) == length
        _, function, value, *registers = content
        if function in (3, 4):
            assert value == len(registers) and 2 <= value <= 250 and not value % 2
        else:
            assert function & 0x80 and value in (1, 2, 3, 0x0B) and not registers


def test_requests(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clients, "MAX_PER_S", 1_000_000)
    meter, port, unhandled = GridMeter(), free_port(), []
    devices = [
        SunSpec(meter.clients(), lambda: MAC, unit=1),
        ShellyModbus(meter.clients(), lambda: MAC, typical=True),
    ]

    async def start() -> asyncio.Task[None]:
        asyncio.get_running_loop().set_exception_handler(lambda _, context: unhandled.append(context))
        task = asyncio.ensure_future(ModbusListener(LOOPBACK, port, devices).run())
        await devices[0].opened.wait()
        return task

    async def ask() -> bytes:
        async with connected(port) as client:
            return await client.ask(reading(40_097, 2))

    with asyncio.Runner() as runner:
        task = runner.run(start())

        @tries()
        @given(streams, st.lists(st.integers(0, 100), max_size=3).map(sorted))
        def attempt(data: bytes, cuts: list[int]) -> None:
            meter.send_power(412)
            check(runner.run(exchange(port, [data[start:end] for start, end in pairwise([0, *cuts, len(data)])])))

        attempt()
        assert runner.run(ask()) == bytes.fromhex("03 04 43ce0000")
        task.cancel()
        runner.run(asyncio.wait([task]))
        # an exception that nobody retrieves is told when its task is deleted
        gc.collect()
    assert not unhandled
