"""Encrypted P1 telegrams behind a clear identification (Poland: Kaifa, Elgama): general-glo-ciphering without a title.

The system title is part of the initialisation vector but not of the telegram, so it is set with the key.
"""

from iskra_server.codecs.dlms import security
from iskra_server.codecs.dlms.security import Keys
from iskra_server.codecs.errors import Malformed
from iskra_server.codecs.p1.frames import Telegram
from iskra_server.codecs.p1.telegram import readings
from iskra_server.codecs.text import identity
from iskra_server.codecs.text.entries import Entries
from iskra_server.meter.identity import UNKNOWN
from iskra_server.meter.reading import Fault, Reading

_GENERAL_GLO = b"\xdb"


class SealedText:
    """One per stream. Raises ImportError where a key is set and the library `cryptography` is missing."""

    def __init__(self, keys: Keys | None) -> None:
        self._opener = security.Opener(keys or Keys())
        self._counters = security.Counters()
        self._entries = Entries()
        # once a tag has, every telegram needs one
        self._was_proved = False

    def read(self, telegram: Telegram) -> Reading | Fault:
        """What a telegram says whose checksum is right. Raises Malformed."""
        ident = telegram.text[1:].partition(b"\n")[0].decode("latin-1").rstrip("\r")
        meter_id = (identity.of_ident(ident) or UNKNOWN).meter_id
        sealed = security.parse(_GENERAL_GLO + telegram.sealed)
        if not self._opener.can_open(sealed):
            return Fault("encrypted", "encrypted, and no key or no system title is set", telegram.length, meter_id)
        content, proof = self._opener.open(sealed)
        if reason := security.refused(proof, was_proved=self._was_proved):
            return Fault("not_authentic", reason, telegram.length, meter_id)
        try:
            # noise is no text
            entries = self._entries.read(content.decode("ascii"), is_strict=True)
        except (Malformed, UnicodeDecodeError):
            return Fault("wrong_key", "the key does not decipher this telegram", telegram.length, meter_id)
        reading = next(readings(ident, entries, telegram.length, protection="checksum"))
        seconds = reading.meter_time.seconds if reading.meter_time else None
        if problem := self._counters.problem(sealed, seconds, proof):
            return Fault("replayed", problem, telegram.length, meter_id)
        self._was_proved |= proof == "proved"
        return security.with_proof(reading, proof)
