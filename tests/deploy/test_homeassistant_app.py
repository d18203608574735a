"""The apps of Home Assistant as files: the Supervisor's rules, security rating, texts, pictures, AppArmor."""

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from struct import unpack
from typing import Annotated, Any, Literal

import msgspec
import pytest
import yaml
from msgspec import Meta, Struct

import iskra_server
from deploy.app_options import OptionError, checked_options, leaves
from deploy.engine import ROOT

REPOSITORY = ROOT / "deploy" / "homeassistant"
APP, HOST_APP = REPOSITORY / "iskra_server", REPOSITORY / "iskra_server_host_network"
APPS = (APP, HOST_APP)
PARSER = shutil.which("apparmor_parser")
# keys in which the second app may differ
DIFFERENT = {"name", "slug", "description", "host_network", "environment", "ingress_port", "ports", "watchdog",
             "options", "schema"}  # fmt: skip
# options that only the second app has
HOST_OPTIONS = {"port", "ecotracker", "shelly_pro_3em", "shelly_em1", "shelly_3em", "vzlogger", "sma_energy_meter",
                "sunspec", "shelly_modbus", "emulated_meter", "batteries", "target_w"}  # fmt: skip
needs_parser = pytest.mark.skipif(PARSER is None, reason="needs the Debian package apparmor")

Text = Annotated[str, Meta(min_length=1)]
Tcp = Annotated[int, Meta(ge=1, le=65535)]
# no {arch}: one name for all architectures
Image = Annotated[str, Meta(pattern=r"^[a-z0-9.-]+\.[a-z]{2,}(/[a-z0-9][a-z0-9._-]*)+$")]
PortName = Annotated[str, Meta(pattern=r"^\d+/(tcp|udp)$")]


class Mapping(Struct, forbid_unknown_fields=True):
    type: Literal["addon_config", "share", "media", "ssl"]
    read_only: bool = True


class AppConfig(Struct, forbid_unknown_fields=True, omit_defaults=True):
    """What the Supervisor accepts in config.yaml (supervisor/apps/validate.py), narrowed to what these apps use."""

    name: Text
    version: Annotated[str, Meta(pattern=r"^\d+\.\d+\.\d+$")]
    slug: Annotated[str, Meta(pattern=r"^[-_.A-Za-z0-9]+$")]
    # longer ones are cut off in the store
    description: Annotated[str, Meta(min_length=1, max_length=120)]
    # 32-bit is deprecated
    arch: list[Literal["aarch64", "amd64"]]
    url: Annotated[str, Meta(pattern="^https://")]
    image: Image
    startup: Literal["initialize", "system", "services", "application", "once"]
    uart: bool
    udev: bool
    ingress: bool
    ingress_port: Tcp
    ingress_stream: bool
    panel_icon: Annotated[str, Meta(pattern=r"^mdi:[a-z-]+$")]
    panel_title: Text
    panel_admin: bool
    watchdog: Annotated[str, Meta(pattern=r"^(https?|tcp)://\[HOST\]:(\[PORT:\d+\]|\d+).*$")]
    services: list[Annotated[str, Meta(pattern="^(mqtt|mysql):(provide|want|need)$")]]
    discovery: list[str]
    map: list[Mapping]
    backup: Literal["hot", "cold"]
    backup_pre: Text
    backup_post: Text
    backup_exclude: list[str]
    options: dict[str, Any]
    schema: dict[str, Any]
    ports: dict[PortName, Tcp | None] = {}
    environment: dict[Annotated[str, Meta(pattern=r"^\w*$")], str] = {}
    host_network: bool = False
    # each lowers the rating; listed so that the test of the rating fails, and not this one
    apparmor: bool = True
    hassio_role: str = "default"
    privileged: list[str] = []
    kernel_modules: bool = False
    host_pid: bool = False
    host_uts: bool = False
    full_access: bool = False
    docker_api: bool = False


def config(app: Path) -> AppConfig:
    return msgspec.convert(yaml.safe_load((app / "config.yaml").read_text()), AppConfig)


def rating(app: Path, highest: int) -> int:
    """The security rating as documented for developers, 1 to 6, and as the Supervisor counts it, 1 to 8."""
    keys = config(app)
    if keys.docker_api or keys.full_access:
        return 1
    points = 5
    points += -1 if not keys.apparmor else (app / "apparmor.txt").exists()
    points += 2 * keys.ingress
    points -= bool(keys.privileged) or keys.kernel_modules
    points -= {"manager": 1, "admin": 2}.get(keys.hassio_role, 0)
    points -= keys.host_network + 2 * keys.host_pid + (keys.host_uts and "SYS_ADMIN" in keys.privileged)
    return max(1, min(highest, points))


@pytest.fixture(params=APPS, ids=lambda app: app.name)
def app(request: pytest.FixtureRequest) -> Path:
    path: Path = request.param
    return path


def test_the_supervisor_accepts_every_key(app: Path) -> None:
    keys = config(app)
    assert keys.version == iskra_server.__version__
    assert keys.slug == app.name


def test_the_security_rating_is_the_highest() -> None:
    assert rating(APP, highest=6) == 6
    assert rating(APP, highest=8) == 8
    # one point less in the Supervisor's own scale
    assert (rating(HOST_APP, highest=6), rating(HOST_APP, highest=8)) == (6, 7)


def test_the_apps_differ_only_where_they_must() -> None:
    one, other = (msgspec.to_builtins(config(app)) for app in APPS)
    assert {key for key in one.keys() | other.keys() if one.get(key) != other.get(key)} <= DIFFERENT
    assert one["schema"] == {key: kind for key, kind in other["schema"].items() if key not in HOST_OPTIONS}
    assert other["schema"].keys() - one["schema"].keys() == HOST_OPTIONS
    for file in APP.iterdir():
        if file.name not in ("config.yaml", "README.md", "apparmor.txt"):
            assert (HOST_APP / file.name).resolve() == file.resolve()


def test_two_apps_on_one_host_do_not_use_the_same_ingress_port() -> None:
    assert config(APP).ingress_port != config(HOST_APP).ingress_port
    for app in APPS:
        port = config(app).environment.get("IES_SERVER_INGRESS_PORT") or of_image("IES_SERVER_INGRESS_PORT")
        assert int(port) == config(app).ingress_port
        assert config(app).watchdog == f"http://[HOST]:{port}/healthz"


def of_image(variable: str) -> str:
    found = re.search(rf"\b{variable}=(\S+)", (APP / "Dockerfile").read_text())
    assert found
    return found[1]


def test_nothing_has_to_be_configured(app: Path) -> None:
    keys = config(app)
    assert checked_options(keys.schema, keys.options) == keys.options
    # a list of tables is the one thing that the Supervisor does not let be left out
    assert {name: value for name, value in keys.options.items() if value} in ({}, {"port": 18080})
    with pytest.raises(OptionError, match="sources"):
        checked_options(keys.schema, {"contracts": []})


@pytest.mark.parametrize("language", ["en", "de"])
def test_every_option_and_port_is_translated(language: str) -> None:
    names: set[tuple[str, ...]] = set()
    for app in APPS:
        translation = yaml.safe_load((app / "translations" / f"{language}.yaml").read_text())
        names |= set(leaves(config(app).schema)) | {(name,) for name in config(app).schema}
        assert set(config(app).ports) <= set(translation["network"])
    assert set(translated(translation["configuration"])) == names


def translated(options: dict[str, Any], within: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """The path of each option that has a name and a description."""
    for name, texts in options.items():
        assert set(texts) <= {"name", "description", "fields"}
        if texts["name"] and texts["description"]:
            yield (*within, name)
        yield from translated(texts.get("fields", {}), (*within, name))


def test_docs_name_every_option(app: Path) -> None:
    english, german = (app / "DOCS.md").read_text().split("## Deutsch")
    for name, *_ in leaves(config(app).schema):
        assert f"(`{name}`)" in english and f"(`{name}`)" in german
    for *_, name in leaves(config(app).schema):
        assert f"`{name}`" in english


@pytest.mark.parametrize(("name", "size"), [("icon.png", (128, 128)), ("logo.png", (250, 100))])
def test_the_pictures_have_the_size_that_is_shown(app: Path, name: str, size: tuple[int, int]) -> None:
    data = (app / name).read_bytes()
    assert data.startswith(b"\x89PNG\r\n\x1a\n")
    assert unpack(">II", data[16:24]) == size


def test_the_store_finds_no_other_config(app: Path) -> None:
    # it takes every config.* below the repository for an app
    assert sorted(REPOSITORY.rglob("config.*")) == sorted(path / "config.yaml" for path in APPS)
    for name in ("README.md", "DOCS.md", "CHANGELOG.md", "Dockerfile", "apparmor.txt"):
        assert (app / name).stat().st_size > 0


@needs_parser
def test_the_apparmor_profile_is_valid_under_the_name_that_it_is_installed_with(app: Path, tmp_path: Path) -> None:
    profile = (app / "apparmor.txt").read_text()
    # the Supervisor replaces the only name, in a line of this form
    names = re.findall(r"^profile ([^ ]+).*$", profile, re.MULTILINE)
    assert len(names) == 1
    renamed = tmp_path / "apparmor.txt"
    renamed.write_text(profile.replace(f"profile {names[0]} ", f"profile 0a1b2c3d_{app.name} ", 1))
    parse(renamed)


@needs_parser
def test_a_wrong_rule_would_be_seen(tmp_path: Path) -> None:
    wrong = tmp_path / "apparmor.txt"
    wrong.write_text((APP / "apparmor.txt").read_text().replace("/data/** rwk,", "/data/** rwq,"))
    with pytest.raises(AssertionError, match=r"apparmor\.txt"):
        parse(wrong)


def rules_of(app: Path) -> list[str]:
    """Of its AppArmor profile."""
    lines = re.sub("#(?!include).*", "", (app / "apparmor.txt").read_text()).splitlines()
    return [line.strip() for line in lines if line.strip()]


def test_the_apparmor_profile_gives_no_capability() -> None:
    rules = "\n".join(rules_of(APP))
    assert not re.search(r"^(capability|mount|umount|pivot_root|change_profile|dbus|file,)", rules, re.MULTILINE)
    assert not re.search(r"\bU?[uU]x\b", rules)


def test_on_the_network_of_the_host_the_app_may_also_open_ports_below_1024() -> None:
    """A container's own network lets every program open them."""
    one, other = rules_of(APP), rules_of(HOST_APP)
    other.remove("capability net_bind_service,")
    assert one == other


def parse(profile: Path) -> None:
    done = subprocess.run(
        [PARSER or "", "--skip-kernel-load", "--skip-cache", "--debug", profile],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def publish(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, REPOSITORY / "publish.py", *arguments], capture_output=True, text=True, timeout=60, check=False
    )


def test_a_published_repository_has_its_own_names_and_no_links(tmp_path: Path) -> None:
    folder = tmp_path / "repository"
    done = publish(folder, "--url", "https://forge.example/owner/name", "--image", "registry.example/owner/name")
    assert done.returncode == 0, done.stderr
    assert not any(path.is_symlink() for path in folder.rglob("*"))
    assert yaml.safe_load((folder / "repository.yaml").read_text())["url"] == "https://forge.example/owner/name"
    for app in APPS:
        published = config(folder / app.name)
        assert (published.url, published.image) == ("https://forge.example/owner/name", "registry.example/owner/name")
        assert (folder / app.name / "CHANGELOG.md").read_text() == (ROOT / "CHANGELOG.md").read_text()
    assert "exists already" in publish(folder).stderr


def test_a_local_app_has_what_its_image_is_built_from_and_no_image(tmp_path: Path) -> None:
    done = publish(tmp_path / "addons", "--local")
    assert done.returncode == 0, done.stderr
    app = tmp_path / "addons" / "iskra_server"
    assert "image" not in yaml.safe_load((app / "config.yaml").read_text())
    stages = re.findall(r"^FROM (\S+)(?: AS (\S+))?$", (app / "Dockerfile").read_text(), re.MULTILINE)
    assert [name for _, name in stages] == ["dependencies", "program", "server", ""]
    assert stages[-1][0] == "server"
    for line in re.findall(r"^COPY (?!--from)(.*) \S+$", (app / "Dockerfile").read_text(), re.MULTILINE):
        for name in line.split():
            assert (app / name).exists(), name
