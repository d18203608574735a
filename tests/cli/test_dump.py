"""Whatever tool made the dump, the octets come out; what is none is named with its line."""

import shutil
import subprocess

import pytest

import telegrams
from iskra_server.cli.dump import NotADump, is_text, parse

# a telegram, then what has traps: rows that repeat, and octets that look like text columns and comments
OCTETS = telegrams.telegram() + bytes(100) + b"|#;> <\xff  " * 12 + bytes(range(256))
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
    return subprocess.run(tool.split(), input=OCTETS, capture_output=True, check=True).stdout.decode()


@pytest.mark.parametrize("tool", TOOLS)
def test_what_a_tool_prints_is_read_back(tool: str) -> None:
    text = dumped(tool)
    assert is_text(text.encode()[:512])
    assert parse(text) == OCTETS


@pytest.mark.parametrize(
    ("text", "octets"),
    [
        ("1B 1b 1B1b", "1b1b1b1b"),
        ("0x1B, 0x01,0x2", "1b0102"),
        ("1b:01:02", "1b0102"),
        (r"\x1b\x01", "1b01"),
        ("{ 0x1b, [01] }", "1b01"),
        ("# from the shed\n1b 01 // start\n02 ; end\n\n$ od -tx1\n03", "1b010203"),
        ("1b1b1b1b01010101\n7605", "1b1b1b1b010101017605"),
        ("0000000 1b 01\n*\n0000006 02\n0000007", "1b011b011b0102"),
    ],
)
def test_hex_as_people_write_it(text: str, octets: str) -> None:
    assert parse(text).hex() == octets


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "is text without any hex octets"),
        ("# nothing", "is text without any hex octets"),
        ("1b 01\nhello", "is neither a binary capture nor a hex dump: line 2 has 'hello'"),
        ("1b 1b1", "is neither a binary capture nor a hex dump: line 1 has '1b1'"),
        ("0000000 1b1b 1b1b", "shows words of two octets; make the dump with od -tx1 instead"),
        (" 00 00\n*\n 01", "has rows that are only marked with a star; make the dump with od -v"),
        ("0000000 00 00\n*", "has rows that are only marked with a star; make the dump with od -v"),
        ("*", "has rows that are only marked with a star; make the dump with od -v"),
        ("0000000 00 00\n0000020 01\n*\n0000003", "has addresses that do not count its octets"),
        ("0000000 00 00\n*\n0000005 01", "has addresses that do not fit around the star before 0000005"),
        ("0000000 00\n*\n7777777777777777", "has addresses that do not fit around the star before 7777777777777777"),
    ],
)
def test_what_is_no_dump_is_refused_with_the_reason(text: str, reason: str) -> None:
    with pytest.raises(NotADump) as caught:
        parse(text)
    assert str(caught.value) == reason


def test_a_telegram_is_no_text() -> None:
    assert not is_text(telegrams.telegram()[:8])
    assert not is_text(b"\x7f" + b"a" * 20)
