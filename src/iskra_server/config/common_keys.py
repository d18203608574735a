"""Keys that several sections have, and what marks a secret one."""

from typing import Annotated

from msgspec import Meta

from iskra_server.base.secret import Secret

# of a key that may hold a password
SECRET = {"secret": True}

# keys of every section with an MQTT broker
BrokerPassword = Annotated[
    Secret, Meta(description="Password of the user in the url. Empty: the one in the url.", extra=SECRET)
]
CaFile = Annotated[
    str, Meta(description="CA certificates to check the broker's certificate (PEM). Empty: those of this machine.")
]
CertFile = Annotated[str, Meta(description="Client certificate for the broker (PEM). Empty: none is sent.")]
KeyFile = Annotated[
    str, Meta(description="Private key of the client certificate (PEM). Empty: the key is in cert_file.")
]
