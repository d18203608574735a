from string import Formatter

from iskra_server.config.key_sentences import FAULTS, FORMS, SENTENCES


def details(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name}


def test_german_sentences_leave_out_where_the_text_is_from() -> None:
    for fault, (english, german) in SENTENCES.items():
        assert details(german) - {"path"} == details(english) - {"origin", "where", "path"}, fault


def test_forms_and_faults_have_the_same_details_in_both_languages() -> None:
    for name, (english, german) in (FORMS | FAULTS).items():
        assert details(german) == details(english), name
        assert german != english, name
