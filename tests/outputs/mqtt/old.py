"""A broker with MQTT 3.1.1 only: a real one behind a proxy that refuses every other version."""

import socket
import threading
from contextlib import suppress
from types import TracebackType

from running import free_port

_REFUSED = b"\x20\x02\x00\x01"
_LEVEL_5 = b"\x00\x04MQTT\x05"


class OldDoor:
    """`refusal` is the answer to a newer client; with b"" it gets none. `has_mqtt_5`: every version passes."""

    has_mqtt_5 = False

    def __init__(self, behind: int, refusal: bytes = _REFUSED) -> None:
        self.port = free_port()
        self.versions: list[int] = []
        self._behind = behind
        self._refusal = refusal
        self._listening = socket.create_server(("127.0.0.1", self.port))
        self._open: list[socket.socket] = [self._listening]
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def url(self) -> str:
        return f"mqtt://127.0.0.1:{self.port}"

    def __enter__(self) -> "OldDoor":
        return self

    def __exit__(
        self, _type: type[BaseException] | None, _error: BaseException | None, _t: TracebackType | None
    ) -> None:
        for each in self._open:
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client = self._listening.accept()[0]
                self._open.append(client)
                # one that goes again at once leaves the door to the next
                with suppress(OSError):
                    self._let_in(client)

    def _let_in(self, client: socket.socket) -> None:
        if not (first := client.recv(4096)):
            return
        self.versions.append(first[first.find(b"MQTT") + 4])
        if _LEVEL_5 in first and not self.has_mqtt_5:
            if self._refusal:
                client.sendall(self._refusal)
                client.close()
            return
        broker = socket.create_connection(("127.0.0.1", self._behind))
        self._open.append(broker)
        broker.sendall(first)
        for pair in ((client, broker), (broker, client)):
            threading.Thread(target=_pass_on, args=pair, daemon=True).start()


def _pass_on(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(65536):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)
