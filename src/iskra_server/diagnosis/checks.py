"""How each link of the chain is judged: what is wrong with it, True where it is good, None where that is not known."""

from collections.abc import Callable
from typing import Literal

from iskra_server.diagnosis.advice import Advice, advise
from iskra_server.diagnosis.facts import Facts

Verdict = Advice | Literal[True] | None

# a well-placed head reaches this on a bad day
VALID_RATIO = 0.95
# so many damaged telegrams are no chance any more
FEW_DAMAGED = 3
# the first telegram may be hit while the head is put in its place
NEVER_WHOLE = 2
# a meter pushes every 1 to 4 s
SILENCE_S = 10.0
# the shortest telegram of the slowest meter is some fifty bytes a second
MIN_BYTES_PER_S = 5.0
# a line at 9600 baud carries 960, and a meter rests between its telegrams
MAX_BYTES_PER_S = 900.0
# of the bytes without a stop bit: at another speed every second or third is one
MAX_FRAMING = 0.05
# a meter that sends rarely has fallen silent after so many of its intervals
MISSED_TELEGRAMS = 3
# who entered the PIN but left InF off sees the power vanish after two minutes
INF_OFF_S = (60.0, 240.0)

_NO_DEVICE = frozenset(
    (
        "no_port",
        "no_port_in_container",
        "missing",
        "missing_in_container",
        "nothing_behind",
        "unplugged",
        "simulated_unplugged",
        "capture_missing",
    )
)
# the port is open, but what comes from it is no meter's: `auto` goes on listening
_LISTENING = frozenset(("silence", "noise"))
_SIGNALS = frozenset(("flat", "gps", "modem", "text", "inverted", "speed", "noise"))
_CHANGED = frozenset(("telnet", "line_ends", "characters", "seven_bits"))
_PROTOCOLS = frozenset(("p1", "d0", "dlms", "mbus"))


def _device(facts: Facts) -> Verdict:
    return _problem(facts) if facts.problem in _NO_DEVICE else True


def _permission(facts: Facts) -> Verdict:
    return _problem(facts) if "permission" in (facts.problem or "") else True


def _port(facts: Facts) -> Verdict:
    if facts.is_open or facts.problem in _LISTENING:
        return True
    return _problem(facts) if facts.problem else advise("opening", {"port": facts.port})


def _data(facts: Facts) -> Verdict:
    if facts.problem == "silence":
        return _problem(facts)
    if facts.problem == "noise":
        return True
    if facts.data_age_s is None:
        return advise("silence", {"port": facts.port})
    if facts.data_age_s <= max(SILENCE_S, facts.stale_after_s):
        return True
    silent = {"port": facts.port, "seconds": f"{facts.data_age_s:.0f}"}
    return _rare(facts, facts.data_age_s) or advise("fell_silent", silent)


def _signal(facts: Facts) -> Verdict:
    """What the bytes seem to be says most; then what the driver counts, then how many there are a second."""
    seems = _seems(facts, _SIGNALS)
    if facts.stream_guess and facts.stream_guess.fault not in ("noise", "flat"):
        return seems
    return _line(facts) or seems


def _line(facts: Facts) -> Advice | None:
    """What is wrong with a line on which no telegram begins."""
    recent = facts.last_5min
    if recent is None or recent.valid or recent.damaged or not recent.byte_count:
        return None
    if recent.framing and recent.framing >= max(FEW_DAMAGED, MAX_FRAMING * recent.byte_count):
        percent = min(100, 100 * recent.framing // recent.byte_count)
        return advise("framing", {"port": facts.port, "percent": str(percent)})
    rate = recent.bytes_per_s
    if rate is None or MIN_BYTES_PER_S <= rate <= MAX_BYTES_PER_S:
        return None
    fault = "trickle" if rate < MIN_BYTES_PER_S else "restless"
    return advise(fault, {"port": facts.port, "rate": f"{rate:.1f}" if rate < 1 else f"{rate:.0f}"})


def _protocol(facts: Facts) -> Verdict:
    return _seems(facts, _PROTOCOLS)


def _telegrams(facts: Facts) -> Verdict:
    if facts.telegrams:
        return True
    seems = facts.stream_guess.fault if facts.stream_guess else ""
    if seems in _CHANGED:
        return advise(seems, {"port": facts.port})
    damaged = sum(count for kind, count in facts.faults.items() if kind != "noise")
    if damaged >= NEVER_WHOLE or seems == "never_whole":
        return advise("never_whole", {"port": facts.port})
    if damaged or seems == "first_telegram":
        return advise("first_telegram", {"port": facts.port})
    return advise("noise", {"port": facts.port, "bytes": str(facts.byte_count)})


def _checksums(facts: Facts) -> Verdict:
    recent = facts.last_5min
    if recent is None or recent.valid_ratio is None:
        return None
    if recent.valid_ratio >= VALID_RATIO or (recent.valid and recent.damaged < FEW_DAMAGED):
        return True
    percent = f"{100 * recent.valid_ratio:.0f}"
    if recent.overruns and recent.overruns >= FEW_DAMAGED:
        return advise("overrun", {"percent": percent, "count": str(recent.overruns)})
    mostly_cut = 2 * recent.cut > recent.damaged
    return advise("cut" if mostly_cut else "checksums", {"percent": percent})


def _values(facts: Facts) -> Verdict:
    if facts.age_s is not None:
        return True
    return advise("held_back" if facts.quarantined else "no_values")


def _unlocked(facts: Facts) -> Verdict:
    if facts.locked is None:
        return None
    if not facts.locked:
        return True
    unlocked_for_s = facts.unlocked_for_s
    if unlocked_for_s is not None and INF_OFF_S[0] <= unlocked_for_s <= INF_OFF_S[1]:
        return advise("inf_off", {"seconds": f"{unlocked_for_s:.0f}"})
    if facts.locked_at:
        return advise("relocked", {"time": f"{facts.locked_at:%Y-%m-%d %H:%M %Z}"})
    return advise("locked")


def _fresh(facts: Facts) -> Verdict:
    if facts.age_s is None or facts.age_s <= facts.stale_after_s:
        return True
    return _rare(facts, facts.age_s) or advise("stale", {"seconds": f"{facts.age_s:.0f}"})


def _plausible(facts: Facts) -> Verdict:
    leap = facts.counter_violation
    if leap is None:
        return True
    details = {"register": leap.register, "before": leap.before, "value": leap.value, "seconds": leap.seconds}
    return advise("went_back" if leap.is_decrease else "jumped", details)


def _rare(facts: Facts, age_s: float) -> Advice | None:
    """A meter that sends more rarely than its readings may be old, and not a head that lets few telegrams through."""
    interval_s, share = facts.usual_interval_s or 0.0, facts.last_5min.valid_ratio if facts.last_5min else None
    is_rare = interval_s > facts.stale_after_s and (share is None or share >= VALID_RATIO)
    if not is_rare or age_s > MISSED_TELEGRAMS * interval_s:
        return None
    return advise("rare", {"seconds": f"{interval_s:.0f}", "limit": f"{facts.stale_after_s:g}"})


def _problem(facts: Facts) -> Advice:
    return advise(facts.problem or "opening", {"port": facts.port} | facts.problem_details)


def _seems(facts: Facts, among: frozenset[str]) -> Verdict:
    """Whether the bytes seem to be one of these; whatever has been read once is what it should be."""
    seems = facts.stream_guess
    if seems is None:
        return True if facts.telegrams else None
    if seems.fault not in among:
        return True
    return advise(seems.fault, {"port": facts.port, "bytes": str(facts.byte_count)} | seems.details)


CHECKS: tuple[tuple[str, Callable[[Facts], Verdict]], ...] = (
    ("device", _device),
    ("permission", _permission),
    ("port", _port),
    ("data", _data),
    ("signal", _signal),
    ("protocol", _protocol),
    ("telegrams", _telegrams),
    ("checksums", _checksums),
    ("values", _values),
    ("unlocked", _unlocked),
    ("fresh", _fresh),
    ("plausible", _plausible),
)
# a broken one of these means that no value arrives
VALUES_NEED = frozenset(name for name, _ in CHECKS) - {"checksums", "unlocked", "plausible"}
