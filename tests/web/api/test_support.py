"""Masked telegrams are for this machine, or for whoever shows the token."""

import pytest

import telegrams
from web.serving import Site

PATH = "/api/v1/support"
TOKEN = "0123456789abcdef"


def site(token: str = "") -> Site:
    return Site(token=token, recent=lambda: [("auto", telegrams.telegram())], log_lines=lambda: ["a line"])


def test_this_machine_gets_masked_telegrams_and_the_log() -> None:
    answer = site().get(PATH)
    assert answer.status_code == 200
    assert answer.json()["log"] == ["a line"]
    (source,) = answer.json()["sources"]
    assert telegrams.SERVER_ID.hex() not in source["data"]
    assert len(source["data"]) // 2 == len(telegrams.telegram())


@pytest.mark.parametrize("client", ["192.168.1.7", "::ffff:192.168.1.7", "2001:db8::1", ""])
def test_another_machine_gets_nothing(client: str) -> None:
    assert site().get(PATH, client=client).json()["reason"] == "not_here"


@pytest.mark.parametrize("header", ["forwarded", "x-forwarded-for", "x-real-ip"])
def test_whoever_asks_through_a_proxy_on_this_machine_gets_nothing(header: str) -> None:
    assert site().get(PATH, **{header: "192.168.1.7"}).status_code == 403


def test_with_a_token_it_counts_alone() -> None:
    assert site(TOKEN).get(PATH).status_code == 401
    assert site(TOKEN).get(PATH, client="192.168.1.7", authorization=f"Bearer {TOKEN}").status_code == 200
