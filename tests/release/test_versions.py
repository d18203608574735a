import pytest

import versions


@pytest.mark.parametrize(
    ("version", "released", "tags"),
    [
        ("0.1.0", [], ["0.1.0", "0.1", "latest"]),
        ("1.2.3", ["1.2.2", "1.1.9"], ["1.2.3", "1.2", "1", "latest"]),
        # a fix of an old line leaves the newer ones their tags
        ("1.1.10", ["1.1.9", "1.2.3"], ["1.1.10", "1.1"]),
        ("1.9.0", ["2.0.0", "1.8.7"], ["1.9.0", "1.9", "1"]),
        ("1.10.0", ["1.9.0"], ["1.10.0", "1.10", "1", "latest"]),
        # a pre-release takes no name of a stable one, and does not keep it from the next
        ("1.3.0rc1", ["1.2.3"], ["1.3.0rc1"]),
        ("1.2.4", ["1.3.0rc1", "1.2.3", "not-a-version"], ["1.2.4", "1.2", "1", "latest"]),
    ],
)
def test_an_image_gets_the_tags_of_which_it_is_the_newest(version: str, released: list[str], tags: list[str]) -> None:
    assert versions.image_tags(version, released) == tags
    assert versions.image_tags(version, [*released, version]) == tags


def test_pre_releases_come_before_their_version() -> None:
    in_order = ["1.2.3a1", "1.2.3a2", "1.2.3b1", "1.2.3rc1", "1.2.3rc10", "1.2.3", "1.2.4a1"]
    assert sorted(reversed(in_order), key=versions.order) == in_order
    assert [versions.is_prerelease(version) for version in in_order] == [True] * 5 + [False, True]


@pytest.mark.parametrize("text", ["", "1.2", "v1.2.3", "1.2.3-rc1", "1.2.3.dev1", "1.2.3\n"])
def test_other_forms_are_no_versions(text: str) -> None:
    assert not versions.is_version(text)
