"""The releases of Debian, and the architectures, that packages are made for."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Suite:
    """Its Python decides which wheels fit: there is one package for each suite."""

    name: str
    number: int
    python: str

    @property
    def python_after(self) -> str:
        major, minor = self.python.split(".")
        return f"{major}.{int(minor) + 1}"


@dataclass(frozen=True)
class Architecture:
    """`platform` is what uv calls it, with the C library of bookworm, the oldest of the suites."""

    name: str
    platform: str


SUITES = {suite.name: suite for suite in (Suite("bookworm", 12, "3.11"), Suite("trixie", 13, "3.13"))}
ARCHITECTURES = {
    architecture.name: architecture
    for architecture in (
        Architecture("amd64", "x86_64-manylinux_2_36"),
        Architecture("arm64", "aarch64-manylinux_2_36"),
    )
}
