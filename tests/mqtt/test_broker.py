"""Connections to a broker: its version of MQTT, what ends them, and what they leave behind."""

import asyncio
import gc
import socket
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from iskra_server.mqtt import broker_connection
from iskra_server.mqtt.broker import Broker
from iskra_server.mqtt.broker_connection import MAX_PACKET_BYTES
from iskra_server.mqtt.message import Message, MqttError, OldProtocolOnly, TakenOver, error_of
from outputs.mqtt.broker import Mosquitto, Subscriber
from outputs.mqtt.old import OldDoor
from outputs.mqtt.published import settings
from running import DEADLINE_S, free_port

USER, PASSWORD = "meter", "s3cr:t/@"


@contextmanager
def no_answer_soon(refusal: bytes, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Without a refusal there is no answer, which is not waited for long; a refusal may come late."""
    with monkeypatch.context() as impatient:
        if not refusal:
            impatient.setattr(broker_connection, "TIMEOUT_S", 1.0)
        yield


def test_a_message_that_is_too_large_is_not_taken_from_the_broker(tmp_path: Path) -> None:
    broker = Mosquitto(tmp_path).start()

    async def check() -> list[bytes]:
        heard: list[bytes] = []
        async with Broker(settings(broker.url)).connected() as connection:
            await connection.subscribe("there")
            with Subscriber(broker.port, "nothing") as other:
                for payload in (b"x" * (2 * MAX_PACKET_BYTES), b"small"):
                    other.say("there", payload)
                async with asyncio.timeout(60):
                    async for message in connection.messages():
                        heard.append(bytes(message.payload))
                        if message.payload == b"small":
                            return heard
        return heard

    assert asyncio.run(check()) == [b"small"]
    broker.kill()


@pytest.mark.parametrize(
    ("refusal", "versions"), [(b"\x20\x02\x00\x01", [5, 5, 4]), (b"", [5, 5, 5, 4])], ids=["refused", "no answer"]
)
def test_a_broker_that_is_replaced_by_an_older_one_is_found_without_a_restart(
    broker: Mosquitto, refusal: bytes, versions: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(broker_connection, "TIMEOUT_S", DEADLINE_S)

    async def connect(door: OldDoor) -> None:
        client = Broker(settings(door.url))
        door.has_mqtt_5 = True
        async with client.connected():
            door.has_mqtt_5 = False
        for _ in versions[1:-1]:
            with no_answer_soon(refusal, monkeypatch), pytest.raises(MqttError):
                async with client.connected():
                    raise AssertionError
        async with client.connected() as connection:
            await connection.publish(Message("here", b"now"))

    with OldDoor(broker.port, refusal) as door:
        asyncio.run(connect(door))
    assert door.versions == versions


def test_a_broker_that_cannot_be_reached_says_nothing_of_its_protocol(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(broker_connection, "TIMEOUT_S", 0.5)

    async def why(broker: Broker) -> Exception | None:
        try:
            async with broker.connected():
                return None
        except MqttError as error:
            return error

    # who does not accept drops what comes when its queue is full, like a computer that is off
    with socket.create_server(("127.0.0.1", 0), backlog=0) as away:
        queued = [socket.socket() for _ in range(8)]
        for each in queued:
            each.setblocking(False)
            with suppress(BlockingIOError):
                each.connect(away.getsockname())
        error = asyncio.run(why(Broker(settings(f"mqtt://127.0.0.1:{away.getsockname()[1]}"))))
        for each in queued:
            each.close()
    assert type(error) is MqttError


def test_a_broker_that_takes_nothing_more_is_left_without_a_trace(monkeypatch: pytest.MonkeyPatch) -> None:
    unseen: list[object] = []
    monkeypatch.setattr(sys, "unraisablehook", unseen.append)

    async def fill(port: int) -> None:
        async with Broker(settings(f"mqtt://127.0.0.1:{port}")).connected() as connection:
            for _ in range(16):
                connection.start_publish(Message("much", b"x" * MAX_PACKET_BYTES))

    async def main(port: int) -> None:
        await fill(port)
        await asyncio.sleep(0)
        gc.collect()

    with socket.create_server(("127.0.0.1", 0)) as listening:
        taken: list[socket.socket] = []

        def take() -> None:
            taken.append(listening.accept()[0])
            taken[0].recv(4096)
            taken[0].sendall(b"\x20\x03\x00\x00\x00")

        threading.Thread(target=take, daemon=True).start()
        asyncio.run(main(listening.getsockname()[1]))
        taken[0].close()
    assert unseen == []


def test_a_connection_that_another_program_took_over_says_so() -> None:
    """By the reason code of MQTT 5."""
    connected, taken_over = b"\x20\x03\x00\x00\x00", b"\xe0\x02\x8e\x00"

    async def broker(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(4096)
        writer.write(connected + taken_over)
        await writer.drain()
        writer.close()

    async def run() -> None:
        async with await asyncio.start_server(broker, "127.0.0.1", port := free_port()):
            twin = settings(f"mqtt://127.0.0.1:{port}", client_id="twin")
            async with Broker(twin, Message("will", b"offline")).connected() as connection:
                async for _ in connection.messages():
                    raise AssertionError

    with pytest.raises(TakenOver, match="another program uses the client id twin there"):
        asyncio.run(run())


def test_a_connection_that_is_lost_while_it_is_ended_is_ended() -> None:
    async def dying() -> None:
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            raise MqttError("gone") from None

    async def session() -> None:
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(dying())
                await asyncio.sleep(60)
        except BaseExceptionGroup as errors:
            raise error_of(errors) from None

    async def main() -> bool:
        running = asyncio.create_task(session())
        await asyncio.sleep(0.01)
        running.cancel()
        await asyncio.wait((running,), timeout=60)
        return running.cancelled()

    assert asyncio.run(main())


@pytest.mark.parametrize(
    ("refusal", "versions"), [(b"\x20\x02\x00\x01", [5]), (b"", [5, 4])], ids=["refused", "no answer"]
)
def test_where_mqtt_5_is_needed_an_older_broker_is_an_error_that_says_so(
    broker: Mosquitto, refusal: bytes, versions: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(broker_connection, "TIMEOUT_S", DEADLINE_S)

    async def connect(door: OldDoor) -> None:
        client = Broker(settings(door.url), needs_mqtt_5=True)
        for _ in versions[1:]:
            with no_answer_soon(refusal, monkeypatch), pytest.raises(MqttError):
                async with client.connected():
                    pass
        with pytest.raises(OldProtocolOnly):
            async with client.connected():
                pass
        door.has_mqtt_5 = True
        async with client.connected():
            pass

    with OldDoor(broker.port, refusal) as door:
        asyncio.run(connect(door))
        assert door.versions == [*versions, 5]
