"""Messages to readings: checks each message and joins a readout that comes in several blocks."""

from msgspec.structs import replace

from iskra_server.codecs.d0.frames import EOT, MAX_READOUT, D0Message
from iskra_server.codecs.d0.readout import ASSUMES_KWH, clock, current, reading, repeated
from iskra_server.codecs.errors import Malformed
from iskra_server.codecs.text.codes import P1_VERSIONS
from iskra_server.codecs.text.entries import Entries, Entry
from iskra_server.codecs.text.fast_path import Forms
from iskra_server.codecs.text.identity import maker_of
from iskra_server.codecs.text.parity import has_parity, wrong_bytes
from iskra_server.codecs.text.widths import Widths
from iskra_server.meter.reading import Fault, FaultKind, Protection, Reading


def damage(message: D0Message) -> str:
    """What is wrong with the parity or the BCC of a message, "" if nothing is."""
    wrong = wrong_bytes(message.raw) if has_parity(message.raw) else 0
    if wrong:
        return f"the parity of {wrong} characters is wrong"
    return "" if message.fits else "the block check is wrong"


class Blocks:
    """One per stream."""

    def __init__(self) -> None:
        self._entries = Entries()
        self._entries_kwh = Entries(assumes_kwh=True)
        self._plain_entries = Entries()
        self._widths = Widths()
        self._forms = Forms()
        self._has_bcc = False
        # the blocks of an incomplete readout
        self._ident = ""
        self._text = ""
        self._length = 0

    @property
    def has_begun(self) -> bool:
        """Whether blocks of an incomplete readout are held."""
        return bool(self._text)

    def add(self, message: D0Message) -> Reading | Fault | None:
        """The result that a message completes. None if another block follows or it has no current value."""
        if message.command:
            return None
        is_plain = message.end == b"!"
        problem = damage(message)
        if is_plain and not problem and self._has_bcc:
            problem = "no block check, though this meter sends one"
        if problem:
            return self._refuse("checksum", problem, message)
        if message.ident:
            self.begin()
            self._ident = message.ident
        self._has_bcc |= not is_plain
        self._text += message.text
        self._length += len(message.raw)
        if len(self._text) > MAX_READOUT:
            return self._refuse("oversize", f"more than {MAX_READOUT} bytes in several blocks", message)
        return None if message.end == EOT else self._complete(message)

    def begin(self) -> None:
        """Discard the blocks of an incomplete readout."""
        self._ident, self._text, self._length = "", "", 0

    def _refuse(self, kind: FaultKind, detail: str, message: D0Message) -> Fault:
        length = self._length + len(message.raw)
        self.begin()
        return Fault(kind, detail, length)

    def _complete(self, message: D0Message) -> Reading | Fault | None:
        ident, text, length = self._ident, self._text, self._length
        self.begin()
        is_plain = message.end == b"!"
        text = text.rstrip("\r\n ").removesuffix("!")
        whole = f"{ident}\n{text}".encode("latin-1")
        if not is_plain and (known := self._forms.read(whole, length)):
            return known[0]
        try:
            sent = self._read(ident, text, is_plain=is_plain)
        except Malformed as error:
            return Fault("structure", str(error), length)
        entries = current(sent)
        if not entries:
            return None
        protection: Protection = "checksum" if not is_plain else "parity" if has_parity(message.raw) else "none"
        result = reading(ident, entries, length, protection=protection)
        if not self._widths.check(f"{ident} {result.meter_id}", entries):
            # readouts of other widths may count soon, and those of before no more
            self._forms.clear()
            return Fault("checksum", "names or digits are not those of before, though the block check fits", length)
        if not is_plain:
            self._forms.learn(whole, sent, clock(entries), (result,))
        again = repeated(sent)
        return replace(result, repeated=again) if again else result

    def _read(self, ident: str, text: str, *, is_plain: bool) -> list[Entry]:
        if is_plain:
            entries = self._plain_entries.read(text, is_strict=True)
            if any(entry.code.obis in P1_VERSIONS for entry in entries):
                raise Malformed("a P1 telegram without its checksum")
            return entries
        return (self._entries_kwh if maker_of(ident) in ASSUMES_KWH else self._entries).read(text)
