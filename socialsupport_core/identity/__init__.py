"""Whose message is it? Evidence, the partition that follows from it, and a person's verdicts."""

from socialsupport_core.identity.canonical import canonical
from socialsupport_core.identity.partition import Partition, Refused, partition
from socialsupport_core.identity.people import (
    Erased,
    NoSuchCustomer,
    Verdict,
    VerdictRefused,
    attest,
    customer_of,
    explain,
    link,
    observe,
    split,
    undo,
)

__all__ = [
    "Erased",
    "NoSuchCustomer",
    "Partition",
    "Refused",
    "Verdict",
    "VerdictRefused",
    "attest",
    "canonical",
    "customer_of",
    "explain",
    "link",
    "observe",
    "partition",
    "split",
    "undo",
]
