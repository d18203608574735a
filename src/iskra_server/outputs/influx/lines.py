r"""A sample as one line of the line protocol: every number of a telegram, at the moment of its arrival in ms.

    electricity,meter=1\ ISK\ 00\ 12345678 energy_import=12345678.9,power=321 1795255200123
    gas,meter=G0099000000000029 mbus1_reading=1569.646 1795255200123

The same sample gives the same line, so a database that receives it twice stores it once. The database takes every
number as a float, because a field keeps its type forever; the digits are those of the meter.
"""

from datetime import UTC, datetime, timedelta

from iskra_server.meter.medium import medium
from iskra_server.meter.reading import Sample
from iskra_server.meter.registers import key_of

_ESCAPES = str.maketrans({" ": r"\ ", ",": r"\,", "=": r"\="})
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MS = timedelta(milliseconds=1)


def line(sample: Sample) -> bytes | None:
    """With its newline; None for a telegram without numbers. Points of a simulated meter have the tag `simulated`."""
    fields = {key_of(register.obis): format(register.value, "f") for register in sample.reading.numbers()}
    if not fields:
        return None
    tags = {"meter": sample.reading.meter_id} | ({"simulated": "true"} if sample.simulated else {})
    key = ",".join((medium(sample.reading), *map("=".join, _escaped(tags))))
    values = ",".join(map("=".join, _escaped(fields)))
    return f"{key} {values} {(sample.received_at - _EPOCH) // _MS}\n".encode()


def _escaped(pairs: dict[str, str]) -> list[tuple[str, str]]:
    return [(name.translate(_ESCAPES), text.translate(_ESCAPES)) for name, text in pairs.items()]
