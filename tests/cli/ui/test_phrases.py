"""Both languages say all of it, and the same."""

from typing import get_args

from msgspec import structs

from iskra_server.cli.ui.phrases import PHRASES
from iskra_server.diagnosis.unlocking import Event


def test_every_event_is_said_in_both_languages() -> None:
    for phrases in PHRASES.values():
        assert set(phrases.events) == set(get_args(Event))


def test_nothing_is_said_alike_or_cut_in_two() -> None:
    en, de = PHRASES["en"], PHRASES["de"]
    assert len(en.instructions) == len(de.instructions)
    assert all(structs.asdict(en)[name] != said for name, said in structs.asdict(de).items())
    assert (en.digit.format(2)[:8], de.digit.format(2)[:9]) == ("Digit 2:", "Ziffer 2:")
