"""Other settings of a serial line, suggested by bytes that no decoder understands."""

from iskra_server.codecs.sml.encoder import START
from iskra_server.codecs.wire import READ_AT, received, slower_speed
from iskra_server.sources.source import LineSettings

# fewer bytes look like anything
_MIN_BYTES = 16
_SML_SPEEDS = (1200, 2400, 4800, 19_200)
_SLOWER_SPEEDS = (300, 1200, 2400, 4800, 9600, 38_400)
# M-Bus and HDLC at this speed have a parity bit; text has seven bits and one
_WITH_PARITY = LineSettings(2400, "8E1")


def suggested_settings(data: bytes, settings: LineSettings) -> LineSettings | None:
    """None where the bytes look like none in particular, or like those of a faster line: these look like noise."""
    if len(data) < _MIN_BYTES:
        return None
    if settings.baud == READ_AT:
        for speed in _SML_SPEEDS:
            if any(received(START, speed, resyncs=resyncs) in data for resyncs in (True, False)):
                return LineSettings(speed)
    slower = slower_speed(data, settings.baud, _SLOWER_SPEEDS)
    if slower is None:
        return None
    # from far above, all slow lines look alike
    slower = max(slower, READ_AT) if settings.baud > READ_AT else slower
    return _WITH_PARITY if slower == _WITH_PARITY.baud else LineSettings(slower)
