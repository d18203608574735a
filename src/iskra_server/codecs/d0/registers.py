"""Registers that are read one by one in programming mode: seconds where a whole list takes minutes.

Only of models that are known to answer without a password, or that may: then two things must be right in the first
answers, or it is left. A counter stands where the readout said, or a little further, with the same digits; and every
later answer looks like the first one. Only codes that the readout has listed are asked for.
"""

from msgspec.structs import replace

from iskra_server.codecs.d0.readout import current
from iskra_server.codecs.d0.widths import Widths
from iskra_server.codecs.text.entries import Entries
from iskra_server.meter.obis import Obis
from iskra_server.meter.reading import Reading, Register, on_one_scale
from iskra_server.meter.units import WATT_HOUR

# seen with an ME162; the MT174 is of the same family
MODELS = ("ME162", "MT173", "MT174")
_WANTED = tuple(
    map(
        Obis.parse,
        ("1.8.0", "2.8.0", "1.7.0", "2.7.0", "16.7.0", "31.7.0", "51.7.0", "71.7.0", "32.7.0", "52.7.0", "72.7.0"),
    )
)
# from a readout to the first answers
_FURTHEST_WH = 10_000


class Registers:
    """What may be asked of one meter. `codes` is empty where only readouts count."""

    def __init__(self) -> None:
        self.codes: tuple[str, ...] = ()
        self.ident = ""
        self._is_proved = False
        self._is_refused = False
        self._listed: Reading | None = None
        self._entries = Entries()
        self._widths = Widths()

    def learn(self, ident: str, listed: Reading) -> None:
        """A good readout: what it lists may be asked for."""
        if self._is_refused or not any(model in ident for model in MODELS):
            return
        if ident != self.ident:
            self._is_proved, self._widths = False, Widths()
        self.ident, self._listed = ident, listed
        sent = {register.obis for register in listed.numbers()}
        self.codes = tuple(f"{obis[2]}.{obis[3]}.{obis[4]}" for obis in _WANTED if obis in sent)
        if not any(self._counters()):
            self.codes = ()

    def leave(self) -> None:
        """It did not work: a readout comes first again, and nothing but readouts where it has never worked."""
        self.codes = ()
        self._is_refused = not self._is_proved

    def reading(self, answers: dict[str, str]) -> Reading | None:
        """The reading in the answers, "(0033402.264*kWh)" by code; None where they cannot be right."""
        listed = self._listed
        text = "\r\n".join(f"{code}{answer}" for code, answer in answers.items() if answer.startswith("("))
        entries = current(self._entries.read(text))
        registers = tuple(entry.register for entry in entries if entry.register and entry.register.value is not None)
        if listed is None or not registers or not self._widths.fit(self.ident, entries):
            return None
        if not self._is_proved and not self._follow(registers):
            return None
        self._is_proved = True
        # "(ERROR)": a register that cannot be read alone
        sent = {register.obis for register in registers}
        self.codes = tuple(code for code in self.codes if Obis.parse(code) in sent)
        return replace(listed, registers=registers, meter_time=None, byte_count=sum(map(len, answers.values())))

    def _counters(self) -> list[Register]:
        numbers = self._listed.numbers() if self._listed else ()
        return [register for register in numbers if register.unit == WATT_HOUR and register.obis in _WANTED]

    def _follow(self, registers: tuple[Register, ...]) -> bool:
        """Whether the answers go on from where the readout was."""
        before = {register.obis: register for register in self._counters()}
        counters = [register for register in registers if register.obis in before]
        return bool(counters) and all(_goes_on(before[register.obis], register) for register in counters)


def _goes_on(before: Register, now: Register) -> bool:
    if (before.scaler, before.unit) != (now.scaler, now.unit):
        return False
    last, value, scaler = on_one_scale(before, now)
    return 0 <= value - last <= _FURTHEST_WH * 10**-scaler if scaler <= 0 else 0 <= value - last <= 1
