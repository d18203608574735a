"""All simulated meters: how they are connected, how often they send, and what writes their telegrams.

A meter that is polled (D0) sends nothing on a serial line before it is asked; as a source it delivers a readout at each
poll. The layouts are those of real telegrams, except where a comment says "derived".
"""

from collections.abc import Callable, Iterator
from difflib import get_close_matches
from functools import partial

from iskra_server.codecs.d0.speeds import baud
from iskra_server.codecs.decoder import DECODERS, Decoder
from iskra_server.simulator import d0_lists, dlms_lists, p1_lists
from iskra_server.simulator.dlms_lists import AUTH_KEY, AUTHENTICATED, CLEAR, ENCRYPTED, KEY
from iskra_server.simulator.simulated_meter import BALCONY_W, ROOF_W, Polled, Profile, Write
from iskra_server.simulator.sml_telegram import writer
from iskra_server.sources.source import LineSettings

DEFAULT = "MT175"
# of the letters: MT176 is like MT175, MT999 like none
_SIMILAR = 0.7
_300, _9600 = LineSettings(300, "7E1"), LineSettings(9600, "7E1")
_FAST = LineSettings(115_200)
_MBUS = LineSettings(2400, "8E1")


def _sml(name: str, summary: str, interval_s: int, pv_peak_w: int = 0, unlocked: str = "") -> Profile:
    return Profile(name, summary, "sml", interval_s, writer(name), pv_peak_w=pv_peak_w, unlocked=unlocked)


def _d0(name: str, summary: str, interval_s: int, polled: Polled) -> Profile:
    write = d0_lists.readout(polled.ident, polled.lines)
    return Profile(name, summary, "d0", interval_s, write, _300, ROOF_W, polled=polled)


def _p1(name: str, summary: str, interval_s: int, ident: str, lines: p1_lists.Lines) -> Profile:
    return Profile(name, summary, "p1", interval_s, p1_lists.telegram(ident, lines), _FAST, ROOF_W)


def _dlms(
    name: str,
    summary: str,
    interval_s: int,
    push: Callable[[int | None], Write],
    *,
    control: int,
    line: LineSettings = _FAST,
) -> Iterator[Profile]:
    """The same meter clear and encrypted.

    Operators that always encrypt leave the identity to the system title: their lists have it when they are clear, too.
    """
    clear = push(None if control == AUTHENTICATED else CLEAR)
    yield Profile(name, summary, "dlms", interval_s, clear, line, ROOF_W)
    yield Profile(
        f"{name}-encrypted",
        f"the same, encrypted{' and with a tag' if control == AUTHENTICATED else ''}",
        "dlms",
        interval_s,
        push(control),
        line,
        ROOF_W,
        key=KEY.hex(),
        auth_key=AUTH_KEY.hex() if control == AUTHENTICATED else "",
    )


_ALL = (
    _sml("MT175-locked", "Germany, before its PIN is entered: whole kWh", 1, BALCONY_W, "MT175-one-way"),
    _sml("MT175-one-way", "Germany, import, total and phase power", 1, BALCONY_W),
    _sml("MT175", "Germany, import and export, total and phase power", 1, ROOF_W),
    _sml("MT681", "Germany, import and export, total power", 2, ROOF_W),
    _sml("MT681-2012", "Germany, one of the first: import, power under older codes", 2),
    _sml("MT631-locked", "Germany, before its PIN is entered: whole kWh", 1, BALCONY_W, "MT631-two-way"),
    _sml("MT631-one-way", "Germany, import in two tariffs, total power", 1, BALCONY_W),
    _sml("MT631-two-way", "Germany, import and export, total power", 1, ROOF_W),
    _sml("MT691", "Germany, import and export, total power", 1, ROOF_W),
    _d0("MT171", "Germany, Austria: whole kWh, no power", 10, Polled("ISk5MT171-0033", d0_lists.mt171)),
    _d0(
        "MT174",
        "Germany, Austria: 343 lines, 15 months of history, power",
        30,
        Polled("ISk5MT174-0001", d0_lists.mt174, answers_registers=True),
    ),
    _d0(
        "MT174-short",
        "Germany, Austria: date, time, import and export alone",
        10,
        Polled("ISk5MT174-0002", d0_lists.mt174_short),
    ),
    _d0(
        "ME162",
        "Germany, one phase: no power, answers for single registers",
        10,
        Polled("ISK5ME162-0033", d0_lists.me162, answers_registers=True),
    ),
    _d0(
        "ME172",
        "Germany, one phase: tariffs, history in a ring, no power",
        10,
        Polled("ISk5ME172-0000", d0_lists.me172),
    ),
    _d0(
        "MT382",
        "several countries: eight tariffs in steps of 10 Wh, power",
        10,
        Polled(r"ISK5\2MT382-1008", d0_lists.mt382),
    ),
    Profile(
        "MT382-P1",
        "Netherlands (DSMR 3), no checksum, with gas",
        "p1",
        10,
        p1_lists.seven_bit_telegram(r"ISk5\2MT382-1003", p1_lists.dsmr3),
        _9600,
        ROOF_W,
    ),
    _p1("M550", "Netherlands (DSMR 5), tariffs, each phase, with gas", 1, r"ISK5\2M550T-1012", p1_lists.dsmr5),
    _p1("IE.5", "Belgium, tariffs, each phase", 1, r"ISk5\2MIE5T-200", p1_lists.belgium),
    _p1("AM550-SE", "Sweden, totals, reactive power, each phase", 10, r"ISk5\2M550T-2006", p1_lists.sweden),
    Profile(
        "M551T",
        "Slovenia, no checksum: totals, tariffs, each phase",
        "p1",
        10,
        p1_lists.unchecked_telegram(r"ISK9\2M551T-200", p1_lists.slovenia),
        _FAST,
        ROOF_W,
    ),
    Profile(
        "Smarty",
        "Luxembourg, encrypted: totals, reactive power, each phase",
        "p1",
        10,
        p1_lists.sealed_telegram(r"Lux5\253700001_M", p1_lists.luxembourg),
        _FAST,
        ROOF_W,
        key=KEY.hex(),
    ),
    *_dlms(
        "AM550-KELAG",
        "Austria, Kärnten: energies and power",
        1,
        partial(dlms_lists.push, dlms_lists.kelag),
        control=ENCRYPTED,
    ),
    *_dlms(
        "AM550-Wien",
        "Austria, Wiener Netze, infrared port: energies and power",
        1,
        partial(dlms_lists.push, dlms_lists.vienna),
        control=ENCRYPTED,
        line=LineSettings(),
    ),
    *_dlms(
        "AM550-CH",
        "Switzerland: energies, tariffs, each phase",
        5,
        partial(dlms_lists.push, dlms_lists.switzerland),
        control=AUTHENTICATED,
    ),
    *_dlms(
        "AM550-SI",
        "Slovenia: energies, tariffs and power",
        1,
        partial(dlms_lists.push, dlms_lists.slovenia),
        control=AUTHENTICATED,
    ),
    *_dlms(
        "AM550-Ljubljana",
        "Slovenia: power every 5 s, energies every 15 minutes",
        5,
        partial(dlms_lists.push, dlms_lists.ljubljana),
        control=AUTHENTICATED,
    ),
    *_dlms(
        "IE.5-HEP",
        "Croatia: energies, tariffs, each phase",
        5,
        partial(dlms_lists.push, dlms_lists.croatia),
        control=AUTHENTICATED,
    ),
    *_dlms(
        "NetzNOE",
        "Austria, Netz NÖ, M-Bus (Kaifa): energies, each phase",
        5,
        partial(dlms_lists.push, dlms_lists.lower_austria, frame=dlms_lists.mbus, title=dlms_lists.kaifa_title),
        control=ENCRYPTED,
        line=_MBUS,
    ),
)
PROFILES = {profile.name: profile for profile in _ALL}
_TITLES = {"sml": "SML", "d0": "D0, polled", "p1": "P1", "dlms": "DLMS"}


def by_protocol() -> dict[str, list[Profile]]:
    """The profiles under the title of their protocol."""
    return {title: [profile for profile in _ALL if profile.protocol == protocol] for protocol, title in _TITLES.items()}


def readout_line(model: Profile) -> LineSettings:
    """The line while telegrams are sent: a polled meter switches to the speed of its identification."""
    return LineSettings(baud(model.polled.ident[3]), model.line.format) if model.polled else model.line


def line_of(model: Profile) -> str:
    """Speed and format, such as 115200 8N1; of a polled meter also the speed to which both switch."""
    fast = f" to {readout_line(model).baud}" if model.polled else ""
    return f"{model.line.baud}{fast} {model.line.format}"


def profile(name: str) -> Profile:
    """The profile of that name in any case; ValueError lists names like it, else all."""
    match = next((profile for profile in _ALL if profile.name.casefold() == name.casefold()), None)
    if match is None:
        names = _similar(name) or PROFILES
        raise ValueError(f"no simulator profile is called '{name}'; choose one of {', '.join(names)}")
    return match


def _similar(name: str) -> list[str]:
    """The profiles with this in their name, else those that are spelled nearly so."""
    wanted = name.casefold()
    by_folded = {known.casefold(): known for known in PROFILES}
    parts = [known for folded, known in by_folded.items() if wanted in folded] if wanted else []
    return parts or [by_folded[folded] for folded in get_close_matches(wanted, by_folded, cutoff=_SIMILAR)]


def decoder(model: Profile) -> Decoder:
    """A decoder for its telegrams, with its keys."""
    if not model.key:
        return DECODERS[model.protocol]()
    from iskra_server.codecs.dlms.decoder import DlmsDecoder  # noqa: PLC0415
    from iskra_server.codecs.dlms.security import Keys  # noqa: PLC0415

    return DlmsDecoder(Keys(bytes.fromhex(model.key), bytes.fromhex(model.auth_key)))
