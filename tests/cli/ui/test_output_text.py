"""Outputs in the text of `doctor`."""

from datetime import UTC, datetime

from iskra_server.cli.ui.output_text import output_lines
from iskra_server.diagnosis.advice import advise
from iskra_server.outputs.state import OutputClient, OutputState

NOW = datetime(2026, 11, 27, 20, tzinfo=UTC)
BATTERY = OutputClient("192.168.1.30", 340, 338, NOW, 2.04, 0.31, 1.06)


def test_an_output_that_is_well_and_not_asked_has_no_line() -> None:
    assert list(output_lines([OutputState("mqtt", ok=True)], "en")) == []


def test_what_fails_and_who_asks_is_told_in_both_languages() -> None:
    taken = advise("listening_busy", {"transport": "TCP", "port": "80", "program": "nginx (pid 812)"})
    failing = OutputState("ecotracker", ok=False, sentence=str(taken.en), sentence_de=str(taken.de))
    away = OutputState("mqtt", ok=False, sentence="The broker is away.")
    asked = OutputState("vzlogger", ok=True, clients=(BATTERY,), notices=(advise("shows_simulated"),))
    assert list(output_lines([failing, asked], "en")) == [
        f"ecotracker: {taken.en}",
        f"vzlogger: {advise('shows_simulated').en}",
        "vzlogger: requests of 192.168.1.30: 340, one every 2.0 s; answered: 338, with readings 310 ms old, "
        "at most 1.1 s.",
    ]
    assert list(output_lines([failing, away, asked], "de")) == [
        f"ecotracker: {taken.de}",
        "mqtt: The broker is away.",
        f"vzlogger: {advise('shows_simulated').de}",
        "vzlogger: Anfragen von 192.168.1.30: 340, im Abstand von 2,0 s; beantwortet: 338, mit Werten im Alter von "
        "310 ms, höchstens 1,1 s.",
    ]


def test_a_first_request_without_an_answer_has_neither_interval_nor_age() -> None:
    asked = OutputState("ecotracker", ok=True, clients=(OutputClient("10.0.0.7", 1, 0, NOW, None, None, None),))
    assert list(output_lines([asked], "en")) == ["ecotracker: requests of 10.0.0.7: 1."]
