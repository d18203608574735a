"""Reads packed points by docs/history-format.md alone, without the code that packs them: the format is for decades."""

import json
import random
import re
import struct
import zlib
from pathlib import Path
from typing import Any

import pytest

from iskra_server.history.points.packing import encode_series
from iskra_server.history.points.points import Point, pack, unpack
from iskra_server.meter.obis import Obis
from iskra_server.meter.reading import Register
from iskra_server.meter.units import WATT, WATT_HOUR
from samples import EXPORT, IMPORT, POWER

DOCS = Path(__file__).parents[3] / "docs" / "history-format.md"
# blocks as version 0.1.0 wrote them, and what is in them: never to be changed
FROZEN: list[dict[str, Any]] = json.loads((Path(__file__).parent / "frozen_blocks.json").read_text())
# milliseconds, then code, value, scaler and unit of each register
Telegram = tuple[int, list[tuple[bytes, int, int | None, int | None]]]


class Reader:
    def __init__(self, data: bytes) -> None:
        self.data = data

    def numbers(self, form: str) -> tuple[int, ...]:
        size = struct.calcsize("<" + form)
        numbers, self.data = struct.unpack("<" + form, self.data[:size]), self.data[size:]
        return numbers

    def series(self, count: int) -> list[int]:
        (number, width), numbers = self.numbers("qB"), []
        steps = [self.numbers(f"{count - 1}B") for _ in range(width)]
        for place in range(count):
            if place:
                step = int.from_bytes(bytes(plane[place - 1] for plane in steps), "little", signed=True)
                number = (number + step + 2**63) % 2**64 - 2**63
            numbers.append(number)
        return numbers


def by_the_docs(block: bytes) -> list[Telegram]:
    assert block[0] == 1
    reader = Reader(zlib.decompress(block[1:]))
    telegram_count, column_count, layout_count, run_count = reader.numbers("4H")
    columns = [(bytes(reader.numbers("6B")), reader.numbers("hH")) for _ in range(column_count)]
    layouts = [reader.numbers(f"{reader.numbers('B')[0]}H") for _ in range(layout_count)]
    layout_of = [layout for layout, count in [reader.numbers("2H") for _ in range(run_count)] for _ in range(count)]
    times = reader.series(telegram_count)
    values = [
        iter(reader.series(sum(column in layouts[layout] for layout in layout_of))) for column in range(column_count)
    ]
    assert not reader.data
    telegrams: list[Telegram] = []
    for at_ms, layout in zip(times, layout_of, strict=True):
        numbers: list[tuple[bytes, int, int | None, int | None]] = []
        for column in layouts[layout]:
            code, (scaler, unit) = columns[column]
            raw = next(values[column])
            numbers.append((code, raw, None if scaler == -32768 else scaler, None if unit == 65535 else unit))
        telegrams.append((at_ms, numbers))
    return telegrams


def test_a_block_is_read_by_the_docs_alone() -> None:
    chance = random.Random(1)
    points = []
    for second in range(300):
        registers = [Register(IMPORT, 107_323_091 + second // 7, -1, WATT_HOUR), Register(EXPORT, 5, None, WATT_HOUR)]
        if second % 50 > 3:
            registers += [Register(POWER, chance.randint(-(2**63), 2**63 - 1), 0, WATT)] * (1 + second % 2)
        registers.append(Register(Obis.parse("0-0:96.8.0"), 900_000 + second))
        points.append(Point(1_763_805_600_123 + 1000 * second, tuple(registers)))
    block = pack(points)
    assert unpack(block) == points
    assert by_the_docs(block) == [
        (point.at_ms, [(bytes(each.obis), each.raw, each.scaler, each.unit) for each in point.registers])
        for point in points
    ]


@pytest.mark.parametrize("frozen", FROZEN, ids=lambda frozen: frozen["name"])
def test_a_frozen_block_is_read_by_the_docs_and_by_the_program(frozen: dict[str, Any]) -> None:
    block = bytes.fromhex(frozen["block"])
    assert zlib.crc32(block) == frozen["crc32"]
    expected = [
        (at_ms, [(bytes.fromhex(code), raw, scaler, unit) for code, raw, scaler, unit in registers])
        for at_ms, registers in frozen["telegrams"]
    ]
    assert by_the_docs(block) == expected
    assert [
        (point.at_ms, [(bytes(each.obis), each.raw, each.scaler, each.unit) for each in point.registers])
        for point in unpack(block)
    ] == expected


def test_the_examples_of_the_docs_are_right() -> None:
    docs = DOCS.read_text()
    for numbers in ([1000, 1001, 999], [0, 300, 44]):
        first, width, steps = (part.hex(" ") for part in re.findall(b"(.{8})(.)(.*)", encode_series(numbers), re.S)[0])
        assert f"{', '.join(map(str, numbers))} are `{first} | {width} | {steps}`" in docs.replace("\n", " ")
    block, taken_apart = re.findall(r"```text\n(.*?)```", docs, re.S)
    packed = bytes.fromhex(block)
    assert packed.hex() == FROZEN[0]["block"]
    assert f"`crc32` is {zlib.crc32(packed)}." in docs
    # each line: bytes, then three spaces at least and what they mean
    body = bytes.fromhex("".join(re.split(" {3,}", line)[0] for line in taken_apart.splitlines()))
    assert body == zlib.decompress(packed[1:])
