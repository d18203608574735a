"""Diagnosis of meters as it is published: at once when it changes, of meters that nobody reads, and of two heads."""

import json
from typing import Any

from diagnosis.well import facts
from iskra_server.diagnosis.facts import Facts
from iskra_server.diagnosis.status import Status, run_checks
from iskra_server.outputs.mqtt.diagnosis_messages import DIAGNOSTICS_EVERY_S, DiagnosisMessages
from iskra_server.outputs.mqtt.problems import APPEARS_AFTER_S, GONE_AFTER_S

METER, NAME = "0a0149534b0004316b61", "1 ISK 00 70347617"


def status(**changes: Any) -> Status:
    given: Facts = facts(**({"meter_id": NAME} | changes))
    return run_checks(given)


WELL, SILENT = status(), status(data_age_s=61.0)


def published(messages: DiagnosisMessages, now_s: float, *statuses: Status, name: str = NAME) -> list[dict[str, Any]]:
    return [json.loads(one.payload) for one in messages.due({METER: name}, statuses, now_s)]


def test_it_is_published_when_it_changes_and_every_half_minute() -> None:
    messages = DiagnosisMessages("en")
    assert [one["problem"] for one in published(messages, 0.0, WELL)] == [False]
    assert published(messages, 1.0, WELL) == []
    assert [one["failed_check"] for one in published(messages, 2.0, SILENT)] == ["data"]
    assert published(messages, 3.0, SILENT) == []
    assert len(published(messages, 2.0 + DIAGNOSTICS_EVERY_S, SILENT)) == 1


def test_a_fault_and_its_end_are_events_with_the_sentence() -> None:
    messages = DiagnosisMessages("de")
    moments = ((0.0, WELL), (1.0, SILENT), (1.0 + APPEARS_AFTER_S, SILENT), (50.0, WELL), (50.0 + GONE_AFTER_S, WELL))
    heard = [one for moment, state in moments for one in messages.due({METER: NAME}, [state], moment)]
    events = [json.loads(one.event) for one in heard if one.event]
    assert [event["event_type"] for event in events] == ["fault", "recovered"]
    assert events[0]["failed_check"] == "data"
    assert events[0]["sentence"] == str(SILENT.advice.de)
    assert [json.loads(one.payload)["problem"] for one in heard] == [False, False, True, True, False]


def test_a_meter_of_an_earlier_run_has_the_problem_of_the_source_without_a_meter() -> None:
    messages = DiagnosisMessages("en")
    unplugged = status(meter_id=None, is_open=False, problem="unplugged")
    assert [(one["id"], one["problem"]) for one in published(messages, 0.0, unplugged, name="")] == [(NAME, None)]
    (lasting,) = published(messages, APPEARS_AFTER_S, unplugged, name="")
    assert (lasting["id"], lasting["problem"]) == (NAME, True)
    assert lasting["sentence"] == unplugged.sentence


def test_a_meter_that_no_source_reads_any_more_is_not_said_to_be_well() -> None:
    messages = DiagnosisMessages("en")
    other = status(meter_id="1 ISK 00 00000001")
    assert published(messages, 0.0, other) == [{"id": NAME, "problem": None}]
    assert published(messages, 100.0, other) == []


def test_a_meter_that_two_heads_read_is_well_while_one_of_them_is() -> None:
    messages = DiagnosisMessages("en")
    second = status(source="/dev/ttyUSB1", data_age_s=61.0)
    for moment in (0.0, 25.0, 60.0):
        for one in published(messages, moment, second, WELL):
            assert (one["problem"], one["failed_check"]) == (False, None)


def test_both_of_two_heads_have_to_fail_for_a_fault_which_is_an_event_then() -> None:
    messages = DiagnosisMessages("en")
    second_well, second_silent = status(source="/dev/ttyUSB1"), status(source="/dev/ttyUSB1", data_age_s=61.0)
    moments = (
        *((0.0, WELL, second_well), (1.0, SILENT, second_well), (50.0, SILENT, second_well)),
        *((60.0, SILENT, second_silent), (61.0, SILENT, second_silent), (80.0, SILENT, second_silent)),
        *((90.0, SILENT, second_well), (120.0, SILENT, second_well)),
    )
    heard = [(moment, one) for moment, *both in moments for one in messages.due({METER: NAME}, both, moment)]
    assert [(moment, json.loads(one.event)["event_type"]) for moment, one in heard if one.event] == [
        (80.0, "fault"),
        (120.0, "recovered"),
    ]
    assert [moment for moment, one in heard if json.loads(one.payload)["problem"]] == [80.0, 90.0]


def test_a_new_connection_gets_everything_again() -> None:
    messages = DiagnosisMessages("en")
    assert len(published(messages, 0.0, WELL)) == 1
    messages.publish_again()
    assert len(published(messages, 1.0, WELL)) == 1
