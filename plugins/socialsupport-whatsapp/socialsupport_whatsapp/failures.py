"""What WhatsApp's own error codes mean; the others are the Graph API's.

https://developers.facebook.com/documentation/business-messaging/whatsapp/support/error-codes (2026-05)
"""

from socialsupport_core.contract import (
    AuthExpired,
    ContentRejected,
    Forbidden,
    RateLimited,
    Unavailable,
    Uncertain,
    Unreachable,
)
from socialsupport_meta.failures import Kinds

CODES: Kinds = {
    "0": AuthExpired,  # the app user could not be authenticated
    "33": Forbidden,  # our number has been deleted
    "80007": RateLimited,  # the account's rate limit
    "130429": RateLimited,  # throughput
    "130472": Unreachable,  # the person is part of an experiment
    "130497": Forbidden,  # we may not write to people in that country
    "131000": Uncertain,  # something went wrong
    "131005": Forbidden,  # permission is missing
    "131008": ContentRejected,  # a required parameter is missing
    "131009": ContentRejected,  # a parameter is wrong
    "131016": Unavailable,  # the service is overloaded
    "131021": Unreachable,  # sender and recipient are the same
    "131026": Unreachable,  # undeliverable: no WhatsApp, an old version, terms not accepted
    "131031": Forbidden,  # our account is locked
    "131037": Forbidden,  # our display name needs approval
    "131042": Forbidden,  # a problem with the payment method
    "131045": Forbidden,  # our number is not registered rightly
    "131047": Unreachable,  # more than 24 hours since the customer's last message
    "131048": Forbidden,  # too many of our messages were blocked or reported
    "131049": Unreachable,  # not delivered, to keep the ecosystem healthy
    "131050": Unreachable,  # the person takes no marketing messages from us
    "131051": ContentRejected,  # message type not supported
    "131052": ContentRejected,  # media could not be downloaded
    "131053": ContentRejected,  # media could not be uploaded
    "131056": RateLimited,  # too many messages to the same person
    "131057": Unavailable,  # the account is in maintenance mode
    "132000": ContentRejected,  # number of parameters of the template
    "132001": ContentRejected,  # the template does not exist in this language
    "132005": ContentRejected,  # the filled-in text is too long
    "132007": ContentRejected,  # the template violates a policy
    "132012": ContentRejected,  # format of a parameter
    "132015": ContentRejected,  # the template is paused
    "132016": ContentRejected,  # the template is disabled
    "133004": Unavailable,  # the server is temporarily unavailable
    "133010": Forbidden,  # our number is not registered
    "133016": RateLimited,  # too many registrations
    "135000": ContentRejected,  # a parameter is wrong, unspecified
}
