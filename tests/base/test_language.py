from iskra_server.base.language import NOTHING, BilingualError, after_each_other, in_both


def test_a_detail_in_two_languages_is_given_in_each() -> None:
    row = "{key} must be {form}, not {{x}}.", "{key} muss {form} sein, nicht {{x}}."
    assert in_both(row, key="a.{b}", form=("text", "Text")) == (
        "a.{b} must be text, not {x}.",
        "a.{b} muss Text sein, nicht {x}.",
    )


def test_sentences_follow_each_other_and_each_comes_once() -> None:
    away, full = ("It is away.", "Er ist weg."), ("It is full.", "Er ist voll.")
    assert after_each_other(away, NOTHING, full, away) == ("It is away. It is full.", "Er ist weg. Er ist voll.")
    assert after_each_other() == after_each_other(NOTHING) == NOTHING


def test_an_error_has_both_languages_or_one_text_for_both() -> None:
    error = BilingualError(("it is away", "er ist weg"))
    assert (str(error), error.german, error.both) == ("it is away", "er ist weg", ("it is away", "er ist weg"))
    assert BilingualError("Connection refused").both == ("Connection refused", "Connection refused")
