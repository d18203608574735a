"""Client certificates of readers, signed by the authority that the broker trusts; the common name is the reader's."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

# a reader whose clock is a little behind has a valid certificate at once
_BEFORE = timedelta(hours=1)
_Key = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey | ed448.Ed448PrivateKey


class Authority:
    """Its certificate and its key, from PEM files. Raises OSError, or ValueError for other content."""

    def __init__(self, certificate: Path, key: Path) -> None:
        try:
            self._certificate = x509.load_pem_x509_certificate(certificate.read_bytes())
        except ValueError:
            raise ValueError(f"{certificate} is no certificate in PEM") from None
        try:
            private = serialization.load_pem_private_key(key.read_bytes(), None)
        except (ValueError, TypeError):
            raise ValueError(f"{key} is no private key in PEM without a password") from None
        if not isinstance(private, _Key):
            raise ValueError(f"{key} has a kind of key that signs no certificates")
        if private.public_key() != self._certificate.public_key():
            raise ValueError(f"{key} is not the key of {certificate}")
        self._key = private

    def certificate_for(self, reader: str, days: int) -> tuple[bytes, bytes]:
        """A new certificate and its key (P-256), in PEM. It does not outlive that of the authority."""
        key = ec.generate_private_key(ec.SECP256R1())
        now = datetime.now(UTC)
        end = min(now + timedelta(days=days), self._certificate.not_valid_after_utc)
        public = key.public_key()
        issuer = self._certificate.public_key()
        builder = (
            x509.CertificateBuilder()
            .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, reader)]))
            .issuer_name(self._certificate.subject)
            .public_key(public)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - _BEFORE)
            .not_valid_after(end)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]), critical=False)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer), critical=False)  # type: ignore[arg-type]
        )
        # these two kinds of keys hash by themselves
        without_hash = isinstance(self._key, (ed25519.Ed25519PrivateKey, ed448.Ed448PrivateKey))
        signed = builder.sign(self._key, None if without_hash else hashes.SHA256())
        no_password = serialization.NoEncryption()
        private = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, no_password)
        return signed.public_bytes(serialization.Encoding.PEM), private
