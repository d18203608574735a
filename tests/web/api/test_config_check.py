import asyncio
from collections.abc import Iterator, MutableMapping
from typing import Any

import httpx
import pytest

from iskra_server.history.store.store import Store
from iskra_server.meter.reading import Sample
from samples import METER_ID, SERVER_ID
from web.past import INFO, counted, info
from web.serving import Site, arrived

PATH = "/api/v1/config/check"
OTHER = "1 ISK 00 12345679"
TEXT = """
[[contracts]]
begins = 2026-01-01
vat_percent = 19
[contracts.energy]
kind = "windows"
windows = [
  { name = "HT", from = "17:00", to = "20:00", price = 0.3 },
  { name = "evening", from = "19:00", to = "22:00", price = 0.2 },
]
"""


def post(
    content: str | bytes,
    *samples: Sample,
    path: str = PATH,
    token: str = "",
    history: Store | None = None,
    **headers: str,
) -> httpx.Response:
    async def ask() -> httpx.Response:
        site = Site(*samples, token=token, history=history)
        transport = httpx.ASGITransport(site.app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
            return await client.post(path, content=content, headers=headers)

    return asyncio.run(ask())


def check(content: str | bytes, *samples: Sample, history: Store | None = None) -> dict[str, Any]:
    answer = post(content, *samples, history=history)
    assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-store"), answer.text
    found: dict[str, Any] = answer.json()
    return found


def test_a_mistake_is_told_with_its_key_its_line_and_what_is_expected() -> None:
    assert check(TEXT) == {
        "ok": False,
        "findings": [
            {
                "level": "error",
                "sentence": "The windows 'HT' and 'evening' in contracts.1.energy.windows overlap; "
                "change from, to, days or months of one of them.",
                "sentence_de": "Die Zeitfenster 'HT' und 'evening' in contracts.1.energy.windows überschneiden sich; "
                "ändern Sie from, to, days oder months bei einem davon.",
                "key": "contracts.1.energy.windows.2",
                "line": 7,
            }
        ],
    }
    assert check("[server]\nport = 0")["findings"] == [
        {
            "level": "error",
            "sentence": "server.port in the text must be a whole number from 1 to 65535, not 0.",
            "sentence_de": "server.port muss eine ganze Zahl von 1 bis 65535 sein, nicht 0.",
            "key": "server.port",
            "line": 2,
            "expected": "a whole number from 1 to 65535",
            "expected_de": "eine ganze Zahl von 1 bis 65535",
        }
    ]


def test_a_right_text_is_ok_also_with_warnings() -> None:
    assert check("") == check(TEXT.replace("19:00", "20:00")) == {"ok": True, "findings": []}
    answer = check("[[contracts]]\n[contracts.energy]\nprice = 0.2")
    assert (answer["ok"], [(finding["level"], finding["key"]) for finding in answer["findings"]]) == (
        True,
        [("warning", "contracts.1.vat_percent"), ("warning", "contracts.1.begins")],
    )


def test_channels_and_sources_of_prices_are_checked_too() -> None:
    found = check('[prices]\nzone = "DE"\n[[notify]]\nurl = "https://ntfy.sh/"\n')["findings"]
    assert [(finding["level"], finding.get("line")) for finding in found] == [("error", None), ("error", 4)]
    assert found[0]["sentence_de"].startswith("'DE' ist keine Gebotszone") and found[1]["key"] == "notify.1.url"
    assert check('[[notify]]\nurl = "https://me:hush@ntfy.sh/our-topic"\nca_file = "/etc/shadow"\n')["ok"]


def test_a_contract_for_a_meter_that_nobody_reads_is_a_warning() -> None:
    text = '[[contracts]]\nbegins = 2026-01-01\nenergy_price = 0.3\nmeter = "{}"\n'
    for name in (METER_ID, METER_ID.replace(" ", ""), SERVER_ID.hex()):
        assert check(text.format(name), arrived())["findings"] == []
    (finding,) = check(text.format("1ISK0087654321"), arrived())["findings"]
    assert (finding["level"], finding["line"]) == ("warning", 4)
    assert finding["sentence_de"].endswith(f"Bekannt sind {METER_ID}.")


def test_a_meter_that_is_read_and_recorded_is_named_once(store: Store) -> None:
    store.write(counted([1000]), [INFO])
    text = '[[contracts]]\nbegins = 2026-01-01\nenergy_price = 0.3\nmeter = "1ISK0087654321"\n'
    (finding,) = check(text, arrived(), history=store)["findings"]
    assert finding["sentence"].endswith(f"Known are {METER_ID}.")


def test_a_contract_for_a_replaced_meter_is_a_warning(store: Store) -> None:
    store.write(counted([1000]), [info(OTHER), INFO])
    text = f'[[contracts]]\nbegins = 2026-01-01\nenergy_price = 0.3\nmeter = "{OTHER}"\n'
    assert check(text, history=store)["findings"] == []
    store.replace_meter(OTHER, METER_ID)
    (finding,) = check(text, history=store)["findings"]
    assert (finding["key"], finding["level"]) == ("contracts.1.meter", "warning")


def test_what_is_no_text_or_too_long_is_refused() -> None:
    assert check("\ufeff[[[")["findings"][0]["sentence"].startswith("This is not valid TOML")
    assert post(b"\xff").status_code == 400
    answer = post("#" * 12_001)
    assert (answer.status_code, answer.json()["reason"]) == (413, "too_large")
    assert post("#" * 12_000).status_code == 200


def test_nothing_that_a_text_names_is_opened() -> None:
    """A client must not find out which files there are."""
    text = '[server]\ntls_cert = "{0}"\n[[meters]]\nurl = "file:{0}"\nlayouts = "{0}"\n'
    assert check(text.format("/etc/passwd")) == check(text.format("/none")) == {"ok": True, "findings": []}


def test_a_secret_is_not_repeated() -> None:
    answer = post('[server]\ntoken = 5\n[[meters]]\nurl = 7\n[outputs.mqtt]\npassword = "geheim\\u0000"\n')
    assert (
        answer.json()["ok"] is False
        and "geheim" not in answer.text
        and "5" not in answer.json()["findings"][0]["sentence"]
    )


def test_a_client_with_too_many_requests_is_told_so(monkeypatch: pytest.MonkeyPatch) -> None:
    for limit in ("MAX_RUNNING_PER_CLIENT", "MAX_WAITING"):
        monkeypatch.setattr(f"iskra_server.web.http.share.{limit}", 0)
    answer = post(TEXT)
    assert (answer.status_code, answer.json()["reason"]) == (429, "too_many_requests")


def test_the_access_rules_are_those_of_every_route() -> None:
    assert post(TEXT, token="0123456789abcdef").status_code == 401
    assert post(TEXT, token="0123456789abcdef", authorization="Bearer 0123456789abcdef").status_code == 200
    assert post(TEXT, host="evil.example.org").status_code == 421


def test_it_is_the_only_route_with_a_body() -> None:
    assert post(TEXT, path="/api/v1/meters").status_code == 405
    answer = Site().get(PATH)
    assert (answer.status_code, answer.headers["allow"]) == (405, "POST, OPTIONS")
    assert "use POST" in answer.json()["detail"]


def test_a_client_that_hangs_up_within_its_text_is_no_error() -> None:
    """An error would be logged with a traceback, as often as somebody likes."""
    messages: Iterator[dict[str, Any]] = iter(
        [{"type": "http.request", "body": b"a", "more_body": True}, {"type": "http.disconnect"}]
    )
    statuses: list[int] = []

    async def receive() -> dict[str, Any]:
        return next(messages)

    async def send(message: MutableMapping[str, Any]) -> None:
        statuses.append(message.get("status", 0))

    scope = {"type": "http", "method": "POST", "path": PATH, "query_string": b"", "client": ("127.0.0.1", 1)}
    asyncio.run(Site().app({**scope, "headers": [(b"host", b"test")], "scheme": "http"}, receive, send))
    assert 500 not in statuses
