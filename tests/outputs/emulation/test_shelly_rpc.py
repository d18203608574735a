"""Frames byte by byte."""

import pytest
from msgspec import Raw

from iskra_server.outputs.emulation.shelly_rpc import NO_CURRENT_READING, answered, notified, parsed

ID = "shellypro3em-02ab34cd56ef"


@pytest.mark.parametrize("number", ["1", "-7", "1.50", '"a1"', "null", "18446744073709551617", "[1]", '{"n":1}'])
def test_the_id_comes_back_as_it_was_sent(number: str) -> None:
    request = parsed(f'{{"id":{number},"method":"EM.GetStatus"}}'.encode())
    assert request
    assert answered(ID, request, {}) == f'{{"id":{number},"src":"{ID}","dst":"unknown","result":{{}}}}'.encode()


def test_the_answer_goes_to_the_name_of_the_client() -> None:
    request = parsed('{"id":1,"src":"Küche \\"1\\"","method":"X","params":{"id":0}}'.encode())
    assert request and request.params == {"id": 0}
    assert answered(ID, request, None) == (f'{{"id":1,"src":"{ID}","dst":"Küche \\"1\\"","result":null}}'.encode())
    unnamed = parsed(b'{"id":1,"src":17,"method":"X"}')
    assert unnamed and b'"dst":"unknown"' in answered(ID, unnamed, None)


def test_an_error_has_a_code_and_a_message() -> None:
    request = parsed(b'{"id":1,"method":"EM.GetStatus"}')
    assert request
    assert (
        answered(ID, request, NO_CURRENT_READING)
        == (
            f'{{"id":1,"src":"{ID}","dst":"unknown","error":{{"code":1,"message":"No current reading of the meter"}}}}'
        ).encode()
    )


def test_what_is_sent_unasked_has_no_id() -> None:
    assert (
        notified(ID, Raw(b'"user_1"'), {"ts": 1764150000.12, "em:0": {"id": 0}})
        == (
            f'{{"src":"{ID}","dst":"user_1","method":"NotifyStatus","params":{{"ts":1764150000.12,"em:0":{{"id":0}}}}}}'
        ).encode()
    )


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xff\xfe",
        b'{"id":1}',
        b'{"id":1,"method":7}',
        b'{"id":1,"method":"EM.GetStatus","params":[0]}',
        b'{"id":1,"method":"EM.GetStatus"',
        b'{"id":1,"method":"EM.GetStatus"} x',
        b'{"id":1,"method":"\xff"}',
        b'["EM.GetStatus"]',
        b"[" * 16_000,
        b'{"id":' + b"[" * 16_000,
        b'{"method":"X","params":{"a":' + b"[" * 16_000,
    ],
)
def test_what_is_no_request_is_none(data: bytes) -> None:
    assert parsed(data) is None
