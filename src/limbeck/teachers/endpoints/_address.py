"""Where an HTTP endpoint may lie, and the secret that no text of ours repeats."""

import ipaddress
import re
from typing import Any
from urllib.parse import quote, unquote

from limbeck.errors import InputError
from limbeck.runtime import needs

# Words in the names of a query's values that say "this is a secret".
SECRET_WORDS = ("key", "token", "secret", "passw", "pwd", "sig", "auth", "credential")
HIDDEN = "***"

WORD = re.compile(r"[\w.~+/=%-]+")
LONG_WORD = re.compile(r"[\w+/=-]{40,}", re.ASCII)
PIECE = 8  # this many characters in a row of a secret give it away


def checked(url: str, secret: str) -> Any:
    """The address as an `httpx.URL`, if requests with that secret ("" for none) may go there.

    Raises:
        InputError: it is no address of an endpoint, holds a secret itself, or would send one in
            clear. No part of it that could be secret is repeated.
    """
    address = parsed(url)
    if address is None or address.scheme not in ("http", "https") or not address.host:
        raise InputError(
            "an endpoint's address is http:// or https://, a host and a path; what was given is "
            "something else, not repeated here because it may hold a password"
        )
    fault = fault_of(address, secret)
    if fault:
        raise InputError(f"the address {without(shown(address), secret)} {fault}")
    return address


def parsed(url: str) -> Any:
    """The `httpx.URL` of a text, None for a text that is none."""
    httpx = needs("httpx")
    try:
        return httpx.URL(url)
    except (httpx.InvalidURL, ValueError, TypeError):
        return None


def shown(address: Any) -> str:
    """Scheme, host, port and path: without a user, a query and what else may be secret."""
    return f"{address.scheme}://{address.netloc.decode()}{address.path}"


def origin(address: Any) -> tuple[str, str, int | None]:
    """Scheme, host and port: what a redirect must not change."""
    return address.scheme, address.host, address.port


def fault_of(address: Any, secret: str) -> str:
    """Why no request goes to that address, as the end of a sentence; empty if it may."""
    if address.userinfo:
        return (
            "comes with a user or a password: leave them out, and put a token into an environment "
            "variable that Endpoint(token=...) names"
        )
    secrets = [word for name in address.params for word in SECRET_WORDS if word in name.lower()]
    if secrets:
        return (
            f"has a value in its query whose name holds {secrets[0]!r}, which looks like a secret: "
            "put it into an environment variable that Endpoint(token=...) names"
        )
    if len(secret) >= PIECE and secret in unquote(str(address)):
        return "repeats the token: leave it out, it is sent as a header"
    if address.fragment:
        return "has a part after #, which is never sent: leave it out"
    if secret and address.scheme == "http" and not is_loopback(address.host):
        return "is http, which would send the token in clear: use https, or a loopback address"
    return ""


def is_loopback(host: str) -> bool:
    """Whether a host is this machine by its name alone, without asking who it is."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def without(text: str, secret: str) -> str:
    """The text with every word hidden that holds the secret or eight characters in a row of it."""
    if not secret:
        return text
    for whole in (secret, quote(secret, safe="")):
        text = text.replace(whole, HIDDEN)
    size, low = min(PIECE, len(secret)), secret.lower()
    pieces = {low[start : start + size] for start in range(len(low) - size + 1)}

    def hidden(match: re.Match[str]) -> str:
        word = unquote(match[0]).lower()
        return HIDDEN if any(piece in word for piece in pieces) else match[0]

    return WORD.sub(hidden, text)


def excerpt(body: bytes, secret: str, characters: int) -> str:
    """The start of a body on one line, without the secret and without words as long as one."""
    text = " ".join(body.decode("utf-8", "replace").split())
    hidden = without(text, secret)
    return (LONG_WORD.sub(HIDDEN, hidden) if secret else hidden)[:characters]
