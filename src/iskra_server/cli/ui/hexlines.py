"""Bytes as hex text while they arrive: 32 per line, and a new line at each start of a telegram."""

from iskra_server.codecs.sml.encoder import START

_WIDTH = 32


class HexLines:
    """Formats chunk by chunk; `decode` reads the text back."""

    def __init__(self) -> None:
        self._column = 0
        self._pending = b""

    def feed(self, data: bytes) -> str:
        """The text of all bytes but those that may be the beginning of a start mark."""
        data = self._pending + data
        kept = next((count for count in range(len(START) - 1, 0, -1) if data.endswith(START[:count])), 0)
        self._pending = data[len(data) - kept :]
        before, *telegrams = data[: len(data) - kept].split(START)
        text = self._lines(before)
        for rest in telegrams:
            text += self._break() + self._lines(START + rest)
        return text

    def end(self) -> str:
        data, self._pending = self._pending, b""
        return self._lines(data) + self._break()

    def _lines(self, data: bytes) -> str:
        text = ""
        for byte in data:
            text += f"{byte:02x}"
            self._column = (self._column + 1) % _WIDTH
            text += " " if self._column else "\n"
        return text

    def _break(self) -> str:
        was_open, self._column = self._column, 0
        return "\n" if was_open else ""
