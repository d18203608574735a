"""Octets as hex while they arrive: 32 a line, and a new line where a telegram begins."""

from iskra_server.codecs.sml.encoder import START

_WIDTH = 32


class HexLines:
    """Gives text for each chunk; `decode` reads the whole of it again."""

    def __init__(self) -> None:
        self._column = 0
        self._held = b""

    def feed(self, octets: bytes) -> str:
        """The text of everything that cannot be the beginning of a start mark any more."""
        octets = self._held + octets
        kept = next((count for count in range(len(START) - 1, 0, -1) if octets.endswith(START[:count])), 0)
        self._held = octets[len(octets) - kept :]
        before, *telegrams = octets[: len(octets) - kept].split(START)
        text = self._lines(before)
        for rest in telegrams:
            text += self._break() + self._lines(START + rest)
        return text

    def end(self) -> str:
        octets, self._held = self._held, b""
        return self._lines(octets) + self._break()

    def _lines(self, octets: bytes) -> str:
        text = ""
        for octet in octets:
            text += f"{octet:02x}"
            self._column = (self._column + 1) % _WIDTH
            text += " " if self._column else "\n"
        return text

    def _break(self) -> str:
        was_open, self._column = self._column, 0
        return "\n" if was_open else ""
