"""Every parser that reads what a stranger can send: whatever it is, it is read or refused in the parser's own words."""

import csv
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.datastructures import QueryParams

import telegrams
from iskra_server.base.address import Address
from iskra_server.base.hosts import Hosts
from iskra_server.codecs.decoder import detect
from iskra_server.codecs.sml.decoder import SmlDecoder
from iskra_server.config import ConfigError, describe, load
from iskra_server.diagnosis.advice import format_problem
from iskra_server.history.transfer import formats
from iskra_server.history.transfer.file_rows import BadRow, CounterReading, LeftOut, RecordRow
from iskra_server.history.transfer.own_export import HEADER
from iskra_server.history.transfer.quarter_readings import quarter_readings
from iskra_server.meter.reading import Fault, Reading
from iskra_server.redact.masking import Masking
from iskra_server.simulator.simulated_source import from_url
from iskra_server.sources import hextext, open_source
from iskra_server.web.http.query import BadRequest, Query
from trying import tries

METER_ID = "1 ISK 00 12345678"
GOOD = telegrams.telegram()
NOW = datetime(2026, 11, 22, 10, tzinfo=UTC)
MAX_MB = 8


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """A telegram that something has happened to, more than once."""
    data = bytearray(GOOD)
    for _ in range(draw(st.integers(1, 6))):
        at = draw(st.integers(0, len(data)))
        piece = draw(st.binary(max_size=12))
        data[at : at + draw(st.integers(0, 12))] = piece
    return bytes(data)


data = st.one_of(st.binary(max_size=2000), damaged(), st.lists(damaged(), max_size=4).map(b"".join))


@tries()
@given(data, st.integers(1, 700))
def test_telegrams(stream: bytes, chunk: int) -> None:
    """However they are damaged and cut into pieces, and the good one behind them is read."""
    decoder = SmlDecoder()
    stream += bytes(16) + GOOD
    found = [each for at in range(0, len(stream), chunk) for each in decoder.feed(stream[at : at + chunk])]
    assert all(isinstance(each, Reading | Fault) for each in found)
    assert telegrams.readings(GOOD)[0] in found


@tries(0.5)
@given(data, st.integers(1, 700))
def test_recordings_to_be_masked(stream: bytes, chunk: int) -> None:
    masking = Masking()
    masked = b"".join(masking.feed(stream[at : at + chunk]) for at in range(0, len(stream), chunk)) + masking.end()
    assert telegrams.SERVER_ID not in masked
    assert telegrams.KEY not in masked
    detect(stream)


def test_a_promise_of_many_bytes_costs_no_memory() -> None:
    tracemalloc.start()
    decoder = SmlDecoder()
    for _ in range(200):
        list(decoder.feed(b"\x1b\x1b\x1b\x1b\x01\x01\x01\x01\xff\xff\xff\x0f" + b"\x7f" * 20_000))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < MAX_MB * 1_000_000


rows_of_hex = st.text("0123456789abcdefABCDEF \t\n:*|>x\\#;.,", max_size=300)


@tries()
@given(st.one_of(st.text(max_size=300), rows_of_hex))
def test_captures_as_text(text: str) -> None:
    with suppress(hextext.NotADump):
        assert isinstance(hextext.parse(text), bytes)


def cells() -> st.SearchStrategy[str]:
    sensible = [
        "2026-11-22T10:00:00+01:00",
        "22.11.2026 10:00",
        "1763802000",
        "1763802000000",
        "1-0:1.8.0*255",
        "12345.6",
    ]
    odd = [
        "",
        "-1",
        "1e400",
        "NaN",
        "inf",
        "9" * 400,
        "0x1",
        "2026-02-30",
        "24:00",
        "\0",
        '"',
        "٣",
        "1_000",
        "measured",
    ]
    return st.one_of(st.sampled_from(sensible + odd), st.text(max_size=12))


tables = st.builds(
    lambda head, sign, rows: [line + "\n" for line in (head, *map(sign.join, rows))],
    st.sampled_from(["", ",".join(HEADER), "statistic_id,unit,start,state", "time;value", "[", '[{"statistic_id":1}]']),
    st.sampled_from([",", ";", "\t"]),
    st.lists(st.lists(cells(), max_size=8), max_size=8),
)


@tries()
@given(tables, st.sampled_from(formats.FORMATS))
def test_tables_to_be_imported(lines: list[str], form: formats.FileFormat) -> None:
    with suppress(formats.UnknownFormat):
        formats.detect_format(lines)
    formats.is_simulated(lines)
    # what the command says in a sentence; nothing else may come out
    with suppress(formats.UnknownFormat, csv.Error):
        wanted = formats.FormatOptions(ZoneInfo("Europe/Berlin"))
        found = imported(form, lines, wanted)
        assert all(isinstance(each, RecordRow | BadRow | LeftOut) for each in found)


def imported(
    form: formats.FileFormat, lines: list[str], wanted: formats.FormatOptions
) -> Iterator[RecordRow | BadRow | LeftOut]:
    if form == "iskra":
        return formats.read_records(iter(lines), METER_ID)
    readings: Iterator[CounterReading | BadRow] = formats.read_counters(form, iter(lines), wanted)
    return quarter_readings(readings, METER_ID, telegrams.IMPORT, formats.best_quality(form))


toml_values = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=20)),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
)
keys = [key.path.split(".") for key in describe()]
trees = st.dictionaries(
    st.sampled_from([*dict.fromkeys(path[0] for path in keys), "x"]),
    st.one_of(
        toml_values,
        st.dictionaries(st.sampled_from([path[-1] for path in keys]), toml_values, max_size=4),
        st.lists(st.dictionaries(st.sampled_from([path[-1] for path in keys]), toml_values, max_size=4), max_size=3),
    ),
    max_size=4,
)


@pytest.mark.parametrize("suffix", ["toml", "json"])
def test_configuration_files_of_any_bytes(tmp_path: Path, suffix: str) -> None:
    file = tmp_path / f"x.{suffix}"

    @tries()
    @given(st.binary(max_size=200) | st.text(max_size=200).map(lambda text: text.encode("utf-8", "surrogatepass")))
    def read(content: bytes) -> None:
        file.write_bytes(content)
        with sentences():
            load({}, file)

    read()


@pytest.mark.parametrize("beginning", [b"[", b'{"server":', b"a=[", b"[[a]]\n[a.b]\nc={d="])
@pytest.mark.parametrize("suffix", ["toml", "json"])
def test_configuration_files_of_any_depth(tmp_path: Path, suffix: str, beginning: bytes) -> None:
    file = tmp_path / f"x.{suffix}"
    file.write_bytes(beginning * 20_000)
    with pytest.raises(ConfigError):
        load({}, file)


@pytest.mark.parametrize("text", ["[" * 50_000, '[{"a":' * 20_000])
def test_tables_of_any_depth(text: str) -> None:
    with suppress(formats.UnknownFormat):
        assert list(imported("homeassistant", [text], formats.FormatOptions(ZoneInfo("UTC")))) is not None


def test_configurations_of_any_values(tmp_path: Path) -> None:
    import msgspec  # noqa: PLC0415

    file = tmp_path / "x.json"

    @tries()
    @given(trees)
    def read(tree: dict[str, object]) -> None:
        file.write_bytes(msgspec.json.encode(tree))
        with sentences():
            load({}, file)

    read()


@tries()
@given(st.dictionaries(st.sampled_from([name for key in describe() for name in key.variables]), st.text(), max_size=4))
def test_variables_of_any_text(environ: dict[str, str]) -> None:
    with sentences():
        load({name: value.replace("\0", "") for name, value in environ.items()}, Path("/dev/null"))


class sentences(suppress):
    """A ConfigError of one line."""

    def __init__(self) -> None:
        super().__init__(ConfigError)

    def __exit__(self, kind: object, error: object, trace: object) -> bool:
        if isinstance(error, ConfigError):
            assert "\n" not in str(error).strip()
        return super().__exit__(kind, error, trace)  # type: ignore[arg-type]


addresses = st.one_of(
    st.text(max_size=60),
    st.builds(
        "{}{}{}".format,
        st.sampled_from(["tcp://", "rfc2217://", "esphome://", "file:", "simulator:", "/dev/", "auto", "x://", "TCP:"]),
        st.text("abc:/?#[]@&=%.0123456789 \n", max_size=30),
        st.sampled_from(
            ["", "?baud=", "?speed=nan", "?rate=-1", "?seed=x&faults=noise", "?since=2026-99-99", "?key=k"]
        ),
    ),
)


@tries()
@given(addresses)
def test_addresses_of_meters(url: str) -> None:
    opening: Callable[[str], object] = from_url if url.startswith("simulator:") else opened
    with suppress(ValueError):
        opening(url)
    assert str(Address(url)) == str(Address(Address(url)))


def opened(url: str) -> object:
    return open_source(url, format_problem=format_problem)


@tries()
@given(
    st.lists(
        st.tuples(st.sampled_from(["from", "to", "at", "tz", "points"]), st.one_of(st.text(max_size=30), cells())),
        max_size=4,
    )
)
def test_questions_to_history(pairs: list[tuple[str, str]]) -> None:
    with suppress(BadRequest):
        question = Query(QueryParams(pairs), ("from", "to", "at", "tz", "points"), now=NOW, tz="Europe/Berlin")
        for ask in (
            question.period,
            lambda: question.moment("at"),
            lambda: question.integer("points", default=1, maximum=9),
        ):
            with suppress(BadRequest):
                ask()


@tries()
@given(st.text(max_size=80))
def test_names_of_hosts(host: str) -> None:
    assert not Hosts(machine="m").allows(f"{host.replace(':', '')}.evil.example")
    Hosts(machine="m").allows(host)
