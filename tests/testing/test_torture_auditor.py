"""The auditor's own test: known bugs of other systems, planted one at a time into the real code, are all found."""

from pathlib import Path

import pytest

from socialsupport_core.testing import postgresql
from socialsupport_core.testing.torture import run

PLANTED = Path(__file__).with_name("planted.py")

BUGS = [
    ("looked_up_before_it_was_inserted", "redelivery", "doubled"),
    ("seen_in_memory", "kill_outside", "doubled"),
    ("acknowledged_before_the_commit", "io_error", "lost"),
    ("marked_only_after_sending", "kill_opcode:send_none", "doubled"),
    ("claimed_without_a_mark", "redelivery", "doubled"),
    ("tried_again_on_any_error", "network_drop", "doubled"),
    ("doubt_told_as_failure", "network_drop", "wrong"),
    ("cursor_stored_before_the_payloads", "kill_opcode:poll", "lost"),
    ("the_oldest_edit_wins", "order", "wrong"),
    ("the_echo_is_not_matched", "network_drop", "doubled"),
    ("half_an_entry_stays", "one_bad_event", "lost"),
    ("one_bad_event_spoils_the_rest", "one_bad_event", "lost"),
    ("quarantine_drops_the_payload", "poison", "lost"),
    ("poison_is_ignored", "poison", "lost"),
    ("read_falls_back_to_sent", "order", "wrong"),
    ("a_tombstone_before_its_message_is_dropped", "order", "wrong"),
    ("ordered_by_arrival", "order", "wrong"),
    ("a_claim_about_somebody_unknown_is_dropped", "order", "wrong"),
    pytest.param("what_was_being_sent_is_forgotten", "kill_opcode:send_echo", "lost", marks=pytest.mark.long),
    ("less_synchronous", "power_cut", "lost"),
    ("a_bad_signature_is_overlooked", "forged", "wrong"),
    ("proofs_are_compared_as_far_as_they_go", "proofs", "wrong"),
]

ON_POSTGRESQL = [
    ("what_is_claimed_stays_free", "redelivery", "lost"),
    pytest.param("recorded_without_the_tenants_lock", "redelivery", "wrong", marks=pytest.mark.long),
    pytest.param("cursor_stored_before_the_payloads", "kill_opcode:poll", "lost", marks=pytest.mark.long),
    pytest.param("an_unknown_claim_is_left_alone", "server_restart", "lost", marks=pytest.mark.long),
]
"""Bugs of several processes on one server, and of a server that goes away."""


@pytest.mark.timeout(900)
@pytest.mark.parametrize(("bug", "fault", "kind"), BUGS)
def test_a_planted_bug_is_found(bug: str, fault: str, kind: str) -> None:
    (row,) = run([fault], tries=200, setup=f"{PLANTED}:{bug}", until_found=kind)
    assert row.broken is None
    assert kind in {one.kind for _, one in row.findings}, row.findings
    assert not row.holds


@pytest.mark.timeout(900)
@pytest.mark.parametrize(("bug", "fault", "kind"), ON_POSTGRESQL)
def test_a_bug_of_several_processes_is_found(server: postgresql.Server, bug: str, fault: str, kind: str) -> None:
    (row,) = run([fault], tries=100, store=server.url, setup=f"{PLANTED}:{bug}", until_found=kind)
    assert row.broken is None
    assert kind in {one.kind for _, one in row.findings}, row.findings
