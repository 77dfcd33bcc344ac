"""Whose message is it? Evidence, the partition that follows from it, and a person's verdicts."""

from socialsupport_core.identity.batch import Observation, resolve
from socialsupport_core.identity.canonical import canonical
from socialsupport_core.identity.disclosing import may_disclose, proven
from socialsupport_core.identity.explaining import explain
from socialsupport_core.identity.partition import Partition, Refused, partition
from socialsupport_core.identity.people import Erased, NoSuchCustomer, attest, close, customer_of, observe
from socialsupport_core.identity.policy import DEFAULT, Policy, keep_policy, policy_of
from socialsupport_core.identity.resolving import rebuild
from socialsupport_core.identity.verdicts import Verdict, VerdictRefused, link, split, undo

__all__ = [
    "DEFAULT",
    "Erased",
    "NoSuchCustomer",
    "Observation",
    "Partition",
    "Policy",
    "Refused",
    "Verdict",
    "VerdictRefused",
    "attest",
    "canonical",
    "close",
    "customer_of",
    "explain",
    "keep_policy",
    "link",
    "may_disclose",
    "observe",
    "partition",
    "policy_of",
    "proven",
    "rebuild",
    "resolve",
    "split",
    "undo",
]
