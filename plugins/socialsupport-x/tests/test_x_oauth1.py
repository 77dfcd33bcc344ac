"""Signatures against the published vectors."""

import httpx
import pytest

from socialsupport_x.oauth1 import Keys, authorization, base_string, base_url, escaped, sent_parameters, signature

KEYS = Keys(
    consumer_key="xvz1evFS4wEEPTGEFPHBog",
    consumer_secret="kAcSOqF21Fu85e7zjz7ZN2U4ZRhfV3WpwPAoE3Z7kBw",
    token="370773112-GmHxMAgYyLbNEtIKZeRNFsMKPR9EyMZeS9weJAEb",
    token_secret="LswwdoUaIvS8ltyTt5jkRh4J50vUPVVHtR2YPi5kE",
)
NONCE = "kYjzVBB8Y0ZFabxSWbWovY3uYSQ2pTgmZeNu2VS4cg"


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        # https://docs.x.com/resources/fundamentals/authentication/oauth-1-0a/creating-a-signature (2026-07)
        ("api.x.com", "Ls93hJiZbQ3akF3HF3x1Bz8/zU4="),
        # https://developer.x.com/en/docs/authentication/oauth-1-0a/creating-a-signature, before the host was renamed
        ("api.twitter.com", "hCtSmYh+iHYCEqBWrE7C7hYmtUk="),
    ],
)
def test_the_vector_of_xs_documentation(host, expected):
    request = httpx.Request(
        "POST",
        f"https://{host}/1.1/statuses/update.json?include_entities=true",
        content=b"status=Hello%20Ladies%20%2b%20Gentlemen%2c%20a%20signed%20OAuth%20request%21",
        headers={"content-type": "application/x-www-form-urlencoded"},
    )
    header = authorization(request, KEYS, NONCE, 1318622958)
    assert header == (
        'OAuth oauth_consumer_key="xvz1evFS4wEEPTGEFPHBog", '
        f'oauth_nonce="{NONCE}", oauth_signature="{escaped(expected)}", oauth_signature_method="HMAC-SHA1", '
        'oauth_timestamp="1318622958", oauth_token="370773112-GmHxMAgYyLbNEtIKZeRNFsMKPR9EyMZeS9weJAEb", '
        'oauth_version="1.0"'
    )


def test_the_base_string_of_rfc_5849():
    """Section 3.4.1.1."""
    request = httpx.Request(
        "POST",
        "http://EXAMPLE.COM:80/request?b5=%3D%253D&a3=a&c%40=&a2=r%20b",
        content=b"c2&a3=2+q",
        headers={"content-type": "application/x-www-form-urlencoded"},
    )
    protocol = [
        ("oauth_consumer_key", "9djdj82h48djs9d2"),
        ("oauth_token", "kkk9d7dh3k39sjv7"),
        ("oauth_signature_method", "HMAC-SHA1"),
        ("oauth_timestamp", "137131201"),
        ("oauth_nonce", "7d8f3e4a"),
    ]
    assert base_string(request.method, base_url(request.url), [*protocol, *sent_parameters(request)]) == (
        "POST&http%3A%2F%2Fexample.com%2Frequest&a2%3Dr%2520b%26a3%3D2%2520q%26a3%3Da%26b5%3D%253D%25253D%26c%2540%3D"
        "%26c2%3D%26oauth_consumer_key%3D9djdj82h48djs9d2%26oauth_nonce%3D7d8f3e4a%26oauth_signature_method%3D"
        "HMAC-SHA1%26oauth_timestamp%3D137131201%26oauth_token%3Dkkk9d7dh3k39sjv7"
    )


def test_the_signature_of_rfc_5849():
    """Section 1.2: the request for a protected photo."""
    base = base_string(
        "GET",
        "http://photos.example.net/photos",
        [
            ("file", "vacation.jpg"),
            ("size", "original"),
            ("oauth_consumer_key", "dpf43f3p2l4k3l03"),
            ("oauth_token", "nnch734d00sl2jdk"),
            ("oauth_signature_method", "HMAC-SHA1"),
            ("oauth_timestamp", "137131202"),
            ("oauth_nonce", "chapoH"),
        ],
    )
    assert signature(base, "kd94hf93k423kf44", "pfkkdhi9sl3r4s00") == "MdpQcU8iPSUjWoN/UDMsK2sui9I="


def test_a_json_body_is_not_signed():
    address = "https://api.x.com/2/tweets"
    signed = {authorization(httpx.Request("POST", address, json={"text": text}), KEYS, NONCE, 1) for text in ("a", "b")}
    assert len(signed) == 1


def test_another_port_is_part_of_the_address():
    assert base_url(httpx.URL("https://API.x.com:8443/2/tweets?a=b")) == "https://api.x.com:8443/2/tweets"
    assert base_url(httpx.URL("https://API.x.com:443/2/tweets")) == "https://api.x.com/2/tweets"


def test_what_is_escaped():
    """https://docs.x.com/resources/fundamentals/authentication/oauth-1-0a/percent-encoding-parameters (2026-07)"""
    assert escaped("Ladies + Gentlemen") == "Ladies%20%2B%20Gentlemen"
    assert escaped("Dogs, Cats & Mice") == "Dogs%2C%20Cats%20%26%20Mice"
    assert escaped("☃") == "%E2%98%83"
    assert escaped("a-b.c_d~e") == "a-b.c_d~e"


def test_keys_do_not_show_their_secrets():
    assert "LswwdoUaIvS8" not in repr(KEYS)
    assert "kAcSOqF21Fu8" not in repr(KEYS)
