from typing import Any

import pytest

from iskra_server.base.address import PathSecret
from iskra_server.base.secret import Secret
from iskra_server.config import Config, ConfigError, NotifyConfig
from iskra_server.outputs.notify.channel import channel_problems, channels_from_config
from iskra_server.outputs.notify.failures import NotSent
from outputs.notify.receivers import PAGE, channel

MAIL: Any = {"sender": "meter@example.org", "recipients": "me@example.org, you@example.org"}


def test_a_channel_takes_every_event_unless_it_names_some() -> None:
    assert channel("https://ntfy.sh/topic").events == (
        *("silent", "fault", "locked", "load", "base_load", "weekly", "monthly"),
    )
    assert channel("https://ntfy.sh/topic", events=" weekly,silent ").events == ("silent", "weekly")


def test_its_place_shows_neither_topic_nor_password() -> None:
    assert channel("https://me:Qsecret@ntfy.sh:8443/our-topic").place == "https://ntfy.sh:8443"
    assert channel("smtps://me%40example.org:Qsecret@[::1]", "email", **MAIL).place == "smtps://[::1]"


def test_a_mail_comes_from_its_user_unless_it_has_a_sender() -> None:
    mail = channel("smtp://me%40example.org:Qsecret@mail.example.org", "email", recipients="you@example.org")
    assert (mail.sender, mail.user, mail.password.reveal()) == ("me@example.org", "me@example.org", "Qsecret")
    assert mail.recipients == ("you@example.org",)
    assert not mail.is_local and channel("smtp://127.0.0.2", "email", **MAIL).is_local


def test_one_without_a_url_is_off() -> None:
    assert channels_from_config((NotifyConfig(name="phone"),), PAGE) == ()


@pytest.mark.parametrize(
    ("keys", "sentence"),
    [
        ({"url": "ntfy.sh/topic"}, "notify.2.url must be an address such as https://ntfy.sh/TOPIC"),
        ({"url": "https://a..b/topic"}, "notify.2.url must be an address such as"),
        ({"url": "https://ntfy.sh/"}, "notify.2.url must end with the topic"),
        ({"url": "https://ntfy.sh:99999/topic"}, "the port must be a number"),
        (
            {"url": "https://ntfy.sh/topic", "events": "silent, load, weakly"},
            "notify.2.events names 'weakly'; known are",
        ),
        ({"url": "https://ntfy.sh/topic", "token": Secret("a b")}, "notify.2.token has characters"),
        ({"kind": "gotify", "url": "https://gotify"}, "notify.2.token must be the token of an application"),
        ({"kind": "email", "url": "https://mail", **MAIL}, "such as smtps://smtp.example.org"),
        ({"kind": "email", "url": "smtp://mail", "sender": "a@b.example"}, "notify.2.recipients must be an address"),
        ({"kind": "email", "url": "smtp://mail", "recipients": "a@b.example"}, "notify.2.sender must be an address"),
        ({"kind": "email", "url": "smtp://mail", **MAIL, "sender": "a b@c"}, "notify.2.sender must be an address"),
    ],
)
def test_a_wrong_channel_has_a_sentence_that_names_it(keys: dict[str, Any], sentence: str) -> None:
    keys["url"] = PathSecret(keys["url"])
    with pytest.raises(ConfigError, match=r"^notify\.2\.") as raised:
        channels_from_config((NotifyConfig(), NotifyConfig(**keys)), PAGE)
    assert sentence in str(raised.value)


def test_two_channels_need_two_names() -> None:
    one = NotifyConfig(url=PathSecret("https://ntfy.sh/topic"))
    with pytest.raises(ConfigError, match=r"another channel is named 'ntfy' too; give this one its own name"):
        channels_from_config((one, one), PAGE)


def test_each_channel_has_its_first_mistake_in_two_languages() -> None:
    urls = "https://ntfy.sh/", "https://ntfy.sh/topic", "nothing"
    config = Config(notify=tuple(NotifyConfig(url=PathSecret(url)) for url in urls))
    assert [(error.key, error.german) for error in channel_problems(config)] == [
        ("notify.1.url", "notify.1.url muss mit dem Thema (Topic) enden, etwa https://ntfy.sh/TOPIC."),
        ("notify.3.url", "notify.3.url muss eine Adresse wie https://ntfy.sh/TOPIC sein."),
    ]


def test_certificates_that_cannot_be_read_are_told() -> None:
    with pytest.raises(NotSent, match=r"/none cannot be read: No such file.*notify.ca_file"):
        channel("https://ntfy.sh/topic", ca_file="/none").context()
