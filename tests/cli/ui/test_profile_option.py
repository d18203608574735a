import re

import pytest

from iskra_server.cli.ui.profile_option import examples_and_profiles, known_profile
from iskra_server.cli.ui.usage_error import UsageError
from iskra_server.simulator.profiles import PROFILES


def test_a_profile_is_known_in_any_case() -> None:
    assert [known_profile(name.lower()) for name in PROFILES] == list(PROFILES)


def test_an_unknown_profile_is_refused_with_the_names_that_are_known() -> None:
    with pytest.raises(
        UsageError, match=r"'MT999'; choose one of MT175-locked, .*MT691, .*MT174, .*M550, .*AM550-KELAG, "
    ) as caught:
        known_profile("MT999")
    assert caught.value.status == 2


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("mt681_2012", "MT681-2012"),
        ("netznö", "NetzNOE"),
        ("wien", "AM550-Wien, AM550-Wien-encrypted"),
    ],
)
def test_names_like_an_unknown_one_are_suggested(name: str, expected: str) -> None:
    with pytest.raises(UsageError, match=f"'{name}'; choose one of {expected}"):
        known_profile(name)


def test_every_profile_stands_in_the_help_once() -> None:
    shown = examples_and_profiles({"iskra-server demo": "runs"})
    named = [name for name in PROFILES if re.search(rf"\[cyan\]{re.escape(name)} *\[/cyan\]", shown)]
    assert named == [name for name in PROFILES if not name.endswith("-encrypted")]
