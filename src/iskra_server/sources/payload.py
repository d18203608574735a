"""The bytes of telegrams in payloads: of messages of a broker, and of answers to HTTP requests.

1B1B1B1B01010101...                        hex text, also of a part of a telegram
1B.1B.1B.1B.01.01.01.01 ... (308)          that of ESPHome's format_hex_pretty, with its number of bytes; also : and -
{"SSerialReceived":"1B1B..."}              Tasmota's serial bridge; other names too where the value begins a telegram
/ISK5... or binary                         the telegram itself
"""

import re

import msgspec

from iskra_server.sources.hexstream import HexTextDecoder, begins_telegram

# Tasmota sends what its serial port receives in parts
_TASMOTA = ("SerialReceived", "SSerialReceived")
# a shorter first payload of hex digits may be a part of a text telegram
_MIN_HEX_BYTES = 16
_HEX = re.compile(rb"\s*(?P<bytes>[0-9A-Fa-f]{2}(?:[\s.:-]{0,3}[0-9A-Fa-f]{2})*)\s*(?:\([0-9]{1,5}\)\s*)?")
_SEPARATORS = b" \t\r\n.:-"
# a telegram of P1 or D0 without its last line end
_WITHOUT_LINE_END = re.compile(rb"/.*[\r\n)]![0-9A-Fa-f]{0,4}", re.DOTALL)
# one of D0 without its empty line behind the identification: eBZ meters through a Tibber bridge. A telegram with a
# checksum stays as it is
_WITHOUT_EMPTY_LINE = re.compile(rb"(/[^\r\n]{4,}\r?\n)([^\r\n\x02].*[\r\n)]!\s*)", re.DOTALL)


class PayloadDecoder:
    """Payloads of one sender in, bytes out."""

    def __init__(self) -> None:
        self._hex_text = HexTextDecoder()
        # whether the payload before was hex text; None before the first one
        self._is_hex: bool | None = None

    def decode(self, payload: bytes) -> bytes | None:
        """None for JSON without a telegram: other programs publish the values alone."""
        if payload.lstrip()[:1] in (b"{", b"["):
            try:
                return _in_json(msgspec.json.decode(payload))
            except (ValueError, RecursionError):
                # a part of a binary telegram may begin like JSON
                if payload.isascii() and payload.decode().isprintable():
                    return None
        data = _from_hex(payload)
        if data and self._counts(data, payload):
            self._is_hex = True
            return data
        self._is_hex = False if payload else self._is_hex
        if match := _WITHOUT_EMPTY_LINE.fullmatch(payload):
            payload = match[1] + b"\r\n" + match[2]
        end = b"\r\n" if _WITHOUT_LINE_END.fullmatch(payload) else b""
        return self._hex_text.feed(payload + end)

    def _counts(self, data: bytes, text: bytes) -> bool:
        """Digits in a message of text (P1 96.13.0) that arrives in parts are no hex text of a telegram."""
        if self._is_hex is None:
            return len(data) >= _MIN_HEX_BYTES or begins_telegram(text)
        return self._is_hex or begins_telegram(text)


def _in_json(content: object) -> bytes | None:
    for name, value in content.items() if isinstance(content, dict) else ():
        text = value.encode(errors="replace") if isinstance(value, str) else b""
        data = _from_hex(text) if name in _TASMOTA or begins_telegram(text) else None
        if data:
            return data
    return None


def _from_hex(text: bytes) -> bytes | None:
    match = _HEX.fullmatch(text)
    return bytes.fromhex(match["bytes"].translate(None, _SEPARATORS).decode()) if match else None
