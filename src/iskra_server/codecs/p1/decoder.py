"""Decodes P1 telegrams (DSMR 2.2 to 5, ESMR, and the national branches of BE, LU, SE, IS, SI, AT).

The checksum variant, CRC-16/ARC or X-25 (Holley DTSD545), is learned from the first valid telegram and forgotten after
three that do not fit. Old meters send no checksum, and some always "0000". For a telegram without one:

    7E1 read as 8N1              the parity of every character is checked
    no parity either             the telegram is marked as unprotected, and every line must follow the grammar
    although it has a version    the first one is refused: DSMR 4 and later have a checksum, which could be lost
    after a right checksum       telegrams without one are refused

Encrypted telegrams of Poland need the key and the system title, which they do not send (sealed.py).
"""

from collections.abc import Callable
from typing import TYPE_CHECKING

from iskra_server.codecs.checksum import arc, checksum
from iskra_server.codecs.errors import Malformed
from iskra_server.codecs.p1.frames import Frames, Telegram
from iskra_server.codecs.p1.telegram import PROTOCOL, clock, readings
from iskra_server.codecs.text.codes import P1_VERSIONS
from iskra_server.codecs.text.entries import Entries, Entry
from iskra_server.codecs.text.fast_path import Forms
from iskra_server.codecs.text.parity import has_parity, wrong_bytes
from iskra_server.codecs.text.widths import Widths
from iskra_server.meter.reading import Fault, Protection, Reading

if TYPE_CHECKING:
    from iskra_server.codecs.dlms.security import Keys
    from iskra_server.codecs.p1.sealed import SealedText

_FORGET_AFTER = 3


class ChecksumWrong(Malformed):
    """A checksum or a parity bit that does not fit."""


def x25(data: bytes) -> int:
    """CRC-16/X-25 as a number."""
    return int.from_bytes(checksum(data), "little")


_VARIANTS: tuple[Callable[[bytes], int], ...] = (arc, x25)


class P1Decoder:
    """One per stream. `feed` gives everything that a chunk completes and never raises."""

    protocol = PROTOCOL

    def __init__(self, keys: "Keys | None" = None) -> None:
        self._keys = keys
        self._sealed: SealedText | None = None
        self._frames = Frames()
        self._entries = Entries()
        self._forms = Forms()
        self._widths = Widths()
        self._variants = _VARIANTS
        self._has_checksum = False
        self._unfit = 0
        self._unprotected = 0

    @property
    def pending(self) -> int:
        """Bytes held back, waiting for the rest of a telegram."""
        return self._frames.pending

    def feed(self, data: bytes, *, is_proved: bool = False) -> list[Reading | Fault]:
        """`is_proved`: a tag has proved these bytes, so no checksum is needed."""
        self._frames.feed(data)
        results: list[Reading | Fault] = []
        while (telegram := self._frames.next()) is not None:
            if isinstance(telegram, Fault):
                results.append(telegram)
                continue
            try:
                if telegram.sealed:
                    results.append(self._unseal(telegram))
                else:
                    results.extend(self._readings(telegram, is_proved=is_proved))
            except ChecksumWrong as error:
                results.append(Fault("checksum", str(error), telegram.length))
            except Malformed as error:
                results.append(Fault("structure", str(error), telegram.length))
        return results

    def _readings(self, telegram: Telegram, *, is_proved: bool) -> list[Reading]:
        with_parity = has_parity(telegram.raw)
        if with_parity and (wrong := wrong_bytes(telegram.raw)):
            raise ChecksumWrong(f"the parity of {wrong} characters is wrong")
        has_checksum = is_proved or self._fits(telegram)
        if not has_checksum and self._has_checksum:
            raise ChecksumWrong("no checksum, though this meter sends one")
        if not has_checksum and not telegram.ends_line:
            raise Malformed("neither a checksum nor a line end after the '!'")
        if has_checksum and (known := self._forms.read(telegram.text, telegram.length)):
            return known
        ident, _, lines = telegram.text[1:-1].decode("latin-1").partition("\n")
        entries = self._entries.read(lines, is_strict=not has_checksum)
        if not has_checksum:
            self._check_unprotected(entries, with_parity=with_parity)
        protection: Protection = "checksum" if has_checksum else "parity" if with_parity else "none"
        sent = list(readings(ident.rstrip("\r"), entries, telegram.length, protection=protection))
        if has_checksum:
            self._forms.learn(telegram.text, entries, clock(entries), sent)
        elif not self._widths.check(f"{ident} {sent[0].meter_id}", entries):
            raise ChecksumWrong("no checksum, and names or digits are not those of before")
        return sent

    def _unseal(self, telegram: Telegram) -> Reading | Fault:
        if not self._fits(telegram):
            raise ChecksumWrong("an encrypted telegram without a checksum")
        if self._sealed is None:
            from iskra_server.codecs.p1.sealed import SealedText  # noqa: PLC0415

            self._sealed = SealedText(self._keys)
        return self._sealed.read(telegram)

    def _fits(self, telegram: Telegram) -> bool:
        """Whether the checksum is right; False for one that was not sent. Raises ChecksumWrong for a wrong one."""
        if not telegram.digits:
            return False
        sent = int(telegram.digits, 16)
        for variant in self._variants:
            if variant(telegram.text) == sent:
                self._variants, self._has_checksum, self._unfit, self._unprotected = (variant,), True, 0, 0
                return True
        if not self._has_checksum and telegram.digits == b"0000":
            return False
        self._unfit += 1
        self._unprotected = 0
        if self._unfit >= _FORGET_AFTER:
            self._variants = _VARIANTS
        raise ChecksumWrong("the checksum of the telegram is wrong")

    def _check_unprotected(self, entries: list[Entry], *, with_parity: bool) -> None:
        """Raises Malformed unless a telegram without a checksum may be accepted."""
        if any("*" in entry.sent.code for entry in entries):
            raise Malformed("codes with a group F, which only D0 has")
        self._unprotected += 1
        if not with_parity and self._unprotected == 1 and any(entry.code.obis in P1_VERSIONS for entry in entries):
            raise ChecksumWrong("no checksum, though this version of P1 has one; accepted if it is always missing")
