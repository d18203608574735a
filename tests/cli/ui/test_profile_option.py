import pytest

from iskra_server.cli.ui.profile_option import known_profile
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
