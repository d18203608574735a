"""Receipts at a real broker: the correlation data that the reader gets, and when nobody is told."""

import asyncio
from typing import Any

from fleet.field import settings_for
from iskra_server.fleet import protocol
from iskra_server.fleet.central.ingest import ReceivedMessage
from iskra_server.fleet.central.reader_state import Notice
from iskra_server.fleet.central.receipt_sender import ReceiptSender
from iskra_server.fleet.protocol import Correlation, Receipt
from iskra_server.mqtt.broker import Broker
from iskra_server.outputs.state import OutputHealth
from outputs.mqtt.broker import Mosquitto
from running import DEADLINE_S

SESSION = b"a random"
KEPT = "iskra/v1/cellar/kept"


def received(answer_to: str, number: int, session: bytes = SESSION) -> ReceivedMessage:
    correlation = bytes(Correlation(session, number))
    return ReceivedMessage("iskra/v1/cellar/quarters", b"", 0, 1, 1, answer_to, correlation)


def test_a_reader_gets_its_receipts_and_notices_with_its_session(broker: Mosquitto) -> None:
    waits, refused = Receipt("waits", "later"), Receipt("refused", "it is no JSON")

    async def run() -> list[Any]:
        settings = settings_for(broker.url)
        sender = ReceiptSender(settings.base, OutputHealth("collect"))
        async with (
            asyncio.timeout(DEADLINE_S),
            Broker(settings).connected() as reader,
            Broker(settings).connected() as collector,
        ):
            await reader.subscribe(KEPT, qos=1)
            # while the broker is away nobody is told
            sender.answer(received(KEPT, 1), Receipt("kept"))
            sender.connection = collector
            # the topic of another reader, and a reader that forgets quarters after any text
            sender.answer(received("iskra/v1/attic/kept", 2), Receipt("kept"))
            sender.answer(received(KEPT, 3, b""), waits)
            sender.answer(received(KEPT, 4), waits)
            sender.answer(received(KEPT, 5, b""), refused)
            sender.notify(Notice("cellar", SESSION, waits))
            await sender.wait_until_sent()
            return [await anext(aiter(reader.messages())) for _ in range(3)]

    heard = [(message.properties.CorrelationData, message.payload) for message in asyncio.run(run())]
    assert heard == [
        (bytes(Correlation(SESSION, 4)), protocol.encode_receipt(waits)),
        (bytes(Correlation(b"", 5)), b"it is no JSON"),
        (bytes(Correlation(SESSION, 0)), protocol.encode_receipt(waits)),
    ]
