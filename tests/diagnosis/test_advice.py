"""The table of advice: complete, in both languages."""

import re

import pytest

from iskra_server.diagnosis import (
    central_sentences,
    emulation_sentences,
    line_sentences,
    listening_sentences,
    notice_sentences,
    port_sentences,
    reader_sentences,
    reading_sentences,
    telegram_sentences,
    virtual_sentences,
)
from iskra_server.diagnosis.advice import LABELS, TABLE, Label, advise, format_problem
from iskra_server.diagnosis.checks import CHECKS

KNOWN = {
    *("port", "ports", "program", "group", "owner", "user", "gid", "reason", "seconds", "bytes", "byte", "percent"),
    *("speed", "text", "time", "register", "before", "value", "meter", "other", "phases", "rate", "count", "limit"),
    *("status", "topic", "line", "zone", "name", "transport", "address", "minutes", "command"),
    *("readers", "meters", "months"),
}
# nothing is to be done
WITHOUT_STEP = ("well", "virtual_well", "reader_well", "reader_unheard")


def placeholders(*texts: str) -> set[str]:
    return {name for text in texts for name in re.findall(r"\{(\w+)\}", text)}


@pytest.mark.parametrize("fault", TABLE)
def test_a_fault_has_sentences_in_both_languages(fault: str) -> None:
    advice = advise(fault, dict.fromkeys(KNOWN, "X"))
    ends_with_reason = TABLE[fault][1] == "{reason}"
    for words in (advice.en, advice.de):
        assert words.sentence.endswith(".") or "{text}" in TABLE[fault][0]
        assert words.next_step.endswith(".") or fault in WITHOUT_STEP or ends_with_reason
        assert "\n" not in str(words)


@pytest.mark.parametrize("fault", TABLE)
def test_both_languages_have_the_same_details(fault: str) -> None:
    en, en_step, de, de_step = TABLE[fault]
    assert placeholders(en, en_step) == placeholders(de, de_step) <= KNOWN
    assert (en, en_step) != (de, de_step)


def test_no_german_word_in_english_and_no_english_word_in_german() -> None:
    for en, en_step, de, de_step in TABLE.values():
        assert not re.search(r"\b(der|die|das|nicht|Zähler)\b", f"{en} {en_step}")
        german = re.sub(r"iskra-server [a-z ]+|(?:meters|outputs)\.[\w.]+|\{\w+\}", "", f"{de} {de_step}")
        assert not re.search(r"\b(the|meter|is|with)\b", german)


def test_a_sentence_has_its_details() -> None:
    details = {"port": "/dev/ttyUSB0", "program": "vzlogger (pid 812)"}
    assert format_problem("busy", details) == (
        "/dev/ttyUSB0 is in use by vzlogger (pid 812). Stop that program, or configure another port for it."
    )
    assert advise("busy", details).de.sentence == "/dev/ttyUSB0 wird von vzlogger (pid 812) verwendet."


def test_a_detail_may_be_in_both_languages() -> None:
    details = {"count": 1, "readers": 2, "name": "house-7", "reason": Label("It is away.", "Es ist weg.")}
    advice = advise("central_failing_readers", details)
    assert (advice.en.next_step, advice.de.next_step) == ("It is away.", "Es ist weg.")


def test_every_check_has_a_label() -> None:
    assert list(LABELS) == [name for name, _ in CHECKS]


def test_no_fault_is_in_the_table_twice() -> None:
    parts = (
        *(port_sentences, line_sentences, telegram_sentences, reading_sentences),
        *(notice_sentences, listening_sentences, emulation_sentences, virtual_sentences),
        *(central_sentences, reader_sentences),
    )
    assert sum(len(part.SENTENCES) for part in parts) == len(TABLE)
