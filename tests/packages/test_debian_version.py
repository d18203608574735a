"""Versions of the Debian packages sort as those of Python do, and a later Debian's package is the newer one."""

import shutil
import subprocess
from itertools import pairwise

import pytest
from packaging.version import Version

from deb.debian_version import debian_version
from deb.suites import SUITES

VERSIONS = (
    *("0.1.0.dev1", "0.1.0a1", "0.1.0b2", "0.1.0rc1.dev1", "0.1.0rc1", "0.1.0rc2", "0.1.0rc10", "0.1.0"),
    *("0.1.0.post1", "0.1.1rc1", "0.1.1", "0.1.10", "0.2.0", "1.0.0"),
)


def is_older(first: str, second: str) -> bool:
    return subprocess.run(["dpkg", "--compare-versions", first, "lt", second], check=False).returncode == 0


@pytest.mark.parametrize(
    ("version", "debian"),
    [("0.1.0", "0.1.0-1~deb12"), ("0.1.0rc1", "0.1.0~rc1-1~deb12"), ("1.2.3.post1", "1.2.3+post1-1~deb12")],
)
def test_a_version_of_debian(version: str, debian: str) -> None:
    assert debian_version(version, 12) == debian


@pytest.mark.skipif(not shutil.which("dpkg"), reason="needs dpkg")
def test_versions_are_in_the_order_of_python() -> None:
    assert list(VERSIONS) == sorted(VERSIONS, key=Version)
    versions = [debian_version(version, suite.number) for version in VERSIONS for suite in SUITES.values()]
    versions.append(debian_version(VERSIONS[-1], 13, revision=2))
    assert [pair for pair in pairwise(versions) if not is_older(*pair)] == []


@pytest.mark.parametrize("version", ["", "1.0+local", "v1.0", "1.0-1"])
def test_a_version_of_another_form_is_refused(version: str) -> None:
    with pytest.raises(ValueError, match="has no form that is known"):
        debian_version(version, 12)
