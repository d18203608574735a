"""Removes identities and secrets from texts, in each form in which they may be written.

server id    hex in either case, with blanks, colons or hyphens; backwards; as a number; as text; base64
its label    1 ISK 00 12345678, without blanks, as in an address, as hex text; its eight digits, also backwards
a secret     plain, as in an address, in hex, base64
"""

import base64
import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import zip_longest
from urllib.parse import quote, quote_plus

from iskra_server.base.secret import MASK, MIN_CHARACTERS, Secret, searchable_forms
from iskra_server.meter import identity

# shorter numbers occur by chance
_MIN_DIGITS = 5
_DIGITS = 8


class Scrubber:
    """`identities`: bytes -> pseudonym; `secrets` are masked."""

    def __init__(self, identities: Mapping[bytes, bytes], secrets: Iterable[Secret] = ()) -> None:
        forms = {form.lower(): MASK for form in searchable_forms(secrets)}
        for original, pseudonym in identities.items():
            names = identity.label(original), identity.label(pseudonym)
            forms |= _pairs(_of_bytes(original), _of_bytes(pseudonym))
            forms |= _pairs(_of_label(names[0]), _of_label(names[1]))
        self._forms = forms
        # longest first: a label before the digits in it
        any_form = "|".join(map(re.escape, sorted(forms, key=len, reverse=True)))
        self._any = re.compile(any_form, re.IGNORECASE) if forms else None

    def text(self, text: str) -> str:
        return self._any.sub(lambda match: self._forms[match[0].lower()], text) if self._any else text


def _pairs(originals: Iterable[str], pseudonyms: Iterable[str]) -> dict[str, str]:
    """Forms and those of their pseudonyms; the first of two equal forms counts; without a counterpart it is masked."""
    pairs = reversed(list(zip_longest(originals, pseudonyms, fillvalue="")))
    return {form.lower(): other or MASK for form, other in pairs if len(form) >= MIN_CHARACTERS}


def _of_bytes(data: bytes) -> Iterator[str]:
    for variant in (data, data[::-1]):
        text = variant.hex()
        pairs = [text[at : at + 2] for at in range(0, len(text), 2)]
        yield from (sign.join(pairs) for sign in ("", " ", ":", "-", r"\x"))
        yield str(int.from_bytes(variant))
        yield base64.b64encode(variant).decode().rstrip("=")
    if data.isascii() and data.decode().isprintable():
        yield data.decode()
        yield data.decode()[::-1]


def _of_label(label: str | None) -> Iterator[str]:
    if label is None:
        return
    serial = label[-_DIGITS:]
    number = int(serial).to_bytes(4)
    for name in (label, label.replace(" ", ""), quote(label), quote_plus(label)):
        yield name
        yield name[::-1]
    yield label.replace(" ", "").encode().hex()
    yield from (serial, serial[::-1], serial.encode().hex())
    yield from (number.hex(), number[::-1].hex())
    # as a number it has no leading zeros; short ones occur by chance
    if len(short := serial.lstrip("0")) >= _MIN_DIGITS:
        yield from (short, short[::-1])
