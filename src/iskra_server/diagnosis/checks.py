"""The checks: each returns the advice where it fails, True where it passes, None where the facts do not say."""

from collections.abc import Callable
from typing import Literal

from msgspec import structs

from iskra_server.diagnosis.advice import Advice, advise
from iskra_server.diagnosis.facts import Facts

Result = Advice | Literal[True] | None

# a well placed head reaches this on a bad day
VALID_RATIO = 0.95
# so many damaged telegrams are no coincidence
FEW_DAMAGED = 3
# one telegram may be damaged while the head is being placed
MIN_INVALID = 2
# a meter sends every 1 to 4 s
SILENCE_S = 10.0
# the shortest telegrams of the slowest meter are 50 bytes a second
MIN_BYTES_PER_S = 5.0
# share of what a line can carry, a tenth of its speed: a meter pauses between its telegrams
MAX_LOAD = 15 / 16
DEFAULT_BAUD = 9600
# share of bytes without a stop bit: at another speed every second or third byte has none
MAX_FRAMING = 0.05
# a meter that sends rarely is silent after so many of its intervals
MISSED_TELEGRAMS = 3
# where InF is off, a meter stops sending power two minutes after the PIN
INF_OFF_S = (60.0, 240.0)

_NO_DEVICE = frozenset(
    (
        "no_port",
        "no_port_in_container",
        "no_port_in_app",
        "missing",
        "missing_in_container",
        "missing_in_app",
        "nothing_behind",
        "unplugged",
        "simulated_unplugged",
        "capture_missing",
    )
)
# the port is open, but no meter sends there: `auto` goes on probing
_PROBING = frozenset(("silence", "noise"))
_SIGNALS = frozenset(("flat", "gps", "modem", "text", "inverted", "speed", "noise"))
_ALTERED = frozenset(("telnet", "line_ends", "characters", "seven_bits"))
# what is not read at all
_OTHER_PROTOCOLS = frozenset(("mbus", "amis"))
# protocols with a sentence of their own, where no telegram is valid
_PROTOCOLS = frozenset(("p1", "d0", "dlms"))
# what may still become a telegram; not of a capture, which brings no more bytes
_INCOMPLETE = frozenset(("first_telegram", "first_readout"))
# signals that are searched for the right speed
_SEARCHED = frozenset(("noise", "speed"))
# they come by a cable, DLMS sometimes through a head
_BY_CABLE = frozenset(("p1", "dlms"))
# parts of an address with which a port is not searched for the right speed
_FIXED = ("://", "baud=", "format=", "protocol=d0", "protocol=D0", "listen_only=1")
# the speed of requests
_ASKING = "300 "
# ports of the computer itself: a PC's UART, and those of a Raspberry Pi
_BUILT_IN = ("/dev/ttyS", "/dev/ttyAMA", "/dev/serial0")


def _device(facts: Facts) -> Result:
    return _problem(facts) if facts.problem in _NO_DEVICE else True


def _permission(facts: Facts) -> Result:
    return _problem(facts) if "permission" in (facts.problem or "") else True


def _port(facts: Facts) -> Result:
    if facts.is_open or facts.problem in _PROBING or _is_damaged_capture(facts):
        return True
    return _problem(facts) if facts.problem else advise("opening", {"port": facts.port})


def _data(facts: Facts) -> Result:
    if facts.problem == "noise" or _is_damaged_capture(facts):
        return True
    has_answered = facts.telegrams or facts.poll not in ("silent", "echo")
    if facts.problem == "silence" or facts.data_age_s is None or not has_answered:
        return _silence(facts)
    # a meter that is asked brings nothing but echoes while it does not answer
    age_s = facts.age_s if facts.poll in ("silent", "echo") and facts.age_s is not None else facts.data_age_s
    if age_s <= max(SILENCE_S, facts.stale_after_s):
        return True
    if facts.poll == "echo":
        return _silence(facts)
    details = {"port": facts.port, "seconds": f"{age_s:.0f}"}
    return _rare(facts, age_s) or advise(_by_cable("fell_silent", facts), details)


def _is_damaged_capture(facts: Facts) -> bool:
    """Whether a capture has ended without a telegram, and what is wrong with its bytes says more than that."""
    if facts.problem != "ended" or not facts.byte_count or facts.telegrams:
        return False
    if facts.unreadable:
        return facts.last_unreadable is not None
    return _missing_telegrams(facts) not in _INCOMPLETE


def _silence(facts: Facts) -> Advice:
    """Nothing has arrived: what the server does about it."""
    fault = "silence"
    if facts.poll == "echo":
        fault = "echo"
    elif facts.source == "auto" and facts.port.startswith(_BUILT_IN):
        fault = "no_usb_head"
    elif facts.poll == "silent":
        fault = "silence_asked_fixed" if "baud=" in facts.source and "://" not in facts.source else "silence_asked"
    elif facts.line.startswith(_ASKING) and (_is_searched(facts) or facts.protocol == "d0"):
        fault = "silence_asking"
    elif "listen_only=1" in facts.source:
        fault = "silence_listening"
    elif facts.poll == "not_asked" and _is_searched(facts):
        fault = "silence_not_asked"
    elif _is_searched(facts):
        fault = "silence_searching"
    return advise(fault, {"port": facts.port, "line": facts.line})


def is_searched(address: str, line: str, protocol: str) -> bool:
    """Whether the server tries one speed after another on this port."""
    return bool(line) and not protocol and not any(part in address for part in _FIXED)


def _is_searched(facts: Facts) -> bool:
    return is_searched(facts.source, facts.line, facts.protocol)


def _by_cable(fault: str, facts: Facts) -> str:
    """The fault with a sentence for a cable, where the meter speaks a protocol that comes by one."""
    return f"{fault}_cable" if facts.protocol in _BY_CABLE else fault


def _is_current(facts: Facts) -> bool:
    return facts.age_s is not None and facts.age_s <= facts.stale_after_s


def _signal(facts: Facts) -> Result:
    """A guess from the bytes is the most specific; then errors of the driver, then the bytes per second."""
    result = _guess(facts, _SIGNALS)
    if facts.stream_guess and facts.stream_guess.fault not in ("noise", "flat"):
        return result
    return _line(facts) or result


def _line(facts: Facts) -> Advice | None:
    """What is wrong with a line on which no telegram begins."""
    quality = facts.last_5min
    # a capture is read at a pace of its own
    is_capture = facts.problem == "ended"
    if is_capture or quality is None or quality.valid or quality.damaged or not quality.byte_count:
        return None
    if quality.framing and quality.framing >= max(FEW_DAMAGED, MAX_FRAMING * quality.byte_count):
        percent = min(100, 100 * quality.framing // quality.byte_count)
        return advise("framing", {"port": facts.port, "percent": str(percent)})
    rate, baud = quality.bytes_per_s, int(facts.line.partition(" ")[0] or DEFAULT_BAUD)
    if rate is None or MIN_BYTES_PER_S <= rate <= MAX_LOAD * baud / 10:
        return None
    fault = "trickle" if rate < MIN_BYTES_PER_S else "no_pause"
    return advise(fault, {"port": facts.port, "rate": f"{rate:.1f}" if rate < 1 else f"{rate:.0f}"})


def _protocol(facts: Facts) -> Result:
    return _guess(facts, _OTHER_PROTOCOLS) or (True if facts.protocol else None)


def _telegrams(facts: Facts) -> Result:
    """A telegram that arrived whole counts, also one that cannot be read."""
    if facts.telegrams or facts.last_unreadable:
        return True
    details = {"port": facts.port, "line": facts.line, "bytes": str(facts.byte_count)}
    return advise(_missing_telegrams(facts), details)


def _missing_telegrams(facts: Facts) -> str:
    guess = facts.stream_guess.fault if facts.stream_guess else ""
    damaged = sum(count for kind, count in facts.faults.items() if kind != "noise")
    if guess in _ALTERED or facts.poll == "damaged":
        return guess if guess in _ALTERED else "answers_damaged"
    protocol = facts.protocol or guess
    if protocol == "d0" and damaged < MIN_INVALID:
        return "first_readout"
    if protocol in _PROTOCOLS and (guess in _PROTOCOLS or damaged >= MIN_INVALID):
        return protocol
    if damaged >= MIN_INVALID or guess == "no_valid_telegram":
        return "no_valid_telegram"
    if damaged or guess == "first_telegram":
        return "first_telegram"
    return "noise_searching" if _is_searched(facts) else "noise"


def _checksums(facts: Facts) -> Result:
    quality = facts.last_5min
    if quality is None or quality.valid_ratio is None:
        return None
    if quality.valid_ratio >= VALID_RATIO or (quality.valid and quality.damaged < FEW_DAMAGED):
        return True
    percent = f"{100 * quality.valid_ratio:.0f}"
    if quality.overruns and quality.overruns >= FEW_DAMAGED:
        return advise("overrun", {"percent": percent, "count": str(quality.overruns)})
    if facts.poll == "damaged":
        return advise("answers_damaged", {"port": facts.port, "line": facts.line})
    are_mostly_cut = 2 * quality.cut > quality.damaged
    return advise("cut" if are_mostly_cut else _by_cable("checksums", facts), {"percent": percent})


def _values(facts: Facts) -> Result:
    if facts.age_s is not None:
        return True
    if facts.counter_violation and facts.counter_violation.is_impossible:
        return _plausible(facts)
    return unreadable(facts) or advise("held_back" if facts.quarantined else "no_values")


def unreadable(facts: Facts) -> Advice | None:
    """What is missing to read the latest telegram that cannot be used; None where there is none."""
    telegram = facts.last_unreadable
    if telegram is None:
        return None
    count = next((word for word in telegram.detail.split() if word.isdecimal()), str(len(telegram.elements)))
    # with a key, only a system title that the meter does not send can be missing
    kind: str = "untitled" if telegram.kind == "encrypted" and facts.has_key else telegram.kind
    if kind == "not_authentic" and telegram.detail.startswith("no tag"):
        kind = "untagged"
    return advise(kind, {"meter": telegram.meter_id or facts.port, "count": count})


def _unlocked(facts: Facts) -> Result:
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


def _fresh(facts: Facts) -> Result:
    if facts.age_s is None or _is_current(facts):
        return True
    return unreadable(facts) or _rare(facts, facts.age_s) or advise("stale", {"seconds": f"{facts.age_s:.0f}"})


def _plausible(facts: Facts) -> Result:
    violation = facts.counter_violation
    return True if violation is None else advise(violation.fault, structs.asdict(violation))


def _rare(facts: Facts, age_s: float) -> Advice | None:
    """A meter whose interval is longer than the age limit; with damaged telegrams it is the head's fault instead."""
    interval_s, ratio = facts.usual_interval_s or 0.0, facts.last_5min.valid_ratio if facts.last_5min else None
    is_rare = interval_s > facts.stale_after_s and (ratio is None or ratio >= VALID_RATIO)
    if not is_rare or age_s > MISSED_TELEGRAMS * interval_s:
        return None
    return advise("rare", {"seconds": f"{interval_s:.0f}", "limit": f"{facts.stale_after_s:g}"})


def _problem(facts: Facts) -> Advice:
    return advise(facts.problem or "opening", {"port": facts.port} | facts.problem_details)


def _guess(facts: Facts, faults: frozenset[str]) -> Result:
    """Fails where the guess is one of `faults`; passes once a telegram was read."""
    guess = facts.stream_guess
    if guess is None:
        return True if facts.telegrams or facts.last_unreadable else None
    if guess.fault not in faults:
        return True
    fault = f"{guess.fault}_searching" if guess.fault in _SEARCHED and _is_searched(facts) else guess.fault
    return advise(fault, {"port": facts.port, "bytes": str(facts.byte_count), "line": facts.line} | guess.details)


CHECKS: tuple[tuple[str, Callable[[Facts], Result]], ...] = (
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
# while one of these fails, no current value arrives
NEEDED_FOR_VALUES = frozenset(name for name, _ in CHECKS) - {"checksums", "unlocked", "plausible"}
