"""Each reason why a message was not sent is one sentence in both languages, with the same details."""

from string import Formatter

from iskra_server.outputs.notify.failures import FAILURES, MessageRefused, NotSent


def test_both_languages_name_the_same_details() -> None:
    for kind, row in FAILURES.items():
        english, german = ({name for _, name, _, _ in Formatter().parse(text) if name} for text in row)
        assert english == german, kind


def test_a_message_that_waits_says_why() -> None:
    error = NotSent("silent", place="https://ntfy.sh", seconds=10)
    assert str(error) == "https://ntfy.sh does not answer within 10 s. It is tried again."
    assert error.german == "https://ntfy.sh antwortet nicht innerhalb von 10 s. Es wird noch einmal versucht."
    assert MessageRefused("refused", place="x", reason="413").german == "x lehnt die Nachricht ab (413)."
