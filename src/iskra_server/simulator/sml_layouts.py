"""Models that send SML: which registers, in which order, as which integers.

A layout is data; sml_telegram.py makes the bytes. The layouts are those of real telegrams, except two marked
"derived". Energy counts in 0.1 Wh and power in W; a locked meter divides by 10,000 and sends whole kWh.
"""

from msgspec import Struct

from iskra_server.codecs.sml import tlv
from iskra_server.meter.obis import Obis
from iskra_server.meter.units import WATT, WATT_HOUR, Unit
from iskra_server.simulator import measured
from iskra_server.simulator.household import State
from iskra_server.simulator.measured import Amount

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


class SmlLayout(Struct, frozen=True):
    """The registers of a model, in order, and the status word beside some of them."""

    generation: Generation
    rows: tuple[Row, ...]
    status: Amount


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

_IMPORT = (("1.8.0", measured.imported), ("1.8.1", measured.imported), ("1.8.2", measured.nothing))
_EXPORT = (("2.8.0", measured.exported), ("2.8.1", measured.exported), ("2.8.2", measured.nothing))
_TARIFFS = (("1.8.0", measured.imported), ("1.8.1", measured.imported_by_day), ("1.8.2", measured.imported_by_night))
_TOTALS = (("1.8.0", measured.imported), ("2.8.0", measured.exported))
_PHASES = (
    ("36.7.0", measured.phase_power(0)),
    ("56.7.0", measured.phase_power(1)),
    ("76.7.0", measured.phase_power(2)),
)
_MS2020_TWO_WAY = _energy(_MIN_U, *_TOTALS) + _powers(_MIN_I, ("16.7.0", measured.power))

LAYOUTS = {
    "MT175-locked": SmlLayout(EDL, _energy(_U64, *_IMPORT, scaler=3), _edl_one_way),
    "MT175-one-way": SmlLayout(
        EDL, _energy(_I64, *_IMPORT) + _powers(_I32, ("16.7.0", measured.import_power), *_PHASES), _edl_one_way
    ),
    "MT175": SmlLayout(
        EDL, _energy(_I64, *_IMPORT, *_EXPORT) + _powers(_I32, ("16.7.0", measured.power), *_PHASES), _edl_two_way
    ),
    "MT681": SmlLayout(
        EDL, _energy(_I64, *_IMPORT, *_EXPORT) + _powers(_I32, ("16.7.0", measured.power)), _edl_two_way
    ),
    # derived: 15.7.0 stands so in a telegram of that age, its phases follow the description of the model
    "MT681-2012": SmlLayout(
        EDL,
        _energy(_I64, *_IMPORT)
        + _powers(
            _U32,
            ("15.7.0", measured.import_power),
            ("21.7.0", measured.phase_import(0)),
            ("41.7.0", measured.phase_import(1)),
            ("61.7.0", measured.phase_import(2)),
        ),
        _edl_one_way,
    ),
    "MT631-locked": SmlLayout(MS2020, _energy(_MIN_U, *_TOTALS, scaler=3), _ms2020),
    "MT631-one-way": SmlLayout(
        MS2020, _energy(_MIN_U, *_TARIFFS) + _powers(_MIN_I, ("16.7.0", measured.import_power)), _ms2020
    ),
    "MT631-two-way": SmlLayout(MS2020, _MS2020_TWO_WAY, _ms2020),
    # derived: telegrams of the family that do not name their model have this layout
    "MT691": SmlLayout(MS2020, _MS2020_TWO_WAY, _ms2020),
}
