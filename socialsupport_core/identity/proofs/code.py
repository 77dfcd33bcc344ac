"""One-time codes: told in one channel, said in another."""

import hmac
import re
import unicodedata
from collections.abc import Callable
from datetime import timedelta
from typing import ClassVar

from socialsupport_core.identity.proofs.base import Outcome, Proof, ProofRefused, Proven
from socialsupport_core.store import Tx, proofs
from socialsupport_core.store.digests import digest
from socialsupport_core.store.handoffs import Handoff
from socialsupport_core.store.identity import Node
from socialsupport_core.store.proofs import Challenge

DIGITS = 6
TRIES = 5
MICRO = timedelta(microseconds=1)
LIFETIME = timedelta(minutes=10) // MICRO
CODES = 5
"""In a day for one account: with five tries each, a guesser has 25 in a million a day."""
CROWD = 50
"""In a day, if anybody may come by what everybody could read: passers-by are not to use up what the customer needs."""
TOLD = 10
"""To one account in a day, whoever is to say them: somebody with many accounts of his own has no more guesses at it."""
DAY = timedelta(days=1) // MICRO
READ = 2_000
"""Characters of a message in which a code is looked for."""
_CODE = re.compile(r"(?<!\w)(\d{3})[ \u00a0\u202f-]?(\d{3})(?!\w)")


class OneTimeCode(Proof):
    """A code of six digits that is told to one account and said by another.

    Proves that whoever writes from the second reads what we send to the first: both ends act, so it is *verified*.
    Either direction serves. Told in private it may even be said in public, since it works once and only from the
    account that was asked.

    Against guessing (five tries, counted in the store for all processes; five codes a day), replay (once), time (ten
    minutes), whoever has only the link, a claimed address or a forged From (what anybody could write in another's name
    is no answer), and another account that says it. The comparison takes the same time however many digits are right.
    Not against somebody who talks the customer into reading the code out: the text that brings it says what it is for.
    """

    name: ClassVar[str] = "one_time_code"

    def begin(
        self,
        tx: Tx,
        tenant: str,
        told: Node,
        expected: Node,
        *,
        id: str,
        conversation: str,
        agent: str,
        at: int,
        random: Callable[[int], bytes],
        handoff: Handoff | None = None,
    ) -> tuple[Challenge, str]:
        """The challenge and its code, which is kept nowhere. An older one between the two is replaced.

        Of a hand-off that everybody could read the newest comers have one each: the customer is among them.
        """
        crowd = handoff is not None and handoff.visibility == "public"
        self._may_begin(tx, tenant, told, expected, at, CROWD if crowd else CODES)
        if handoff and crowd:
            open_ones = [one for one in proofs.of_handoff(tx, tenant, handoff.id) if one.state == "open"]
            for oldest in sorted(open_ones, key=lambda one: one.created_at)[: max(0, len(open_ones) + 1 - CODES)]:
                proofs.end(tx, oldest, "replaced", at)
        for earlier in proofs.open_of(tx, tenant, expected.number):
            if earlier.told == told.number:  # one told to another stays good, or a stranger with a link could void it
                proofs.end(tx, earlier, "replaced", at)
        code = f"{int.from_bytes(random(8)) % 10**DIGITS:0{DIGITS}}"
        one = Challenge(
            tenant,
            id,
            _digest(tx, tenant, id, code),
            self.name,
            conversation,
            told.number,
            expected.number,
            agent,
            handoff.id if handoff else None,
            at,
            at + LIFETIME,
        )
        proofs.put(tx, one)
        return one, code

    def _may_begin(self, tx: Tx, tenant: str, told: Node, expected: Node, at: int, most: int) -> None:
        if told.number == expected.number:
            raise ProofRefused("a code told to an account and said by the same one proves nothing; name another")
        if proofs.asked_since(tx, tenant, expected.number, at - DAY) >= most:
            raise ProofRefused(f"{expected.identifier} has been asked {most} times today; try again tomorrow")
        if proofs.told_since(tx, tenant, told.number, at - DAY) >= TOLD:
            raise ProofRefused(f"{told.identifier} has been told {TOLD} codes today; try again tomorrow")

    def hear(
        self, tx: Tx, one: Challenge, told: Node, author: Node, text: str, *, source: str, at: int, is_authentic: bool
    ) -> Outcome | None:
        """What a message says about a challenge: None if it holds nothing like a code. Tries are counted here."""
        said = codes_in(text)
        if not said:
            return None
        if at > one.expires_at:
            proofs.end(tx, one, "expired", at)
            return self.refused("the code has expired")
        if author.number != one.node:
            return self._by_another(tx, one, author, said)
        if not is_authentic:
            return self.refused("anybody could have written this in the account's name; it is no answer")
        return self._tried(tx, one, told, author, said, source, at)

    def _by_another(self, tx: Tx, one: Challenge, author: Node, said: list[str]) -> Outcome | None:
        """Only whoever knows the code is worth a word; and it is no try, or strangers could spend them all."""
        if True not in [fits(tx, one, code) for code in said]:  # always all of them
            return None
        again = author.number == one.told
        return self.refused(
            "the code was said where it was told; it belongs into the other channel"
            if again
            else "the code was said by an account that was not asked"
        )

    def _tried(
        self, tx: Tx, one: Challenge, told: Node, author: Node, said: list[str], source: str, at: int
    ) -> Outcome:
        for code in said:
            number = proofs.tried(tx, one, TRIES)
            if number is None:
                break
            if fits(tx, one, code):
                proofs.end(tx, one, "proven", at)
                return Proven(self.name, author.identifier, (told.identifier,), "verified", source, at, one.agent)
            if number == TRIES:
                proofs.end(tx, one, "spent", at)
                return self.refused(f"the code was wrong, and that was try {TRIES} of {TRIES}: it is void")
        left = proofs.get(tx, one.tenant, one.id)
        return self.refused(f"the code was wrong; {TRIES - left.tries if left else 0} tries are left")


class SmsCode(OneTimeCode):
    """The same with the code told by SMS, or read out by telephone.

    Proves that whoever writes from the other account reads what is sent to that number now. Against a claimed number
    and a forged caller's one, for nothing that *comes* from a number counts. Not against somebody who has taken the
    number over (a swapped SIM) or has it after its owner (numbers are given anew).
    """

    name: ClassVar[str] = "sms_code"

    def _may_begin(self, tx: Tx, tenant: str, told: Node, expected: Node, at: int, most: int) -> None:
        super()._may_begin(tx, tenant, told, expected, at, most)
        if told.identifier.kind != "phone":
            raise ProofRefused(f"an SMS goes to a phone number; {told.identifier} is none")


def code_for(told: Node) -> OneTimeCode:
    """The proof that a code told to this account gives."""
    return SmsCode() if told.identifier.kind == "phone" else OneTimeCode()


def codes_in(text: str) -> list[str]:
    """What looks like a code, in digits of any script, each once: `123456`, `123 456`, `123-456`."""
    plain = "".join(str(unicodedata.digit(c)) if unicodedata.category(c) == "Nd" else c for c in text[:READ])
    return list(dict.fromkeys(first + second for first, second in _CODE.findall(plain)))


def _digest(tx: Tx, tenant: str, challenge: str, code: str) -> str:
    return digest(tx, tenant, "challenge", challenge, code)


def fits(tx: Tx, one: Challenge, code: str) -> bool:
    """Takes the same time however many digits are right."""
    return hmac.compare_digest(one.digest, _digest(tx, one.tenant, one.id, code))
