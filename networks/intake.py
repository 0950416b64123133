"""The door for files from outside: every one is taken as hostile until it has passed here.

A path is never tried as a URL, a compressed stream is counted while it opens, an archive may not reach outside itself,
and no XML with a document type declaration goes any further (an entity bomb of 900 bytes makes SUMO use 11.5 GB).
"""

import gzip
import io
import lzma
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path, PurePosixPath
from typing import IO, Any, BinaryIO
from xml.parsers import expat

from networks.faults import InputError

MAX_UNPACKED_BYTES = 8 * 1024**3
MAX_ZIP_MEMBERS = 10_000
CHUNK_BYTES = 1 << 20
XML_CHUNK_BYTES = 1 << 16
"""Expat's own ``ParseFile`` reads 2 kB at a time and takes a third longer."""
ENCRYPTED_FLAG = 0x1
DAMAGE = (EOFError, OSError, NotImplementedError, zlib.error, lzma.LZMAError, zipfile.BadZipFile)
"""What the standard library raises on a damaged archive."""

Attributes = dict[str, str]


def require_file(path: str | Path) -> Path:
    """Return ``path`` as a Path to an existing file; raise FILE_MISSING otherwise."""
    found = Path(path)
    if not found.is_file():
        what = "this is a folder, not a file" if found.is_dir() else "there is no such file"
        raise InputError("FILE_MISSING", what, file=path, remedy="Check the path; files are never fetched from a URL")
    return found


def file_sha256(path: Path) -> str:
    """SHA-256 of a file's bytes, in hexadecimal."""
    digest = sha256()
    with require_file(path).open("rb") as stream:
        while chunk := stream.read(CHUNK_BYTES):
            digest.update(chunk)
    return digest.hexdigest()


class _Counted(io.RawIOBase):
    """A decompressing stream that refuses to grow past a limit and names what is wrong with the archive."""

    def __init__(self, inner: gzip.GzipFile | IO[bytes], path: Path, limit_bytes: int) -> None:
        super().__init__()
        self._inner, self._path, self._left = inner, path, limit_bytes

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        try:
            data = self._inner.read(len(buffer))
        except DAMAGE as fault:
            raise InputError(
                "ZIP_CORRUPT", f"the compressed data is damaged ({fault})", file=self._path, remedy="Get the file anew"
            ) from fault
        self._left -= len(data)
        if self._left < 0:
            raise InputError(
                "ZIP_TOO_LARGE",
                "it unpacks to more than the allowed size",
                file=self._path,
                remedy="Unpack it yourself if you trust it, or raise the limit in the call",
            )
        buffer[: len(data)] = data
        return len(data)

    def close(self) -> None:
        self._inner.close()
        super().close()


def _counted(stream: gzip.GzipFile | IO[bytes], path: Path, limit_bytes: int) -> BinaryIO:
    return io.BufferedReader(_Counted(stream, path, limit_bytes), CHUNK_BYTES)


def open_bytes(path: str | Path, limit_bytes: int = MAX_UNPACKED_BYTES) -> BinaryIO:
    """Open a plain, ``.gz`` or one-member ``.zip`` file for reading, decompressed and counted.

    Raises
    ------
    InputError
        FILE_MISSING; while reading ZIP_CORRUPT, ZIP_TOO_LARGE or ZIP_UNSAFE.
    """
    found = require_file(path)
    if found.suffix == ".gz":
        return _counted(gzip.open(found, "rb"), found, limit_bytes)
    if found.suffix == ".zip":
        with open_zip(found, limit_bytes) as archive:
            members = [item for item in archive.infolist() if not item.is_dir()]
            if len(members) != 1:
                raise InputError(
                    "ZIP_SUBFOLDER",
                    f"one file was expected in the archive, it has {len(members)}",
                    file=found,
                    remedy="Unpack it and name the file you mean",
                )
            return _counted(archive.open(members[0]), found, limit_bytes)
    return found.open("rb", buffering=CHUNK_BYTES)


@contextmanager
def open_zip(
    path: str | Path, limit_bytes: int = MAX_UNPACKED_BYTES, limit_members: int = MAX_ZIP_MEMBERS
) -> Iterator[zipfile.ZipFile]:
    """Open a zip archive whose members were all found safe and sound.

    Raises
    ------
    InputError
        FILE_MISSING; ZIP_CORRUPT (no zip, truncated, or a member whose checksum is wrong); ZIP_UNSAFE (a member that
        reaches outside, stands twice or is encrypted); ZIP_TOO_LARGE (counted while unpacking, not believed; or over
        ``limit_members`` members).
    """
    found = require_file(path)
    try:
        archive = zipfile.ZipFile(found)
    except (*DAMAGE, ValueError) as fault:
        raise InputError("ZIP_CORRUPT", f"not a readable zip archive ({fault})", file=found) from fault
    with archive:
        _refuse_unsafe_members(archive, found, limit_members)
        _unpack_counted(archive, found, limit_bytes)
        yield archive


def _refuse_unsafe_members(archive: zipfile.ZipFile, path: Path, limit: int) -> None:
    members = archive.infolist()
    if len(members) > limit:
        remedy = "Split it, or unpack it and name the folder"
        raise InputError("ZIP_TOO_LARGE", f"{len(members)} members, {limit} are allowed", file=path, remedy=remedy)
    seen: set[str] = set()
    for member in members:
        name = member.filename
        parts = PurePosixPath(name.replace("\\", "/"))
        if parts.is_absolute() or ".." in parts.parts or ":" in name.split("/")[0]:
            raise InputError("ZIP_UNSAFE", f"member {name!r} reaches outside the archive", file=path)
        if name in seen:
            raise InputError("ZIP_UNSAFE", f"member {name!r} stands twice", file=path)
        if member.flag_bits & ENCRYPTED_FLAG:
            raise InputError("ZIP_UNSAFE", f"member {name!r} is encrypted", file=path, remedy="Decrypt it first")
        seen.add(name)


def _unpack_counted(archive: zipfile.ZipFile, path: Path, limit_bytes: int) -> None:
    left = limit_bytes
    for member in archive.infolist():
        try:
            with archive.open(member) as stream:
                while chunk := stream.read(CHUNK_BYTES):
                    left -= len(chunk)
                    if left < 0:
                        raise InputError("ZIP_TOO_LARGE", f"it unpacks to over {limit_bytes} bytes", file=path)
        except DAMAGE as fault:
            raise InputError("ZIP_CORRUPT", f"member {member.filename!r} is damaged ({fault})", file=path) from fault


def parse_xml(
    path: str | Path,
    on_start: Callable[..., None],
    *,
    code: str,
    on_end: Callable[[str], None] | None = None,
    with_lines: bool = False,
    limit_bytes: int = MAX_UNPACKED_BYTES,
) -> None:
    """Feed every element of an XML file to ``on_start(tag, attributes)``, well-formedness checked and DTDs refused.

    With ``with_lines`` it is called as ``on_start(tag, attributes, line)``, at a cost of a third more time.

    Raises
    ------
    InputError
        XML_DTD_REFUSED with its line; ``code`` with the line where the text stops being XML.
    """
    found = Path(path)
    parser = expat.ParserCreate()
    parser.StartElementHandler = _with_line(parser, on_start) if with_lines else on_start
    if on_end is not None:
        parser.EndElementHandler = on_end
    parser.StartDoctypeDeclHandler = _dtd_refuser(parser, found)
    try:
        with open_bytes(found, limit_bytes) as stream:
            while chunk := stream.read(XML_CHUNK_BYTES):
                parser.Parse(chunk, False)  # noqa: FBT003 - expat takes no keywords
            parser.Parse(b"", True)  # noqa: FBT003 - expat takes it by place
    except expat.ExpatError as fault:
        raise InputError(
            code,
            f"not well-formed XML ({expat.errors.messages.get(fault.code, 'unknown fault')})",
            file=found,
            row=fault.lineno,
            remedy="The file is empty, cut short or damaged: get or build it anew",
        ) from fault
    except (LookupError, ValueError) as fault:
        if isinstance(fault, InputError):
            raise
        what = f"not readable as XML ({fault})"
        raise InputError(code, what, file=found, row=parser.CurrentLineNumber, remedy="Save it as UTF-8") from fault


def _with_line(parser: expat.XMLParserType, on_start: Callable[..., None]) -> Callable[[str, Attributes], None]:
    def start(tag: str, attributes: Attributes) -> None:
        on_start(tag, attributes, parser.CurrentLineNumber)

    return start


class _RootReached(Exception):  # noqa: N818 - a signal, not an error
    """Ends a parse at the first element."""


def check_xml_prolog(path: str | Path, *, code: str) -> None:
    """Refuse a document type declaration without reading past the first element (one cannot follow it)."""

    def stop(_tag: str, _attributes: Attributes) -> None:
        raise _RootReached

    try:
        parse_xml(path, stop, code=code)
    except _RootReached:
        return


def _dtd_refuser(parser: expat.XMLParserType, path: Path) -> Callable[..., None]:
    def refuse(*_declaration: object) -> None:
        raise InputError(
            "XML_DTD_REFUSED",
            "a document type declaration can hide an entity bomb",
            file=path,
            row=parser.CurrentLineNumber,
            remedy="Remove the <!DOCTYPE ...> lines; none of the formats read here needs them",
        )

    return refuse
