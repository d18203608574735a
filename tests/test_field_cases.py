"""Meters that say what they mean in their own way, through `serve`: right over HTTP, by MQTT and in history.

The telegrams are made here. Those of real meters, kept beside the project, are read too where they are.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

import pytest

import telegrams
from iskra_server.codecs.sml import encoder, tlv
from iskra_server.codecs.sml.tlv import Leaf, Sequence
from iskra_server.meter.obis import Obis
from outputs.mqtt.broker import Mosquitto, Subscriber
from running import Head, Server, serving, until, wait_over_midnight

CASES = Path(__file__).parents[2] / "shared" / "cases"
IMPORTING, EXPORTING, ONE_PHASE, EDL_EXPORT = 0x1C0104, 0x1C4904, 0x40104, 0x1A2
WH, W = 30, 27
TURNS = 3


class Case(NamedTuple):
    """What a meter sends, and its power in W and total in kWh at the end; None: the meter gives none."""

    meter: str
    data: bytes
    power: str | None
    total: str | None
    derived: str | None = None


def entry(code: str, value: Leaf, unit: int, scaler: int, status: int | None = None) -> Sequence:
    return encoder.entry(
        Obis.parse(code),
        value,
        scaler=tlv.integer(scaler, 1),
        unit=tlv.unsigned(unit, 1),
        status=tlv.ABSENT if status is None else tlv.unsigned(status, 4),
    )


def counter(code: str, raw: int, status: int | None = None, scaler: int = -1) -> Sequence:
    return entry(code, tlv.integer(raw, 8), WH, scaler, status)


def watts(code: str, raw: int, width: int = 4, scaler: int = 0) -> Sequence:
    return entry(code, tlv.integer(raw, width), W, scaler)


def sent(number: int, maker: bytes, *lists: list[Sequence]) -> tuple[str, bytes]:
    """A meter's id in hex, and a telegram a second."""
    server_id = b"\x0a\x01" + maker + b"\0" + number.to_bytes(4)
    named = encoder.entry(Obis.parse("1-0:96.50.1*1"), tlv.octet_string(maker))
    series = [
        telegrams.telegram([named, *entries], seconds=1000 + second, server_id=server_id)
        for second, entries in enumerate(lists)
    ]
    return server_id.hex(), b"".join(series)


def own() -> dict[str, Case]:
    """One meter for each property of the field cases."""
    return {
        "one phase, 2 bytes, unsigned": Case(
            *sent(1, b"DZG", [counter("1.8.0", 70001, ONE_PHASE), watts("36.7.0", -20000, 2, -2)]), "455.36", "7.0001"
        ),
        "1 byte, unsigned": Case(
            *sent(2, b"DZG", [counter("1.8.0", 70002, IMPORTING), watts("16.7.0", -100, 1, -2)]), "1.56", "7.0002"
        ),
        "sum and phase unsigned": Case(
            *sent(3, b"DZG", [
                counter("1.8.0", 70003, IMPORTING), watts("16.7.0", -25536, 2, -2), watts("36.7.0", -25636, 2, -2),
                watts("56.7.0", 60, 2, -2), watts("76.7.0", 40, 2, -2)]), "400.00", "7.0003"
        ),
        "direction in the status word": Case(
            *sent(4, b"HLY", [counter("1.8.0", 70004, EXPORTING), watts("16.7.0", 311)]), "-311", "7.0004"
        ),
        "direction in the counters": Case(
            *sent(5, b"ISK", *(
                [counter("1.8.0", 70005, EDL_EXPORT), counter("2.8.0", 500 + 4 * second), watts("15.7.0", 1450)]
                for second in range(5))), "-1450", "7.0005"
        ),
        "signed import in other channels": Case(
            *sent(6, b"ESY", [
                counter("1-1:1.8.0", 70006, 0x41B0), counter("1-2:2.8.0", 900), watts("1.7.0", -12345, 4, -2),
                watts("21.7.0", -10000, 4, -2), watts("41.7.0", -3000, 4, -2), watts("61.7.0", 655, 4, -2)]),
            "-123.45", "7.0006", "from 1-1:1.8.0"
        ),
        "tariffs alone": Case(
            *sent(7, b"EFR", [counter("1.8.1", 30003, IMPORTING), counter("1.8.2", 40004)]), None, "7.0007",
            "sum of tariffs"
        ),
    }  # fmt: skip


def real() -> dict[str, Case]:
    """The field cases; c01c has the number of c01b, and is alone."""
    expected = {
        "c01_": ("0a01445a470000000001", "507.00", "10022.3672", None),
        "c01b": ("0a01445a47000280de81", "1.44", "13426.1220", None),
        "c28_": ("0a01484c590200000001", "-425", "83.7350", None),
        "c51_": ("0649534b010022222222", "-2150", "30037.1964", None),
        "c04_": ("06455359010711111111", None, "40053.6743401", "from 1-1:1.8.0"),
        "c56_": ("0a014546522002000000", None, None, "sum of tariffs"),
    }
    paths = {name: next(CASES.glob(f"{name}*.bin"), None) for name in expected}
    return {
        path.name: Case(meter, path.read_bytes(), power, total, derived)
        for name, (meter, power, total, derived) in expected.items()
        if (path := paths[name])
    }


def part(data: bytes, turn: int) -> bytes:
    """What is sent in one turn: one telegram again and again, a series in as many parts."""
    each = [encoder.START + rest for rest in data.split(encoder.START)[1:]]
    return data if len(each) < TURNS else b"".join(each[len(each) * turn // TURNS : len(each) * (turn + 1) // TURNS])


@contextmanager
def reading(cases: dict[str, Case], folder: Path) -> Iterator[tuple[Server, Subscriber]]:
    """A server that has read everything of every case, over some seconds."""
    wait_over_midnight()
    broker = Mosquitto(folder).start()
    heads = [Head(folder / f"head{number}") for number in range(len(cases))]
    environ = {
        "IES_HISTORY_ENABLED": "true", "IES_DATA_DIR": str(folder), "IES_HISTORY_FLUSH_S": "1",
        "IES_MQTT_URL": broker.url, "IES_METERS_STALE_AFTER_S": "600",
    }  # fmt: skip
    try:
        with serving("serve", *(str(head.link) for head in heads), environ=environ) as server:
            until(lambda: all(each["facts"]["is_open"] for each in server.get("/api/v1/status").json()["meters"]))
            with Subscriber(broker.port) as subscriber:
                for turn in range(TURNS):
                    for head, case in zip(heads, cases.values(), strict=True):
                        head.send(part(case.data, turn))
                    # a block of points spans a second
                    time.sleep(1.1)
                yield server, subscriber
    finally:
        for head in heads:
            head.unplug()
        broker.kill()


def registers(server: Server, meter: str) -> dict[str, Any]:
    found = server.get(f"/api/v1/meters/{meter}").json()["registers"]
    return {each["name"]: each for each in found}


def check(server: Server, subscriber: Subscriber, case: Case) -> None:
    shown = until(lambda: registers(server, case.meter))
    state = until(lambda: subscriber.json(f"iskra-server/{case.meter}/state"))
    total = server.ask("/api/electricity/cumulated", {"meter": case.meter}).json()
    assert total.get("derived") == case.derived
    if case.total is not None:
        assert total["value"] == pytest.approx(float(case.total), abs=0)
        assert state["energy_import"] == pytest.approx(float(case.total), abs=0)
    if case.power is None:
        return
    power = float(case.power)
    assert shown["power"]["value"] == state["power"] == power
    assert (state["power_import"], state["power_export"]) == (max(power, 0.0), max(-power, 0.0))
    least_mw = int(Decimal(case.power) * 1000)

    def curve() -> set[int]:
        points = server.ask(f"/api/v1/meters/{case.meter}/power", {"from": "today", "points": "5000"}).json()["points"]
        return {int(Decimal(str(point[key])) * 1000) for point in points for key in ("min_w", "max_w")}

    # written within a second or two
    until(curve)
    assert curve() == {least_mw}, case.meter


def test_meters_with_ways_of_their_own_are_right_everywhere(tmp_path: Path) -> None:
    cases = own()
    with reading(cases, tmp_path) as (server, subscriber):
        for case in cases.values():
            check(server, subscriber, case)
        signed = registers(server, cases["signed import in other channels"].meter)
        assert (signed["power_import"]["value"], signed["power_export"]["value"]) == (0, 123.45)
        assert signed["power_l3"]["value"] == 6.55
        phases = registers(server, cases["sum and phase unsigned"].meter)
        assert sum(Decimal(str(phases[f"power_l{phase}"]["value"])) for phase in (1, 2, 3)) == 400


@pytest.mark.skipif(not CASES.is_dir(), reason=f"the field cases are not in {CASES}")
def test_the_field_cases_are_right_everywhere(tmp_path: Path) -> None:
    cases = real()
    with reading(cases, tmp_path) as (server, subscriber):
        for case in cases.values():
            check(server, subscriber, case)
        by_name = {name[:4]: case.meter for name, case in cases.items()}
        q3c = registers(server, by_name["c04_"])
        assert q3c["power"]["value"] < -2152
        assert (q3c["power_import"]["value"], q3c["power_export"]["value"]) == (0, -q3c["power"]["value"])
        sgm = server.ask("/api/electricity/cumulated", {"meter": by_name["c56_"]}).json()
        assert 8838.58 < sgm["value"] < 8838.59
