"""Exit status 0 while the server of this container works. Asks over HTTP, and over HTTPS where it speaks that alone.

The certificate is not checked: it names the server for others, and this asks the machine itself.
"""

import http.client
import os
import sys

PORT = int(os.environ.get("IES_PORT") or os.environ.get("IES_SERVER_PORT") or 8080)
TIMEOUT_S = 4


def works(connection: http.client.HTTPConnection) -> bool:
    try:
        connection.request("GET", "/healthz")
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False


def works_encrypted() -> bool:
    import ssl  # noqa: PLC0415 - asked every 20 s on small computers

    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return works(http.client.HTTPSConnection("127.0.0.1", PORT, timeout=TIMEOUT_S, context=context))


sys.exit(not (works(http.client.HTTPConnection("127.0.0.1", PORT, timeout=TIMEOUT_S)) or works_encrypted()))
