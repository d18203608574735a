"""Pseudonyms for what names a meter: the same for every form of one serial number, and the search for leftovers.

    0A 01 49 53 4B 00 04 31 6B 61        server id (DIN 43863-5)       maker and block stay
    1ISK0070347617, as hex text too      the same as text              maker and block stay
    ISK1030770347617                     logical device name           maker and type stay
    49 53 4B 67 74 31 6B 61              system title                  maker and type stay
    70347617                             serial number
    E0047000123456718                    capital letters and a number  the letters stay
    anything else                        digits of the same length, or bytes

Pseudonyms are numbered, not computed from the original: eight digits could be recovered by brute force.
"""

import re
from collections.abc import Iterator

from iskra_server.codecs.dlms.identity import MAX_SERIAL, SERIAL_BITS, TITLE_LENGTH
from iskra_server.meter import identity

# a shorter serial number also occurs by chance in counters
_MIN_TRACE_BYTES = 3
_MIN_DIGITS = 6
# without its leading zeros a number is shorter, and occurs by chance more often
_MIN_SHORT_DIGITS = 7
_SERIAL = re.compile(r"(0*[1-9A-F][A-Z]{3}[0-9A-F]{2}|ISK\d{5}|)(\d{8})", re.ASCII)
_NUMBER = re.compile(r"([A-Z]{1,4}|)(\d{5,})", re.ASCII)
_HEX = re.compile(r"(?:[0-9A-Fa-f]{2}){8,}", re.ASCII)
_DEVICE_TYPES = range(0x65, 0x6A)
_FUNCTION = 7


class Pseudonyms:
    """Originals and their pseudonyms; `leaks_identity` searches bytes for originals."""

    def __init__(self) -> None:
        self._pseudonyms: dict[bytes, bytes] = {}
        # serial numbers and other numbers, as digits
        self._numbers: dict[str, str] = {}
        self._count = 0
        self._texts: set[bytes] = set()
        self._bytes: set[bytes] = set()

    def of(self, original: bytes) -> bytes:
        """A pseudonym of the same length and form; a server id keeps its maker, text stays text."""
        if original not in self._pseudonyms:
            self._pseudonyms[original] = self._pseudonym(original)
        return self._pseudonyms[original]

    def of_text(self, original: str) -> str:
        """The same for text; blanks around it stay, and what is empty or zero, which names nobody."""
        name = original.strip()
        if not name.strip("0 "):
            return original
        return original.replace(name, self.of(name.encode("latin-1")).decode("latin-1"), 1)

    def get(self, original: bytes) -> bytes | None:
        return self._pseudonyms.get(original)

    def forbid(self, original: bytes) -> None:
        """Let `leaks_identity` search for it: as it is, its number in digits, BCD and binary, and all backwards."""
        text = _text(original)
        self._bytes.add(original)
        for name in filter(None, (text, _decoded(text or ""))):
            if len(name.strip("0 ")) >= _MIN_DIGITS:
                self._texts |= set(_text_forms(name))
        if text is None:
            self._texts |= {original.hex().encode(), original.hex().upper().encode()}
            tail = original[_kept(original) :].lstrip(b"\0")
            if len(tail) >= _MIN_TRACE_BYTES:
                self._bytes.add(tail)
        digits = _digits(original)
        if len(digits.strip("0")) >= _MIN_DIGITS:
            self._texts |= set(_text_forms(digits)) | set(_hex_forms(int(digits)))
            self._bytes |= set(_binary_forms(digits))

    def leaks_identity(self, data: bytes, *, is_text: bool = False) -> bool:
        """Whether an original is in these bytes. Numbers in binary and BCD would be found by chance in text."""
        traces = self._texts if is_text else self._texts | self._bytes
        return any(trace in data for trace in traces)

    def _pseudonym(self, original: bytes) -> bytes:
        text = _text(original)
        if text is not None:
            return self._pseudonym_of_text(text).encode()
        kept = _kept(original)
        if digits := _digits(original):
            high = original[kept] & 0xF0 if _is_iskra_title(original) else 0
            return original[:kept] + (high << 24 | int(self._number(digits))).to_bytes(len(original) - kept)
        length = len(original) - kept
        while (pseudonym := original[:kept] + (self._next() & (1 << 8 * length) - 1).to_bytes(length)) == original:
            pass
        return pseudonym

    def _pseudonym_of_text(self, text: str) -> str:
        if decoded := _decoded(text):
            digits = self._pseudonym_of_text(decoded).encode().hex()
            return digits.upper() if text.upper() == text else digits
        if match := _SERIAL.fullmatch(text) or _NUMBER.fullmatch(text):
            return match[1] + self._number(match[2])
        return self._number(text)

    def _number(self, original: str) -> str:
        """Digits of the same length; the same for the same original."""
        while original not in self._numbers:
            digits = f"{self._next():0{len(original)}d}"[-len(original) :]
            if digits != original:
                self._numbers[original] = digits
        return self._numbers[original]

    def _next(self) -> int:
        self._count += 1
        return self._count


def is_name(text: str) -> bool:
    """Whether a text has one of the forms in which meters are named: DIN 43863-5, device name, serial, hex of them."""
    return any(_SERIAL.fullmatch(name) or _NUMBER.fullmatch(name) for name in (text, _decoded(text) or ""))


def _text(original: bytes) -> str | None:
    """Printable text, else None."""
    if _is_iskra_title(original):
        return None
    return original.decode() if original.isascii() and original.decode().isprintable() else None


def _decoded(text: str) -> str | None:
    """What stands in hex text, if it is letters and digits."""
    if not _HEX.fullmatch(text):
        return None
    data = bytes.fromhex(text)
    return data.decode() if data.isascii() and data.strip().isalnum() else None


def _digits(original: bytes) -> str:
    """The serial number, or the only number in a name; "" where there is none."""
    text = _text(original)
    if text is not None:
        name = _decoded(text) or text
        match = _SERIAL.fullmatch(name) or _NUMBER.fullmatch(name)
        return match[2] if match else ""
    if label := identity.label(original):
        return label[-8:]
    return f"{int.from_bytes(original[4:]) & (1 << SERIAL_BITS) - 1:08d}" if _is_iskra_title(original) else ""


def _is_iskra_title(original: bytes) -> bool:
    """Whether bytes are the system title of an ISKRA meter, whose last 28 bits are the serial number."""
    if len(original) != TITLE_LENGTH or not original.startswith(b"ISK"):
        return False
    is_typed = original[3] in _DEVICE_TYPES and original[4] >> 4 == _FUNCTION
    return is_typed and int.from_bytes(original[4:]) & (1 << SERIAL_BITS) - 1 <= MAX_SERIAL


def _text_forms(name: str) -> Iterator[bytes]:
    short = name.lstrip("0")
    for form in (name, short) if len(short) >= _MIN_SHORT_DIGITS else (name,):
        for text in (form, form[::-1]):
            data = text.encode("latin-1")
            yield from (data, data.hex().encode(), data.hex().upper().encode())


def _hex_forms(number: int) -> Iterator[bytes]:
    for data in _integers(number):
        yield from (data.hex().encode(), data.hex().upper().encode())


def _binary_forms(digits: str) -> Iterator[bytes]:
    yield from _integers(int(digits))
    bcd = bytes.fromhex(digits if len(digits) % 2 == 0 else f"0{digits}")
    if len(bcd.strip(b"\0")) >= _MIN_TRACE_BYTES:
        yield from (bcd, bcd[::-1])


def _integers(number: int) -> Iterator[bytes]:
    """A number in four bytes or as many as it needs, highest and lowest byte first."""
    length = max(4, (number.bit_length() + 7) // 8)
    data = number.to_bytes(length)
    if len(data.lstrip(b"\0")) >= _MIN_TRACE_BYTES:
        yield from (data, data[::-1])


def _kept(original: bytes) -> int:
    """Bytes that name medium, maker and type: 09 01 ISK 00, or 06 ISK 01 in the older form, ISK 67 of a title."""
    if identity.label(original):
        return 6
    if len(original) == TITLE_LENGTH and original[:3].isalpha() and original[:3].isupper():
        return 4
    return 5 if len(original) > 5 and original[1:4].isalpha() else 0
