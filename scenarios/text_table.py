"""Tables of plain text, as commands print them."""

from collections.abc import Iterator, Sequence

LONGEST = 40
"""Characters of a foreign text that are shown."""


def aligned(rows: Sequence[tuple[str, ...]]) -> Iterator[str]:
    """Rows as lines with columns of one width each; the first row is the head."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        yield "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()


def shown(text: str) -> str:
    """A foreign text, cut short, without what would move the cursor."""
    plain = "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in text)
    return plain if len(plain) <= LONGEST else plain[: LONGEST - 1] + "…"


def counted(count: int, what: str) -> str:
    """A count with its noun, which takes an s where it must."""
    return f"{count:,} {what}" if count == 1 or what == "info" else f"{count:,} {what}s"
