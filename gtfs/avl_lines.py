"""A table of text of any length in blocks of whole lines, the lines that are no records taken out and counted.

A record is one line: so damage stays in its line, where a quote left open would swallow all that follows.
"""

import csv
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import chain
from typing import IO

import numpy as np
import numpy.typing as npt

from networks.faults import InputError

BLOCK_BYTES = 1 << 24
MAX_LINE_BYTES = 1 << 20
BYTE_ORDER_MARK = b"\xef\xbb\xbf"
DELIMITERS = ",;\t|"
LINE_FEED, QUOTE = 10, 34

Lines = npt.NDArray[np.int64]
Bytes = npt.NDArray[np.uint8]
Flags = npt.NDArray[np.bool_]

REMEDY = "Write a record a line, with as many fields as the header, every quote closed: left out"


@dataclass(frozen=True, slots=True, eq=False)
class Block:
    """Whole lines, the first not blank, all closed by a line feed.

    Attributes
    ----------
    body
        Their bytes: UTF-8 without NUL.
    lines
        The line of the file that each is, from 1 with the header.
    unquoted
        Lines that were taken out as a quote in them is not closed or opens in the middle of a field.
    sample
        The first of those as text.
    """

    body: bytes
    lines: Lines
    unquoted: Lines
    sample: str


@dataclass(frozen=True, slots=True)
class Header:
    """Names of columns without the spaces around them, what parts them, and the line they stand in."""

    names: tuple[str, ...]
    delimiter: str
    line: int


def read_blocks(stream: IO[bytes], file: str) -> tuple[Header, Iterator[Block]]:
    """The header of a table and its records.

    Raises
    ------
    InputError
        AVL_EMPTY where there is no line at all; also while going on CSV_ENCODING (no UTF-8, a NUL byte) and CSV_ROW (a
        line without end), with the line.
    """
    texts = _whole_lines(stream, file)
    first_line = 1
    for text in texts:
        _check_text(text, first_line, file)
        blank = len(text) - len(text.lstrip(b"\n \t"))
        blank = text.rfind(b"\n", 0, blank) + 1
        head, _, body = text[blank:].partition(b"\n")
        line = first_line + text.count(b"\n", 0, blank)
        first_line += text.count(b"\n")
        if head.strip():
            header = _header(head.decode(), line)
            return header, _blocks(body, chain([body], texts), header, file)
    raise nothing_in(file)


def nothing_in(file: str) -> InputError:
    """The fault of a file without records."""
    return InputError("AVL_EMPTY", "there is no position in it", file=file, remedy="Give a file with records")


def _header(head: str, line: int) -> Header:
    delimiter = max(DELIMITERS, key=head.count)
    names = tuple(name.strip() for name in next(csv.reader([head], delimiter=delimiter)))
    return Header(names, delimiter, line)


def _whole_lines(stream: IO[bytes], file: str) -> Iterator[bytes]:
    """Pieces that end where a line does; all lines end by a line feed alone."""
    rest, first = b"", True
    while chunk := stream.read(BLOCK_BYTES):
        text = rest + (chunk.removeprefix(BYTE_ORDER_MARK) if first else chunk)
        first = False
        held = text[-1:] if text.endswith(b"\r") else b""
        text = _line_feeds(text[: len(text) - len(held)])
        end = text.rfind(b"\n") + 1
        rest = text[end:] + held
        if len(rest) > MAX_LINE_BYTES:
            what = f"a line of over {MAX_LINE_BYTES:,} bytes: this is no table"
            raise InputError("CSV_ROW", what, file=file, remedy="Give CSV, Parquet or GTFS-Realtime")
        if end:
            yield text[:end]
    if rest:
        yield _line_feeds(rest).removesuffix(b"\n") + b"\n"


def _line_feeds(text: bytes) -> bytes:
    return text.replace(b"\r\n", b"\n").replace(b"\r", b"\n") if b"\r" in text else text


def _check_text(text: bytes, first_line: int, file: str) -> None:
    nul = text.find(b"\x00")
    if nul >= 0:
        raise _undecodable("a NUL byte: this is no text, or UTF-16", first_line + text.count(b"\n", 0, nul), file)
    if not text.isascii():
        try:
            text.decode("utf-8")
        except UnicodeDecodeError as fault:
            line = first_line + text.count(b"\n", 0, fault.start)
            raise _undecodable(f"no UTF-8 text ({fault.reason})", line, file) from fault


def _undecodable(what: str, line: int, file: str) -> InputError:
    return InputError("CSV_ENCODING", what, file=file, row=line, remedy="Save it as UTF-8 text")


def _blocks(checked: bytes, texts: Iterator[bytes], header: Header, file: str) -> Iterator[Block]:
    first_line = header.line + 1
    for text in texts:
        if text is not checked:
            _check_text(text, first_line, file)
        ends = text.count(b"\n")
        yield _block(text, np.arange(first_line, first_line + ends, dtype=np.int64), header.delimiter)
        first_line += ends


def _block(body: bytes, lines: Lines, delimiter: str) -> Block:
    unquoted, sample = lines[:0], ""
    if b'"' in body:
        wrong = _wrongly_quoted(body, delimiter)
        if wrong.any():
            unquoted = lines[wrong]
            sample = _line(body, int(np.argmax(wrong)))
            body, lines = _without(body, wrong), lines[~wrong]
    sound = body.lstrip(b"\n") if body.startswith(b"\n") else body
    if sound[:1].isspace() and not sound.strip():
        sound, lines = b"", lines[:0]
    return Block(sound, lines[len(body) - len(sound) :], unquoted, sample)


def without_blank(block: Block) -> Block:
    """The lines that are not blank."""
    blank = _lengths(np.frombuffer(block.body, dtype=np.uint8)) == 1
    return replace(block, body=_without(block.body, blank), lines=block.lines[~blank])


def _wrongly_quoted(body: bytes, delimiter: str) -> Flags:
    """Which lines have a quote that neither opens nor closes a field nor is doubled.

    Counted along the line, quotes open and close by turns. One that opens stands behind a delimiter or right behind one
    that closed (two of them are one written inside the field); one that closes stands before a delimiter or such a
    pair.
    """
    text = np.frombuffer(body, dtype=np.uint8)
    marks = np.flatnonzero((text == QUOTE) | (text == LINE_FEED))
    is_quote = text[marks] == QUOTE
    quotes, numbers = marks[is_quote], np.arange(np.count_nonzero(is_quote))
    line = np.flatnonzero(is_quote) - numbers
    quotes_in = np.bincount(line, minlength=len(marks) - len(quotes))
    opens = (numbers - (np.cumsum(quotes_in) - quotes_in)[line]) % 2 == 0
    edges = np.zeros(256, dtype=np.bool_)
    edges[[ord(delimiter), LINE_FEED, QUOTE]] = True
    beside = np.where(opens, text[quotes - 1], text[quotes + 1])
    sound = edges[beside] | (opens & (quotes == 0))
    wrong: Flags = quotes_in % 2 == 1
    wrong[line[~sound]] = True
    return wrong


def _lengths(text: Bytes) -> Lines:
    """Bytes of each line, the line feed counted."""
    lengths: Lines = np.diff(np.flatnonzero(text == LINE_FEED), prepend=-1)
    return lengths


def _without(body: bytes, out: Flags) -> bytes:
    text = np.frombuffer(body, dtype=np.uint8)
    return text[np.repeat(~out, _lengths(text))].tobytes()


def _line(body: bytes, number: int) -> str:
    return body.split(b"\n", number + 1)[number].decode()


def cells(block: Block, number: int, delimiter: str) -> list[str]:
    """The fields of a record as texts."""
    return next(csv.reader([_line(block.body, number)], delimiter=delimiter), [])
