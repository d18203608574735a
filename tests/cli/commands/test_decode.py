"""`decode`: every form of a capture, on a terminal, in a pipe and as JSON."""

import json
from pathlib import Path

import pytest

import telegrams
import texts
from command import OnTerminal, Run
from iskra_server.codecs.p1 import encoder as p1
from iskra_server.codecs.text.parity import with_parity

TELEGRAM = telegrams.telegram()
DAMAGED = telegrams.telegram()[:-1] + b"\x00"
STREAM = b"\x55" * 5 + TELEGRAM + DAMAGED + TELEGRAM + TELEGRAM[:100]


@pytest.fixture
def capture(tmp_path: Path) -> Path:
    path = tmp_path / "capture.bin"
    path.write_bytes(STREAM)
    return path


def test_json_is_one_object_a_telegram_with_the_faults_between(run: Run, capture: Path) -> None:
    done = run("decode", "--json", capture)
    assert (done.returncode, done.stderr) == (0, "")
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert [line.get("fault") for line in lines] == ["noise", None, "checksum", None, "cut"]
    assert sum(line["octets"] for line in lines) == len(STREAM)
    registers = {register["name"]: register for register in lines[1]["registers"]}
    assert registers["energy_import"] == {
        "obis": "1-0:1.8.0*255",
        "name": "energy_import",
        "value": "12345678.9",
        "unit": "Wh",
        "raw": 123456789,
        "scaler": -1,
        "status": "0x00000182",
    }
    assert registers["public_key"]["value"] == telegrams.KEY.hex()


def test_plain_lines_in_a_pipe_end_with_a_summary(run: Run, capture: Path) -> None:
    lines = run("decode", capture).stdout.splitlines()
    assert lines[0] == "! noise: 5 bytes outside of telegrams (5 bytes)"
    assert "  1-0:1.8.0*255  energy_import  12345678.9 Wh  123456789e-1  0x00000182" in lines
    assert lines[-2].startswith("! cut: the capture ends inside this telegram (100 bytes)")
    assert lines[-1] == f"2 telegrams, 3 faults (1 checksum, 1 cut, 1 noise), {len(STREAM):,} bytes."


@pytest.mark.parametrize("columns", [80, 160])
def test_a_table_on_a_terminal_keeps_its_numbers_whole_in_80_columns(
    columns: int, terminal: OnTerminal, capture: Path
) -> None:
    shown = terminal("decode", capture, columns=columns)
    assert shown.end() == 0
    for part in ("129-129:199.130.3", "energy_import", "12345678.9 Wh", "123456789e-1", "0x00000182", "321 W"):
        assert part in shown.text
    assert "…" not in shown.text
    assert "2 telegrams, 3 faults" in shown.text


def test_a_dump_gives_the_same_as_the_binary(run: Run, capture: Path) -> None:
    rows = [STREAM[at : at + 16] for at in range(0, len(STREAM), 16)]
    od = "".join(f"{16 * number:07o} {row.hex(' ')}\n" for number, row in enumerate(rows)) + f"{len(STREAM):07o}\n"
    assert run("decode", "--json", "-", stdin=od.encode()).stdout == run("decode", "--json", capture).stdout


def test_a_capture_comes_through_a_pipe(run: Run) -> None:
    done = run("decode", "-", stdin=TELEGRAM)
    assert done.returncode == 0
    assert done.stdout.endswith(f"1 telegram, no fault, {len(TELEGRAM)} bytes.\n")


def test_no_telegram_is_the_answer_no(run: Run) -> None:
    done = run("decode", "-", "--quiet", stdin=bytes(100))
    assert (done.returncode, done.stdout) == (1, "! noise: 100 bytes outside of telegrams (100 bytes)\n")


def test_an_empty_capture_is_the_answer_no(run: Run) -> None:
    done = run("decode", "-")
    assert done.returncode == 1
    assert done.stderr.startswith("iskra-server: The input is empty; record a capture with ")


def test_a_large_capture_shows_a_bar_on_the_terminal_and_leaves_the_output_alone(
    terminal: OnTerminal, tmp_path: Path
) -> None:
    large = tmp_path / "large.bin"
    large.write_bytes(bytes(5 * 1024 * 1024) + TELEGRAM)
    decoding = terminal("decode", "--json", large)
    assert decoding.end() == 0
    assert "decoding" in decoding.text


def test_a_capture_of_p1_though_it_is_text(run: Run, tmp_path: Path) -> None:
    capture = tmp_path / "capture.txt"
    capture.write_bytes(texts.p1_telegram() + texts.p1_telegram()[:200])
    lines = run("decode", capture).stdout.splitlines()
    assert lines[0].startswith(f"{texts.P1_ID}  (meter time 2026-11-22T09:05:19Z, ")
    assert "  1-0:1.8.1*255  energy_import_t1  1234567 Wh" in lines
    assert f"{texts.GAS_ID}  (meter time 2026-11-22T09:00:10Z, channel 1, p1)" in lines
    assert lines[-2:-1] == ["! cut: the capture ends inside this telegram (200 bytes)"]
    assert lines[-1].startswith("1 telegram, 1 fault (1 cut), ")
    meter, gas, _ = (json.loads(line) for line in run("decode", "--json", capture).stdout.splitlines())
    assert (meter["protocol"], "channel" in meter, gas["channel"]) == ("p1", False, 1)
    assert [(each["value"], each["time"]) for each in gas["registers"] if each["unit"]] == [("1569.646", 1795338010)]


def test_a_telegram_without_a_checksum_is_marked(run: Run, tmp_path: Path) -> None:
    capture = tmp_path / "capture.txt"
    capture.write_bytes(p1.without_checksum(texts.P1_IDENT, ["1-0:1.8.1(1.234*kWh)"]))
    assert run("decode", capture).stdout.splitlines()[0] == "ISK M550T-1099  (44 bytes, p1, without a checksum)"
    assert json.loads(run("decode", "--json", capture).stdout)["protected"] is False


def test_a_readout_of_d0_and_a_dump_of_it(run: Run, tmp_path: Path) -> None:
    capture, dump = tmp_path / "capture.bin", tmp_path / "dump.txt"
    capture.write_bytes(with_parity(texts.d0_readout()))
    dump.write_text(capture.read_bytes().hex(" ", 1))
    for file in (capture, dump):
        lines = run("decode", file).stdout.splitlines()
        assert lines[0].startswith("1 ISK 00 63000199  (")
        assert "  1-0:1.8.0*255  energy_import  8048375 Wh" in lines
        assert lines[-1].startswith("1 telegram, no fault, ")


def test_a_damaged_readout_is_one_fault(run: Run, tmp_path: Path) -> None:
    capture = tmp_path / "capture.bin"
    for data, kind in ((texts.d0_readout()[:-9], "cut"), (texts.d0_readout()[:-1] + b"?", "checksum")):
        capture.write_bytes(data)
        done = run("decode", "--json", capture)
        assert done.returncode == 1
        assert [json.loads(line)["fault"] for line in done.stdout.splitlines()] == [kind]
