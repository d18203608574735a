"""Every fault of the table against the running server: what the user is told, and that good data flows again."""

from pathlib import Path

import pytest

from faults.scene import Scene, scene
from faults.stages import ELSEWHERE, FOR_GOOD, STAGES
from iskra_server.diagnosis.advice import TABLE
from running import until

# a change of state is one line; so is starting, and a signal
MAX_LINES = 8
# these wait longest, or differ least from others
SLOW = (
    *("fell_silent", "no_meter_found", "held_back", "no_answer", "rare", "only_values", "http_no_node", "overrun"),
    *("all_taken", "unusable", "relocked", "clock_stepped", "http_empty", "set_aside", "cut", "framing", "modem"),
    *("named_twice", "capture_unusable", "capture_permission", "unreachable", "mqtt_unavailable", "refused"),
    *("busy_unknown", "http_password", "ended", "closed", "first_telegram", "simulated_unplugged", "inf_off", "mbus"),
    *("permission_group_in_container", "permission_owner", "permission_directory", "needs_other_installation"),
    *("unusable_file", "missing_in_container", "missing_in_app", "capture_missing", "needs_package", "unknown_name"),
    *("no_port_in_container", "no_port_in_app", "two_heads"),
)


def test_every_fault_of_the_table_is_staged() -> None:
    assert set(STAGES) | set(ELSEWHERE) == set(TABLE)
    tests = Path(__file__).parent.parent
    assert [name for name, (file, _) in ELSEWHERE.items() if f'"{name}"' not in (tests / file).read_text()] == []


@pytest.mark.parametrize(
    "fault", [pytest.param(fault, marks=pytest.mark.slow) if fault in SLOW else fault for fault in STAGES]
)
def test_a_fault_is_told_and_good_data_flows_behind_it(fault: str) -> None:
    with scene() as staged:
        stage = STAGES[fault](staged)
        next(stage)
        is_told(staged, fault)
        next(stage, None)
        if fault not in FOR_GOOD:
            staged.is_read()
        assert "Traceback" not in staged.server.log
        assert len(staged.server.log.splitlines()) <= MAX_LINES


def is_told(staged: Scene, fault: str) -> None:
    """In both languages with everything filled in; at the cumulated endpoint, where there is no value to give."""
    status = staged.told(fault)
    advice = next(each for each in (status["advice"], *status["notices"]) if each["fault"] == fault)
    for words in (advice["en"], advice["de"]):
        assert words["sentence"]
        assert words["next_step"] or fault == "well"
        assert not {"{", "}"} & set(words["sentence"] + words["next_step"])
    if status["ok"]:
        assert status["meter_id"]
        answer = staged.server.cumulated()
        # of a total that cannot be true, that alone is missing
        expected = (503, "held_back") if fault in ("beyond_rating", "below_zero") else (200, None)
        assert (answer.status_code, answer.json().get("reason")) == expected
    elif status["facts"]["age_s"] is None and status["advice"] == advice:
        answer = staged.server.cumulated()
        assert (answer.status_code, answer.json()["reason"]) == (503, "no_reading")
        assert status["sentence"] == f"{advice['en']['sentence']} {advice['en']['next_step']}".strip()
        # a search goes from port to port between two questions
        until(lambda: _is_reason(staged.server.cumulated().json()["error"], staged.told(fault)["sentence"]))


def _is_reason(error: str, sentence: str) -> bool:
    """But for what counts on between two questions."""
    return error.partition("(")[0] == sentence.partition("(")[0]
