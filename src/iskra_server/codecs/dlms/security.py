"""Encrypted telegrams: general-glo-ciphering with AES-128-GCM (IEC 62056-5-3, security suites 0 and 1).

    DB | 08 | system title 8 | length | SC | counter 4 | content | tag 12

    SC      10 authenticated (a tag follows), 20 encrypted, 40 broadcast key, 80 compressed; low bits: the suite
    IV      system title and counter
    AAD     SC and authentication key; where the content is clear, that too. The key of Luxembourg is public, and some
            meters leave the AAD out: both are tried where no authentication key is set

The cipher is the library `cryptography`, imported when the first key is set.
"""

import re
from base64 import b64decode
from typing import TYPE_CHECKING, Literal

from msgspec import Struct
from msgspec.structs import replace

from iskra_server.codecs.dlms.axdr import read_length
from iskra_server.codecs.errors import Malformed
from iskra_server.meter.reading import Reading

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers.algorithms import AES

_SEPARATORS = re.compile(r"[\s:-]")
_KEY_DIGITS = 32
_HEX = re.compile(rf"[0-9a-f]{{{_KEY_DIGITS}}}", re.ASCII)
_TITLE = re.compile(r"[0-9a-f]{16}", re.ASCII)
_BASE64 = re.compile(r"[A-Za-z0-9+/]{21}[AQgw]==", re.ASCII)
_TAG_LENGTH = 12
_AUTHENTICATED = 0x10
_ENCRYPTED = 0x20
_COMPRESSED = 0x80
_TITLE_LENGTHS = (0, 8)
_COUNTER_LENGTH = 4
# GCM counts blocks from 1; the first one makes the tag
_FIRST_BLOCK = (2).to_bytes(4)

# the same for all meters of Luxembourg (Smarty P1 specification, 2.3.2)
PUBLIC_AUTHENTICATION = bytes.fromhex("00112233445566778899AABBCCDDEEFF")

NO_TAG = "no tag, though this meter sends one"
# what the tag says of the content: "none" was sent, or no key is set that could check it
Proof = Literal["proved", "wrong", "unchecked", "none"]


def refused(proof: Proof, *, was_proved: bool) -> str:
    """Why a telegram is not authentic, "" if it may be. `was_proved`: a tag has proved one of this meter before."""
    if proof == "wrong" or (proof == "unchecked" and was_proved):
        return "the tag does not fit the authentication key"
    return NO_TAG if proof == "none" and was_proved else ""


def with_proof(reading: Reading, proof: Proof) -> Reading:
    """The reading, marked with what its tag proves."""
    if proof == "proved":
        return replace(reading, protection="tag")
    return replace(reading, has_unchecked_tag=True) if proof == "unchecked" else reading


class Sealed(Struct, frozen=True, gc=False):
    """An encrypted telegram, or a clear one with a tag."""

    title: bytes
    control: int
    counter: int
    content: bytes
    tag: bytes

    @property
    def is_encrypted(self) -> bool:
        return bool(self.control & _ENCRYPTED)


class Keys(Struct, frozen=True):
    """The keys of one meter, 16 bytes each; b"" for none. `title` is for meters that do not send their system title."""

    encryption: bytes = b""
    authentication: bytes = b""
    title: bytes = b""

    def __repr__(self) -> str:
        return "Keys(***)"


# of the Green Book: published, for simulated and masked telegrams
TEST_KEYS = Keys(bytes(range(16)), bytes(range(0xD0, 0xE0)))


def key(text: str) -> bytes:
    """A key as operators print it: 32 hex digits, perhaps with 0x, blanks, colons or dashes; or base64 of 16 bytes.

    Raises ValueError, whose text does not hold the key.
    """
    plain = _SEPARATORS.sub("", text.strip()).lower().removeprefix("0x")
    if _HEX.fullmatch(plain):
        return bytes.fromhex(plain)
    if _BASE64.fullmatch(text.strip()):
        return b64decode(text.strip())
    others = " that are not all such digits" if len(plain) == _KEY_DIGITS else ""
    raise ValueError(f"is no key: it has {len(plain)} characters{others}, expected 32 hex digits (0-9, a-f)")


def system_title(text: str) -> bytes:
    """16 hex digits, as in `key`. Raises ValueError."""
    plain = _SEPARATORS.sub("", text).lower().removeprefix("0x")
    if _TITLE.fullmatch(plain):
        return bytes.fromhex(plain)
    raise ValueError(f"is no system title: it has {len(plain)} characters, expected 16 hex digits (0-9, a-f)")


def parse(apdu: bytes) -> Sealed:
    """The fields of a general-glo-ciphering APDU. Raises Malformed."""
    try:
        title_length = apdu[1]
    except IndexError:
        raise Malformed("the encrypted telegram is cut off") from None
    if title_length not in _TITLE_LENGTHS:
        raise Malformed(f"a system title of {title_length} bytes, expected 8")
    length, start = read_length(apdu, 2 + title_length)
    if start + length != len(apdu):
        raise Malformed(f"the encrypted part claims {length} bytes, {len(apdu) - start} are left")
    control = apdu[start] if length else 0
    tag_length = _TAG_LENGTH if control & _AUTHENTICATED else 0
    content = start + 1 + _COUNTER_LENGTH
    if content + tag_length >= len(apdu):
        raise Malformed("the encrypted part is shorter than its head")
    if control & _COMPRESSED:
        raise Malformed(f"the content is compressed (security control {control:02x})")
    end = len(apdu) - tag_length
    return Sealed(
        apdu[2 : 2 + title_length], control, int.from_bytes(apdu[start + 1 : content]), apdu[content:end], apdu[end:]
    )


class Opener:
    """Deciphers with the keys of one meter. Raises ImportError where a key is set and `cryptography` is missing."""

    def __init__(self, keys: Keys) -> None:
        self._keys = keys
        self._aes = _aes(keys.encryption) if keys.encryption else None

    def can_open(self, sealed: Sealed) -> bool:
        """False where a key is needed that is not set."""
        return not sealed.is_encrypted or (self._aes is not None and bool(sealed.title or self._keys.title))

    def open(self, sealed: Sealed) -> tuple[bytes, Proof]:
        """The content in clear, and what the tag proves; only where `can_open`."""
        iv = (sealed.title or self._keys.title) + sealed.counter.to_bytes(_COUNTER_LENGTH)
        if sealed.tag and self._aes is not None:
            return self._checked(self._aes, iv, sealed)
        proof: Proof = "unchecked" if sealed.tag else "none"
        if not sealed.is_encrypted or self._aes is None:
            return sealed.content, proof
        from cryptography.hazmat.primitives.ciphers import Cipher, modes  # noqa: PLC0415

        decryptor = Cipher(self._aes, modes.CTR(iv + _FIRST_BLOCK)).decryptor()
        return decryptor.update(sealed.content), proof

    def _checked(self, aes: "AES", iv: bytes, sealed: Sealed) -> tuple[bytes, Proof]:
        """The content even where the tag is wrong: it tells which of the two keys is."""
        control = bytes((sealed.control,))
        if self._keys.authentication:
            return self._by_tag(aes, iv, sealed, control + self._keys.authentication)
        for aad in (b"", control + PUBLIC_AUTHENTICATION):
            content, proof = self._by_tag(aes, iv, sealed, aad)
            if proof == "proved":
                return content, proof
        return content, "unchecked"

    def _by_tag(self, aes: "AES", iv: bytes, sealed: Sealed, aad: bytes) -> tuple[bytes, Proof]:
        from cryptography.exceptions import InvalidTag  # noqa: PLC0415
        from cryptography.hazmat.primitives.ciphers import Cipher, modes  # noqa: PLC0415

        decryptor = Cipher(aes, modes.GCM(iv, sealed.tag, min_tag_length=_TAG_LENGTH)).decryptor()
        decryptor.authenticate_additional_data(aad)
        content = sealed.content
        if sealed.is_encrypted:
            content = decryptor.update(content)
        else:
            decryptor.authenticate_additional_data(content)
        try:
            decryptor.finalize()
        except InvalidTag:
            return content, "wrong"
        return content, "proved"


def _aes(key: bytes) -> "AES":
    from cryptography.hazmat.primitives.ciphers.algorithms import AES  # noqa: PLC0415

    return AES(key)


class Counters:
    """The invocation counters of one stream: they rise with each telegram (IEC 62056-5-3, 5.3.2).

    A lower one is a replay, or the meter has restarted its counter. After three telegrams whose counters rise, and
    whose own times rise too, it is the latter. Where no tag proves a telegram, its time must not jump either.
    """

    _REBASE_AFTER = 3
    _MAX_STEP_S = 86_400

    def __init__(self) -> None:
        self._title = b""
        self._last = -1
        self._last_s: int | None = None
        self._refused: tuple[int, int] | None = None
        self._refused_count = 0

    def is_repeat(self, sealed: Sealed) -> bool:
        """Whether this telegram was accepted just before: some meters send each one twice."""
        return sealed.title == self._title and sealed.counter == self._last

    def problem(self, sealed: Sealed, seconds: int | None, proof: Proof) -> str:
        """Why a telegram that was deciphered does not count, "" if it does; `seconds` is its own time."""
        problem = self._problem(sealed, seconds, proof) if sealed.title == self._title else ""
        if problem and not self._has_rebased(sealed, seconds):
            return problem
        self._title, self._last, self._last_s, self._refused = sealed.title, sealed.counter, seconds, None
        return ""

    def _problem(self, sealed: Sealed, seconds: int | None, proof: Proof) -> str:
        if sealed.counter <= self._last:
            return f"counter {sealed.counter} was passed before"
        if proof == "proved" or seconds is None or self._last_s is None:
            return ""
        is_near = abs(seconds - self._last_s) <= self._MAX_STEP_S
        return "" if is_near else "its time is more than a day from that of the telegram before"

    def _has_rebased(self, sealed: Sealed, seconds: int | None) -> bool:
        before, self._refused = self._refused, None if seconds is None else (sealed.counter, seconds)
        rises = before and self._refused and before[0] < self._refused[0] and before[1] < self._refused[1]
        self._refused_count = self._refused_count + 1 if rises else 1
        return bool(rises) and self._refused_count >= self._REBASE_AFTER
