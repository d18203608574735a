"""Single registers read in programming mode (R1): a second instead of minutes for a whole list.

Only for models that answer without a password, and only codes that the readout listed. The first answers must prove
it: each counter equals the readout or is at most 10 kWh further, with the same resolution. Later answers must have the
same number of digits.
"""

from msgspec.structs import replace

from iskra_server.codecs.d0.readout import current
from iskra_server.codecs.text.entries import Entries
from iskra_server.codecs.text.widths import Widths
from iskra_server.meter.obis import Obis
from iskra_server.meter.reading import Reading, Register, on_one_scale
from iskra_server.meter.units import WATT_HOUR

# seen with an ME162; the MT173 and MT174 are of the same family
MODELS = ("ME162", "MT173", "MT174")
_WANTED = tuple(
    map(
        Obis.parse,
        ("1.8.0", "2.8.0", "1.7.0", "2.7.0", "16.7.0", "31.7.0", "51.7.0", "71.7.0", "32.7.0", "52.7.0", "72.7.0"),
    )
)
# the maximum growth between a readout and the first answers
_FURTHEST_WH = 10_000


class Registers:
    """The registers of one meter that R1 may read. `codes` is empty if only readouts are allowed."""

    def __init__(self) -> None:
        self.codes: tuple[str, ...] = ()
        self.ident = ""
        self._is_proved = False
        self._is_refused = False
        self._readout: Reading | None = None
        self._entries = Entries()
        self._widths = Widths()

    def learn(self, ident: str, readout: Reading) -> None:
        """Allow the codes of a valid readout."""
        if self._is_refused or not any(model in ident for model in MODELS):
            return
        if ident != self.ident:
            self._is_proved, self._widths = False, Widths()
        self.ident, self._readout = ident, readout
        listed = {register.obis for register in readout.numbers()}
        self.codes = tuple(f"{obis[2]}.{obis[3]}.{obis[4]}" for obis in _WANTED if obis in listed)
        if not any(self._counters()):
            self.codes = ()

    def give_up(self) -> None:
        """Require a readout before the next R1; never use R1 again if it has never worked."""
        self.codes = ()
        self._is_refused = not self._is_proved

    def reading(self, answers: dict[str, str]) -> Reading | None:
        """The reading in the answers by code, such as "(0033402.264*kWh)"; None if they are implausible."""
        readout = self._readout
        text = "\r\n".join(f"{code}{answer}" for code, answer in answers.items() if answer.startswith("("))
        entries = current(self._entries.read(text))
        registers = tuple(entry.register for entry in entries if entry.register and entry.register.value is not None)
        if readout is None or not registers or not self._widths.check(self.ident, entries):
            return None
        if not self._is_proved and not self._follow(registers):
            return None
        self._is_proved = True
        # not again those that answered "(ERROR)"
        answered = {register.obis for register in registers}
        self.codes = tuple(code for code in self.codes if Obis.parse(code) in answered)
        return replace(
            readout, registers=registers, meter_time=None, byte_count=sum(map(len, answers.values())), repeated=()
        )

    def _counters(self) -> list[Register]:
        numbers = self._readout.numbers() if self._readout else ()
        return [register for register in numbers if register.unit == WATT_HOUR and register.obis in _WANTED]

    def _follow(self, registers: tuple[Register, ...]) -> bool:
        """Whether every counter continues from the readout."""
        before = {register.obis: register for register in self._counters()}
        counters = [register for register in registers if register.obis in before]
        return bool(counters) and all(_continues(before[register.obis], register) for register in counters)


def _continues(before: Register, now: Register) -> bool:
    if (before.scaler, before.unit) != (now.scaler, now.unit):
        return False
    last, value, scaler = on_one_scale(before, now)
    return 0 <= value - last <= _FURTHEST_WH * 10**-scaler if scaler <= 0 else 0 <= value - last <= 1
