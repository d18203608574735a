"""A statement as one HTML file for printing on A4: no scripts, no other files."""

from collections.abc import Iterable, Iterator, Sequence
from html import escape
from itertools import groupby

from iskra_server.base.exact_numbers import exact_number
from iskra_server.base.language import Language
from iskra_server.fleet.central.statement import MeterStatement, RegisterStatement, Statement
from iskra_server.fleet.central.statement_remarks import Remark
from iskra_server.fleet.central.statement_texts import NONE, WORDS, at, kwh, register, sentence, title
from iskra_server.history.model.periods import quarter_time
from iskra_server.history.model.records import QUARTER_S, QuarterReading
from iskra_server.history.store.metered_energy import MeteredEnergy
from iskra_server.outputs.notify.localized import month

_STYLE = """
@page { size: A4; margin: 18mm 16mm 20mm; @bottom-right { content: "PAGE " counter(page) " / " counter(pages);
  font: 8pt system-ui, sans-serif; color: #5b646a } }
* { box-sizing: border-box }
body { font: 10pt/1.4 system-ui, -apple-system, "Segoe UI", sans-serif; color: #1b1e20; background: #fff;
  max-width: 180mm; margin: 8mm auto; padding: 0 4mm }
h1 { font-size: 18pt; margin: 0 0 4mm } h2 { font-size: 12pt; margin: 8mm 0 2mm; break-after: avoid }
h3 { font-size: 10pt; margin: 4mm 0 1mm; break-after: avoid }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 0 6mm; margin: 0 }
dt { color: #5b646a } dd { margin: 0 }
table { border-collapse: collapse; width: 100%; font-size: 8.5pt; font-variant-numeric: tabular-nums }
th, td { padding: 1.1mm 1.2mm; text-align: right; vertical-align: top; border-bottom: 0.2mm solid #d5d2cb }
th { color: #5b646a; font-weight: 600; border-bottom-color: #5b646a }
th:first-child, td:first-child { text-align: left } tr { break-inside: avoid } thead { display: table-header-group }
td small { display: block; font-size: 7pt; font-weight: 400; color: #5b646a }
td:not(:first-child) { white-space: nowrap }
tr.total td { font-weight: 700; border-bottom: 0 } ul { margin: 1mm 0 0; padding-left: 5mm } li { margin-bottom: 0.6mm }
ul.remarks { font-size: 9pt } .note { font-size: 8.5pt; color: #3d454a; margin: 2mm 0 0 }
.end { break-inside: avoid }
.legal { border: 0.3mm solid #1b1e20; padding: 2.5mm 3mm; margin-top: 6mm; font-size: 9pt }
/* on a phone a table scrolls by itself, not the whole page */
@media screen and (max-width: 600px) { table { display: block; overflow-x: auto } }
@media print { body { margin: 0; padding: 0; max-width: none } }
"""


def html(statement: Statement, language: Language) -> str:
    """The whole file."""
    return "\n".join(_lines(statement, language))


def _lines(statement: Statement, language: Language) -> Iterator[str]:
    words = WORDS[language]
    groups = title(statement.groups, language)
    style = _STYLE.replace("PAGE", words["page"])
    yield f'<!doctype html>\n<html lang="{language}"><head><meta charset="utf-8">'
    yield f"<title>{escape(words['title'])} – {escape(groups)}</title>"
    yield '<meta name="viewport" content="width=device-width, initial-scale=1">'
    yield f"<style>{style}</style></head><body><main>"
    yield f"<h1>{escape(words['title'])}</h1><dl>"
    begin, end = (at(quarter * QUARTER_S, statement.tz, language) for quarter in (statement.begin, statement.end))
    for name, text in (
        ("group", groups),
        ("period", f"{begin} – {end}"),
        ("made", f"{at(statement.made_s, statement.tz, language)}. {words['zone'].format(statement.tz.key)}."),
    ):
        yield f"<dt>{escape(words[name])}</dt><dd>{escape(text)}</dd>"
    yield "</dl>"
    yield from _remarks(statement.remarks, statement, language)
    if statement.totals:
        yield from _summary(statement, language)
    for meter in statement.meters:
        yield from _meter(meter, statement, language)
    # a page of its own for the last sentence looks like a mistake of the printer
    yield f'<div class="end"><p class="note">{escape(words["explain"])}</p>'
    yield f'<p class="legal">{escape(words["legal"])}</p></div></main></body></html>\n'


def _summary(statement: Statement, language: Language) -> Iterator[str]:
    words = WORDS[language]
    yield f"<h2>{escape(words['sum'])}</h2><table><thead>"
    yield _row((words["meter"], words["register"], words["energy"], words["counted"]), cell="th")
    yield "</thead><tbody>"
    for meter in statement.meters:
        for part in meter.registers:
            energy = kwh(part.total.energy_wh, language)
            yield _row((meter.meter_id, register(part.obis, language), energy, _completeness(part, language)))
    for total in statement.totals:
        complete = words["complete"].format(total.complete, total.spans)
        cells = words["total"], register(total.obis, language), kwh(total.energy_wh, language), complete
        yield _row(cells, name="total")
    yield "</tbody></table>"


def _completeness(part: RegisterStatement, language: Language) -> str:
    """How many quarter-hours of the time are in the sum."""
    covered, quarters = (exact_number(count, language) for count in (part.total.covered, part.total.quarters))
    return WORDS[language]["of"].format(covered, quarters)


def _meter(meter: MeterStatement, statement: Statement, language: Language) -> Iterator[str]:
    words = WORDS[language]
    yield f"<section><h2>{escape(words['meter'])} {escape(meter.meter_id)}</h2>"
    for part in meter.registers:
        yield from _register(part, statement, language)
    yield from _remarks(meter.remarks, statement, language)
    if not meter.remarks and not any(part.remarks for part in meter.registers) and meter.registers:
        yield f'<p class="note">{escape(words["no remarks"])}</p>'
    yield "</section>"


def _register(part: RegisterStatement, statement: Statement, language: Language) -> Iterator[str]:
    words, total = WORDS[language], part.total
    begin, end = (at(quarter * QUARTER_S, statement.tz, language) for quarter in (total.begin, total.end))
    yield f"<h3>{escape(register(part.obis, language))} · {begin} – {end}</h3><table><thead>"
    names = (words[name] for name in ("month", "begin", "end", "energy", "missing", "estimated"))
    yield _row(names, cell="th")
    yield "</thead><tbody>"
    # months of which nothing is known are one row: a year with a beginning in October would be nine of dashes
    for is_known, run in groupby(part.months, key=lambda energy: any(energy.readings)):
        for energies in [[energy] for energy in run] if is_known else [[*run]]:
            yield _months_row(energies, statement, language)
    if part.between:
        label = words["between"]
        yield f'<tr><td colspan="3">{escape(label)}</td><td>{kwh(part.between, language)}</td>'
        yield "<td></td><td></td></tr>"
    yield _energy_row(words["total"], total, statement, language, name="total")
    yield "</tbody></table>"
    yield from _remarks(part.remarks, statement, language)


def _months_row(energies: Sequence[MeteredEnergy], statement: Statement, language: Language) -> str:
    """A month, or those of which nothing is known."""
    begins = (quarter_time(energy.begin, statement.tz) for energy in energies)
    names = [month(begin, language) for begin in begins]
    if len(names) == 1:
        return _energy_row(names[0], energies[0], statement, language)
    missing = exact_number(sum(energy.missing for energy in energies), language)
    # the year once
    first = names[0].removesuffix(names[-1][-5:])
    return _row((f"{first} – {names[-1]}", NONE, NONE, NONE, missing, NONE))


def _energy_row(label: str, energy: MeteredEnergy, statement: Statement, language: Language, *, name: str = "") -> str:
    return _row(
        (
            label,
            *(_reading(reading, statement, language) for reading in energy.readings),
            kwh(energy.energy_wh, language),
            *(exact_number(count, language) if count else NONE for count in (energy.missing, energy.estimated)),
        ),
        name=name,
    )


def _reading(reading: QuarterReading | None, statement: Statement, language: Language) -> str | tuple[str, str]:
    """The value, and below it when it was shown and whether it was measured."""
    if reading is None:
        return NONE
    words = WORDS[language]
    return (
        kwh(reading.value.decimal, language),
        f"{at(reading.quarter * QUARTER_S, statement.tz, language)}, {words[reading.quality]}",
    )


def _row(cells: Iterable[str | tuple[str, str]], *, cell: str = "td", name: str = "") -> str:
    """A cell with two texts has the second one below, in small print."""
    contents = (
        escape(text) if isinstance(text, str) else f"{escape(text[0])}<small>{escape(text[1])}</small>"
        for text in cells
    )
    attribute = f' class="{name}"' if name else ""
    return f"<tr{attribute}>{''.join(f'<{cell}>{content}</{cell}>' for content in contents)}</tr>"


def _remarks(remarks: Iterable[Remark], statement: Statement, language: Language) -> Iterator[str]:
    items = [f"<li>{escape(sentence(remark, statement.tz, language))}</li>" for remark in remarks]
    if items:
        yield f'<ul class="remarks" aria-label="{escape(WORDS[language]["remarks"])}">{"".join(items)}</ul>'
