from iskra_server.base.address import Address
from iskra_server.base.secret import Secret
from iskra_server.config import Config, HistoryConfig, MeterConfig, MqttConfig, OutputsConfig, ServerConfig
from iskra_server.runtime.config_problems import config_problems


def test_every_part_that_a_start_would_refuse_is_named_once() -> None:
    config = Config(
        server=ServerConfig(time_zone="Nowhere", token=Secret("short")),
        meters=(MeterConfig(url=Address("gopher://a")), MeterConfig(url=Address("tcp://a..b:1"))),
        history=HistoryConfig(database_url=Address("mysql://x")),
        outputs=OutputsConfig(mqtt=MqttConfig(url=Address("pi"))),
    )
    sentences = [str(problem) for problem in config_problems(config)]
    assert len(sentences) == len(set(sentences)) == 5
    for part in ("server.time_zone", "gopher://a", "tcp://a..b:1", "history.", "outputs.mqtt"):
        assert any(part in sentence for sentence in sentences), sentences


def test_a_configuration_that_starts_has_none() -> None:
    assert config_problems(Config()) == []
    assert config_problems(Config(meters=(MeterConfig(url=Address("simulator:MT175")),))) == []


def test_what_is_wrong_only_together_is_found_too() -> None:
    same = Config(server=ServerConfig(port=8099, ingress_port=8099))
    assert [str(problem) for problem in config_problems(same)] == [
        "server.port and server.ingress_port are both 8099; each needs its own port."
    ]
