"""Certificate files: the right ones serve, each wrong one has its sentence."""

import ssl
from pathlib import Path

import httpx
import pytest
import trustme
from cryptography.hazmat.primitives import serialization

from iskra_server.config import ConfigError
from iskra_server.runtime.tls import contents, tls_context
from running import fetch, serving


@pytest.fixture
def files(tmp_path: Path) -> dict[str, Path]:
    """A certificate, its key, both in one file, another's key, and what is none."""
    authority = trustme.CA()
    own, other = (authority.issue_cert("localhost", "127.0.0.1") for _ in range(2))
    paths = {name: tmp_path / f"{name}.pem" for name in ("cert", "key", "both", "other", "none", "authority")}
    own.cert_chain_pems[0].write_to_path(paths["cert"])
    own.private_key_pem.write_to_path(paths["key"])
    own.private_key_and_cert_chain_pem.write_to_path(paths["both"])
    other.private_key_pem.write_to_path(paths["other"])
    authority.cert_pem.write_to_path(paths["authority"])
    paths["none"].write_text("hello")
    return paths


def test_without_files_there_is_no_tls() -> None:
    assert tls_context("", "") is None


def test_a_renewed_certificate_has_other_contents(files: dict[str, Path]) -> None:
    before = contents(str(files["cert"]), str(files["key"]))
    assert before == contents(str(files["cert"]), str(files["key"])) != contents("", "")
    files["key"].write_bytes(files["other"].read_bytes())
    assert contents(str(files["cert"]), str(files["key"])) != before


def test_a_certificate_and_its_key_make_a_context(files: dict[str, Path]) -> None:
    for cert, key in (("cert", "key"), ("both", "")):
        context = tls_context(str(files[cert]), str(files[key]) if key else "")
        assert context and context.minimum_version >= ssl.TLSVersion.TLSv1_2


@pytest.mark.parametrize(
    ("cert", "key", "sentence"),
    [
        ("", "key", "server.tls_key is set without server.tls_cert"),
        ("cert", "other", "other.pem does not belong to the certificate in .*cert.pem"),
        ("cert", "", "There is no private key in PEM format in .*cert.pem"),
        ("cert", "none", "There is no private key in PEM format in .*none.pem"),
        ("none", "key", "server.tls_cert names .*none.pem, which holds no certificate"),
        ("key", "", "holds no certificate in PEM format"),
    ],
)
def test_each_mistake_has_its_sentence(files: dict[str, Path], cert: str, key: str, sentence: str) -> None:
    with pytest.raises(ConfigError, match=sentence) as caught:
        tls_context(str(files[cert]) if cert else "", str(files[key]) if key else "")
    assert "\n" not in str(caught.value)


def test_a_file_that_is_not_there_is_named(files: dict[str, Path], tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"server\.tls_key names .*nowhere, which cannot be read: No such file"):
        tls_context(str(files["cert"]), str(tmp_path / "nowhere"))


def test_a_key_with_a_password_is_not_asked_for_it(files: dict[str, Path], tmp_path: Path) -> None:
    key = serialization.load_pem_private_key(files["key"].read_bytes(), None)
    form = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8)
    (tmp_path / "locked").write_bytes(key.private_bytes(*form, serialization.BestAvailableEncryption(b"secret")))
    with pytest.raises(ConfigError, match="has a password; store it without one"):
        tls_context(str(files["cert"]), str(tmp_path / "locked"))


def test_the_server_speaks_https_and_nothing_else(files: dict[str, Path]) -> None:
    environ = {"IES_SERVER_TLS_CERT": str(files["cert"]), "IES_SERVER_TLS_KEY": str(files["key"])}
    trusting = ssl.create_default_context(cafile=files["authority"])
    with serving("demo", environ=environ, verify=trusting) as server:
        assert server.url.startswith("https://")
        assert server.get("/healthz").status_code == 200
        with pytest.raises(httpx.TransportError):
            fetch(server.url.replace("https", "http") + "/healthz")
    assert "Traceback" not in server.log


def test_what_has_no_end_is_not_read(files: dict[str, Path]) -> None:
    for cert, key, name in (("/dev/zero", "", "tls_cert"), (str(files["cert"]), "/dev/zero", "tls_key")):
        with pytest.raises(ConfigError, match=rf"server\.{name} names /dev/zero, .* it is not a file"):
            tls_context(cert, key)
        contents(cert, key)
