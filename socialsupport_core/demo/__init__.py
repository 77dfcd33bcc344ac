"""The whole thing on this machine with no account: simulated networks, a real SMTP door, a seeded story."""
