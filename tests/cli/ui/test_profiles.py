import pytest

from iskra_server.cli.ui.profiles import known_profile, sentence
from iskra_server.cli.ui.refusal import Refused
from iskra_server.simulator.profiles import PROFILES


def test_a_profile_is_known_in_any_case() -> None:
    assert [known_profile(name.lower()) for name in PROFILES] == list(PROFILES)


def test_an_unknown_profile_is_refused_with_the_names_that_are_known() -> None:
    with pytest.raises(Refused, match=r"'MT999'; choose one of MT175-locked, .*MT691\.$") as caught:
        known_profile("MT999")
    assert caught.value.status == 2


def test_a_sentence_has_a_capital_and_one_stop() -> None:
    assert sentence(ValueError("no such port")) == "No such port."
    assert sentence(ValueError("No such port.")) == "No such port."
