"""Units as meters number them: the DLMS/COSEM unit codes (IEC 62056-6-2, table of enumerated units)."""

# the exponent of ten from Wh to kWh
WH_TO_KWH = -3
SYMBOLS = {
    1: "a",
    2: "mo",
    3: "wk",
    4: "d",
    5: "h",
    6: "min",
    7: "s",
    8: "°",
    9: "°C",
    10: "currency",
    11: "m",
    12: "m/s",
    13: "m³",
    14: "m³ (corrected)",
    15: "m³/h",
    16: "m³/h (corrected)",
    17: "m³/d",
    18: "m³/d (corrected)",
    19: "l",
    20: "kg",
    21: "N",
    22: "Nm",
    23: "Pa",
    24: "bar",
    25: "J",
    26: "J/h",
    27: "W",
    28: "VA",
    29: "var",
    30: "Wh",
    31: "VAh",
    32: "varh",
    33: "A",
    34: "C",
    35: "V",
    36: "V/m",
    37: "F",
    38: "Ω",
    39: "Ωm²/m",
    40: "Wb",
    41: "T",
    42: "A/m",
    43: "H",
    44: "Hz",
    45: "1/Wh",
    46: "1/varh",
    47: "1/VAh",
    48: "V²h",
    49: "A²h",
    50: "kg/s",
    51: "S",
    52: "K",
    53: "1/V²h",
    54: "1/A²h",
    55: "1/m³",
    56: "%",
    57: "Ah",
    60: "Wh/m³",
    61: "J/m³",
    62: "mol %",
    63: "g/m³",
    64: "Pa·s",
    65: "J/kg",
    66: "g/cm²",
    67: "atm",
    70: "dBm",
    71: "dBµV",
    72: "dB",
    253: "reserved",
    254: "other",
    255: "no unit (count)",
}


class Unit(int):
    """A DLMS unit code that knows its symbol; codes outside the table are kept, without a symbol."""

    __slots__ = ()

    @property
    def symbol(self) -> str | None:
        return SYMBOLS.get(self)

    def __str__(self) -> str:
        return self.symbol or f"unit {int(self)}"

    def __repr__(self) -> str:
        return f"Unit({int(self)})"


WATT = Unit(27)
WATT_HOUR = Unit(30)
VOLT_AMPERE_HOUR = Unit(31)
VAR_HOUR = Unit(32)
ENERGIES = frozenset((WATT_HOUR, VOLT_AMPERE_HOUR, VAR_HOUR))
# "no unit": as good as none
NO_UNIT = Unit(255)
_BY_SYMBOL = {symbol: Unit(code) for code, symbol in SYMBOLS.items()}


def unit_named(symbol: str) -> Unit:
    """The unit with this symbol; raises KeyError for one outside the table."""
    return _BY_SYMBOL[symbol]
