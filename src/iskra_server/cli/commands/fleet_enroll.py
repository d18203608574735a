"""`fleet enroll`: make the account or the certificate of a reader, and print what to put on it."""

import json as json_text
import os
from pathlib import Path
from typing import Annotated

import typer
from msgspec import Struct, to_builtins

from iskra_server.base.address import Address, host_in_url
from iskra_server.base.installation import how_to_add
from iskra_server.cli.ui.options import Json
from iskra_server.cli.ui.usage_error import UsageError, usage_errors
from iskra_server.fleet.central.broker_accounts import has_account, new_password, write_account

_ALLOWED = str.maketrans("", "", "-._")
_SCHEMES = ("mqtt", "mqtts")
# deploy/central/acl lets this user read what all readers send, and answer them
_COLLECTOR = "collector"
# of a certificate: ten years
_DAYS = 3650
_AT_READER = "/etc/iskra-server"
_COMPOSE = "docker compose exec --user mosquitto broker sh -c \\\n  '{command}'"
_AT_DOCKER = "mosquitto_passwd -b {file} {reader} {password} && kill -HUP 1", "/mosquitto/accounts/passwords", ""
_WITHOUT_DOCKER = (
    "sudo mosquitto_passwd -b {file} {reader} {password} && sudo systemctl reload mosquitto",
    "/etc/mosquitto/passwords",
    "sudo ",
)
# a second reader of this name would lock the first one out
_UNLESS_THERE = (
    '{sudo}grep -q "^{pattern}:" {file} && echo "{reader} has an account; choose another name, or --replace" || '
    "{{ {command}; }}"
)


class Enrolment(Struct, frozen=True, omit_defaults=True):
    """`section` belongs into the configuration of the reader, `files` are to be copied to it, `broker` is to be run."""

    reader: str
    section: str
    password: str = ""
    files: tuple[str, ...] = ()
    broker: str = ""
    broker_without_docker: str = ""


def enroll(
    reader: Annotated[str, typer.Argument(metavar="READER", help="Name of the reader: letters, digits, - and .")],
    *,
    broker: Annotated[
        str, typer.Option("--broker", metavar="URL", help="The broker, as the reader reaches it: mqtts://HOST:8883.")
    ],
    passwords: Annotated[
        Path | None,
        typer.Option("--passwords", metavar="FILE", help="Password file of Mosquitto, to which the account is added."),
    ] = None,
    replace: Annotated[bool, typer.Option("--replace", help="Give an account that exists a new password.")] = False,
    ca_cert: Annotated[
        Path | None,
        typer.Option("--ca-cert", metavar="FILE", help="Certificate of the authority that the broker trusts."),
    ] = None,
    ca_key: Annotated[
        Path | None,
        typer.Option("--ca-key", metavar="FILE", help="Its key: the reader gets a certificate instead of a password."),
    ] = None,
    days: Annotated[
        int, typer.Option("--days", metavar="N", min=1, max=36500, help="How long the certificate is valid.")
    ] = _DAYS,
    folder: Annotated[
        Path, typer.Option("--folder", metavar="DIR", help="Where the certificate and its key are written.")
    ] = Path(),
    json: Json = False,
) -> None:
    """Make the account or the certificate of a reader, and print what to put on it and what to run at the broker."""
    name, address = _name(reader), _address(broker)
    if ca_key and passwords:
        raise UsageError("A reader has a certificate or a password; give --ca-key or --passwords.")
    if ca_key:
        enrolment = _with_certificate(name, address, (ca_cert, ca_key), days, folder)
    else:
        enrolment = _with_password(name, address, passwords, ca_cert, replace=replace)
    print(json_text.dumps(to_builtins(enrolment)) if json else _text(enrolment))


def _name(reader: str) -> str:
    """It becomes part of topics, a line in a password file, a file name and a word of a command."""
    if not reader.translate(_ALLOWED).isalnum() or not reader[0].isalnum():
        raise UsageError(f"'{reader}' cannot be the name of a reader; choose letters, digits, - and .")
    if reader == _COLLECTOR:
        raise UsageError(f"{reader} is the account of the collectors at the broker; choose another name for a reader.")
    return reader


def _address(broker: str) -> Address:
    address = Address(broker)
    if address.scheme not in _SCHEMES or not address.host:
        raise UsageError(f"'{broker}' is no address of a broker; write it like mqtts://central.example:8883.")
    if address.user:
        raise UsageError("Leave the user out of --broker: it is the name of the reader.")
    return address


def _with_password(
    reader: str, address: Address, passwords: Path | None, ca_cert: Path | None, *, replace: bool
) -> Enrolment:
    password = new_password()
    if passwords:
        try:
            if has_account(passwords, reader) and not replace:
                raise UsageError(f"{reader} has an account already; --replace gives it a new password.", 1)
            write_account(passwords, reader, password)
        except OSError as error:
            raise UsageError(f"{passwords} cannot be changed: {error.strerror}.") from None
    files = (str(ca_cert),) if ca_cert else ()
    section = _section(reader, address, {"password": password} | _authority(ca_cert))
    command = "" if passwords else _COMPOSE.format(command=_command(_AT_DOCKER, reader, password, replace=replace))
    without_docker = "" if passwords else _command(_WITHOUT_DOCKER, reader, password, replace=replace)
    return Enrolment(reader, section, password, files, command, without_docker)


def _command(place: tuple[str, str, str], reader: str, password: str, *, replace: bool) -> str:
    """What adds an account at the broker; with `replace` also where there is one."""
    text, file, sudo = place
    command = text.format(file=file, reader=reader, password=password)
    if replace:
        return command
    pattern = reader.replace(".", "[.]")
    return _UNLESS_THERE.format(command=command, file=file, pattern=pattern, reader=reader, sudo=sudo)


def _with_certificate(
    reader: str, address: Address, authority: tuple[Path | None, Path], days: int, folder: Path
) -> Enrolment:
    ca_cert, ca_key = authority
    if ca_cert is None:
        raise UsageError("A certificate needs --ca-cert too, the certificate of the authority.")
    if address.scheme != "mqtts":
        raise UsageError("A certificate needs TLS; write --broker mqtts://HOST:8883.")
    try:
        # an extra, which an installation without encrypted meters lacks
        from iskra_server.fleet.central.reader_certificates import Authority  # noqa: PLC0415
    except ImportError:
        raise UsageError(f"A certificate needs the package cryptography: {how_to_add('encrypted')}.") from None
    with usage_errors():
        certificate, key = Authority(ca_cert, ca_key).certificate_for(reader, days)
    files = (folder / f"{reader}.pem", folder / f"{reader}.key")
    _write_new(files[1], key)
    _write_new(files[0], certificate)
    at_reader = {"cert_file": f"{_AT_READER}/{reader}.pem", "key_file": f"{_AT_READER}/{reader}.key"}
    section = _section(reader, address, _authority(ca_cert) | at_reader)
    return Enrolment(reader, section, files=(*map(str, files), str(ca_cert)))


def _write_new(path: Path, content: bytes) -> None:
    """Only its owner may read it."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)


def _authority(ca_cert: Path | None) -> dict[str, str]:
    return {"ca_file": f"{_AT_READER}/{ca_cert.name}"} if ca_cert else {}


def _section(reader: str, address: Address, keys: dict[str, str]) -> str:
    place = host_in_url(address.host)
    port = f":{address.port}" if address.port else ""
    user = "" if "cert_file" in keys else f"{reader}@"
    values = {"url": f"{address.scheme}://{user}{place}{port}", "reader": reader} | keys
    return "\n".join(("[uplink]", *(f'{name} = "{value}"' for name, value in values.items())))


def _text(enrolment: Enrolment) -> str:
    parts = [f"In the configuration of the reader (iskra-server.toml):\n\n{enrolment.section}"]
    if enrolment.password:
        parts.append("The password is shown this once. Let nobody but iskra-server read that file.")
    if enrolment.files:
        parts.append(f"Copy to {_AT_READER} of the reader: {', '.join(enrolment.files)}")
    if enrolment.broker:
        parts.append(f"At the broker, in deploy/central:\n\n{enrolment.broker}")
        parts.append(f"without Docker:\n\n{enrolment.broker_without_docker}")
    elif enrolment.password:
        parts.append(
            "The account is written. Let the broker read it: kill -HUP its process (systemctl reload mosquitto)."
        )
    return "\n\n".join(parts)
