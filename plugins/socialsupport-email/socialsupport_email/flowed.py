"""Plain text whose paragraphs were wrapped for sending (RFC 3676)."""


def unflowed(text: str, delete_space: bool = False) -> str:
    """Lines that end in a space go on in the next, within the same depth of quotation."""
    lines: list[list[str]] = []
    open_depth: int | None = None
    for line in text.split("\n"):
        content = line.lstrip(">")
        depth = len(line) - len(content)
        content = content.removeprefix(" ")  # space-stuffing, 4.4
        flows = content.endswith(" ") and content != "-- "  # the signature's line is fixed, 4.3
        shortened = content[:-1] if flows and delete_space else content
        if open_depth == depth and content != "-- ":
            lines[-1].append(shortened)
        else:
            lines.append([">" * depth + " " if depth else "", shortened])
        open_depth = depth if flows else None
    return "\n".join("".join(pieces) for pieces in lines)
