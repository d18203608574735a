"""A reader that is enrolled: what the command prints is all that it needs, and the broker confines it to its name."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest
import trustme

from command import environment
from fleet.field import Collecting, rows
from history.entries import METER, QUARTER, power, quarter_reading
from history.postgres import Postgres
from iskra_server.fleet.central.broker_accounts import write_account
from iskra_server.fleet.central.reader_certificates import Authority
from iskra_server.history.store.store import Store
from outputs.mqtt.broker import Mosquitto, Subscriber
from running import COMMAND, free_port, serving, until

ACL = Path(__file__).parents[2] / "deploy" / "central" / "acl"
READER, COLLECTOR, COLLECTORS_PASSWORD = "house-7", "collector", "broker4"


def enroll(folder: Path, *options: object) -> dict[str, str]:
    command = [str(COMMAND), "fleet", "enroll", *map(str, options), "--json"]
    done = subprocess.run(command, cwd=folder, env=environment(folder), capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    answer: dict[str, str] = json.loads(done.stdout)
    return answer


def record(folder: Path) -> set[object]:
    """A history that a reader has before it is enrolled."""
    store = Store(f"sqlite:///{folder}/iskra.sqlite")
    store.write([quarter_reading(), quarter_reading(QUARTER + 1, 107_323_191), power()], [METER])
    found: set[object] = set(rows(store, [METER.meter_id]))
    store.close()
    return found


def arrives(folder: Path, collecting: Collecting, central: Store, expected: set[object]) -> None:
    """What the reader of this configuration has recorded, at the central server."""
    # what nobody collects is sent again after a minute
    until(lambda: "Collecting from" in collecting.log)
    environ = {"IES_CONFIG": str(folder / "iskra-server.toml"), "IES_HISTORY_ENABLED": "true"}
    with serving("serve", "tcp://127.0.0.1:1", environ=environ | {"IES_DATA_DIR": str(folder)}):
        until(lambda: rows(central, [METER.meter_id]) == expected)


@pytest.fixture
def acl(tmp_path: Path) -> Path:
    copy = tmp_path / "acl"
    shutil.copy(ACL, copy)
    copy.chmod(0o600)
    return copy


def test_a_reader_with_a_password_connects_and_is_confined_to_its_name(
    tmp_path: Path, acl: Path, central: Store, postgres: Postgres
) -> None:
    expected, passwords = record(tmp_path), tmp_path / "passwords"
    passwords.touch(0o600)
    port = free_port()
    options = ("--broker", f"mqtt://127.0.0.1:{port}", "--passwords", passwords)
    reader = enroll(tmp_path, READER, *options)
    write_account(passwords, COLLECTOR, COLLECTORS_PASSWORD)
    assert "broker" not in reader
    (tmp_path / "iskra-server.toml").write_text(reader["section"])
    broker = Mosquitto(tmp_path, f"password_file {passwords}", f"acl_file {acl}", anonymous=False, port=port).start()
    login = {"user": READER, "password": reader["password"]}
    collecting = Collecting(
        f"mqtt://{COLLECTOR}@127.0.0.1:{port}", postgres.url("postgres"), IES_COLLECT_PASSWORD=COLLECTORS_PASSWORD
    )
    try:
        arrives(tmp_path, collecting, central, expected)
        heard = {"user": COLLECTOR, "password": COLLECTORS_PASSWORD}
        with Subscriber(port, "iskra/v1/+/live", **heard) as all_readers, Subscriber(port, "none", **login) as own:
            own.say("iskra/v1/house-8/live", "of another")
            own.say("iskra/v1/house-7/live", "of its own")
            until(lambda: all_readers.heard)
        assert all_readers.topics() == {"iskra/v1/house-7/live"}
    finally:
        collecting.end()
        broker.kill()


def test_a_reader_with_a_certificate_connects_under_the_name_in_it(
    tmp_path: Path, acl: Path, central: Store, postgres: Postgres
) -> None:
    expected, authority = record(tmp_path), trustme.CA()
    ca_cert, ca_key = tmp_path / "ca.pem", tmp_path / "ca.key"
    authority.cert_pem.write_to_path(ca_cert)
    authority.private_key_pem.write_to_path(ca_key)
    server = authority.issue_cert("localhost")
    server.private_key_pem.write_to_path(tmp_path / "server.key")
    server.cert_chain_pems[0].write_to_path(tmp_path / "server.pem")
    port = free_port()
    options = ("--broker", f"mqtts://localhost:{port}", "--ca-cert", ca_cert, "--ca-key", ca_key, "--folder", tmp_path)
    reader = enroll(tmp_path, READER, *options)
    certificate, key = Authority(ca_cert, ca_key).certificate_for(COLLECTOR, 1)
    (tmp_path / "collector.pem").write_bytes(certificate)
    (tmp_path / "collector.key").write_bytes(key)
    assert (tmp_path / "house-7.key").stat().st_mode & 0o777 == 0o600
    (tmp_path / "iskra-server.toml").write_text(re.sub("/etc/iskra-server", str(tmp_path), reader["section"]))
    broker = Mosquitto(
        tmp_path,
        *(f"cafile {ca_cert}", f"certfile {tmp_path / 'server.pem'}", f"keyfile {tmp_path / 'server.key'}"),
        *("require_certificate true", "use_identity_as_username true", f"acl_file {acl}"),
        anonymous=False,
        port=port,
    ).start()
    keys = {"ca_file": ca_cert, "cert_file": tmp_path / "collector.pem", "key_file": tmp_path / "collector.key"}
    environ = {f"IES_COLLECT_{name.upper()}": str(path) for name, path in keys.items()}
    collecting = Collecting(f"mqtts://localhost:{port}", postgres.url("postgres"), **environ)
    try:
        arrives(tmp_path, collecting, central, expected)
    finally:
        collecting.end()
        broker.kill()
