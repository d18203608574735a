"""Telegrams to bytes: the inverse of the decoder, for the simulator and for tests.

stream = hdlc(seal(notification(body, clock), ...))
"""

from collections.abc import Iterator

from iskra_server.codecs.checksum import checksum
from iskra_server.codecs.dlms import axdr
from iskra_server.codecs.dlms.axdr import Element
from iskra_server.codecs.dlms.notification import CIPHERED, DATE_TIME_LENGTH, NOTIFICATION
from iskra_server.codecs.dlms.security import Keys
from iskra_server.meter.obis import Obis
from iskra_server.meter.units import Unit

_LLC = b"\xe6\xe7\x00"
_FLAG = b"\x7e"
# of an AM550: to client 103, from logical device 17
ADDRESSES = bytes.fromhex("cf0223")
_UNNUMBERED = 0x03
_FINAL = 0x10
_SUM = 2
_MAX_MBUS_DATA = 245
_TAG_LENGTH = 12


def octet_string(value: bytes) -> Element:
    return Element(axdr.OCTETS, value)


def code(text: str) -> Element:
    """An OBIS code as an element of a list."""
    return octet_string(bytes(Obis.parse(text)))


def u1(value: int) -> Element:
    return Element(axdr.UINT8, value)


def u2(value: int) -> Element:
    return Element(axdr.UINT16, value)


def u4(value: int) -> Element:
    return Element(axdr.UINT32, value)


def structure(*items: Element) -> Element:
    return Element(axdr.STRUCTURE, items)


def array(*items: Element) -> Element:
    return Element(axdr.ARRAY, items)


def scale(scaler: int, unit: Unit | int) -> Element:
    """Scaler and unit, as tagged lists carry them."""
    return structure(Element(axdr.INT8, scaler), Element(axdr.ENUM, int(unit)))


def descriptor(interface_class: int, text: str, attribute: int = 2) -> Element:
    """One row of what describes a list."""
    return structure(u2(interface_class), code(text), Element(axdr.INT8, attribute), u2(0))


def notification(body: Element, clock: bytes = b"", invoke_id: int = 1) -> bytes:
    """A Data-Notification; `clock` is a date-time of 12 bytes, or none."""
    time = bytes((len(clock),)) + clock if clock else b"\0"
    assert len(clock) in (0, DATE_TIME_LENGTH)
    return bytes((NOTIFICATION,)) + invoke_id.to_bytes(4) + time + element(body)


def element(value: Element) -> bytes:
    """A value with its tag."""
    tag, content = value.tag, value.value
    head = bytes((tag,))
    if isinstance(content, tuple):
        return head + _length(len(content)) + b"".join(map(element, content))
    if isinstance(content, bool):
        return head + bytes((content,))
    if isinstance(content, int):
        width, signed = axdr.INTEGERS[tag]
        return head + content.to_bytes(width, signed=signed)
    if content is None:
        return head
    if tag == axdr.BITS:
        return head + _length(8 * len(content)) + content
    return head + (b"" if tag in axdr.RAW else _length(len(content))) + content


def seal(apdu: bytes, title: bytes, counter: int, keys: Keys, control: int = 0x30) -> bytes:
    """An APDU as general-glo-ciphering; needs the library `cryptography` unless `control` is 0, which is clear."""
    if not control:
        return _general_glo(title, bytes((control,)) + counter.to_bytes(4) + apdu)
    from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes  # noqa: PLC0415

    encryptor = Cipher(algorithms.AES(keys.encryption), modes.GCM(title + counter.to_bytes(4))).encryptor()
    encryptor.authenticate_additional_data(bytes((control,)) + keys.authentication)
    content = apdu
    if control & 0x20:
        content = encryptor.update(apdu)
    else:
        encryptor.authenticate_additional_data(apdu)
    encryptor.finalize()
    tag = encryptor.tag[:_TAG_LENGTH] if control & 0x10 else b""
    return _general_glo(title, bytes((control,)) + counter.to_bytes(4) + content + tag)


def _general_glo(title: bytes, sealed: bytes) -> bytes:
    return bytes((CIPHERED, len(title))) + title + _length(len(sealed)) + sealed


def hdlc(apdu: bytes, segment: int = 2000, addresses: bytes = ADDRESSES, *, shares_flags: bool = False) -> bytes:
    """The HDLC frames of an APDU, at most `segment` bytes of information in each."""
    information = _LLC + apdu
    parts = [information[at : at + segment] for at in range(0, len(information), segment)]
    frames = [hdlc_frame(part, addresses, is_segment=part is not parts[-1]) for part in parts]
    return frames[0] + b"".join(frame[shares_flags:] for frame in frames[1:])


def hdlc_frame(information: bytes, addresses: bytes = ADDRESSES, *, is_segment: bool = False) -> bytes:
    control = bytes((_UNNUMBERED | (0 if is_segment else _FINAL),))
    length = 2 + len(addresses) + 1 + _SUM + len(information) + _SUM
    head = (0xA000 | (0x0800 if is_segment else 0) | length).to_bytes(2) + addresses + control
    frame = head + checksum(head) + information
    return _FLAG + frame + checksum(frame) + _FLAG


def blocks(apdu: bytes, size: int) -> Iterator[bytes]:
    """The APDUs of a general block transfer, `size` bytes of the whole in each."""
    parts = [apdu[at : at + size] for at in range(0, len(apdu), size)]
    for number, part in enumerate(parts, 1):
        control = 0xC0 if number == len(parts) else 0x40
        yield bytes((0xE0, control)) + number.to_bytes(2) + bytes(2) + _length(len(part)) + part


def mbus(apdu: bytes, size: int = _MAX_MBUS_DATA) -> bytes:
    """The M-Bus frames of an APDU, at most `size` bytes of it in each; above 250 the length overflows."""
    parts = [apdu[at : at + size] for at in range(0, len(apdu), size)]
    return b"".join(mbus_frame(part, number, is_last=number == len(parts) - 1) for number, part in enumerate(parts))


def mbus_frame(data: bytes, number: int, *, is_last: bool) -> bytes:
    content = bytes((0x53, 0xFF, number | (0x10 if is_last else 0), 0x01, 0x67)) + data
    length = len(content) & 0xFF
    return bytes((0x68, length, length, 0x68)) + content + bytes((sum(content) & 0xFF, 0x16))


def _length(length: int) -> bytes:
    if length < 0x80:
        return bytes((length,))
    return b"\x81" + bytes((length,)) if length <= 0xFF else b"\x82" + length.to_bytes(2)
