"""Answers for those who take gzip: what is worth it is sent compressed. To be called in a thread: it takes its time."""

import gzip
from collections.abc import Mapping

from starlette.responses import Response

# below it, headers weigh more than what is saved
_WORTH_IT = 1024
# beyond it, a small computer takes longer than the wire would
_LEVEL = 6


def compressed(body: bytes, media_type: str, headers: Mapping[str, str], accept_encoding: str) -> Response:
    """A 200 with this body, as the client takes it."""
    own = {**headers, "vary": "accept-encoding"}
    if len(body) >= _WORTH_IT and "gzip" in accept_encoding:
        own["content-encoding"] = "gzip"
        body = gzip.compress(body, _LEVEL, mtime=0)
    return Response(body, headers=own, media_type=media_type)
