"""Another tenant's data: never. Each tenant's people, words and accounts carry its marker."""

import random
from contextlib import suppress
from typing import Any

import pytest
from raven import Roost, message
from raven.web import Desk

from socialsupport_core.hub import ReplyRefused
from socialsupport_core.model import IdentityClaimed

MARK = {"acme": "aaaacmeaaa", "rival": "rrrivalrrr"}
BIRDS = ("wren", "finch", "robin")


def fill(roost: Roost, chance: random.Random, step: int) -> None:
    """Something happens to either tenant; ids, threads and agents are the same in both."""
    tenant = chance.choice(list(MARK))
    mark, name = MARK[tenant], chance.choice(BIRDS)
    hub = roost.hub
    text = f"{mark} {step}"
    kind = chance.choice(["message", "comment", "claim", "reply", "note", "call", "link", "file"])
    said = message(step // 2, text, name, at=roost.clock.now, visibility="public" if kind == "comment" else "private")
    if kind == "file":
        roost.sky.files[f"f{step}"] = text.encode()
        file = {"native_id": f"f{step}", "name": f"{mark}.txt"}
        said = message(step // 2, text, name, at=roost.clock.now, attachments=(file,))
    known = [one["id"] for one in hub.queue(tenant, status=None)]
    if kind == "claim":
        subject = said.interaction.author.identifiers[0]
        other = subject.model_copy(update={"kind": "email", "value": f"{name}@{mark}.example"})
        at = roost.clock.now
        claim = IdentityClaimed(
            id=f"c{step}", own_account="tower", subject=subject, claims=(other,), tier="verified", proof="signed", at=at
        )
        roost.hear(claim, tenant=tenant)
    elif kind == "reply" and known:
        with suppress(ReplyRefused):  # of a call alone there is nothing to answer to
            hub.reply(tenant, chance.choice(known), text, agent="dana", key=f"k{step}")
    elif kind == "note" and known:
        hub.note(tenant, chance.choice(known), text, agent="dana")
    elif kind == "call":
        hub.record_interaction(tenant, said.interaction)
    elif kind == "link":
        hub.find_customers(tenant, name)
    else:
        roost.hear(said, tenant=tenant)
    hub.drain()


def everything(desk: Desk, ids: set[str]) -> list[str]:
    """Every answer of the API to every id that anybody knows."""
    found = [desk.get(path).text for path in ("/api/me", "/api/agents", "/api/channels", "/api/events?limit=500")]
    found += [desk.get(f"/api/conversations?status={status}").text for status in ("all", "open", "resolved")]
    found += [desk.get(f"/api/customers?q={text}").text for text in ("", "r", "aaa", "%25", *MARK.values())]
    for one in sorted(ids):
        found += [desk.get(f"/api/{what}/{one}").text for what in ("customers", "conversations", "attachments")]
        found += [desk.get(f"/api/customers/{one}/{what}").text for what in ("timeline", "explain")]
        found.append(desk.post(f"/api/conversations/{one}/plan", {"text": "x"}).text)
    return found


def ids_of(roost: Roost, tenant: str) -> set[str]:
    hub = roost.hub
    customers = hub.find_customers(tenant, "", limit=500)
    found = {one["id"] for one in customers} | {con["id"] for one in customers for con in one["conversations"]}
    found |= {account["identifier"] for one in customers for account in one["accounts"] if "@" in account["identifier"]}
    for one in customers:
        entries = hub.timeline(tenant, one["id"], limit=500)
        found |= {file["id"] for entry in entries for file in entry.get("attachments", ())}
    return found


@pytest.mark.parametrize("seed", range(3))
def test_no_answer_to_one_tenant_holds_a_word_of_the_other(roost: Roost, acme: Desk, rival: Desk, seed: int) -> None:
    chance = random.Random(seed)
    for step in range(40):
        fill(roost, chance, step)
        roost.clock.forward(minutes=3)
    ids = ids_of(roost, "acme") | ids_of(roost, "rival")
    for tenant, desk in (("acme", acme), ("rival", rival)):
        answers = everything(desk, ids)
        foreign = MARK["rival" if tenant == "acme" else "acme"]
        asked = [one for one in answers if foreign in one]
        assert not [one for one in asked if foreign in one.replace(f"'{foreign}", "") and '"status":404' not in one]
        assert any(MARK[tenant] in one for one in answers)


def test_another_tenants_ids_are_404_for_whatever_is_done(roost: Roost, rival: Desk) -> None:
    roost.sky.files["f"] = b"secret"
    roost.hear(message(1, "hello", at=roost.clock.now, attachments=({"native_id": "f"},)))
    con = roost.conversation()
    customer = roost.hub.customer("acme", "raven.ring:kerry")["id"]
    file = roost.timeline()[0]["attachments"][0]["id"]
    calls: list[tuple[str, str, Any]] = [
        ("GET", f"/api/conversations/{con}", None),
        ("POST", f"/api/conversations/{con}/reply", {"text": "x"}),
        ("POST", f"/api/conversations/{con}/plan", {"text": "x"}),
        ("POST", f"/api/conversations/{con}/note", {"text": "x"}),
        ("POST", f"/api/conversations/{con}/assign", {"assignee": None}),
        ("POST", f"/api/conversations/{con}/resolve", {}),
        ("POST", f"/api/conversations/{con}/reopen", {}),
        ("POST", f"/api/conversations/{con}/hand-off", {}),
        ("GET", f"/api/customers/{customer}", None),
        ("GET", f"/api/customers/{customer}/timeline", None),
        ("GET", f"/api/customers/{customer}/explain", None),
        ("POST", f"/api/customers/{customer}/link", {"other": "email:x@y.example"}),
        ("POST", f"/api/customers/{customer}/split", {"accounts": ["raven.ring:kerry"]}),
        ("GET", f"/api/attachments/{file}", None),
    ]
    before = roost.hub.cursor()
    for method, path, body in calls:
        answer = rival.ask(method, path, json=body)
        assert answer.status_code == 404, (path, answer.text)
    assert roost.hub.cursor() == before


def test_the_same_person_is_another_customer_to_another_tenant(roost: Roost) -> None:
    roost.hear(message(1, "hello"))
    roost.hear(message(1, "hello"), tenant="rival")
    ids = {roost.hub.customer(tenant, "raven.ring:kerry")["id"] for tenant in MARK}
    assert len(ids) == 2
