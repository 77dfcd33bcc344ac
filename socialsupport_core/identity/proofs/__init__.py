"""Proofs: each a small class that says what it proves, and against whom."""

from socialsupport_core.identity.proofs.base import (
    FORGEABLE,
    Outcome,
    Proof,
    ProofRefused,
    Proven,
    Refused,
    doubt,
    is_authentic,
)
from socialsupport_core.identity.proofs.brought import (
    BROUGHT,
    Bringing,
    Brought,
    DmarcAligned,
    ProviderMigration,
    SignedIdentity,
    judge,
)
from socialsupport_core.identity.proofs.code import TRIES, OneTimeCode, SmsCode, code_for, codes_in, fits
from socialsupport_core.identity.proofs.crm import CrmRecord
from socialsupport_core.identity.proofs.link import HandoffLink
from socialsupport_core.identity.proofs.oidc import OidcSignIn

__all__ = [
    "BROUGHT",
    "FORGEABLE",
    "TRIES",
    "Bringing",
    "Brought",
    "CrmRecord",
    "DmarcAligned",
    "HandoffLink",
    "OidcSignIn",
    "OneTimeCode",
    "Outcome",
    "Proof",
    "ProofRefused",
    "Proven",
    "ProviderMigration",
    "Refused",
    "SignedIdentity",
    "SmsCode",
    "code_for",
    "codes_in",
    "doubt",
    "fits",
    "is_authentic",
    "judge",
]
