"""The sentence names the port and the reason."""

from iskra_server.outputs.emulation.reach import cannot_listen


def test_the_port_and_the_reason_are_named() -> None:
    sentence = cannot_listen(80, "tcp", PermissionError(13, "Permission denied"))
    assert sentence == "TCP port 80 cannot be opened: Permission denied."
