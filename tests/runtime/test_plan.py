"""A configuration as a whole, tried before anything is opened."""

from pathlib import Path

import pytest

from iskra_server.base.address import Address
from iskra_server.base.secret import Secret
from iskra_server.config import Config, ConfigError, MeterConfig, ServerConfig, TokenConfig
from iskra_server.runtime.meter_setup import named_ports
from iskra_server.runtime.plan import plan_of
from iskra_server.web.http.settings import ScopedToken


def test_nothing_configured_is_a_plan() -> None:
    plan = plan_of(Config())
    assert [source.url for source in plan.sources] == ["auto"]
    assert not plan.simulated
    assert (plan.tls, plan.settings.token) == (None, Secret())


def test_plans_of_one_configuration_are_equal_part_by_part() -> None:
    config = Config(ServerConfig(token=Secret("0123456789abcdef")))
    first, second = plan_of(config), plan_of(config)
    assert (first.place, first.access, first.answers) == (second.place, second.access, second.answers)
    assert [output.settings for output in first.outputs] == [output.settings for output in second.outputs]
    other = plan_of(Config(ServerConfig(token=Secret("fedcba9876543210"), port=8081)))
    assert other.place != first.place
    assert other.access != first.access


def test_auto_is_searched_anew_where_another_meter_gets_its_port() -> None:
    auto, port, head = (MeterConfig(Address(url)) for url in ("auto", "/dev/ttyX0?protocol=d0", "tcp://head:2001"))
    before, after = plan_of(Config(meters=(auto, head))), plan_of(Config(meters=(auto, head, port)))
    assert before.read_with[auto] != after.read_with[auto]
    assert before.read_with[head] == after.read_with[head]
    assert plan_of(Config(meters=(auto, head))).read_with == before.read_with
    assert named_ports(after.config.meters) == ["/dev/ttyX0"]


def test_simulated_is_what_has_no_real_meter() -> None:
    virtual, real = MeterConfig(Address("simulator:MT175")), MeterConfig(Address("auto"))
    assert plan_of(Config(meters=(virtual,))).simulated
    assert not plan_of(Config(meters=(virtual, real))).simulated


@pytest.mark.parametrize("token", ["short", "fifteen-letters", "a token with spaces in it", "tökentökentöken16"])
def test_a_token_that_is_no_good_is_refused_and_not_repeated(token: str) -> None:
    with pytest.raises(ConfigError, match=r"server\.token must be at least 16") as caught:
        plan_of(Config(ServerConfig(token=Secret(token))))
    assert token not in str(caught.value)


def test_the_web_room_is_told_the_token_and_the_names() -> None:
    settings = plan_of(
        Config(ServerConfig(token=Secret("0123456789abcdef"), allowed_hosts="a.example,*.b.example"))
    ).settings
    assert settings.token.reveal() == "0123456789abcdef"
    assert settings.allowed_hosts == ("a.example", "*.b.example")


def test_a_zone_that_does_not_exist_is_one_sentence() -> None:
    with pytest.raises(ConfigError, match=r"server\.time_zone"):
        plan_of(Config(ServerConfig(time_zone="Mars/Olympus")))


@pytest.mark.parametrize("url", ["mqtt://user:geheim@host", "ws://host/?token=geheim", "rfc2217://u:geheim@host"])
def test_an_address_that_is_none_is_told_without_its_password(url: str) -> None:
    with pytest.raises(ConfigError) as caught:
        plan_of(Config(meters=(MeterConfig(Address(url)),)))
    assert "geheim" not in str(caught.value)
    assert "host" in str(caught.value)


def test_one_device_under_two_names_is_refused(tmp_path: Path) -> None:
    device, link = tmp_path / "ttyUSB0", tmp_path / "by-id"
    device.touch()
    link.symlink_to(device)
    meters = (MeterConfig(Address(str(link))), MeterConfig(Address(f"{device}?baud=9600")))
    with pytest.raises(ConfigError, match=f"The meters {link} and {device} are the same device .*; keep one of them."):
        plan_of(Config(meters=meters))


@pytest.mark.parametrize(
    ("first", "second", "sentence"),
    [
        ("address=1", "", "are the same device .*; keep one of them. Several D0 meters of an RS-485 line each need"),
        ("address=1", "address=1", "have the address 1; keep one of them."),
        ("address=1", "address=2&baud=9600", "have 300 8N1 and 9600 8N1; a line has one speed."),
    ],
)
def test_meters_of_one_line_need_different_addresses_and_one_speed(
    first: str, second: str, sentence: str, tmp_path: Path
) -> None:
    device = tmp_path / "ttyUSB0"
    device.touch()
    meters = tuple(MeterConfig(Address(f"{device}?protocol=d0&{options}")) for options in (first, second))
    with pytest.raises(ConfigError, match=sentence):
        plan_of(Config(meters=meters))


def test_meters_of_one_line_with_different_addresses_share_it(tmp_path: Path) -> None:
    device = tmp_path / "ttyUSB0"
    device.touch()
    urls = [f"{device}?protocol=d0&address={address}" for address in (1, 2)]
    plan = plan_of(Config(meters=tuple(MeterConfig(Address(url)) for url in urls)))
    assert [source.state.port for source in plan.sources] == [f"{device}?address=1", f"{device}?address=2"]


def test_none_is_no_meter_and_nothing_simulated() -> None:
    plan = plan_of(Config(meters=(MeterConfig(Address("none")),)))
    assert (plan.sources, plan.config.meters, plan.simulated) == ([], (), False)


LONG, OTHER_LONG = "0123456789abcdef", "fedcba9876543210"


def scoped(*tokens: TokenConfig, token: str = LONG) -> Config:
    return Config(server=ServerConfig(token=Secret(token)), meters=(MeterConfig(url=Address("none")),), tokens=tokens)


def test_tokens_for_groups_are_read() -> None:
    (scope,) = plan_of(
        scoped(TokenConfig(token=Secret(OTHER_LONG), groups="tenant:Meyer, building: 7"))
    ).settings.scoped_tokens
    assert scope == ScopedToken(Secret(OTHER_LONG), (("tenant", "Meyer"), ("building", "7")))
    (scope,) = plan_of(
        scoped(TokenConfig(token=Secret(OTHER_LONG), groups='"tenant:Meyer, Anna", tenant:Zum "Ochsen"'))
    ).settings.scoped_tokens
    assert scope.groups == (("tenant", "Meyer, Anna"), ("tenant", 'Zum "Ochsen"'))


def test_the_groups_of_a_token_may_stand_on_several_lines() -> None:
    groups = '\ntenant:Meyer,\r\n  "tenant:Meyer, Anna",\nbuilding:7\n'
    (scope,) = plan_of(scoped(TokenConfig(token=Secret(OTHER_LONG), groups=groups))).settings.scoped_tokens
    assert scope.groups == (("tenant", "Meyer"), ("tenant", "Meyer, Anna"), ("building", "7"))


@pytest.mark.parametrize(
    ("config", "sentence"),
    [
        (scoped(TokenConfig(token=Secret(OTHER_LONG), groups="tenant:Meyer"), token=""), "tokens need server.token"),
        (scoped(TokenConfig(groups="tenant:Meyer")), r"missing in the section \[\[tokens\]\] number 1"),
        (scoped(TokenConfig(token=Secret(LONG), groups="tenant:Meyer")), "is used twice"),
        (scoped(TokenConfig(token=Secret("short"), groups="tenant:Meyer")), "tokens.token must be at least 16"),
        (scoped(TokenConfig(token=Secret(OTHER_LONG))), "tokens.groups must be groups such as"),
        (scoped(TokenConfig(token=Secret(OTHER_LONG), groups="Meyer")), "tokens.groups must be groups such as"),
        (scoped(TokenConfig(token=Secret(OTHER_LONG), groups="building:7, 9")), "tokens.groups must be groups such as"),
        (scoped(TokenConfig(token=Secret(OTHER_LONG), groups="tenant:Meyer, Anna")), '"tenant:Meyer, Anna"'),
    ],
)
def test_a_token_that_could_see_too_much_or_nothing_is_refused(config: Config, sentence: str) -> None:
    with pytest.raises(ConfigError, match=sentence):
        plan_of(config)


@pytest.mark.parametrize(
    ("server", "sentence"),
    [
        (
            ServerConfig(ingress_address="supervisor"),
            "server.ingress_address is 'supervisor'; it must be an IP address.",
        ),
        (
            ServerConfig(port=8099, ingress_port=8099),
            "server.port and server.ingress_port are both 8099; each needs its own port.",
        ),
    ],
)
def test_a_port_for_ingress_that_cannot_work_is_refused(server: ServerConfig, sentence: str) -> None:
    with pytest.raises(ConfigError) as caught:
        plan_of(Config(server))
    assert str(caught.value) == sentence
