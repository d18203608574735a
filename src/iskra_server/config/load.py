"""Reads the configuration. It is optional: one meter with one reading head needs none.

    command line  >  environment  >  the first file that exists  >  default

Files: $IES_CONFIG, ./iskra-server.toml, ~/.config/iskra-server/iskra-server.toml,
/etc/iskra-server/iskra-server.toml, /data/options.json (the app of Home Assistant, with the options of app_options.py;
over it /config/iskra-server.toml, for what has no option).
Environment: IES_<SECTION>_<KEY>. IES_METERS=url[,url] lists the meters; IES_METERS_<KEY> sets a key of all of them.
"""

import errno
import os
from collections.abc import Mapping
from pathlib import Path

import msgspec
from msgspec import Struct

from iskra_server.config.findings import ConfigError
from iskra_server.config.keys import SECTIONS, describe
from iskra_server.config.layers import FILE_VARIABLE, Layers
from iskra_server.config.sections import Config
from iskra_server.config.toml_hints import toml_hint

FILE_NAME = "iskra-server.toml"
OPTIONS_FILE = Path("/data/options.json")
# in the folder of the app that the user's file editor shows
FILE_BESIDE_OPTIONS = Path("/config", FILE_NAME)
_FILE_SUFFIX = "_FILE"
_MAX_BYTES = 4_000_000


class Loaded(Struct, frozen=True):
    """The effective configuration, the file it was read from, and the origin of each value that is not a default:
    {"server.port": "IES_PORT", "meters.1.url": "/etc/iskra-server/iskra-server.toml"}."""

    config: Config
    origins: dict[str, str]
    file: Path | None


def load(environ: Mapping[str, str], path: Path | None = None) -> Config:
    """The effective configuration. Raises ConfigError."""
    return load_with_origins(environ, path).config


def load_with_origins(
    environ: Mapping[str, str],
    path: Path | None = None,
    options: Mapping[str, object] | None = None,
    errors: list[ConfigError] | None = None,
) -> Loaded:
    """As `load`; `options` are values from the command line by key path, with a list for "meters.url".

    Wrong values of files and variables are appended to `errors`, if it is given, instead of raising the first one.
    """
    file = path or _find(environ)
    layers = Layers(errors)
    if file:
        (layers.add_options if file.suffix == ".json" else layers.add_file)(_read(file), str(file))
    if file == OPTIONS_FILE and os.path.isfile(FILE_BESIDE_OPTIONS):
        layers.add_file(_read(FILE_BESIDE_OPTIONS), str(FILE_BESIDE_OPTIONS))
    options = dict(options or {})
    if urls := options.pop("meters.url", None):
        # before the environment: IES_METERS_<KEY> sets a key of each of these meters
        layers.add("meters.url", urls, "command line")
        environ = {name: value for name, value in environ.items() if name != "IES_METERS"}
    layers.add_environment(_with_secrets(environ))
    for key, value in options.items():
        layers.add(key, value, "command line")
    return Loaded(layers.config(), layers.origins, file)


def _with_secrets(environ: Mapping[str, str]) -> dict[str, str]:
    """The variables; each VARIABLE_FILE becomes VARIABLE with the content of the file."""
    resolved = dict(environ)
    for variable in (variable for key in describe() if key.secret for variable in key.variables):
        file = resolved.pop(variable + _FILE_SUFFIX, "")
        if file and resolved.get(variable):
            raise ConfigError(f"{variable} and {variable}{_FILE_SUFFIX} both set one key; keep one of them.")
        if file:
            resolved[variable] = _read_secret(variable + _FILE_SUFFIX, file)
    return resolved


def _read_secret(variable: str, file: str) -> str:
    try:
        secret = _read_bytes(Path(file)).decode("utf-8-sig").strip()
    except (OSError, ValueError) as error:
        # ValueError: the content is no text, or the name holds a NUL
        reason = error.strerror if isinstance(error, OSError) else "it is not text"
        raise ConfigError(f"{variable} names {file}, which cannot be read: {reason}.") from None
    if not secret:
        # an empty token would open the server to everybody
        raise ConfigError(f"{variable} names {file}, which is empty; write the secret into it, or remove the variable.")
    return secret


def _read_bytes(file: Path) -> bytes:
    """At most 4 MB: reading a device such as /dev/zero would never end."""
    with file.open("rb") as opened:
        data = opened.read(_MAX_BYTES + 1)
    if len(data) > _MAX_BYTES:
        raise OSError(errno.EFBIG, os.strerror(errno.EFBIG))
    return data


def _find(environ: Mapping[str, str]) -> Path | None:
    if configured := environ.get(FILE_VARIABLE):
        return Path(configured)
    places = [Path(FILE_NAME)]
    if home := environ.get("HOME"):
        places.append(Path(home, ".config/iskra-server", FILE_NAME))
    places += [Path("/etc/iskra-server", FILE_NAME), OPTIONS_FILE]
    # not Path.is_file, which raises where a folder may not be read
    return next((place for place in places if os.path.isfile(place)), None)


def _read(file: Path) -> dict[str, object]:
    decode = msgspec.json.decode if file.suffix == ".json" else msgspec.toml.decode
    try:
        data = _read_bytes(file)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "this is not a file name"
        raise ConfigError(f"The configuration {file} cannot be read: {reason}.") from None
    try:
        # some editors on Windows begin a file with a byte order mark
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        raise ConfigError(
            f"The configuration {file} has a character in line {line} that is not UTF-8; save the file as UTF-8."
        ) from None
    try:
        content = decode(text)
    except msgspec.DecodeError as error:
        language = "JSON" if file.suffix == ".json" else "TOML"
        hint = toml_hint(text, error)[0] if language == "TOML" else ""
        raise ConfigError(f"The configuration {file} is not valid {language}: {error}{hint}.") from None
    except RecursionError:
        raise ConfigError(f"The configuration {file} is nested too deeply; it has sections with keys.") from None
    except ValueError:
        # Python reads no more than 4,300
        raise ConfigError(f"A number in the configuration {file} has too many digits.") from None
    if not isinstance(content, dict):
        raise ConfigError(f"The configuration {file} must be an object with the sections {', '.join(SECTIONS)}.")
    return content
