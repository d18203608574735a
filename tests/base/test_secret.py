"""A secret has no printed form, by whatever way it is printed."""

import copy
import json
import logging
import pickle
from base64 import b64encode
from urllib.parse import quote

import msgspec
import pytest
from msgspec import Struct

from iskra_server.base.address import Address
from iskra_server.base.secret import MASK, Secret, masking

TEXT = "gehe@im/#? ä\\'\""


class Holder(Struct, frozen=True):
    token: Secret


@pytest.mark.parametrize("secret", [Secret(TEXT), Address(f"mqtt://me:{TEXT}@broker")])
def test_no_printed_form_shows_a_secret(secret: Secret, caplog: pytest.LogCaptureFixture) -> None:
    logging.getLogger("secret").warning("%s %r %s", secret, secret, [secret])
    printed = [
        str(secret),
        repr(secret),
        f"{secret}",
        f"{secret:>60}",
        f"{secret!r}",
        f"{secret}",
        f"{[secret]}",
    ]
    for text in (*printed, repr(Holder(secret)), repr({secret: secret}), caplog.text):
        assert "gehe" not in text
        assert MASK in text


@pytest.mark.parametrize("write", [msgspec.json.encode, msgspec.to_builtins, json.dumps, pickle.dumps])
@pytest.mark.parametrize("secret", [Secret(TEXT), Address(f"mqtt://me:{TEXT}@broker")])
def test_no_encoder_accepts_a_secret(write: object, secret: Secret) -> None:
    assert callable(write)
    with pytest.raises(TypeError) as caught:
        write({"token": secret})
    assert "gehe" not in str(caught.value)


def test_secrets_compare_by_their_text() -> None:
    assert Secret("a") == Secret("a") == copy.deepcopy(Secret(Secret("a")))
    assert Secret("a") != Secret("b")
    assert len({Secret("a"), Secret("a"), Secret("b")}) == 2
    assert (bool(Secret("a")), bool(Secret()), str(Secret())) == (True, False, "")
    assert Secret(TEXT).reveal() == TEXT


@pytest.mark.parametrize(
    "form",
    [
        TEXT,
        quote(TEXT),
        quote(TEXT, safe=""),
        repr(TEXT)[1:-1],
        json.dumps(TEXT)[1:-1],
        TEXT.encode().hex(),
        b64encode(TEXT.encode()).decode(),
    ],
)
def test_a_text_of_other_origin_is_masked_in_every_form(form: str) -> None:
    assert (
        masking([Secret(TEXT), Secret("other")])(f"cannot use '{form}' here").replace("=", "")
        == "cannot use '***' here"
    )


def test_short_secrets_are_not_searched_for() -> None:
    assert masking([Secret("p"), Secret()])("happy") == "happy"
