"""Who people and we are on Instagram."""

from socialsupport_meta.messaging import Messaging

PERSON = "instagram.igsid"
"""Instagram-scoped: unique for one account of ours.

https://developers.facebook.com/documentation/business-messaging/instagram-messaging/webhooks (2026-03)
"""
MESSAGING = Messaging(network="instagram", person=PERSON, account="instagram.account")
