"""Data-Notification: what a meter pushes, once it is deciphered and put together (IEC 62056-5-3).

0F | invoke id 4 | date-time | body          date-time: 00 (absent), 0C + 12 bytes, or 09 0C + 12 bytes (Kaifa)

date-time  year 2, month, day, weekday, hour, minute, second, 1/100 s, deviation 2, status
           deviation: minutes from local time to UTC (-60 is UTC+1), 8000 unknown; FF: field not given
           status: 01 time invalid, 80 summer time
"""

import re
from datetime import UTC, datetime

from msgspec import Struct

from iskra_server.codecs.dlms import axdr, untagged
from iskra_server.codecs.dlms.axdr import Element
from iskra_server.codecs.errors import Malformed
from iskra_server.meter.obis import Obis
from iskra_server.meter.reading import MeterTime

# where the clock of a meter stands in a list
CLOCK = Obis.parse("0-0:1.0.0")
CLOCKS = (CLOCK, Obis.parse("0-1:1.0.0"))
NOTIFICATION = 0x0F
CIPHERED = 0xDB
DATE_TIME_LENGTH = 12
_TIME_AT = 5
_NOT_GIVEN = 0xFF
_UNKNOWN_DEVIATION = -0x8000
_INVALID = 0x01
_SUMMER = 0x80
# FF: not given; FD, FE: last days, changes of season
_DATE_TIME = re.compile(
    rb"(?:\x07[\xb2-\xff]|\x08[\x00-\x33]|\xff\xff)"  # year 1970 to 2099
    rb"[\x01-\x0c\xfd-\xff][\x01-\x1f\xfd-\xff]"  # month, day
    rb"[\x00-\x07\xff]"  # weekday, 1 is Monday; Aidon sends 0
    rb"[\x00-\x17\xff][\x00-\x3b\xff][\x00-\x3b\xff][\x00-\x63\xff]"  # hour, minute, second, 1/100 s
    rb"(?:\xfc[\xb8-\xff]|[\xfd-\xff].|[\x00-\x02].|\x03[\x00-\x48]|\x80\x00)"  # deviation: 14 hours at most
    rb".",  # status
    re.DOTALL,
)


class Notification(Struct, frozen=True, gc=False):
    """`time` is when the meter sent it, None where it does not say; `body_at` the position of its list."""

    time: MeterTime | None
    body: Element
    body_at: int

    @property
    def has_time(self) -> bool:
        """Whether a date-time stands before the list."""
        return self.body_at > _TIME_AT + 1


def parse(apdu: bytes, *, is_strict: bool = False) -> Notification:
    """A whole Data-Notification. Raises Malformed; `is_strict` also for a date-time that cannot be one.

    Strict is for what neither a checksum nor a tag has proved: deciphering with a wrong key gives noise.
    """
    if apdu[:1] != b"\x0f":
        raise Malformed(f"the telegram begins with {apdu[:1].hex() or 'nothing'}, expected 0f")
    start = body_at(apdu, 0)
    if start is None or start >= len(apdu):
        raise Malformed("the telegram ends before its list")
    clock = b"" if start == _TIME_AT + 1 else apdu[start - DATE_TIME_LENGTH : start]
    if is_strict and clock and not is_date_time(clock):
        raise Malformed("the date-time before the list is impossible")
    return Notification(meter_time(clock) if clock else None, _body(apdu, start), start)


def _body(apdu: bytes, at: int) -> Element:
    try:
        return axdr.parse(apdu, at)
    except Malformed as error:
        try:
            return untagged.parse(apdu, at)
        except Malformed:
            raise error from None


def body_at(data: bytes | bytearray, at: int) -> int | None:
    """Where the body of the Data-Notification at `at` begins; None while bytes are missing. Raises Malformed."""
    position = at + _TIME_AT
    if position >= len(data):
        return None
    if data[position] == 0:
        return position + 1
    if data[position] == axdr.OCTETS:
        position += 1
    if position >= len(data):
        return None
    if data[position] != DATE_TIME_LENGTH:
        raise Malformed("no date-time stands before the list")
    end = position + 1 + DATE_TIME_LENGTH
    return end if end <= len(data) else None


def is_date_time(value: bytes) -> bool:
    """Whether 12 bytes can be a date-time: each field in its range or not given."""
    return _DATE_TIME.fullmatch(value) is not None


def meter_time(value: bytes) -> MeterTime | None:
    """A date-time of 12 bytes as time: UTC where the deviation is known, else the clock on the wall.

    None where a field is missing, the date does not exist, or the meter says that its time is invalid.
    """
    if not is_date_time(value):
        return None
    year, deviation, status = int.from_bytes(value[:2]), int.from_bytes(value[9:11], signed=True), value[11]
    month, day, _, hour, minute, second = value[2:8]
    if status != _NOT_GIVEN and status & _INVALID:
        return None
    try:
        seconds = int(datetime(year, month, day, hour, minute, second, tzinfo=UTC).timestamp())
    except ValueError:
        return None
    season = 60 if status != _NOT_GIVEN and status & _SUMMER else 0
    if deviation == _UNKNOWN_DEVIATION:
        return MeterTime("wall", seconds, season_offset_min=season)
    return MeterTime("timestamp", seconds + deviation * 60, -deviation - season, season)
