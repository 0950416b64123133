"""The body of a URL, over HTTP alone, no longer than allowed and in no more time than allowed."""

import time
from http.client import HTTPException, HTTPMessage, HTTPResponse
from typing import IO, Any
from urllib import request
from urllib.error import HTTPError
from urllib.parse import urlsplit

from networks.faults import RunError

MAX_BODY_BYTES = 1 << 26
PIECE_BYTES = 1 << 16
WHOLE_TIMEOUTS = 6
"""A body may take so many times as long as a server may keep silent."""
SCHEMES = ("http", "https")


def is_url(source: str) -> bool:
    """Whether a source is an ``http`` or ``https`` URL; anything else is a path."""
    return source.lower().startswith(tuple(f"{scheme}://" for scheme in SCHEMES))


def shown_url(url: str) -> str:
    """A URL as it may be shown: without a password and without what follows the path, where keys stand."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"


class _HttpOnly(request.HTTPRedirectHandler):
    """Follows redirections to the same schemes only."""

    def redirect_request(
        self, req: request.Request, fp: IO[bytes], code: int, msg: str, headers: HTTPMessage, newurl: str
    ) -> request.Request | None:
        if not is_url(newurl):
            fp.close()
            raise RunError("AVL_SOURCE", f"it redirects to {urlsplit(newurl).scheme}:, which is not followed")
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _opener() -> request.OpenerDirector:
    """One that knows no files, no FTP and no data in URLs."""
    opener = request.OpenerDirector()
    for handler in (
        *(request.ProxyHandler, request.UnknownHandler, request.HTTPHandler, request.HTTPSHandler),
        *(request.HTTPDefaultErrorHandler, request.HTTPErrorProcessor, _HttpOnly),
    ):
        opener.add_handler(handler())
    return opener


def fetch(url: str, timeout_s: float, limit_bytes: int = MAX_BODY_BYTES) -> bytes:
    """The body behind a URL.

    Parameters
    ----------
    timeout_s
        How long the server may keep silent.

    Raises
    ------
    RunError
        AVL_SOURCE with what happened: no answer, an error, a body that is too long, too slow or cut short.
    """
    try:
        with _opener().open(url, timeout=timeout_s) as response:
            return _body(response, time.monotonic() + WHOLE_TIMEOUTS * timeout_s, limit_bytes)
    except HTTPError as fault:
        fault.close()
        raise RunError("AVL_SOURCE", f"{fault.code} {fault.reason}", file=shown_url(url)) from fault
    except (OSError, HTTPException, ValueError) as fault:
        what = str(getattr(fault, "reason", "")) or str(fault) or type(fault).__name__
        raise RunError("AVL_SOURCE", what, file=shown_url(url)) from fault


def _body(response: HTTPResponse | Any, deadline_s: float, limit_bytes: int) -> bytes:
    pieces: list[bytes] = []
    left = limit_bytes
    while piece := response.read(PIECE_BYTES):
        pieces.append(piece)
        left -= len(piece)
        if left < 0:
            raise RunError("AVL_SOURCE", f"it sends over {limit_bytes:,} bytes")
        if time.monotonic() > deadline_s:
            raise RunError("AVL_SOURCE", "it sends too slowly")
    if response.length:
        raise RunError("AVL_SOURCE", f"the body is cut short, {response.length:,} bytes are missing")
    return b"".join(pieces)
