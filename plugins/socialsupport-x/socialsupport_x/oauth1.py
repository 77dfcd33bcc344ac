"""OAuth 1.0a with HMAC-SHA1 (RFC 5849), as X wants it.

https://docs.x.com/resources/fundamentals/authentication/oauth-1-0a/creating-a-signature (2026-07)
"""

import base64
import hashlib
import hmac
from collections.abc import Iterable
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, quote

import httpx

Parameters = Iterable[tuple[str, str]]
FORM = "application/x-www-form-urlencoded"
DEFAULT_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Keys:
    consumer_key: str
    consumer_secret: str = field(repr=False)
    token: str
    token_secret: str = field(repr=False)


def authorization(request: httpx.Request, keys: Keys, nonce: str, timestamp: int) -> str:
    """The Authorization header for this request."""
    protocol = {
        "oauth_consumer_key": keys.consumer_key,
        "oauth_nonce": nonce,
        "oauth_signature_method": "HMAC-SHA1",
        "oauth_timestamp": str(timestamp),
        "oauth_token": keys.token,
        "oauth_version": "1.0",
    }
    parameters = [*protocol.items(), *sent_parameters(request)]
    base = base_string(request.method, base_url(request.url), parameters)
    protocol["oauth_signature"] = signature(base, keys.consumer_secret, keys.token_secret)
    return "OAuth " + ", ".join(f'{escaped(name)}="{escaped(protocol[name])}"' for name in sorted(protocol))


def signature(base: str, consumer_secret: str, token_secret: str) -> str:
    key = f"{escaped(consumer_secret)}&{escaped(token_secret)}"
    return base64.b64encode(hmac.new(key.encode(), base.encode(), hashlib.sha1).digest()).decode()


def base_string(method: str, url: str, parameters: Parameters) -> str:
    """RFC 5849, 3.4.1."""
    pairs = sorted((escaped(name), escaped(value)) for name, value in parameters)
    normalised = "&".join(f"{name}={value}" for name, value in pairs)
    return "&".join([method.upper(), escaped(url), escaped(normalised)])


def base_url(url: httpx.URL) -> str:
    """RFC 5849, 3.4.1.2: no query, no default port, scheme and host in lower case."""
    port = f":{url.port}" if url.port and url.port != DEFAULT_PORTS.get(url.scheme) else ""
    return f"{url.scheme}://{url.host.lower()}{port}{url.raw_path.decode('ascii').partition('?')[0]}"


def sent_parameters(request: httpx.Request) -> list[tuple[str, str]]:
    """Of the query and of a form body; JSON and multipart bodies are not signed (RFC 5849, 3.4.1.3.1)."""
    pairs = parse_qsl(request.url.query.decode("ascii"), keep_blank_values=True)
    if request.headers.get("content-type", "").partition(";")[0].strip() == FORM:
        pairs += parse_qsl(request.read().decode(), keep_blank_values=True)
    return pairs


def escaped(text: str) -> str:
    """Percent-encoded as RFC 5849, 3.6 has it: all but letters, digits and `-._~`."""
    return quote(text, safe="")
