"""The identity of a meter that names itself in text (DIN 43863-5, logical device name, serial number).

    1ISK0063000174, 001LOG0065800041    the identification of DIN 43863-5, as hex text or clear
    ISK1030770000001                    logical device name: maker, type 103, function 07, serial number 70000001
    63000174                            serial number alone; with the maker of the identification line

For ISKRA meters all three contain the same eight digits, so a meter has one identity on every interface.
"""

import re
from functools import lru_cache

from iskra_server.base.one_line import one_line
from iskra_server.meter.identity import MAX_NAME, Identity, din_identity

_DIN = re.compile(r"0*([1-9A-F])([A-Z]{3})([0-9A-F]{2})(\d{8})", re.ASCII)
_DEVICE_NAME = re.compile(r"ISK\d{5}(\d{8})", re.ASCII)
_SERIAL = re.compile(r"\d{8}", re.ASCII)
_IDENT = re.compile(r"([A-Za-z]{3}).(?:\\.)*(.*)", re.ASCII | re.DOTALL)
_HEX = re.compile(r"(?:[0-9A-Fa-f]{2}){8,}", re.ASCII)
_ISKRA = "ISK"
_LONGEST = 128


def identity(name: str, maker: str = "") -> Identity | None:
    """The identity behind a name, None if it is empty or all zeros. `maker` has the letters of the identification."""
    # what is cached must be short
    return _identity(name, maker) if len(name) <= _LONGEST else _identity.__wrapped__(name, maker)


# a meter sends its name in each telegram
@lru_cache(maxsize=64)
def _identity(name: str, maker: str) -> Identity | None:
    name = _clear(name.strip())
    if not name.strip("0 "):
        return None
    iskra = _DEVICE_NAME.fullmatch(name) or (_SERIAL.fullmatch(name) if maker.upper() == _ISKRA else None)
    if iskra:
        name = f"1{_ISKRA}00{iskra[0][-8:]}"
    din = _DIN.fullmatch(name)
    if din:
        medium, letters, block, serial = din.groups()
        return din_identity(medium, letters, block, int(serial))
    return _named(f"{maker.upper()} {name}" if maker and name.isdecimal() else name)


def is_din(name: str) -> bool:
    """Whether a name is the identification of DIN 43863-5."""
    return _DIN.fullmatch(_clear(name.strip())) is not None


def of_ident(ident: str) -> Identity | None:
    """The name in an identification line without its "/", maker and model: the last resort.

    All meters of a model share it, so there is no server id.
    """
    form = _IDENT.fullmatch(ident)
    named = _named(f"{form[1].upper()} {form[2]}") if form else None
    return Identity(named.meter_id, b"") if named else None


def maker_of(ident: str) -> str:
    """The maker's three letters in an identification line without its "/"."""
    return ident[:3].upper()


def _named(name: str) -> Identity | None:
    """A name of printable characters, one blank between words."""
    name = one_line(name, MAX_NAME)
    return Identity(name, name.encode("latin-1")) if name else None


def _clear(name: str) -> str:
    """Hex text decoded if it is one of letters and digits, else the name itself."""
    if _HEX.fullmatch(name):
        clear = bytes.fromhex(name)
        if clear.isascii() and clear.strip().isalnum():
            return clear.decode().strip()
    return name
