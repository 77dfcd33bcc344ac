"""How a message travels, step by step: inbound from payload to log, outbound from intent to receipt."""
