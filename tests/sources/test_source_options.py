from urllib.parse import parse_qsl

import pytest

from iskra_server.base.address import Address
from iskra_server.sources.source import LineSettings
from iskra_server.sources.source_options import SourceOptions, parse_options


def parsed(query: str) -> SourceOptions:
    return parse_options(Address(f"/dev/ttyUSB0?{query}"), parse_qsl(query, keep_blank_values=True))


@pytest.mark.parametrize(
    ("query", "options"),
    [
        ("", SourceOptions()),
        ("protocol=d0", SourceOptions(protocol="d0")),
        ("baud=115200", SourceOptions(settings=LineSettings(115_200))),
        ("format=8e1", SourceOptions(settings=LineSettings(9600, "8E1"))),
        ("baud=300&format=7E1", SourceOptions(settings=LineSettings(300, "7E1"))),
        ("listen_only=1", SourceOptions(listen_only=True)),
        ("listen_only=0", SourceOptions()),
        (
            "protocol=d0&address=000123%2045&poll_s=2.5",
            SourceOptions(protocol="d0", address="000123 45", poll_s=2.5),
        ),
    ],
)
def test_options(query: str, options: SourceOptions) -> None:
    assert parsed(query) == options


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ("baud=fast", "baud in {} must be a whole number, for example ?baud=9600, not 'fast'."),
        ("baud=", "baud in {} must be a whole number, for example ?baud=9600, not ''."),
        ("baud=-1", "baud in {} must be a whole number, for example ?baud=9600, not '-1'."),
        ("baud=0", "baud in {} must be a whole number, for example ?baud=9600, not '0'."),
        (
            "baud=9601",
            "This system has no speed of 9601 baud; meters use 300, 2400, 9600, 38400 or 115200: see {}.",
        ),
        (f"baud={'9' * 5000}", None),
        ("format=9N1", "format in {} must be 8N1, 7E1 or 8E1, not '9N1'."),
        ("protocol=modbus", "protocol in {} must be sml, p1, d0 or dlms, not 'modbus'."),
        ("listen_only=yes", "listen_only in {} must be 0 or 1, not 'yes'."),
        ("address=", "address in {} must be 1 to 32 letters, digits or blanks."),
        ("address=a!", "address in {} must be 1 to 32 letters, digits or blanks."),
        ("poll_s=0", "poll_s in {} must be a number of seconds from 1 to 86400, not '0'."),
        ("poll_s=nan", "poll_s in {} must be a number of seconds from 1 to 86400, not 'nan'."),
        (
            "bits=7",
            "{} has an unknown option bits. There are baud, format, protocol, listen_only, address and poll_s.",
        ),
        ("baud=300&baud=9600", "{} has the option baud twice."),
    ],
)
def test_a_wrong_option_is_named_in_one_sentence(query: str, sentence: str | None) -> None:
    with pytest.raises(ValueError) as refusal:
        parsed(query)
    if sentence:
        assert str(refusal.value) == sentence.format(Address(f"/dev/ttyUSB0?{query}"))


def test_a_key_in_an_address_is_not_printed() -> None:
    with pytest.raises(ValueError) as refusal:
        parsed("baud=9600&key=000102030405060708090A0B0C0D0E0F")
    sentence = "key in /dev/ttyUSB0?baud=9600&key=*** is no option of an address; set it as meters.key."
    assert str(refusal.value) == sentence


def test_a_protocol_may_be_written_in_capitals() -> None:
    assert parsed("protocol=D0").protocol == "d0"
