"""Accounts of readers in the password file of Mosquitto, one a line.

    house-7:$7$101$SALT$HASH        PBKDF2 with SHA-512: rounds, salt of 12 bytes, hash of 64 bytes, both in base64

It has so few rounds as mosquitto_passwd makes: the broker computes them in its one thread for each connection, and a
random password of 190 bits cannot be guessed.
"""

import hashlib
import os
import secrets
import string
from base64 import b64encode
from pathlib import Path
from tempfile import NamedTemporaryFile

_ROUNDS, _SALT_BYTES, _PASSWORD_LENGTH = 101, 12, 32


def new_password() -> str:
    """Letters and digits: fit for every address, every shell and every option."""
    return "".join(secrets.choice(string.ascii_letters + string.digits) for _ in range(_PASSWORD_LENGTH))


def account_line(name: str, password: str) -> str:
    salt = os.urandom(_SALT_BYTES)
    key = hashlib.pbkdf2_hmac("sha512", password.encode(), salt, _ROUNDS)
    return f"{name}:$7${_ROUNDS}${b64encode(salt).decode()}${b64encode(key).decode()}\n"


def has_account(file: Path, name: str) -> bool:
    """Raises OSError where the file cannot be read."""
    return any(_is_of(line, name) for line in file.read_text().splitlines())


def write_account(file: Path, name: str, password: str) -> None:
    """Adds the account, or gives it another password. The file is replaced whole and keeps its owner and its rights.

    Raises OSError.
    """
    before = file.stat()
    lines = [line for line in file.read_text().splitlines(keepends=True) if not _is_of(line, name)]
    with NamedTemporaryFile("w", dir=file.parent, prefix=f".{file.name}.", delete=False) as new:
        try:
            new.writelines((*lines, account_line(name, password)))
            new.flush()
            os.fsync(new.fileno())
            os.fchmod(new.fileno(), before.st_mode & 0o7777)
            if (before.st_uid, before.st_gid) != (os.geteuid(), os.getegid()):
                os.fchown(new.fileno(), before.st_uid, before.st_gid)
            Path(new.name).replace(file)
        except BaseException:
            Path(new.name).unlink(missing_ok=True)
            raise


def _is_of(line: str, name: str) -> bool:
    return line.partition(":")[0] == name
