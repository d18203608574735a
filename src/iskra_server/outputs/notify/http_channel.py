"""Sends a message by HTTP: to ntfy, to Gotify, or as JSON to any address.

ntfy      POST /          {"topic", "title", "message", "priority", "tags", "click"}        docs.ntfy.sh/publish
Gotify    POST /message   {"title", "message", "priority", "extras"}, X-Gotify-Key          gotify.net/api-docs
webhook   POST its path   the fields of Notification, Authorization: Bearer with a token

Any 2xx means delivered. A redirect is not followed: the token would go to another address.
"""

from http import HTTPStatus
from http.client import HTTPException
from urllib.parse import quote

from iskra_server import __version__
from iskra_server.base.http_request import Answer, HttpRequest
from iskra_server.base.one_line import one_line
from iskra_server.base.secret import masking
from iskra_server.outputs.notify.channel import Channel
from iskra_server.outputs.notify.failures import MessageRefused, NotSent
from iskra_server.outputs.notify.messages import Notification, as_json

# the message itself is wrong; any other error may disappear
_REFUSALS = (HTTPStatus.BAD_REQUEST, HTTPStatus.REQUEST_ENTITY_TOO_LARGE, HTTPStatus.UNPROCESSABLE_ENTITY)
_KINDS: dict[int, str] = {
    HTTPStatus.UNAUTHORIZED: "access",
    HTTPStatus.FORBIDDEN: "access",
    HTTPStatus.NOT_FOUND: "path",
    HTTPStatus.METHOD_NOT_ALLOWED: "path",
    HTTPStatus.TOO_MANY_REQUESTS: "full",
}
# priorities of Gotify are 0 to 10
_GOTIFY_STEP = 2
# characters of a path and its query that stay as they are
_SAFE = "/?&=%:+,;@!$'()*~-._"


def request_of(channel: Channel, message: Notification) -> HttpRequest:
    """Raises NotSent if the certificates of the channel cannot be read."""
    path, body, headers = _FORMS[channel.kind](channel, message)
    headers |= {"Content-Type": "application/json", "User-Agent": f"iskra-server/{__version__}"}
    return HttpRequest(
        channel.url, quote(path, safe=_SAFE), headers=headers, body=as_json(body), context=channel.context()
    )


def send_by_http(channel: Channel, request: HttpRequest) -> str:
    """Blocks; the answer in words. Raises NotSent or MessageRefused."""
    try:
        answer = request.send()
    except (OSError, HTTPException) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error) or type(error).__name__
        raise NotSent("unreachable", place=channel.place, reason=_masked(channel, reason)) from None
    _check(channel, answer)
    return str(answer.status)


def _check(channel: Channel, answer: Answer) -> None:
    """Raises NotSent or MessageRefused, unless the message was taken."""
    status, place = answer.status, channel.place
    if HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES:
        return
    # masked before it is cut: half a token would not be recognized
    words = one_line(_masked(channel, answer.body.decode(errors="replace")))
    said = f"{status} {words}".strip()
    if status in _REFUSALS:
        raise MessageRefused("refused", place=place, reason=said)
    if HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.BAD_REQUEST:
        raise NotSent("redirect", place=place, reason=status)
    if kind := _KINDS.get(status):
        raise NotSent(kind, place=place, reason=status)
    raise NotSent("error", place=place, reason=said)


def _ntfy(channel: Channel, message: Notification) -> tuple[str, object, dict[str, str]]:
    path, _, topic = channel.url.rest.rstrip("/").rpartition("/")
    body = {
        "topic": topic,
        "title": message.title,
        "message": message.message,
        "priority": message.priority,
        "tags": message.tags,
        "click": message.page_url,
    }
    return f"{path}/", body, _bearer(channel)


def _gotify(channel: Channel, message: Notification) -> tuple[str, object, dict[str, str]]:
    body = {
        "title": message.title,
        "message": message.message,
        "priority": message.priority * _GOTIFY_STEP,
        "extras": {"client::notification": {"click": {"url": message.page_url}}},
    }
    path = channel.url.rest.partition("?")[0].rstrip("/").removesuffix("/message")
    return f"{path}/message", body, {"X-Gotify-Key": channel.token.reveal()}


def _webhook(channel: Channel, message: Notification) -> tuple[str, object, dict[str, str]]:
    path = channel.url.rest.partition("#")[0]
    return path if path.startswith("/") else f"/{path}", message, _bearer(channel)


def _bearer(channel: Channel) -> dict[str, str]:
    return {"Authorization": f"Bearer {channel.token.reveal()}"} if channel.token else {}


def _masked(channel: Channel, text: str) -> str:
    return masking(channel.secrets)(text)


_FORMS = {"ntfy": _ntfy, "gotify": _gotify, "webhook": _webhook}
