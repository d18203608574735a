"""The Debian packages: what is in them for each release and architecture, and the same bytes from two builds."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from deb.suites import ARCHITECTURES, SUITES
from packages.machine import debian, unpack
from packages.wheel import KNOWN, ROOT, build, copy_checkout

SCRIPTS = sorted((ROOT / "deploy" / "debian").glob("p*"))
MACHINES = {"amd64": 62, "arm64": 183}


def test_the_scripts_of_the_package_are_plain_shell() -> None:
    assert [script.name for script in SCRIPTS] == ["postinst", "postrm", "preinst", "prerm"]
    assert [script.name for script in SCRIPTS if "apt-get" in script.read_text() or "pip" in script.read_text()] == []
    shellcheck = Path(sys.executable).with_name("shellcheck")
    if not shellcheck.exists():
        pytest.skip("no shellcheck for this machine")
    done = subprocess.run([shellcheck, "--shell=sh", *SCRIPTS], capture_output=True, text=True, check=False)
    assert done.stdout == ""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    return build(copy_checkout(folder / "checkout"), folder / "dist", ["wheel"], environ=KNOWN)["wheel"]


SCRIPT = ROOT / "release" / "build_deb.py"


def packages(
    wheel: Path, output: Path, *options: str, umask: int = 0o022, script: Path = SCRIPT, **environ: str
) -> list[Path]:
    """Hardly compressed, which takes a tenth of the time."""
    done = subprocess.run(
        [sys.executable, script, "--wheel", wheel, "--output", output, *options],
        env=os.environ | KNOWN | {"DPKG_DEB_COMPRESSOR_LEVEL": "0"} | environ,
        umask=umask,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return [Path(line) for line in done.stdout.splitlines()]


@pytest.mark.slow
@pytest.mark.skipif(not shutil.which("dpkg-deb"), reason="needs dpkg-deb")
@pytest.mark.parametrize("architecture", ARCHITECTURES)
@pytest.mark.parametrize("suite", SUITES)
def test_a_package_has_what_its_release_and_architecture_need(
    suite: str, architecture: str, wheel: Path, tmp_path: Path
) -> None:
    options = ("--release", suite, "--architecture", architecture)
    (package,) = packages(wheel, tmp_path, *options, DEBFULLNAME="A Maintainer", DEBEMAIL="a@example.org")
    assert package.name == f"iskra-server_0.1.0_{suite}_{architecture}.deb"
    control = field(package, "Maintainer"), field(package, "Architecture"), field(package, "Version")
    assert control == ("A Maintainer <a@example.org>", architecture, f"0.1.0-1~deb{SUITES[suite].number}")

    subprocess.run(["dpkg-deb", "--extract", package, tmp_path / "root"], check=True)
    site_packages = tmp_path / f"root/opt/iskra-server/lib/python{SUITES[suite].python}/site-packages"
    extensions = list(site_packages.rglob("*.so*"))
    assert len(extensions) > 20
    # bytes 18 and 19 of an ELF file say what machine it is for
    machines = {int.from_bytes(file.read_bytes()[18:20], "little") for file in extensions}
    assert machines == {MACHINES[architecture]}
    tag = SUITES[suite].python.replace(".", "")
    assert [file.name for file in site_packages.glob("msgspec/*.so") if f"cpython-{tag}-" not in file.name] == []
    names = {path.relative_to(tmp_path / "root") for path in (tmp_path / "root").rglob("*")}
    assert [name for name in names if name.suffix == ".pyc" or name.name in ("direct_url.json", "uv_cache.json")] == []
    assert traces_of(tmp_path / "root", str(ROOT), str(tmp_path), sys.prefix) == []


def field(package: Path, name: str) -> str:
    done = subprocess.run(["dpkg-deb", "--field", package, name], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def traces_of(root: Path, *paths: str) -> list[str]:
    """Files that name a folder of the machine on which they were made."""
    files = (path for path in root.rglob("*") if path.is_file() and not path.is_symlink() and path.suffix != ".so")
    return [str(file) for file in files if any(path.encode() in file.read_bytes() for path in paths)]


@pytest.mark.slow
@pytest.mark.skipif(not shutil.which("dpkg-deb"), reason="needs dpkg-deb")
def test_two_builds_have_the_same_bytes(wheel: Path, tmp_path: Path) -> None:
    options = ("--release", "bookworm", "--architecture", "arm64")
    (first,) = packages(wheel, tmp_path / "one", *options, umask=0o077, TZ="UTC", LC_ALL="C", TMPDIR=str(tmp_path))
    (again,) = packages(wheel, tmp_path / "other", *options, umask=0o002, TZ="Pacific/Auckland", LC_ALL="C.UTF-8")
    assert first.read_bytes() == again.read_bytes()


@pytest.mark.slow
@pytest.mark.parametrize("suite", SUITES)
def test_lintian_has_nothing_to_say(suite: str, wheel: Path, tmp_path: Path) -> None:
    """But what deploy/debian/lintian-overrides gives a reason for."""
    if os.geteuid() != 0 or not shutil.which("mmdebstrap"):
        pytest.skip("needs root and mmdebstrap")
    root = tmp_path / "lintian"
    root.mkdir()
    unpack(debian("trixie", "--variant=minbase", "--include=lintian", name="lintian"), root)
    (package,) = packages(wheel, root / "root", "--release", suite, "--architecture", "arm64")
    command = ["chroot", str(root), "lintian", "--allow-root", "--fail-on=warning", f"/root/{package.name}"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")


def test_without_what_it_needs_it_says_so(tmp_path: Path) -> None:
    # it runs in any Python, without a package installed
    done = subprocess.run(
        [sys.executable, "-S", SCRIPT, "--output", tmp_path],
        env=os.environ | {"PATH": ""},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 69
    assert done.stderr.endswith("dpkg-deb, which this machine does not have.\n")


def test_without_a_wheel_it_says_what_to_do(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, SCRIPT, "--output", tmp_path],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr == f"{tmp_path} has no wheels; run make dist, or name one with --wheel.\n"
