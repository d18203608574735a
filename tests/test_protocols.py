"""Meters of every protocol, from a port or a TCP bridge through `serve` to HTTP: exact values, or why there is none."""

import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path
from typing import Any

import pytest

import pushes
import telegrams
import texts
from iskra_server.codecs.d0 import encoder as d0
from iskra_server.codecs.dlms import encoder
from iskra_server.codecs.text.parity import with_parity
from running import COMMAND, Head, Server, serving, until

pytest.importorskip("cryptography")

KEY, AUTH_KEY, OTHER_KEY = pushes.KEYS.encryption, pushes.KEYS.authentication, pushes.OTHER_KEYS.encryption
D0_ID = f"1 ISK 00 {texts.D0_SERIAL}"


class Bridge:
    """A TCP server that sends to the client that connected last."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._client: socket.socket | None = None
        self._thread = threading.Thread(target=self._accept)
        self._thread.start()

    @property
    def url(self) -> str:
        return f"tcp://127.0.0.1:{self._listener.getsockname()[1]}"

    def send(self, data: bytes) -> None:
        if self._client is not None:
            with suppress(OSError):
                self._client.sendall(data)

    def stop(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._listener.close()
        if self._client is not None:
            self._client.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                self._client, _ = self._listener.accept()


@contextmanager
def bridges(number: int) -> Iterator[list[Bridge]]:
    made = [Bridge() for _ in range(number)]
    try:
        yield made
    finally:
        for bridge in made:
            bridge.stop()


@contextmanager
def serve(tmp_path: Path, meters: list[dict[str, str]], **variables: str) -> Iterator[Server]:
    file = tmp_path / "x.json"
    file.write_text(json.dumps({"meters": meters}))
    with serving("serve", environ={"IES_CONFIG": str(file), **variables}) as server:
        yield server


def encrypted() -> Iterator[bytes]:
    """Telegrams of one meter, whose counters rise."""
    return (encoder.hdlc(pushes.sealed(pushes.tagged(), counter)) for counter in count(100))


def facts(server: Server) -> list[dict[str, Any]]:
    return [meter["facts"] for meter in server.get("/api/v1/status").json()["meters"]]


def kwh(server: Server, meter_id: str) -> float | None:
    answer = server.ask("/api/electricity/cumulated", {"meter": meter_id})
    return answer.json()["value"] if answer.status_code == 200 else None


def repeated(sends: Callable[[], object], condition: Callable[[], object]) -> None:
    """Send until a condition holds: a port that is not open yet loses what is sent."""

    def is_met() -> object:
        sends()
        return condition()

    until(is_met, every_s=0.1)


def test_meters_of_all_protocols_are_read_exactly(tmp_path: Path) -> None:
    heads = [Head(tmp_path / name) for name in ("p1", "d0", "dlms")]
    pushed = with_parity(d0.pushed(texts.D0_IDENT, texts.d0_lines()))
    clear = encoder.hdlc(pushes.apdu(pushes.tagged()), 60)
    keyed, wrongly_keyed, keyless = encrypted(), encrypted(), encrypted()
    with bridges(3) as (first, second, third):
        meters = [{"url": str(head.link)} for head in heads] + [
            {"url": first.url, "key": KEY.hex(":"), "auth_key": AUTH_KEY.hex()},
            {"url": second.url, "key": OTHER_KEY.hex()},
            {"url": third.url},
        ]

        def sends() -> None:
            for head, telegram in zip(heads, (texts.p1_telegram(), pushed, clear), strict=True):
                head.send(telegram)
            for bridge, series in ((first, keyed), (second, wrongly_keyed), (third, keyless)):
                bridge.send(next(series))

        def is_complete() -> bool:
            *read, wrong, missing = facts(server)
            return all(each["telegrams"] > 2 for each in read) and bool(
                wrong["last_unreadable"] and missing["last_unreadable"]
            )

        with serve(tmp_path, meters) as server:
            repeated(sends, is_complete)
            assert kwh(server, texts.P1_ID) == 1999.999
            assert kwh(server, D0_ID) == 8048.375
            assert kwh(server, pushes.METER_ID) == 7654.321
            # the first meter is that of the first source, not what it measures beside electricity
            assert server.cumulated().json()["value"] == 1999.999
            p1, pushed_d0, dlms, with_key, wrong, missing = facts(server)
            read = {meter["id"]: meter for meter in server.get("/api/v1/meters").json()["meters"]}
    assert [each["protocol"] for each in (p1, pushed_d0, dlms, with_key, wrong, missing)] == ["p1", "d0", *["dlms"] * 4]
    assert [each["meter_id"] for each in (p1, pushed_d0, dlms, with_key)] == [
        *(texts.P1_ID, D0_ID, pushes.METER_ID, pushes.METER_ID),
    ]
    # gas is a meter of its own, and no telegram of the head
    assert p1["sub_meters"] == [texts.GAS_ID]
    assert (p1["previous_meter_id"], p1["meter_changes"], p1["faults"]) == (None, 0, {})
    gas = {register["obis"]: register for register in read[texts.GAS_ID]["registers"]}
    assert (gas["0-1:24.2.1*255"]["value"], gas["0-1:24.2.1*255"]["unit"]) == (1569.646, "m³")
    # an encrypted telegram is well received, and names its meter
    for each, kind in ((wrong, "wrong_key"), (missing, "encrypted")):
        assert (each["telegrams"], each["meter_id"], each["faults"]) == (0, None, {})
        assert each["last_unreadable"]["kind"] == kind
        assert each["last_unreadable"]["meter_id"] == pushes.METER_ID
        assert (each["last_5min"]["damaged"], each["last_5min"]["valid"]) == (0, 0)
        assert each["last_5min"]["unreadable"] == each["unreadable"][kind] > 0
    assert [each["has_key"] for each in (with_key, wrong, missing)] == [True, True, False]
    assert set(read) == {texts.P1_ID, texts.GAS_ID, D0_ID, pushes.METER_ID}


def test_without_a_key_there_is_no_value(tmp_path: Path) -> None:
    series = encrypted()
    with bridges(1) as (bridge,), serve(tmp_path, [{"url": bridge.url}]) as server:
        repeated(lambda: bridge.send(next(series)), lambda: facts(server)[0]["last_unreadable"])
        answer = server.cumulated()
        assert answer.status_code == 503
        assert server.get("/api/v1/meters").json()["meters"] == []
        assert KEY.hex() not in server.get("/metrics").text


def test_a_key_comes_from_the_file_that_a_variable_names(tmp_path: Path) -> None:
    (tmp_path / "key").write_text(KEY.hex() + "\n")
    series = encrypted()
    with (
        bridges(1) as (bridge,),
        serve(tmp_path, [{"url": bridge.url}], IES_METERS_KEY_FILE=str(tmp_path / "key")) as (server),
    ):
        repeated(lambda: bridge.send(next(series)), lambda: kwh(server, pushes.METER_ID))
        assert kwh(server, pushes.METER_ID) == 7654.321


def test_another_meter_at_the_same_head_is_followed(tmp_path: Path) -> None:
    head = Head(tmp_path / "head")
    with serve(tmp_path, [{"url": str(head.link)}]) as server:
        repeated(lambda: head.send(telegrams.telegram()), lambda: kwh(server, "1 ISK 00 12345678"))
        assert facts(server)[0]["protocol"] == "sml"
        repeated(lambda: head.send(texts.d0_readout()), lambda: kwh(server, D0_ID))
        assert kwh(server, D0_ID) == 8048.375
        (read,) = facts(server)
        assert (read["protocol"], read["meter_id"]) == ("d0", D0_ID)
        assert read["previous_meter_id"] == "1 ISK 00 12345678"
        assert set(read["faults"]) <= {"noise"}


@pytest.mark.parametrize(
    ("meter", "sentence"),
    [
        ({"key": "0123"}, "meters.key is no key: it has 4 characters, expected 32 hex digits (0-9, a-f)."),
        ({"auth_key": AUTH_KEY.hex()}, "meters.auth_key needs meters.key too"),
        ({"layouts": "/nowhere/own.toml"}, "/nowhere/own.toml cannot be read: No such file or directory."),
    ],
)
@pytest.mark.parametrize("command", [("serve",), ("config", "check"), ("doctor",)])
def test_a_key_that_cannot_be_used_is_one_sentence(
    command: tuple[str, ...], meter: dict[str, str], sentence: str, tmp_path: Path
) -> None:
    file = tmp_path / "x.json"
    file.write_text(json.dumps({"meters": [{"url": "tcp://127.0.0.1:9", **meter}]}))
    environ = {**os.environ, "IES_HISTORY_ENABLED": "false"}
    done = subprocess.run(
        [COMMAND, *command, "--config", file], env=environ, capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert sentence in done.stderr and len(done.stderr.splitlines()) == 1
    assert AUTH_KEY.hex() not in done.stderr


def test_a_server_of_sml_imports_nothing_of_the_other_protocols(tmp_path: Path) -> None:
    """Its memory is that of SML: the composition of `serve`, a telegram, and what is imported then."""
    code = """
import asyncio, sys
from datetime import UTC, datetime
import telegrams
from iskra_server.config import load
from iskra_server.runtime.logs import RecentLines
from iskra_server.runtime.plan import plan_of
from iskra_server.runtime.composition import Composition
from iskra_server.runtime.supervision import Supervision
from iskra_server.sources.source import Chunk

async def main():
    plan = plan_of(load({"IES_METERS": "tcp://127.0.0.1:9", "IES_HISTORY_ENABLED": "false"}))
    async with asyncio.TaskGroup() as tasks:
        composition = Composition(Supervision(tasks), [], RecentLines(), plan)
        (reader,) = composition._readers.by_meter.values()
        data = telegrams.telegram() * 3
        reader.process(Chunk(data[40:], datetime.now(UTC), 1.0))
        print(composition.statuses()[0].facts.telegrams)

asyncio.run(main())
parts = ("text", "p1", "d0", "dlms")
# tables of a few lines, which serial ports use
tables = ("d0", "d0.speeds", "text", "text.parity")
codecs = [name.removeprefix("iskra_server.codecs.") for name in sys.modules if name.startswith("iskra_server.codecs.")]
print([name for name in codecs if name.split(".")[0] in parts and name not in tables])
print([name for name in sys.modules if name.startswith("cryptography")])
"""
    folder = Path(__file__).parent
    environ = os.environ | {"HOME": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=folder, env=environ, check=False
    )
    assert done.stdout.splitlines() == ["2", "[]", "[]"], done.stderr
