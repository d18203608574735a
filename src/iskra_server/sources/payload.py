"""The bytes of telegrams in payloads: of messages of a broker, and of answers to HTTP requests.

1B1B1B1B01010101...                        hex text, also of a part of a telegram
{"SSerialReceived":"1B1B..."}              Tasmota's serial bridge; other names too where the value begins a telegram
/ISK5... or binary                         the telegram itself
"""

import re

import msgspec

from iskra_server.sources.hexstream import HexTextDecoder, begins_telegram

# Tasmota sends what its serial port receives in parts
_TASMOTA = ("SerialReceived", "SSerialReceived")
# shorter text of hex digits may be a part of a text telegram
_HEX = re.compile(rb"(?:\s*[0-9A-Fa-f]{2}){16,}\s*")
# a telegram of P1 or D0 without its last line end
_WITHOUT_LINE_END = re.compile(rb"/.*[\r\n)]![0-9A-Fa-f]{0,4}", re.DOTALL)


class PayloadDecoder:
    """Payloads of one sender in, bytes out."""

    def __init__(self) -> None:
        self._hex_text = HexTextDecoder()
        self._is_raw = False

    def decode(self, payload: bytes) -> bytes | None:
        """None for JSON without a telegram: other programs publish the values alone."""
        if payload.lstrip()[:1] in (b"{", b"["):
            return _in_json(payload)
        # digits in a message of text (P1 96.13.0) that arrives in parts are no hex text of a telegram
        if _HEX.fullmatch(payload) and (not self._is_raw or begins_telegram(payload)):
            self._is_raw = False
            return bytes.fromhex(payload.decode())
        self._is_raw = bool(payload) or self._is_raw
        end = b"\r\n" if _WITHOUT_LINE_END.fullmatch(payload) else b""
        return self._hex_text.feed(payload + end)


def _in_json(payload: bytes) -> bytes | None:
    try:
        content = msgspec.json.decode(payload)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
    for name, value in content.items() if isinstance(content, dict) else ():
        if isinstance(value, str) and (name in _TASMOTA or begins_telegram(value.encode(errors="replace"))):
            try:
                return bytes.fromhex(value)
            except ValueError:
                continue
    return None
