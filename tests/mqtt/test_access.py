"""How a broker is reached, by its address and files. The sentences: tests/outputs/mqtt/test_broker_settings.py."""

from pathlib import Path

import pytest
import trustme

from iskra_server.base.address import Address
from iskra_server.base.secret import Secret
from iskra_server.mqtt.access import BrokerAccess, broker_access, tls_context


def access(url: str, **files: str) -> BrokerAccess:
    return broker_access(Address(url), password=Secret(), **files)


def test_a_certificate_is_read_with_its_key_in_one_file_or_two(tmp_path: Path) -> None:
    made = trustme.CA().issue_cert("me")
    made.private_key_and_cert_chain_pem.write_to_path(tmp_path / "both.pem")
    made.private_key_pem.write_to_path(tmp_path / "key.pem")
    made.cert_chain_pems[0].write_to_path(tmp_path / "cert.pem")
    assert tls_context(access("mqtts://pi", cert_file=str(tmp_path / "both.pem")))
    two = {"cert_file": str(tmp_path / "cert.pem"), "key_file": str(tmp_path / "key.pem")}
    assert tls_context(access("mqtts://pi", **two))


def test_without_tls_there_is_no_context() -> None:
    assert tls_context(access("mqtt://pi")) is None


def test_no_text_shows_the_password() -> None:
    secret = access("mqtt://me:p%40ssword@pi")
    assert secret.masked("p@ssword is wrong") == "*** is wrong"
    assert "p@ssword" not in f"{secret} {secret.broker}"


def test_a_url_without_a_broker_is_refused() -> None:
    with pytest.raises(ValueError, match="the url must be like mqtt://"):
        access("http://pi")
