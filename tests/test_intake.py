"""Files from outside: read when sound, refused in one sentence when not (rows 1-8 and 32 of the list of bad inputs)."""

import gzip
import io
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from networks.faults import InputError
from networks.intake import check_xml_prolog, file_sha256, open_bytes, open_zip, parse_xml, require_file

LIMIT_BYTES = 100_000
BOMB = """<?xml version="1.0"?>
<!DOCTYPE lolz [
 <!ENTITY lol "lol">
 <!ENTITY lol2 "&lol;&lol;&lol;&lol;&lol;&lol;&lol;&lol;">
]>
<net>&lol2;</net>"""

same_folder = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None)


def zipped(members: dict[str, bytes], compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as archive:
        for name, content in members.items():
            archive.writestr(zipfile.ZipInfo(name), content, compress_type=compression)
    return buffer.getvalue()


def read_all(path: Path, limit_bytes: int = LIMIT_BYTES) -> bytes:
    with open_bytes(path, limit_bytes) as stream:
        return stream.read()


def read_members(path: Path) -> dict[str, bytes]:
    with open_zip(path, LIMIT_BYTES) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def refused(action: Callable[[], object]) -> InputError:
    with pytest.raises(InputError) as caught:
        action()
    assert str(caught.value).startswith(caught.value.code)
    assert "\n" not in str(caught.value)
    return caught.value


@pytest.mark.parametrize("name", ["absent.csv", "https://example.org/absent.csv", "file:///etc/hostname"])
def test_missing_path_is_refused_and_never_tried_as_a_url(name):
    fault = refused(lambda: require_file(name))
    assert fault.code == "FILE_MISSING"
    assert fault.file == name


def test_a_folder_is_no_file(tmp_path):
    fault = refused(lambda: open_bytes(tmp_path))
    assert fault.code == "FILE_MISSING"
    assert "folder" in fault.what


@given(content=st.binary(max_size=4000))
@same_folder
def test_whatever_was_packed_comes_out_again(tmp_path, content):
    plain, packed, archive = tmp_path / "a.bin", tmp_path / "a.bin.gz", tmp_path / "a.zip"
    plain.write_bytes(content)
    packed.write_bytes(gzip.compress(content))
    archive.write_bytes(zipped({"a.bin": content}))
    assert read_all(plain) == read_all(packed) == read_all(archive) == content


def test_sha256_is_that_of_the_bytes(tmp_path):
    path = tmp_path / "abc"
    path.write_bytes(b"abc")
    # the test vector of FIPS 180-2, appendix B.1
    assert file_sha256(path) == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


def test_text_that_is_no_zip_is_corrupt(tmp_path):
    path = tmp_path / "feed.zip"
    path.write_bytes(b"stop_id,stop_name\n")
    assert refused(lambda: read_members(path)).code == "ZIP_CORRUPT"


def test_every_truncation_of_a_zip_is_corrupt(tmp_path):
    whole = zipped({"stops.txt": b"stop_id\n" * 50, "trips.txt": bytes(range(256))})
    path = tmp_path / "feed.zip"
    for length in range(len(whole)):
        path.write_bytes(whole[:length])
        assert refused(lambda: read_members(path)).code == "ZIP_CORRUPT"


def test_every_truncation_of_a_gzip_is_corrupt(tmp_path):
    whole = gzip.compress(bytes(range(256)) * 2, mtime=0)
    path = tmp_path / "a.csv.gz"
    for length in range(1, len(whole)):
        path.write_bytes(whole[:length])
        assert refused(lambda: read_all(path)).code == "ZIP_CORRUPT"


def test_wrong_checksum_names_the_member(tmp_path):
    stored = zipped({"good.txt": b"sound", "bad.txt": b"0123456789"}, zipfile.ZIP_STORED)
    path = tmp_path / "feed.zip"
    path.write_bytes(stored.replace(b"0123456789", b"0123456780"))
    fault = refused(lambda: read_members(path))
    assert fault.code == "ZIP_CORRUPT"
    assert "bad.txt" in fault.what


@pytest.mark.parametrize("compression", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_damaged_zip_is_read_rightly_or_refused(tmp_path, compression):
    members = {"a.txt": b"some text, " * 20, "b.txt": bytes(range(100))}
    whole = zipped(members, compression)
    path = tmp_path / "feed.zip"
    for where in range(len(whole)):
        damaged = bytearray(whole)
        damaged[where] ^= 0xC1
        path.write_bytes(damaged)
        code, found = "", None
        try:
            found = read_members(path)
        except InputError as fault:
            code = fault.code
        # a bit in a name or a date may pass; contents are protected by their checksums
        assert code in {"ZIP_CORRUPT", "ZIP_UNSAFE", "ZIP_TOO_LARGE"} or set(found.values()) <= set(members.values())


@pytest.mark.parametrize("suffix", ["gz", "zip"])
def test_a_bomb_is_stopped_while_it_unpacks(tmp_path, suffix):
    content = bytes(LIMIT_BYTES + 1)
    path = tmp_path / f"bomb.csv.{suffix}"
    path.write_bytes(gzip.compress(content) if suffix == "gz" else zipped({"a": content}))
    assert path.stat().st_size < LIMIT_BYTES / 100
    assert refused(lambda: read_all(path)).code == "ZIP_TOO_LARGE"


def test_the_limit_holds_for_all_members_together_and_can_be_raised(tmp_path):
    path = tmp_path / "feed.zip"
    path.write_bytes(zipped({"a": bytes(60_000), "b": bytes(60_000)}))
    assert refused(lambda: read_members(path)).code == "ZIP_TOO_LARGE"
    with open_zip(path, 120_000) as archive:
        assert len(archive.read("a")) == 60_000


def test_a_member_that_lies_about_its_size_is_not_believed(tmp_path):
    content = bytes(LIMIT_BYTES + 1)
    honest = zipped({"a": content})
    lying = honest.replace(len(content).to_bytes(4, "little"), (10).to_bytes(4, "little"))
    path = tmp_path / "feed.zip"
    path.write_bytes(lying)
    assert refused(lambda: read_members(path)).code in {"ZIP_TOO_LARGE", "ZIP_CORRUPT"}


@pytest.mark.parametrize("name", ["../evil.txt", "a/../../evil.txt", "/etc/passwd", "..\\evil.txt", "C:/evil.txt"])
def test_a_member_that_reaches_outside_is_unsafe(tmp_path, name):
    path = tmp_path / "feed.zip"
    path.write_bytes(zipped({"stops.txt": b"", name: b"x"}))
    fault = refused(lambda: read_members(path))
    assert fault.code == "ZIP_UNSAFE"
    assert "outside" in fault.what


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_member_that_stands_twice_is_unsafe(tmp_path):
    path = tmp_path / "feed.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("stops.txt", "one")
        archive.writestr("stops.txt", "two")
    fault = refused(lambda: read_members(path))
    assert fault.code == "ZIP_UNSAFE"
    assert "twice" in fault.what


def test_an_encrypted_member_is_unsafe(tmp_path):
    locked = bytearray(zipped({"stops.txt": b"secret"}))
    locked[6] |= 1  # the flags in the local header, and in the central directory
    locked[locked.index(b"PK\x01\x02") + 8] |= 1
    path = tmp_path / "feed.zip"
    path.write_bytes(locked)
    fault = refused(lambda: read_members(path))
    assert fault.code == "ZIP_UNSAFE"
    assert "encrypted" in fault.what


def test_one_file_is_meant_when_an_archive_stands_for_it(tmp_path):
    path = tmp_path / "crashes.zip"
    path.write_bytes(zipped({"a.csv": b"1", "b.csv": b"2"}))
    fault = refused(lambda: read_all(path))
    assert fault.code == "ZIP_SUBFOLDER"
    assert "2" in fault.what


def test_elements_come_in_order_with_attributes_lines_and_ends(tmp_path):
    path = tmp_path / "a.xml.gz"
    path.write_bytes(gzip.compress(b'<?xml version="1.0"?>\n<a x="1">\n  <b y="&lt;2"/>\n</a>'))
    starts: list[tuple[str, dict[str, str], int]] = []
    ends: list[str] = []
    parse_xml(path, lambda *element: starts.append(element), code="ANY", on_end=ends.append, with_lines=True)
    assert starts == [("a", {"x": "1"}, 2), ("b", {"y": "<2"}, 3)]
    assert ends == ["b", "a"]


def test_broken_xml_is_named_with_its_line(tmp_path):
    path = tmp_path / "a.xml"
    path.write_text("<a>\n<b>\n</a>")
    fault = refused(lambda: parse_xml(path, lambda *_: None, code="SOME_XML"))
    assert (fault.code, fault.row) == ("SOME_XML", 3)


@pytest.mark.parametrize("text", [BOMB, '<!DOCTYPE net SYSTEM "file:///etc/passwd"><net/>', "<!DOCTYPE net><net/>"])
def test_any_document_type_declaration_is_refused(tmp_path, text):
    path = tmp_path / "a.xml"
    path.write_text(text)
    for read in (lambda: parse_xml(path, lambda *_: None, code="ANY"), lambda: check_xml_prolog(path, code="ANY")):
        fault = refused(read)
        assert fault.code == "XML_DTD_REFUSED"
        assert fault.row is not None


def test_a_prolog_is_checked_without_reading_on(tmp_path):
    path = tmp_path / "a.xml"
    path.write_text("<!-- streets --><osm><node></osm>")
    check_xml_prolog(path, code="ANY")


@pytest.mark.parametrize("encoding", ["no-such-encoding", "shift_jis"])
def test_an_encoding_that_xml_cannot_have_is_no_xml(tmp_path, encoding):
    path = tmp_path / "a.xml"
    path.write_text(f'<?xml version="1.0" encoding="{encoding}"?><net/>')
    assert refused(lambda: parse_xml(path, lambda *_: None, code="SOME_XML")).code == "SOME_XML"
