"""Frames of Shelly's RPC, the same over UDP, HTTP and WebSocket.

    request    {"id":1,"src":"client","method":"EM.GetStatus","params":{"id":0}}
    answer     {"id":1,"src":"shellypro3em-02ab34cd56ef","dst":"client","result":{...}}
    error      the same with "error":{"code":404,"message":"No handler for X"} instead of the result

`id` comes back as it was sent, whatever its type; a request without `src` is answered to "unknown".
"""

import msgspec
from msgspec import Raw, Struct

UNKNOWN = Raw(b'"unknown"')
NO_READING, NO_HANDLER, INVALID_ARGUMENT, NOT_FOUND = 1, 404, -103, -105


class RpcRequest(Struct, frozen=True):
    """`id` and `src` are JSON."""

    method: str
    id: Raw = Raw(b"null")
    src: Raw = Raw()
    params: dict[str, object] | None = None

    @property
    def client(self) -> Raw | None:
        """The JSON of the name that it gave itself."""
        return self.src if bytes(self.src).startswith(b'"') else None


class RpcError(Struct, frozen=True):
    code: int
    message: str


NO_CURRENT_READING = RpcError(NO_READING, "No current reading of the meter")
NOT_A_FRAME = RpcError(INVALID_ARGUMENT, "Invalid argument: not a JSON frame with a method")

_DECODER = msgspec.json.Decoder(RpcRequest)


def parsed(data: bytes) -> RpcRequest | None:
    """None where it is no request."""
    try:
        return _DECODER.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def answered(device: str, request: RpcRequest, outcome: object) -> bytes:
    """The frame of a result or of an error. `device` is the id of the device."""
    kind = "error" if isinstance(outcome, RpcError) else "result"
    return msgspec.json.encode({"id": request.id, "src": device, "dst": request.client or UNKNOWN, kind: outcome})


def notified(device: str, client: Raw, params: dict[str, object]) -> bytes:
    """The frame that a device sends unasked."""
    return msgspec.json.encode({"src": device, "dst": client, "method": "NotifyStatus", "params": params})
