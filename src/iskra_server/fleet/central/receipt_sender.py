"""Sends receipts to readers, each in the form that its protocol knows."""

import asyncio

from iskra_server.fleet import protocol
from iskra_server.fleet.central.ingest import ReceivedMessage
from iskra_server.fleet.central.reader_state import Notice
from iskra_server.fleet.protocol import Correlation, ReaderTopics, Receipt
from iskra_server.mqtt.broker_connection import BrokerConnection
from iskra_server.mqtt.message import PUBLISHING, Denied, Message
from iskra_server.outputs.mqtt.keep_connected import report_denial
from iskra_server.outputs.state import OutputHealth


class ReceiptSender:
    """`connection` is None while the broker is away: nobody is told then, and readers send again.

    A denial is kept in `health` and logged once.
    """

    def __init__(self, base: str, health: OutputHealth) -> None:
        self.connection: BrokerConnection | None = None
        self._base = base
        self._health = health
        self._unconfirmed: set[asyncio.Future[None]] = set()

    def answer(self, received: ReceivedMessage, receipt: Receipt) -> None:
        # a reader is answered under its own topic alone: the response topic is the sender's choice
        if received.answer_to != self._topic(received.reader):
            return
        payload = protocol.encode_receipt(receipt)
        if not received.session:
            # readers of the first protocol forget quarters after any text, and send again what is not answered
            if receipt.state == "waits":
                return
            payload = receipt.reason.encode()
        self._send(received.reader, payload, received.correlation_data)

    def notify(self, notice: Notice) -> None:
        self._send(notice.reader, protocol.encode_receipt(notice.receipt), bytes(Correlation(notice.session, 0)))

    async def wait_until_sent(self) -> None:
        if self._unconfirmed:
            await asyncio.wait(self._unconfirmed)

    def _send(self, reader: str, payload: bytes, correlation: bytes) -> None:
        if self.connection is not None:
            message = Message(self._topic(reader), payload, correlation=correlation)
            sent = self.connection.start_publish(message, retain=False)
            self._unconfirmed.add(sent)
            sent.add_done_callback(self._on_sent)

    def _on_sent(self, sent: asyncio.Future[None]) -> None:
        """The broker has acknowledged a receipt or denied it, or the connection is lost."""
        self._unconfirmed.discard(sent)
        topic = self._topic("+")
        error = None if sent.cancelled() else sent.exception()
        if error is None:
            self._health.allowed(f"{PUBLISHING} {topic}")
        elif isinstance(error, Denied):
            report_denial(self._health, Denied(PUBLISHING, topic, error.reason))

    def _topic(self, reader: str) -> str:
        return ReaderTopics(self._base, reader)["kept"]
