"""Power with a sign, by one rule for the total and for each phase: + import, - export.

    total   L1   L2   L3     in this order of precedence:
    16.7.0  36   56   76     signed; a magnitude (never below 0) takes its direction from the status word, the total
                             also from three ticks of the counters
    1.7.0   21   41   61     import; the signed sum where a meter has sent one of these below 0
    2.7.0   22   42   62     export: import - export where both are sent
    15.7.0  35   55   75     magnitude: direction from the status word, from a meter without export counters, or from
                             the counter that ticked last
    sum of L1, L2 and L3; L1 alone where the meter sends no other phase

Where the direction is not known there is no signed power. A signed power that was not sent is marked as derived.
"""

from msgspec.structs import replace

from iskra_server.meter.corrections import SIGNED_POWERS
from iskra_server.meter.obis import EXPORT, IMPORT, Obis
from iskra_server.meter.reading import MeterTime, Register, on_one_scale
from iskra_server.meter.status_word import exports, has_one_phase
from iskra_server.meter.units import WATT

POWER, *PHASES = SIGNED_POWERS
IMPORTS, EXPORTS, ABSOLUTES = (
    tuple(Obis(bytes((1, 0, first + step, 7, 0, 255))) for step in (0, 20, 40, 60)) for first in (1, 2, 15)
)
_GROUPS = (SIGNED_POWERS, IMPORTS, EXPORTS, ABSOLUTES)
# some makers number the import of the only tariff
_IMPORT_T1 = Obis.parse("1.7.1")

_SIGNED_CODES = frozenset(SIGNED_POWERS)
_GROUP_OF = {obis: group for group in _GROUPS for obis in group} | {_IMPORT_T1: IMPORTS}
_CODES = _GROUP_OF.keys()
CODES_OF_PHASE = tuple(
    frozenset((*(group[phase] for group in _GROUPS), *((_IMPORT_T1,) if phase == 0 else ()))) for phase in range(4)
)

BY_STATUS = "direction from status word"
BY_COUNTERS = "direction from counters"
ONE_WAY = "import only"
SIGNED_IMPORT = "signed import register"
SIGNED_ABSOLUTE = "signed absolute register"
IMPORT_LESS_EXPORT = "import - export"
FROM_IMPORT = "import register"
FROM_EXPORT = "export register"
SUM_OF_PHASES = "sum of phases"
ONLY_PHASE = "only phase"
# so many ticks of the export counter prove that a power above 0 has no sign
_SURE_TICKS = 3
# without a tick for so many steps of the counter, the direction is unknown again
_LATE_STEPS = 2
_HOUR_S = 3600

Found = dict[Obis, Register]


class Flow:
    """Direction by the counters: which of import and export increased last, and how often in a row."""

    def __init__(self) -> None:
        self.direction = 0
        self.ticks = 0
        self._last: list[Register | None] = [None, None]
        self._time: MeterTime | None = None
        self._since_ws = 0

    def observe(self, found: Found, power: Register | None, time: MeterTime | None) -> None:
        """The counters of the next telegram, and the magnitude of its power."""
        counters = [found.get(obis) for obis in (IMPORT, EXPORT)]
        ticked = [_has_grown(last, register) for last, register in zip(self._last, counters, strict=True)]
        self._check_energy(power, counters, time)
        if True in ticked:
            direction = 0 if all(ticked) else 1 if ticked[0] else -1
            self.ticks = self.ticks + 1 if direction == self.direction else 1
            self.direction, self._since_ws = direction, 0
        self._last, self._time = counters, time

    def _check_energy(self, power: Register | None, counters: list[Register | None], time: MeterTime | None) -> None:
        """Forget the direction where the energy since the last tick should have caused another one."""
        before = self._time
        if before is None or time is None or power is None or power.value is None:
            return
        self._since_ws += abs(int(power.value)) * max(0, time.seconds - before.seconds)
        steps_wh = [10 ** (register.scaler or 0) for register in counters if register]
        if steps_wh and self._since_ws > (1 + _LATE_STEPS * max(steps_wh)) * _HOUR_S:
            self.direction = self.ticks = 0


class PowerMemory:
    """What earlier telegrams of a meter show: which groups have a sign, and the direction by the counters."""

    def __init__(self) -> None:
        self.signed: set[tuple[Obis, ...]] = set()
        self.is_two_way = False
        self.has_magnitude = False
        self.flow = Flow()


def add_powers(found: Found, status: int | None, memory: PowerMemory, time: MeterTime | None) -> None:
    """Add the signed powers to the registers of a telegram."""
    sent = found.keys() & _CODES
    if not memory.is_two_way:
        memory.is_two_way = any(obis[2] == 2 and obis[3] == 8 for obis in found)
    if not sent:
        return
    _learn(found, sent, memory)
    if SIGNED_POWERS in memory.signed and sent <= _SIGNED_CODES and POWER in sent:
        # the usual meter: power has its sign
        return
    _observe(found, status, memory, time)
    is_magnitude = memory.has_magnitude and SIGNED_POWERS not in memory.signed
    if is_magnitude and exports(status) is None and not memory.flow.direction and POWER in found:
        # its direction is unknown now
        absolute = found.pop(POWER)
        found.setdefault(ABSOLUTES[0], replace(absolute, obis=ABSOLUTES[0], derived=BY_COUNTERS))
    for phase, codes in enumerate(CODES_OF_PHASE):
        if codes.isdisjoint(sent):
            continue
        power = _signed(found, phase, status, memory)
        if power is not None:
            found[SIGNED_POWERS[phase]] = power
        _follow_sign(found, phase)
    if POWER not in found and (total := _of_phases(found, status)) is not None:
        found[POWER] = total


def halves(power: Register, phase: int = 0) -> tuple[Register, Register]:
    """The import and the export half of a signed power, neither below 0."""
    raw = int(power.raw)
    return (
        replace(power, obis=IMPORTS[phase], raw=max(raw, 0)),
        replace(power, obis=EXPORTS[phase], raw=max(-raw, 0)),
    )


def _learn(found: Found, sent: set[Obis], memory: PowerMemory) -> None:
    """Groups of which the meter has sent a value below 0 have a sign."""
    for obis in sent:
        if _is_negative(found[obis]):
            memory.signed.add(_GROUP_OF[obis])


def _observe(found: Found, status: int | None, memory: PowerMemory, time: MeterTime | None) -> None:
    if exports(status) is None and memory.is_two_way and SIGNED_POWERS not in memory.signed:
        sent = next((found[obis] for obis in (POWER, IMPORTS[0], ABSOLUTES[0]) if obis in found), None)
        memory.flow.observe(found, sent, time)


def _signed(found: Found, phase: int, status: int | None, memory: PowerMemory) -> Register | None:
    """The derived signed power; None where it was sent with a sign, or is unknown."""
    net, imported, exported, absolute = (_number(found.get(group[phase])) for group in _GROUPS)
    if imported is None and phase == 0:
        imported = _number(found.get(_IMPORT_T1))
    if net is not None:
        return _from_net(net, phase, status, memory) if SIGNED_POWERS not in memory.signed else None
    power = None if imported is None else _from_import(imported, exported, phase, status, memory)
    # an import of 0 is no information, but a magnitude with a sign is
    if power is not None or (imported is not None and ABSOLUTES not in memory.signed):
        return power
    if exported is not None and exported.raw:
        return _power(replace(exported, raw=-int(exported.raw)), phase, FROM_EXPORT)
    return None if absolute is None else _from_magnitude(absolute, phase, status, memory)


def _from_net(net: Register, phase: int, status: int | None, memory: PowerMemory) -> Register | None:
    """The net register of a meter that has never sent it below 0: as sent, unless it proves to be a magnitude."""
    exporting = _directed(net, phase, status, memory, 1 if memory.has_magnitude else _SURE_TICKS)
    memory.has_magnitude |= phase == 0 and exporting is not None
    return exporting


def _from_import(
    imported: Register, exported: Register | None, phase: int, status: int | None, memory: PowerMemory
) -> Register | None:
    """By the import register; alone, a phase of a two-way meter may be a magnitude, and 0 hide an export."""
    if IMPORTS in memory.signed:
        return _power(imported, phase, SIGNED_IMPORT)
    if exported is not None:
        first, second, scaler = on_one_scale(imported, exported)
        return _power(replace(imported, raw=first - second, scaler=scaler), phase, IMPORT_LESS_EXPORT)
    exporting = _directed(imported, phase, status, memory, _SURE_TICKS)
    is_import = exports(status, phase) is False or not memory.is_two_way or (phase == 0 and int(imported.raw) > 0)
    return exporting or (_power(imported, phase, FROM_IMPORT) if is_import else None)


def _from_magnitude(absolute: Register, phase: int, status: int | None, memory: PowerMemory) -> Register | None:
    if ABSOLUTES in memory.signed:
        return _power(absolute, phase, SIGNED_ABSOLUTE)
    exporting = _directed(absolute, phase, status, memory, 1)
    if exporting is None and exports(status, phase) is False:
        return _power(absolute, phase, BY_STATUS)
    if exporting is None and not memory.is_two_way:
        return _power(absolute, phase, ONE_WAY)
    if exporting is None and ((phase == 0 and memory.flow.direction > 0) or not absolute.raw):
        return _power(absolute, phase, BY_COUNTERS)
    return exporting


def _directed(magnitude: Register, phase: int, status: int | None, memory: PowerMemory, ticks: int) -> Register | None:
    """A magnitude as export, where the status word or so many ticks of the export counter say so."""
    if int(magnitude.raw) <= 0:
        return None
    export = replace(magnitude, raw=-int(magnitude.raw))
    by_status = exports(status, phase)
    if by_status is not None:
        return _power(export, phase, BY_STATUS) if by_status else None
    flow = memory.flow
    return _power(export, phase, BY_COUNTERS) if phase == 0 and flow.direction < 0 and flow.ticks >= ticks else None


def _follow_sign(found: Found, phase: int) -> None:
    """Make import, export and magnitude consistent with a signed power: they have no sign."""
    power, imported, absolute = (_number(found.get(group[phase])) for group in (SIGNED_POWERS, IMPORTS, ABSOLUTES))
    if power is None:
        return
    if imported is not None and (_is_negative(imported) or power.derived in (SIGNED_IMPORT, BY_STATUS, BY_COUNTERS)):
        for half in halves(replace(power, derived=power.derived or SIGNED_IMPORT), phase):
            found[half.obis] = half
    if absolute is not None and _is_negative(absolute):
        found[absolute.obis] = replace(absolute, raw=abs(int(absolute.raw)), derived=SIGNED_ABSOLUTE)


def _of_phases(found: Found, status: int | None) -> Register | None:
    first, *others = (_number(found.get(obis)) for obis in PHASES)
    if first is None:
        return None
    if None not in others:
        total = first
        for other in others:
            if other is not None:
                left, right, scaler = on_one_scale(total, other)
                total = replace(total, raw=left + right, scaler=scaler)
        return _power(total, 0, SUM_OF_PHASES)
    sends_others = any(group[phase] in found for group in _GROUPS for phase in (2, 3))
    is_only = not sends_others and has_one_phase(status) is not False
    return _power(first, 0, ONLY_PHASE) if is_only else None


def _power(register: Register, phase: int, derived: str) -> Register:
    return replace(register, obis=SIGNED_POWERS[phase], unit=WATT, derived=derived)


def _number(register: Register | None) -> Register | None:
    return None if register is None or isinstance(register.raw, (bytes, bool)) else register


def _is_negative(register: Register | None) -> bool:
    return register is not None and isinstance(register.raw, int) and register.raw < 0


def _has_grown(last: Register | None, register: Register | None) -> bool:
    if last is None or register is None or isinstance(register.raw, bytes) or isinstance(last.raw, bytes):
        return False
    before, after, _ = on_one_scale(last, register)
    return after > before
