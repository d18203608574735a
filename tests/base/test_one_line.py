"""Foreign text in a sentence of ours: printable, in one line, short."""

from iskra_server.base.one_line import MAX_CHARACTERS, one_line


def test_what_cannot_be_printed_and_several_blanks_become_one_blank() -> None:
    assert one_line("  5.7.1 denied\r\n5.7.1\x1b[31m  by\tpolicy\u200b ") == "5.7.1 denied 5.7.1 [31m by policy"
    assert one_line("\x00\n") == ""


def test_only_the_beginning_of_a_long_text_is_shown() -> None:
    assert one_line("ä" * 1000) == "ä" * MAX_CHARACTERS
    assert one_line("1 EBZ 01", 5) == "1 EBZ"
