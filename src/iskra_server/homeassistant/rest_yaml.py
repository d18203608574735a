"""The YAML of Home Assistant's RESTful sensors for this server.

Home Assistant ignores the HTTP status and keeps the old value when a template returns none. So every sensor converts
with `| float`, which fails on anything but a number, and has an `availability` that checks the value itself: a 503, an
empty answer, HTML, a timeout and a refused connection all become "unavailable", and recover. The header asks for errors
as plain JSON: newer releases log a warning for each error of another content type. Energy is in kWh, as by MQTT:
YAML has no suggested unit. A sensor pasted earlier in Wh keeps its statistics, since Home Assistant converts energy.
"""

import re
from collections.abc import Iterable, Iterator

from msgspec import Struct

from iskra_server.base.language import Language
from iskra_server.meter.registers import BY_KEY


class _Words(Struct, frozen=True):
    simulated: str
    total: str
    electricity_meter: str
    # of these meters, each with its registers
    everything: str
    and_: str
    # of a sub-meter, by its medium
    readings: dict[str, str]


_WORDS: dict[Language, _Words] = {
    "en": _Words(
        " (simulated)",
        "the exact meter reading, for the Energy dashboard",
        "Electricity meter",
        "all registers of {}, with one request a meter",
        " and ",
        {
            "electricity": "Electricity meter reading",
            "gas": "Gas meter reading",
            "water": "Water meter reading",
            "heat": "Heat meter reading",
            "cooling": "Cooling meter reading",
            "other": "Meter reading",
        },
    ),
    "de": _Words(
        " (simuliert)",
        "der exakte Zählerstand, für das Energie-Dashboard",
        "Stromzähler",
        "alle Register von {}, mit einer Abfrage je Zähler",
        " und ",
        {
            "electricity": "Zählerstand Strom",
            "gas": "Zählerstand Gas",
            "water": "Zählerstand Wasser",
            "heat": "Zählerstand Wärme",
            "cooling": "Zählerstand Kälte",
            "other": "Zählerstand",
        },
    ),
}
# only URLs that need no escaping in a quoted YAML string
_ADDRESS = re.compile(r"https?://(?:[A-Za-z0-9._~-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?(?:/[A-Za-z0-9._~/-]*)?")

_NOT_IN_ID = re.compile(r"[^A-Za-z0-9_]")

# unit of a register -> the unit in Home Assistant, its size, and decimal places for a thousandth of the register's unit
_LARGER_UNITS = {
    "Wh": ("kWh", 1_000, 6),
    "varh": ("kvarh", 1_000, 6),
    "VAh": ("kVAh", 1_000, 6),
    "J": ("GJ", 10**9, 12),
}


class ListedRegister(Struct):
    """A register as the API gives it."""

    name: str
    label: str
    value: float | str | bool
    unit: str | None = None


class ListedMeter(Struct):
    id: str
    medium: str = "electricity"
    channel: int = 0
    simulated: bool = False
    registers: list[ListedRegister] = []


class ListedMeters(Struct):
    meters: list[ListedMeter]


def address(url: str) -> str:
    """The address of a server without a slash at the end. Raises ValueError, a sentence, where it is none."""
    if not _ADDRESS.fullmatch(url):
        raise ValueError(f"'{url}' is not the address of a server; write it like http://192.168.1.10:8080.")
    return url.rstrip("/")


def whole_yaml(base: str, meters: Iterable[ListedMeter], language: Language = "en") -> str:
    """The total, and every number of each meter. Comments and names are in this language."""
    meters = list(meters)
    lines = [*total_yaml(base, language, simulated=any(meter.simulated for meter in meters)), ""]
    if meters:
        lines += [*meters_yaml(base, meters, language), ""]
    return "\n".join(lines)


def total_yaml(base: str, language: Language = "en", *, simulated: bool = False) -> Iterator[str]:
    """The imported energy as a sensor for the Energy dashboard."""
    words = _WORDS[language]
    yield f"# configuration.yaml: {words.total}"
    yield "sensor:"
    yield "  - platform: rest"
    yield f'    name: "{words.electricity_meter}{words.simulated if simulated else ""}"'
    yield '    unique_id: "iskra_electricity_total"'
    yield f'    resource: "{base}/api/electricity/cumulated"'
    yield "    scan_interval: 10"
    yield "    timeout: 5"
    yield '    value_template: "{{ value_json.value | float }}"'
    yield '    availability: "{{ value_json is defined and value_json.value is number }}"'
    yield "    device_class: energy"
    yield "    state_class: total_increasing"
    yield "    unit_of_measurement: kWh"


def meters_yaml(base: str, meters: Iterable[ListedMeter], language: Language = "en") -> Iterator[str]:
    """Every number that each meter sends, with one request a meter, all below one `rest:` key (YAML keys are unique).

    A register outside the table is named by its OBIS code, and needs a unit.
    """
    meters = list(meters)
    words = _WORDS[language]
    names = words.and_.join(f"{meter.id}{_mark(meter, language)}" for meter in meters)
    yield f"# configuration.yaml: {words.everything.format(names)}"
    yield "rest:"
    for meter in meters:
        yield from _resource(base, meter, language)


def _resource(base: str, meter: ListedMeter, language: Language) -> Iterator[str]:
    short = "".join(meter.id.split())
    yield f'  - resource: "{base}/api/v1/meters/{short}"'
    yield "    scan_interval: 10"
    yield "    timeout: 5"
    yield "    headers:"
    yield '      accept: "application/json"'
    yield "    sensor:"
    for register in meter.registers:
        if isinstance(register.value, float) and (register.name in BY_KEY or register.unit):
            yield from _sensor(register, short, meter, language)


def _sensor(register: ListedRegister, short: str, meter: ListedMeter, language: Language) -> Iterator[str]:
    row = BY_KEY.get(register.name)
    device_class = row.device_class if row else None
    if meter.channel and register.unit == "m³" and meter.medium in ("gas", "water"):
        device_class = meter.medium
    picked = f"(value_json.registers | selectattr('name', 'eq', '{register.name}') | map(attribute='value') | first)"
    here = "value_json is defined and value_json.registers is defined"
    yield f'      - name: "{_label(register, meter, language)}{_mark(meter, language)}"'
    yield f'        unique_id: "{short.lower()}_{_NOT_IN_ID.sub("_", register.name)}"'
    unit, value = register.unit, f"{picked} | float"
    if unit in _LARGER_UNITS:
        # a float of a quotient may have digits that the meter does not send: 1.1 kWh as 1.1000000000000001
        unit, size, places = _LARGER_UNITS[unit]
        value = f"({value} / {size}) | round({places})"
    yield f'        value_template: "{{{{ {value} }}}}"'
    yield f'        availability: "{{{{ {here} and {picked} is number }}}}"'
    if device_class:
        yield f"        device_class: {device_class}"
    if row and row.state_class:
        yield f"        state_class: {row.state_class}"
    if unit:
        yield f'        unit_of_measurement: "{unit}"'


def _label(register: ListedRegister, meter: ListedMeter, language: Language) -> str:
    if meter.channel:
        # a newer server may know more of them
        readings = _WORDS[language].readings
        return readings.get(meter.medium, readings["other"])
    row = BY_KEY.get(register.name)
    return row.de if row and language == "de" else register.label


def _mark(meter: ListedMeter, language: Language) -> str:
    return _WORDS[language].simulated if meter.simulated else ""
