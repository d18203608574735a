"""Why a port of an emulated device cannot be opened, in one sentence."""


def cannot_listen(port: int, transport: str, error: OSError) -> str:
    return f"{transport.upper()} port {port} cannot be opened: {error.strerror or error}."
