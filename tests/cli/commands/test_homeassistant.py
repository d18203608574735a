"""The command that prints the YAML for Home Assistant."""

import json
from collections.abc import Iterator
from contextlib import contextmanager

from command import Run
from iskra_server.base.announcement import outward_address
from stub_server import QuietHandler, serving_requests


@contextmanager
def server(body: object) -> Iterator[str]:
    """Answers every request with this JSON; gives its address."""

    class Handler(QuietHandler):
        def do_GET(self) -> None:
            data = json.dumps(body).encode()
            self.send_response(200)
            self.send_header("content-length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

    with serving_requests(Handler) as port:
        yield f"http://127.0.0.1:{port}"


def test_the_running_server_is_asked_for_its_registers(run: Run) -> None:
    answer = {
        "meters": [
            {
                "id": "1 ISK 00 1",
                "simulated": False,
                "registers": [
                    {
                        "obis": "1-0:1.8.0*255",
                        "name": "energy_import",
                        "label": "Import",
                        "value": 1.5,
                        "unit": "Wh",
                        "age_s": 0.1,
                    }
                ],
            }
        ]
    }
    with server(answer) as url:
        done = run("homeassistant", "--url", f"{url}/")
    assert done.returncode == 0
    assert f'resource: "{url}/api/electricity/cumulated"' in done.stdout
    assert f'resource: "{url}/api/v1/meters/1ISK001"' in done.stdout
    assert '- name: "Import"' in done.stdout


def test_without_an_answer_the_total_is_printed_with_a_comment(run: Run) -> None:
    done, address = run("homeassistant", IES_PORT="1"), outward_address() or "127.0.0.1"
    assert done.returncode == 0
    assert f'resource: "http://{address}:1/api/electricity/cumulated"' in done.stdout
    assert done.stdout.splitlines()[-1].startswith(f"# http://{address}:1 does not answer with a current reading.")
    assert "rest:\n" not in done.stdout


def test_a_server_that_listens_at_one_address_is_found_there(run: Run) -> None:
    assert (
        'resource: "http://[::1]:1/api/electricity/cumulated"'
        in run("homeassistant", IES_PORT="1", IES_SERVER_HOST="::1").stdout
    )


def test_an_answer_of_something_else_is_no_answer(run: Run) -> None:
    with server({"meters": 5}) as url:
        assert "does not answer with a current reading" in run("homeassistant", "--url", url).stdout


def test_the_command_speaks_german_too(run: Run) -> None:
    printed = run("homeassistant", "--lang", "de", IES_PORT="1", IES_SERVER_TOKEN="a-token-for-the-tests").stdout
    assert 'name: "Stromzähler"' in printed
    assert "Dieser Server verlangt sein Token." in printed
    assert "hat keinen aktuellen Wert." in printed


def test_a_server_with_a_token_says_where_home_assistant_takes_it_from(run: Run) -> None:
    printed = run("homeassistant", IES_SERVER_TOKEN="a-token-for-the-tests").stdout
    assert "Authorization: !secret iskra_authorization" in printed
    assert "a-token-for-the-tests" not in printed
