"""Tokens: given out, listed without themselves, taken back."""

import pytest
from raven import Roost

from socialsupport_core.hub.admitting import token_name


def test_a_token_is_listed_and_never_told_again(roost: Roost) -> None:
    token = roost.hub.issue_token("acme", "dana", ["reply", "read"], origin="http", by="acme/bo", purpose="the CRM")
    (shown,) = roost.hub.tokens("acme")
    assert shown["id"] == token_name(token)
    assert (shown["agent"], shown["scopes"], shown["origin"]) == ("dana", ["read", "reply"], "http")
    assert (shown["issued_by"], shown["purpose"]) == ("acme/bo", "the CRM")
    assert shown["issued_at"] == roost.clock.now.isoformat().replace("+00:00", "Z")
    assert token not in str(shown)
    assert token.removeprefix("sst_") not in str(shown)
    assert roost.hub.tokens("rival") == []


def test_a_revoked_token_opens_nothing_at_once_and_others_go_on(roost: Roost) -> None:
    first, second = (roost.hub.issue_token("acme", "dana") for _ in range(2))
    assert roost.hub.revoke_token(token_name(first))
    assert roost.hub.access(first) is None
    assert roost.hub.access(second) is not None
    assert not roost.hub.revoke_token(token_name(first))


@pytest.mark.parametrize("name", ["", "tok_", "tok_%", "tok_" + "_" * 16, "tok_" + "0" * 16, "0" * 16])
def test_a_name_that_is_none_revokes_nothing(roost: Roost, name: str) -> None:
    token = roost.hub.issue_token("acme", "dana")
    assert not roost.hub.revoke_token(name)
    assert roost.hub.access(token) is not None


def test_only_those_of_one_origin_are_cleared_away(roost: Roost) -> None:
    by_hand = roost.hub.issue_token("acme", "dana")
    for token in ("a-token-in-the-file-1", "a-token-in-the-file-2"):
        roost.hub.accept_token("acme", "dana", token, ["read"], origin="file")
    assert roost.hub.keep_tokens("file", {"a-token-in-the-file-2"}) == 1
    assert roost.hub.access("a-token-in-the-file-1") is None
    assert roost.hub.access("a-token-in-the-file-2") is not None
    assert roost.hub.access(by_hand) is not None
    assert [one["origin"] for one in roost.hub.tokens()].count("file") == 1


def test_a_token_that_comes_again_keeps_its_name_and_takes_the_new_scopes(roost: Roost) -> None:
    for scopes in (["read", "reply"], ["read"]):
        roost.hub.accept_token("acme", "dana", "a-token-in-the-file-1", scopes, origin="file")
    (shown,) = roost.hub.tokens()
    assert shown["scopes"] == ["read"]
