"""Whatever tool made the dump, the bytes come out; what is none is named with its line."""

import shutil
import subprocess
import time
from contextlib import suppress

import pytest

import telegrams
from iskra_server.sources.hextext import NotADump, is_text, parse

# a telegram, then what has traps: rows that repeat, and bytes that look like text columns and comments
BYTES = telegrams.telegram() + bytes(100) + b"|#;> <\xff  " * 12 + bytes(range(256))
TOOLS = [
    "od -tx1",
    "od -v -An -tx1",
    "od -A d -tx1",
    "od -A x -tx1",
    "od -tx1z -w8",
    "od -v -tx1 -w32",
    "hexdump -C",
    "xxd",
    "xxd -a -u -g1",
    "xxd -p",
]


def dumped(tool: str) -> str:
    if not shutil.which(tool.split(maxsplit=1)[0]):
        pytest.skip(f"{tool.split(maxsplit=1)[0]} is not installed")
    return subprocess.run(tool.split(), input=BYTES, capture_output=True, check=True).stdout.decode()


@pytest.mark.parametrize("tool", TOOLS)
def test_output_of_tools_is_read_back(tool: str) -> None:
    text = dumped(tool)
    assert is_text(text.encode()[:512])
    assert parse(text) == BYTES


@pytest.mark.parametrize(
    ("text", "data"),
    [
        ("1B 1b 1B1b", "1b1b1b1b"),
        ("0x1B, 0x01,0x2", "1b0102"),
        ("1b:01:02", "1b0102"),
        (r"\x1b\x01", "1b01"),
        ("{ 0x1b, [01] }", "1b01"),
        ("# from the shed\n1b 01 // start\n02 ; end\n\n$ od -tx1\n03", "1b010203"),
        ("1b1b1b1b01010101\n7605", "1b1b1b1b010101017605"),
        ("0000000 1b 01\n*\n0000006 02\n0000007", "1b011b011b0102"),
        ("1Bh 01h 1bh02h 3h", "1b011b0203"),
        ("1B.01.02\n1B-01-02\n1B|01|02", "1b01021b01021b0102"),
        ("1b;01;02 ; the end", "1b0102"),
        ("```text\n1b 01\n```", "1b01"),
        ("~~~\n> `1b 01`\n~~~", "1b01"),
        ("1b1b1b1b 01 01\n01 76050000", "1b1b1b1b01010176050000"),
        ("0000   1b 1b 01\n0003   02 03", "1b1b010203"),
        ("0000: 1b 1b 01  ...", "1b1b01"),
        ("00000000  1b 7c 20 20 7c  |.|  ||\n00000005", "1b7c20207c"),
        ("\ufeff1b\u200b01\xa002", "1b0102"),
        ("mac=00:08:DC\nboot=1\nSML(1B01\n02)\ntime=1\nSML(03", "1b010203"),
        (
            "[22:43:08][I][app:102]: Running\n[22:43:09.123][D][uart_debug:114]: <<< 1B:01\n"
            "[22:43:09][D][uart_debug:114]: >>> 2F:3F\n[22:43:10][D][uart_debug:114]: <<< 02",
            "1b0102",
        ),
        (
            '07:37:09.001 CMD: sensor53 d1\n07:37:09.1 RSL: RESULT = {"Dump":"on"}\n'
            "07:37:10.250 : 1b 01 \n07:37:10.251-012 : 02",
            "1b0102",
        ),
        ("2026-11-26 22:43:09.123 -> 1B 01\n22:43:10.001 -> 02", "1b0102"),
    ],
)
def test_hand_written_hex(text: str, data: str) -> None:
    assert parse(text).hex() == data


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "is text without any hex bytes; hex text is written 1b 1b, 1B:1B"),
        ("# nothing", "is text without any hex bytes; hex text is written 1b 1b, 1B:1B"),
        ("1b 01\nhello", "is neither a binary capture nor hex text: line 2 has 'hello'"),
        ("1b 1b1", "is neither a binary capture nor hex text: line 1 has '1b1'"),
        ("0000000 1b1b 1b1b", "shows words of two bytes; make the dump with od -tx1 instead"),
        (" 00 00\n*\n 01", "has rows that are only marked with a star; make the dump with od -v"),
        ("0000000 00 00\n*", "has rows that are only marked with a star; make the dump with od -v"),
        ("*", "has rows that are only marked with a star; make the dump with od -v"),
        ("0000000 00 00\n0000020 01\n*\n0000003", "has addresses that do not count its bytes"),
        ("0000000 00 00\n*\n0000005 01", "has addresses that do not fit around the star before 0000005"),
        ("0000000 00\n*\n7777777777777777", "has addresses that do not fit around the star before 7777777777777777"),
    ],
)
def test_other_text_is_rejected_with_the_reason(text: str, reason: str) -> None:
    with pytest.raises(NotADump) as caught:
        parse(text)
    assert str(caught.value).startswith(reason)


@pytest.mark.parametrize("encoding", ["utf-16", "utf-8-sig"])
def test_utf16_of_windows_is_read(encoding: str) -> None:
    text = "1b 1b 01".encode(encoding)
    assert is_text(text)
    assert parse(text).hex() == "1b1b01"


def test_a_log_in_colour_is_read() -> None:
    text = b"\x1b[0;36m[22:43:09][D][uart_debug:114]: <<< 1B:01\x1b[0m\n"
    assert is_text(text)
    assert parse(text).hex() == "1b01"


def cpu_s(text: str) -> float:
    """Of this process alone, and the best of three: whatever else runs here does not count."""

    def once() -> float:
        began_s = time.process_time()
        with suppress(NotADump):
            parse(text)
        return time.process_time() - began_s

    return min(once() for _ in range(3))


@pytest.mark.parametrize("piece", ["1b ", "1bh ", "1 ", " "])
def test_four_times_the_text_takes_not_much_more_than_four_times_as_long(piece: str) -> None:
    assert cpu_s(piece * 200_000) < 8 * cpu_s(piece * 50_000)


def test_a_telegram_is_not_text() -> None:
    assert not is_text(telegrams.telegram()[:8])
    assert not is_text(b"\x7f" + b"a" * 20)
