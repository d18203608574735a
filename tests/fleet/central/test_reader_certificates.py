from datetime import timedelta
from pathlib import Path

import pytest
import trustme
from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from cryptography.x509.oid import ExtendedKeyUsageOID

from iskra_server.fleet.central.reader_certificates import Authority


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    """Certificate and key of an authority."""
    return written(trustme.CA(), tmp_path, "ca")


def written(authority: trustme.CA, folder: Path, name: str) -> tuple[Path, Path]:
    certificate, key = folder / f"{name}.pem", folder / f"{name}.key"
    authority.cert_pem.write_to_path(certificate)
    authority.private_key_pem.write_to_path(key)
    return certificate, key


def test_a_certificate_has_the_name_of_the_reader_and_is_for_clients_alone(files: tuple[Path, Path]) -> None:
    pem, key = Authority(*files).certificate_for("house-7", 30)
    certificate = x509.load_pem_x509_certificate(pem)
    issuer = x509.load_pem_x509_certificate(files[0].read_bytes())
    certificate.verify_directly_issued_by(issuer)
    assert certificate.subject.rfc4514_string() == "CN=house-7"
    usage = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert list(usage) == [ExtendedKeyUsageOID.CLIENT_AUTH]
    lasts = certificate.not_valid_after_utc - certificate.not_valid_before_utc
    assert timedelta(days=30) < lasts < timedelta(days=31)
    assert load_pem_private_key(key, None).public_key() == certificate.public_key()


def test_it_does_not_outlive_its_authority(files: tuple[Path, Path]) -> None:
    pem, _ = Authority(*files).certificate_for("house-7", 500_000)
    issuer = x509.load_pem_x509_certificate(files[0].read_bytes())
    assert x509.load_pem_x509_certificate(pem).not_valid_after_utc == issuer.not_valid_after_utc


def test_files_of_two_authorities_and_other_files_are_refused(tmp_path: Path, files: tuple[Path, Path]) -> None:
    _, foreign = written(trustme.CA(), tmp_path, "other")
    text = tmp_path / "text"
    text.write_text("no certificate")
    for certificate, key, sentence in (
        (files[0], foreign, "is not the key of"),
        (text, files[1], "is no certificate in PEM"),
        (files[0], text, "is no private key in PEM"),
    ):
        with pytest.raises(ValueError, match=sentence):
            Authority(certificate, key)
