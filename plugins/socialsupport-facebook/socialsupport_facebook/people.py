"""Who people and we are on Facebook."""

from socialsupport_meta.messaging import Messaging

PERSON = "facebook.psid"
"""Page-scoped: https://developers.facebook.com/docs/messenger-platform/identity (2026-05)"""
MESSAGING = Messaging(network="facebook", person=PERSON, account="facebook.page")
