"""The identity of a meter: its server id, and the identification of DIN 43863-5 that is printed on its label.

09|0A 01 49 53 4B 00 04 31 6B 61
|     |  |        |  |__________ serial number, 8 decimal digits
|     |  |        |_____________ fabrication block (hex)
|     |  |______________________ maker, three letters (FLAG id)
|     |_________________________ medium, 1 = electricity
|_______________________________ length of the identification
"""

import re

from msgspec import Struct
from msgspec.structs import replace

from iskra_server.meter.obis import Obis
from iskra_server.meter.reading import Reading

_LENGTH_MARKS = (0x09, 0x0A)
# a name is part of addresses
_NOT_IN_NAME = re.compile(r"[^A-Za-z0-9._-]+")
# longer names are cut
MAX_NAME = 48
_BYTES = 10
_LABEL = re.compile(r"([0-9A-F]) ([A-Z]{3}) ([0-9A-F]{2}) (\d{8})", re.ASCII)
_HEX = re.compile(r"(?:[0-9a-f]{2})+", re.ASCII)
_FAMILIES = {
    Obis.parse("129-129:199.130.3*255"): "MT175/MT681",
    Obis.parse("1-0:96.50.1*1"): "MT631/MT691",
}


class Identity(Struct, frozen=True):
    """`meter_id` and `server_id` as in `Reading`. Without DIN 43863-5 the server id is what names the meter."""

    meter_id: str
    server_id: bytes


UNKNOWN = Identity("unknown", b"")


def din_identity(medium: str, letters: str, block: str, serial: int) -> Identity:
    """The identity behind an identification of DIN 43863-5: medium and block in hex, maker, serial of 8 digits."""
    server_id = bytes((0x0A, int(medium, 16))) + letters.encode() + bytes.fromhex(block) + serial.to_bytes(4)
    return Identity(meter_id(server_id), server_id)


def label(server_id: bytes) -> str | None:
    """The form on the label, "1 ISK 00 70347617"; None where a server id does not follow DIN 43863-5."""
    maker = server_id[2:5]
    if len(server_id) != _BYTES or server_id[0] not in _LENGTH_MARKS or not maker.isalpha() or not maker.isascii():
        return None
    serial = int.from_bytes(server_id[6:])
    if serial > 99_999_999:
        return None
    return f"{server_id[1]:X} {maker.decode().upper()} {server_id[5]:02X} {serial:08d}"


def meter_id(server_id: bytes) -> str:
    """The id of a meter everywhere: its label, else the server id in hex, "unknown" without one."""
    return label(server_id) or server_id.hex() or "unknown"


def server_id(meter_id: str) -> bytes:
    """The server id behind the id of a meter, b"" for none: the inverse of `meter_id`, of a name its characters."""
    if match := _LABEL.fullmatch(meter_id):
        return din_identity(match[1], match[2], match[3], int(match[4])).server_id
    if not meter_id or meter_id == UNKNOWN.meter_id:
        return b""
    return bytes.fromhex(meter_id) if _HEX.fullmatch(meter_id) else meter_id.encode("latin-1", "replace")


def at_port(reading: Reading, port: str) -> Reading:
    """The reading; of a meter that sends no number of its own, with its port in its name.

    Two meters of one model that only name the model must never be taken for one.
    """
    if reading.server_id:
        return reading
    place = _NOT_IN_NAME.sub("-", port.rsplit("://", maxsplit=1)[-1].removeprefix("/dev/")).strip("-") or "port"
    name = f"{reading.meter_id} at {place}"
    return replace(reading, meter_id=name, server_id=name.encode())


def compact_name(name: str) -> str:
    """A name without spaces, in lower case: two names that are equal in this form mean the same meter."""
    return "".join(name.split()).lower()


def maker(reading: Reading) -> str | None:
    """The maker's three letters as the meter sends them ("ISK"), else those of a DIN 43863-5 server id."""
    for obis in _FAMILIES:
        register = reading.get(obis)
        if register and register.text:
            return register.text
    text = label(reading.server_id)
    return text.split(" ")[1] if text else None


def family(reading: Reading) -> str | None:
    """The ISKRA model family, known by the register with the maker; None for other makers."""
    if maker(reading) != "ISK":
        return None
    return next((name for obis, name in _FAMILIES.items() if reading.get(obis)), None)
