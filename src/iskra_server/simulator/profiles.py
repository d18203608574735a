"""What each ISKRA model sends: which registers, in which order, as which integers.

A profile is data; telegram.py makes the bytes. The layouts are those of real telegrams, except two marked
"derived". Energy counts in 0.1 Wh and power in W; a locked meter divides by 10,000 and sends whole kWh.
"""

from collections.abc import Callable

from msgspec import Struct

from iskra_server.codecs.sml import tlv
from iskra_server.meter.obis import Obis
from iskra_server.meter.units import WATT, WATT_HOUR, Unit
from iskra_server.simulator.household import TENTH_WH, State

Amount = Callable[[State], int]

ROOF_W = 5000
BALCONY_W = 600
# 20 mA at 230 V: the start current of a 5 A meter
START_CURRENT_MW = 4600


class Form(Struct, frozen=True):
    """An integer on the wire: `width` bytes, or the shortest of 1, 2, 4 and 8 that holds the value."""

    kind: int
    width: int | None = None


class Row(Struct, frozen=True):
    """One register; the amount is divided by `divisor` for the wire."""

    obis: Obis
    amount: Amount
    unit: Unit
    form: Form
    scaler: int
    divisor: int = 1
    has_status: bool = False


class Generation(Struct, frozen=True):
    """What the models of one generation have in common. `server_id_mark`: first byte of the server id.

    A telegram has three messages; the first has the transaction id 3 x file id + `first_transaction`. `is_dated`:
    the open response has reference time and version.
    """

    maker: Obis
    identity: Obis
    key: Obis | None
    server_id_mark: int
    first_transaction: int
    is_dated: bool


class Profile(Struct, frozen=True):
    """A model, locked or not; `pv_peak_w` is the rated power of the household's roof.

    `unlocked`: the profile that a locked one becomes after its PIN was entered.
    """

    name: str
    generation: Generation
    rows: tuple[Row, ...]
    status: Amount
    interval_s: int
    pv_peak_w: int = 0
    unlocked: str = ""


EDL = Generation(
    maker=Obis.parse("129-129:199.130.3"),
    identity=Obis.parse("1-0:0.0.9"),
    key=Obis.parse("129-129:199.130.5"),
    server_id_mark=0x09,
    first_transaction=-2,
    is_dated=False,
)
MS2020 = Generation(
    maker=Obis.parse("1-0:96.50.1*1"),
    identity=Obis.parse("1-0:96.1.0"),
    key=None,
    server_id_mark=0x0A,
    first_transaction=0,
    is_dated=True,
)


def _import(state: State) -> int:
    return state.import_mws // TENTH_WH


def _export(state: State) -> int:
    return state.export_mws // TENTH_WH


def _import_by_day(state: State) -> int:
    return _import(state) - state.night


def _import_by_night(state: State) -> int:
    return state.night


def _zero(_: State) -> int:
    return 0


def _watt(power_mw: int) -> int:
    return (power_mw + 500) // 1000


def _power(state: State) -> int:
    return _watt(state.power_mw)


def _import_power(state: State) -> int:
    """A one-way meter has a backstop: export counts as 0."""
    return max(0, _watt(state.power_mw))


def _phase(index: int) -> Amount:
    return lambda state: _watt(state.phases_mw[index])


def _import_power_on(index: int) -> Amount:
    return lambda state: max(0, _watt(state.phases_mw[index]))


def _edl_one_way(_: State) -> int:
    return 0x0182


def _edl_two_way(state: State) -> int:
    return 0x0001_0182 | (0x20 if state.power_mw < 0 else 0)


def _ms2020(state: State) -> int:
    """Bits as in meter/status_word.py: phases present, load above the start current, export in all and by phase."""
    word = 0x001C_0004 | (state.power_mw <= -START_CURRENT_MW) << 11
    for phase, power_mw in enumerate(state.phases_mw):
        word |= (abs(power_mw) >= START_CURRENT_MW) << 8 | (power_mw <= -START_CURRENT_MW) << 12 + phase
    return word


def _energy(form: Form, *rows: tuple[str, Amount], scaler: int = -1) -> tuple[Row, ...]:
    divisor = 10 ** (scaler + 1)
    return tuple(
        Row(Obis.parse(code), amount, WATT_HOUR, form, scaler, divisor, has_status=code == "1.8.0")
        for code, amount in rows
    )


def _powers(form: Form, *rows: tuple[str, Amount]) -> tuple[Row, ...]:
    return tuple(Row(Obis.parse(code), amount, WATT, form, 0) for code, amount in rows)


_I64, _U64 = Form(tlv.INTEGER, 8), Form(tlv.UNSIGNED, 8)
_I32, _U32 = Form(tlv.INTEGER, 4), Form(tlv.UNSIGNED, 4)
_MIN_I, _MIN_U = Form(tlv.INTEGER), Form(tlv.UNSIGNED)

_IMPORT = (("1.8.0", _import), ("1.8.1", _import), ("1.8.2", _zero))
_EXPORT = (("2.8.0", _export), ("2.8.1", _export), ("2.8.2", _zero))
_TARIFFS = (("1.8.0", _import), ("1.8.1", _import_by_day), ("1.8.2", _import_by_night))
_TOTALS = (("1.8.0", _import), ("2.8.0", _export))
_PHASES = (("36.7.0", _phase(0)), ("56.7.0", _phase(1)), ("76.7.0", _phase(2)))
_MS2020_TWO_WAY = _energy(_MIN_U, *_TOTALS) + _powers(_MIN_I, ("16.7.0", _power))

DEFAULT = "MT175"
_ALL = (
    Profile("MT175-locked", EDL, _energy(_U64, *_IMPORT, scaler=3), _edl_one_way, 1, BALCONY_W, "MT175-one-way"),
    Profile(
        "MT175-one-way",
        EDL,
        _energy(_I64, *_IMPORT) + _powers(_I32, ("16.7.0", _import_power), *_PHASES),
        _edl_one_way,
        1,
        BALCONY_W,
    ),
    Profile(
        "MT175",
        EDL,
        _energy(_I64, *_IMPORT, *_EXPORT) + _powers(_I32, ("16.7.0", _power), *_PHASES),
        _edl_two_way,
        1,
        ROOF_W,
    ),
    Profile(
        "MT681",
        EDL,
        _energy(_I64, *_IMPORT, *_EXPORT) + _powers(_I32, ("16.7.0", _power)),
        _edl_two_way,
        2,
        ROOF_W,
    ),
    Profile(
        # derived: 15.7.0 stands so in a telegram of that age, its phases follow the description of the model
        "MT681-2012",
        EDL,
        _energy(_I64, *_IMPORT)
        + _powers(
            _U32,
            ("15.7.0", _import_power),
            ("21.7.0", _import_power_on(0)),
            ("41.7.0", _import_power_on(1)),
            ("61.7.0", _import_power_on(2)),
        ),
        _edl_one_way,
        2,
    ),
    Profile("MT631-locked", MS2020, _energy(_MIN_U, *_TOTALS, scaler=3), _ms2020, 1, BALCONY_W, "MT631-two-way"),
    Profile(
        "MT631-one-way",
        MS2020,
        _energy(_MIN_U, *_TARIFFS) + _powers(_MIN_I, ("16.7.0", _import_power)),
        _ms2020,
        1,
        BALCONY_W,
    ),
    Profile("MT631-two-way", MS2020, _MS2020_TWO_WAY, _ms2020, 1, ROOF_W),
    # derived: telegrams of the family that do not name their model have this layout
    Profile("MT691", MS2020, _MS2020_TWO_WAY, _ms2020, 1, ROOF_W),
)
PROFILES = {profile.name: profile for profile in _ALL}


def profile(name: str) -> Profile:
    """The profile of that name in any case; ValueError lists the names."""
    match = next((profile for profile in _ALL if profile.name.casefold() == name.casefold()), None)
    if match is None:
        raise ValueError(f"no simulator profile is called '{name}'; choose one of {', '.join(PROFILES)}")
    return match
