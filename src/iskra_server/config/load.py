"""What can be configured, and where each value comes from. Nothing has to be: one meter with one head needs no file.

    command line  >  environment  >  the first file that exists  >  default

Files: $IES_CONFIG, ./iskra-server.toml, ~/.config/iskra-server/iskra-server.toml,
/etc/iskra-server/iskra-server.toml, /data/options.json (the Home Assistant add-on).
Environment: IES_<SECTION>_<KEY>; IES_METERS=url[,url] lists the meters, IES_METERS_<KEY> sets a key for each of them.
"""

import codecs
import errno
import os
from collections.abc import Mapping
from pathlib import Path

import msgspec
from msgspec import Struct

from iskra_server.config.errors import ConfigError
from iskra_server.config.keys import SECTIONS, describe
from iskra_server.config.layers import FILE_VARIABLE, Layers
from iskra_server.config.sections import Config

FILE_NAME = "iskra-server.toml"
_FILE_SUFFIX = "_FILE"
_MAX_BYTES = 4_000_000


class Loaded(Struct, frozen=True):
    """The configuration in force. `origins` says for each value that is no default where it comes from:
    {"server.port": "IES_PORT", "meters.1.url": "/etc/iskra-server/iskra-server.toml"}."""

    config: Config
    origins: dict[str, str]
    file: Path | None


def load(environ: Mapping[str, str], path: Path | None = None) -> Config:
    """The configuration in force. Raises ConfigError."""
    return load_with_origins(environ, path).config


def load_with_origins(
    environ: Mapping[str, str], path: Path | None = None, options: Mapping[str, object] | None = None
) -> Loaded:
    """As `load`; `options` are what the command line sets, by key path, with a list for "meters.url"."""
    file = path or _find(environ)
    layers = Layers()
    if file:
        layers.add_file(_read(file), str(file))
    options = dict(options or {})
    if urls := options.pop("meters.url", None):
        # the meters first: IES_METERS_<KEY> sets a key for each of them
        layers.add("meters.url", urls, "command line")
        environ = {name: value for name, value in environ.items() if name != "IES_METERS"}
    layers.add_environment(_with_secrets(environ))
    for key, value in options.items():
        layers.add(key, value, "command line")
    return Loaded(layers.config(), layers.origins, file)


def _with_secrets(environ: Mapping[str, str]) -> dict[str, str]:
    """The variables, with those that name a secret's file replaced by what stands in it."""
    found = dict(environ)
    for variable in (variable for key in describe() if key.secret for variable in key.variables):
        file = found.pop(variable + _FILE_SUFFIX, "")
        if file and found.get(variable):
            raise ConfigError(f"{variable} and {variable}{_FILE_SUFFIX} both set one key; keep one of them.")
        if file:
            found[variable] = _read_secret(variable + _FILE_SUFFIX, file)
    return found


def _read_secret(variable: str, file: str) -> str:
    try:
        secret = _data(Path(file)).decode("utf-8-sig").strip()
    except (OSError, ValueError) as error:
        # a ValueError: what stands in it is no text, or its name holds a NUL
        reason = error.strerror if isinstance(error, OSError) else "it is not text"
        raise ConfigError(f"{variable} names {file}, which cannot be read: {reason}.") from None
    if not secret:
        # not taken as none: a server without a token is open to everybody
        raise ConfigError(
            f"{variable} names {file}, which is empty; write the secret into it, or leave the variable out."
        )
    return secret


def _data(file: Path) -> bytes:
    """Not more than any configuration has: a device may have no end."""
    with file.open("rb") as opened:
        data = opened.read(_MAX_BYTES + 1)
    if len(data) > _MAX_BYTES:
        raise OSError(errno.EFBIG, os.strerror(errno.EFBIG))
    return data


def _find(environ: Mapping[str, str]) -> Path | None:
    if named := environ.get(FILE_VARIABLE):
        return Path(named)
    places = [Path(FILE_NAME)]
    if home := environ.get("HOME"):
        places.append(Path(home, ".config/iskra-server", FILE_NAME))
    places += [Path("/etc/iskra-server", FILE_NAME), Path("/data/options.json")]
    # what lies in a folder that may not be looked into is not there: Path.is_file would raise
    return next((place for place in places if os.path.isfile(place)), None)


def _read(file: Path) -> dict[str, object]:
    decode = msgspec.json.decode if file.suffix == ".json" else msgspec.toml.decode
    try:
        data = _data(file)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "no file has such a name"
        raise ConfigError(f"The configuration {file} cannot be read: {reason}.") from None
    try:
        # editors of Windows put it before the text
        content = decode(data.removeprefix(codecs.BOM_UTF8))
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        language = "JSON" if file.suffix == ".json" else "TOML"
        raise ConfigError(f"The configuration {file} is not valid {language}: {error}.") from None
    except RecursionError:
        raise ConfigError(f"The configuration {file} is nested too deeply; it has sections and keys alone.") from None
    if not isinstance(content, dict):
        raise ConfigError(f"The configuration {file} must be an object with the sections {', '.join(SECTIONS)}.")
    return content
