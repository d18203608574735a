"""Write the parts of these pages that come from the code: `make docs`. With --check: say which are out of date.
The names of entities in the texts of the integration come from the register table in the same way.

A part stands between two comments, <!-- generated: NAME --> and <!-- end of NAME -->; what is around it is written
by hand. NAME is a function of this file.
"""

import json
import re
import sys
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import msgspec
import typer

from iskra_server import config
from iskra_server.cli import COMMANDS, NAME, module_of
from iskra_server.config.app_options import OPTIONS
from iskra_server.diagnosis.advice import TABLE
from iskra_server.homeassistant.rest_yaml import ListedMeter, ListedRegister, meters_yaml, total_yaml
from iskra_server.meter.corrections import CORRECTIONS
from iskra_server.meter.reading import Reading, Register
from iskra_server.meter.registers import REGISTERS
from iskra_server.meter.units import WATT_HOUR
from iskra_server.outputs.mqtt.entity_names import WORDS
from iskra_server.outputs.notify.messages import Notification
from iskra_server.simulator.household import Household
from iskra_server.simulator.profiles import by_protocol, decoder, line_of
from iskra_server.simulator.simulated_meter import Profile
from iskra_server.simulator.simulated_source import moment
from iskra_server.simulator.sml_layouts import LAYOUTS
from iskra_server.web.app import all_endpoints
from iskra_server.web.http.endpoint import Endpoint

DOCS = Path(__file__).parent
INTEGRATION = DOCS.parent / "integrations/homeassistant/custom_components/iskra_server"
PAGES = sorted([*DOCS.glob("*.md"), *DOCS.glob("de/*.md")])
SERVER = "http://raspberrypi.local:18080"
_PART = re.compile(r"(<!-- generated: (\w+) -->\n).*?(<!-- end of \2 -->)", re.DOTALL)
# entities of the integration that are no registers
_OF_TIME_OR_PRICE = re.compile(r"_(?:today|month)$|^(?:price|cheapest)_")
_MARKUP = re.compile(r"\[/?(?:bold|cyan)\]")


def registers() -> str:
    head = ("code", "name", "English", "Deutsch", "unit")
    return table(
        head, ((code(row.obis.short), code(row.key), row.en, row.de, row.unit or "") for row in REGISTERS.values())
    )


def corrections() -> str:
    rows = (
        (
            row.maker,
            many(obis.short.removeprefix("1-0:") for obis in row.registers),
            many(map(str, row.widths)),
            row.condition,
            row.effect,
            row.source,
        )
        for row in CORRECTIONS
    )
    return table(("maker", "registers", "bytes on the wire", "when", "what is done", "known from"), rows)


def keys() -> str:
    return table(
        ("key", "variable", "must be", "default", "meaning"),
        (
            (code(key.path), many(map(code, key.variables)), config.expected(key), code(key.default), key.description)
            for key in config.describe()
        ),
    )


def tables() -> str:
    """The keys of the tables of a contract; those of an offer are the same."""
    keys_of_contracts = [key for key in config.describe_tables() if key.section.startswith("contracts.")]
    return table(
        ("key", "must be", "default", "meaning"),
        ((code(key.path), config.expected(key), code(key.default), key.description) for key in keys_of_contracts),
    )


def options() -> str:
    described = {key.path: key.description for key in config.describe()}
    return table(
        ("option", "key", "meaning"),
        (
            (
                code(option),
                many(map(code, keys)),
                described.get(keys[0], "Meters: each entry has a `url`, or finds its head."),
            )
            for option, keys in OPTIONS.items()
        ),
    )


def routes() -> str:
    return table(("route", "gives", "status", "parameters"), map(_route, all_endpoints()))


def _route(endpoint: Endpoint) -> tuple[str, ...]:
    results = many(f"{status}: {result.description}" for status, result in endpoint.results.items())
    parameters = many(f"{code(parameter.name)}: {parameter.description}" for parameter in endpoint.parameters)
    return code(f"{endpoint.method} {endpoint.path}"), endpoint.summary, results, parameters


def profiles() -> str:
    sections = (
        f"### {title}\n\n{table(_PROFILE_COLUMNS, map(_profile, models))}" for title, models in by_protocol().items()
    )
    return "\n".join(sections)


_PROFILE_COLUMNS = ("profile", "what it is", "line", "a telegram every", "registers, in order", "energy in steps of")


def _profile(model: Profile) -> tuple[str, ...]:
    numbers = simulated_numbers(model)
    # not its counts of failures and sags
    codes = (register.obis.short.removeprefix("1-0:") for register in numbers if register.obis[3] in _SHOWN)
    steps = {10 ** (register.scaler or 0) for register in numbers if register.unit == WATT_HOUR}
    return (
        code(model.name),
        model.summary,
        line_of(model),
        f"{model.interval_s} s",
        ", ".join(codes),
        f"{max(steps):g} Wh".replace("1000 Wh", "1 kWh"),
    )


_SHOWN = (6, 7, 8)


def simulated_numbers(model: Profile) -> list[Register]:
    """The registers that a simulated meter shows, without those of other meters that it passes on."""
    household = _household(model.pv_peak_w)
    results = decoder(model).feed(model.write(moment(model, 1, household, _SECOND)))
    own = [result for result in results if isinstance(result, Reading) and not result.channel]
    return [register for reading in own for register in reading.numbers()]


_SECOND = int(datetime(2026, 6, 21, 10, tzinfo=UTC).timestamp())


@cache
def _household(pv_peak_w: int) -> Household:
    """Most meters stand in the same one; it is computed from the begin of the year on."""
    return Household(1, pv_peak_w, _SECOND)


def homeassistant() -> str:
    return fenced("yaml", "\n".join(total_yaml(SERVER)))


def homeassistant_meter() -> str:
    return fenced("yaml", "\n".join(meters_yaml(SERVER, [two_way_meter()])))


def homeassistant_de() -> str:
    return fenced("yaml", "\n".join(total_yaml(SERVER, "de")))


def homeassistant_meter_de() -> str:
    return fenced("yaml", "\n".join(meters_yaml(SERVER, [two_way_meter()], "de")))


def two_way_meter() -> ListedMeter:
    """The meter of the example, and its numbers."""
    rows = (REGISTERS[row.obis] for row in LAYOUTS["MT631-two-way"].rows)
    return ListedMeter("1 ISK 00 10000001", registers=[ListedRegister(row.key, row.en, 0.0, row.unit) for row in rows])


def commands() -> str:
    overview = table(("command", "what it does"), ((f"[`{name}`](#{name})", does) for name, does in COMMANDS.items()))
    modules = {name: module_of(name) for name in COMMANDS}
    sections = ("".join(_command(name, typer.main.get_command(module.app))) for name, module in modules.items())
    return overview + "".join(sections)


def _command(name: str, command: Any, level: int = 2) -> Iterator[str]:
    """The section of a command; below it those of its own commands."""
    nested = getattr(command, "commands", {})
    places = [parameter for parameter in command.params if parameter.param_type_name == "argument"]
    words = ["COMMAND"] if nested else [place.metavar or (place.name or "").upper() for place in places]
    yield f"\n{'#' * level} {name}\n\n{command.help}\n\n"
    yield fenced("console", " ".join((NAME, name, "[OPTIONS]", *words)))
    if shown := [parameter for parameter in command.params if parameter.help]:
        yield "\n" + table(("option", "meaning", "default"), map(_option, shown))
    if command.epilog:
        yield "\n" + fenced("console", _MARKUP.sub("", command.epilog.partition("\n\n")[0]).partition("\n")[2])
    for inner, below in nested.items():
        yield from _command(f"{name} {inner}", below, level + 1)


def _option(parameter: Any) -> tuple[str, str, str]:
    is_option = parameter.param_type_name == "option"
    names = ", ".join(map(code, parameter.opts)) if is_option else code(parameter.metavar or parameter.name.upper())
    if is_option and parameter.metavar:
        names += f" {code(parameter.metavar)}"
    default = parameter.show_default if isinstance(parameter.show_default, str) else parameter.default
    return names, parameter.help, "" if default in (None, False) or callable(default) else str(default)


def notification_fields() -> str:
    """The schema of what a webhook gets, with the meanings that its class documents."""
    schema = msgspec.json.schema_components([Notification])[1]["Notification"]["properties"]
    meanings = dict(re.findall(r"^ +(\w+)  +(.+)$", Notification.__doc__ or "", re.MULTILINE))
    rows = ((code(name), _json_type(form), meanings[name]) for name, form in schema.items())
    return table(("field", "type", "meaning"), rows)


def _json_type(form: dict[str, Any]) -> str:
    kind = str(form["type"])
    return f"{kind}, {form['format']}" if "format" in form else kind


def faults_en() -> str:
    rows = ((code(fault), words[0], words[1]) for fault, words in TABLE.items())
    return table(("fault", "message", "what to do"), rows)


def faults_de() -> str:
    rows = ((code(fault), words[2], words[3]) for fault, words in TABLE.items())
    return table(("Fehler", "Meldung", "was zu tun ist"), rows)


def table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    lines = [list(head), *map(list, rows)]
    lines.insert(1, ["---"] * len(lines[0]))
    return "".join("| " + " | ".join(cell.replace("|", r"\|") for cell in line) + " |\n" for line in lines)


def fenced(language: str, text: str) -> str:
    return f"```{language}\n{text.rstrip()}\n```\n"


def code(text: object) -> str:
    return f"`{text}`" if str(text) else ""


def many(items: Iterable[str]) -> str:
    """Several things in one cell of a table."""
    return "<br>".join(items)


PARTS: dict[str, Callable[[], str]] = {
    part.__name__: part
    for part in (
        *(registers, corrections, keys, tables, options, routes, profiles, commands, faults_en, faults_de),
        *(homeassistant, homeassistant_meter, homeassistant_de, homeassistant_meter_de, notification_fields),
    )
}


def renewed(page: str) -> str:
    """A page with each of its generated parts as the code has it now."""
    return _PART.sub(lambda part: part[1] + PARTS[part[2]]() + part[3], page)


def entity_names() -> Iterator[tuple[Path, str]]:
    """The texts of the integration, each register named as in the table; strings.json is the English ones.

    Energy and cost of a period are named as by MQTT.
    """
    for language in ("en", "de"):
        path = INTEGRATION / "translations" / f"{language}.json"
        texts = json.loads(path.read_text())
        named = {row.key: {"name": row.de if language == "de" else row.en} for row in REGISTERS.values()}
        named |= {key: {"name": names[language]} for key, names in WORDS.items() if _OF_TIME_OR_PRICE.search(key)}
        texts["entity"]["sensor"] = dict(sorted((texts["entity"]["sensor"] | named).items()))
        text = json.dumps(texts, indent=2, ensure_ascii=False) + "\n"
        yield path, text
        if language == "en":
            yield INTEGRATION / "strings.json", text


def main() -> int:
    files = {path: renewed(path.read_text()) for path in PAGES} | dict(entity_names())
    stale = {path: text for path, text in files.items() if not path.exists() or path.read_text() != text}
    for path, text in stale.items():
        if "--check" in sys.argv:
            print(f"{path.relative_to(DOCS.parent)} is out of date; run make docs")
        else:
            path.write_text(text)
    return 1 if stale and "--check" in sys.argv else 0


if __name__ == "__main__":
    sys.exit(main())
