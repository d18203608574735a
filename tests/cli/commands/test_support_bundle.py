"""A bundle that can be shared: it replays, and nothing in it says whose it is."""

import asyncio
import base64
import json
import zipfile
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote

import pytest

import pushes
import telegrams
import texts
from command import Run
from iskra_server.cli.commands import support_bundle
from iskra_server.codecs.decoder import DECODERS
from iskra_server.codecs.detecting import DetectingDecoder
from iskra_server.codecs.dlms import encoder as dlms
from iskra_server.codecs.sml.decoder import SmlDecoder
from iskra_server.meter.guard import Guard
from iskra_server.meter.reading import Fault, Reading
from iskra_server.reading.hub import Hub
from iskra_server.reading.reader import Reader
from iskra_server.sources.source import Chunk, ReceivedWhileProbing, SourceState
from reading.given import Given
from running import Head, free_port, serving, until

TOKEN = "tokentokentoken0123"
PASSWORD = "pass/w@rd-geheim"
OTHER = "anders-geheim"
TENANT = "tokenofatenant-geheim"
SERIAL = f"{int.from_bytes(telegrams.SERVER_ID[6:]):08d}"
TRACES = (
    *(telegrams.SERVER_ID, telegrams.SERVER_ID[6:], telegrams.SERVER_ID[::-1], telegrams.SERVER_ID[6:][::-1]),
    *(
        telegrams.KEY,
        telegrams.KEY[::-1],
        TOKEN.encode(),
        PASSWORD.encode(),
        OTHER.encode(),
        TENANT.encode(),
        SERIAL.encode(),
        SERIAL[::-1].encode(),
    ),
    f"1 ISK 00 {SERIAL}".encode(),
    f"1ISK00{SERIAL}".encode(),
    quote(f"1 ISK 00 {SERIAL}").encode(),
    str(int.from_bytes(telegrams.SERVER_ID)).encode(),
)


def traces_in(content: bytes) -> list[bytes]:
    """Whatever tells who it is from, in any form that somebody could look for."""
    text = content.lower()
    forms = [
        form
        for trace in TRACES
        for form in (trace, trace.hex().encode(), trace.hex(" ").encode(), base64.b64encode(trace).rstrip(b"="))
    ]
    return [form for form in forms if form.lower() in text]


def contents(file: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(file) as bundle:
        assert bundle.testzip() is None
        return {name: bundle.read(name) for name in bundle.namelist()}


def totals(data: bytes) -> list[object]:
    readings = [each for each in SmlDecoder().feed(data) if isinstance(each, Reading)]
    return [register.value for each in readings if (register := each.get(telegrams.IMPORT))]


def sent() -> bytes:
    entries = (telegrams.meter_entries(energy=energy) for energy in (5000, 5001, 5002, 10))
    return b"".join(telegrams.telegram(each, seconds=number) for number, each in enumerate(entries, 1))


@pytest.fixture
def configuration(tmp_path: Path) -> str:
    """With every secret, and with the serial number and a password in the meter's name."""
    return f"""\
[[meters]]
url = "{tmp_path}/head"
name = "Zähler {SERIAL} {PASSWORD}"
[[tokens]]
token = "{TENANT}"
groups = "tenant:{TENANT}"
[server]
host = "127.0.0.1"
token = "{TOKEN}"
[history]
enabled = false
database_url = "postgresql://iskra:{quote(PASSWORD, safe="")}@db/iskra"
[outputs.mqtt]
url = "mqtt://iskra@127.0.0.1:1"
password = "{OTHER}"
[outputs.emulation]
host = "127.0.0.1"
[outputs.ecotracker]
enabled = true
port = {free_port()}
"""


def test_a_bundle_of_a_running_server_replays_and_names_nobody(run: Run, tmp_path: Path, configuration: str) -> None:
    head, file, output = Head(tmp_path / "head"), tmp_path / "x.toml", tmp_path / "bundle.zip"
    file.write_text(configuration)
    headers = {"authorization": f"Bearer {TOKEN}"}
    environ = {"IES_HISTORY_ENABLED": ""}
    with serving("serve", "--config", str(file), environ=environ, headers=headers) as server:
        until(lambda: server.status()["facts"]["is_open"])
        head.send(sent())
        # the last one goes back: the log says whose counter it is
        until(lambda: "held back" in server.log)
        port = server.url.rpartition(":")[2]
        done = run("support-bundle", str(output), "--config", str(file), IES_PORT=port)
    assert (done.returncode, done.stderr) == (0, "")
    files = contents(output)
    assert sorted(files) == [
        *("README.txt", "configuration.toml", "log.txt", "metrics.txt", "status.json"),
        *("telegrams-1.bin", "versions.json"),
    ]
    assert {name: traces_in(content) for name, content in files.items() if traces_in(content)} == {}
    assert totals(files["telegrams-1.bin"]) == totals(sent())
    assert b"held back" in files["log.txt"]
    assert b"Z\xc3\xa4hler 0000000" in files["configuration.toml"]
    assert b'token = "***"' in files["configuration.toml"]
    status = json.loads(files["status.json"])
    assert status["meters"][0]["meter_id"].startswith("1 ISK 00 0000000")
    notices = next(output for output in status["outputs"] if output["name"] == "ecotracker")["notices"]
    assert notices[-1]["en"]["sentence"].startswith("Meter 1 ISK 00 0000000")
    (tmp_path / "telegrams.bin").write_bytes(files["telegrams-1.bin"])
    decoded = run("decode", "--json", "telegrams.bin").stdout
    assert len(decoded.splitlines()) == 4
    assert traces_in(decoded.encode()) == []


def test_the_test_would_find_a_trace() -> None:
    for trace in TRACES:
        assert traces_in(b"x" + trace.hex().upper().encode() + b"x")
        assert traces_in(b"x" + trace + b"x")


def test_without_a_server_the_meters_are_read(run: Run, tmp_path: Path) -> None:
    (tmp_path / "capture.bin").write_bytes(sent())
    url = f"file:{tmp_path}/capture.bin?speed=0"
    done = run("support-bundle", "bundle.zip", "--seconds", "5", IES_METERS=url, IES_PORT="1")
    assert done.returncode == 0
    files = contents(tmp_path / "bundle.zip")
    assert totals(files["telegrams-1.bin"]) == totals(sent())
    assert {name: traces_in(content) for name, content in files.items() if traces_in(content)} == {}
    assert json.loads(files["status.json"])["meters"][0]["facts"]["telegrams"] == 4


def test_without_seconds_it_listens_until_a_port_that_is_searched_has_its_meter(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(support_bundle, "_LISTEN_S", 0.01)
    source = Given()
    source.state = SourceState("given", is_open=False, probe=ReceivedWhileProbing(b"", 0, 6.0))
    reader = Reader(source=source, decoder=DECODERS["sml"](), guard=Guard(), hub=Hub())
    order: list[str] = []

    async def find() -> None:
        await asyncio.sleep(0.05)
        order.append("found")
        reader.process(Chunk(telegrams.telegram(), datetime.now(UTC), 0.0))
        await asyncio.Event().wait()

    async def main() -> None:
        task = asyncio.create_task(find())
        await support_bundle.listen([task], [reader], None)
        order.append("ended")
        task.cancel()

    asyncio.run(main())
    assert order == ["found", "ended"]


def test_the_address_of_a_meter_that_does_not_answer_is_masked_too(run: Run, tmp_path: Path) -> None:
    url = f"/dev/serial/by-id/none?protocol=d0&address={SERIAL}"
    done = run("support-bundle", "bundle.zip", "--seconds", "1", IES_METERS=url, IES_PORT="1")
    assert done.returncode == 0
    files = contents(tmp_path / "bundle.zip")
    assert b"address=***" in files["configuration.toml"]
    assert {name: traces_in(content) for name, content in files.items() if traces_in(content)} == {}


def test_a_server_that_reads_no_meter_has_a_bundle_too(run: Run, tmp_path: Path) -> None:
    done = run("support-bundle", "bundle.zip", IES_METERS="none", IES_PORT="1")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "bundle.zip has 4 files and no telegrams. Look through it before you send it.\n"
    assert json.loads(contents(tmp_path / "bundle.zip")["status.json"])["meters"] == []


def test_another_token_and_a_file_that_exists_are_one_sentence(run: Run, tmp_path: Path) -> None:
    with serving("demo", environ={"IES_SERVER_TOKEN": TOKEN}) as server:
        port = server.url.rpartition(":")[2]
        done = run("support-bundle", "x.zip", IES_PORT=port)
        assert (done.returncode, done.stderr.count("\n")) == (2, 1)
        assert "Is server.token the same there?" in done.stderr
    (tmp_path / "there.zip").write_text("")
    done = run("support-bundle", "there.zip", "--seconds", "1", IES_METERS="simulator:MT175", IES_PORT="1")
    assert "there.zip exists already" in done.stderr


# the same serial number as DIN text in hex, as digits, in a system title and in an unknown list
P1_LINES = [*texts.p1_lines(), f"0-0:96.1.0({SERIAL})", f"0-0:96.13.0({texts.hex_text('Maier ' + SERIAL)})"]
P1_LINES[2] = f"0-0:96.1.1({texts.hex_text('1ISK00' + SERIAL)})"
D0_LINES = [line.replace(texts.D0_SERIAL, SERIAL) for line in texts.d0_lines()]
TITLE = b"ISKg" + (0x70000000 | int(SERIAL)).to_bytes(4)
UNKNOWN = dlms.structure(
    dlms.octet_string(f"ISK10307{SERIAL}".encode()), dlms.u4(int(SERIAL)), dlms.octet_string(b"Maier")
)
STREAMS = {
    "p1": texts.p1_telegram(P1_LINES) * 3,
    "d0": texts.d0_readout(D0_LINES) * 3,
    "encrypted": dlms.hdlc(dlms.seal(pushes.apdu(pushes.tagged()), TITLE, 100, pushes.KEYS)) * 2,
    "layout": dlms.hdlc(pushes.apdu(UNKNOWN)) * 2,
}


@pytest.mark.parametrize("name", STREAMS)
def test_a_bundle_of_a_meter_of_another_protocol_names_nobody(run: Run, tmp_path: Path, name: str) -> None:
    (tmp_path / "capture.bin").write_bytes(STREAMS[name])
    url = f"file:{tmp_path}/capture.bin?speed=0"
    done = run("support-bundle", "bundle.zip", "--seconds", "5", IES_METERS=url, IES_PORT="1")
    assert done.returncode == 0, done.stderr
    files = contents(tmp_path / "bundle.zip")
    assert {name: traces_in(content) for name, content in files.items() if traces_in(content)} == {}
    assert not any(b"maier" in content.lower() or b"4d61696572" in content.lower() for content in files.values())
    facts = json.loads(files["status.json"])["meters"][0]["facts"]
    assert facts["protocol"] == (name if name in ("p1", "d0") else "dlms")
    before, after = (DetectingDecoder().feed(data) for data in (STREAMS[name], files["telegrams-1.bin"]))
    assert [numbers(item) for item in before] == [numbers(item) for item in after]
    if name == "layout":
        assert facts["last_unreadable"]["elements"] == ["bytes " + "00" * 16, "u4 12300000", "bytes " + "00" * 5]


def numbers(item: Reading | Fault) -> object:
    return list(item.numbers()) if isinstance(item, Reading) else item.kind
