"""Columns of a table as numbers and as labels, in whatever type a file holds them. Nothing goes row by row."""

import math
import re
from functools import lru_cache

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from gtfs.pings import NO_LABEL, Labels
from networks.faults import InputError
from networks.network import FloatArray

Flags = npt.NDArray[np.bool_]

MISSING = ("", "NA", "N/A", "NULL", "NaN", "None", "n/a", "nan", "null")
"""How programs write a number that they do not have."""

NUMBER = r"^[+-]?([0-9]{1,40}\.?[0-9]{0,40}|\.[0-9]{1,40})([eE][+-]?[0-9]{1,3})?$"
MOST_KNOWN = 1 << 16
"""So many ids are remembered as texts."""
WHOLE = re.compile(r"-?[0-9]+\.0+")
"""An id that a program took for a number, and wrote with a point."""


def is_text(kind: pa.DataType) -> bool:
    """Whether a column of this type holds texts, coded or plain."""
    kind = kind.value_type if pa.types.is_dictionary(kind) else kind
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind))


def texts_of(column: pa.Array) -> pa.Array:
    """A column of texts as plain ones."""
    return column if pa.types.is_string(column.type) else pc.cast(column, pa.string())


def numbers(column: pa.Array) -> tuple[FloatArray, Flags | None]:
    """Numbers, NaN where there are none; and which texts should have been one, None where all are.

    Raises
    ------
    InputError
        AVL_COLUMN for a column of lists or the like.
    """
    kind = column.type
    if is_text(kind):
        return _read(pc.utf8_trim_whitespace(texts_of(column)))
    if pa.types.is_null(kind):
        return np.full(len(column), np.nan), None
    if not (pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind)):
        raise unusable(kind, "numbers")
    values: FloatArray = pc.cast(column, pa.float64(), safe=False).to_numpy(zero_copy_only=False)
    return values, None


def is_number(text: str) -> bool:
    """Whether a text is a number by itself."""
    return re.fullmatch(NUMBER, text.strip()) is not None


def says_something(column: pa.Array) -> Flags:
    """Which rows of a column of texts hold more than a word for nothing."""
    missing = pc.is_in(pc.utf8_trim_whitespace(texts_of(column)), value_set=pa.array(MISSING))
    says: Flags = pc.fill_null(pc.invert(missing), fill_value=False).to_numpy(zero_copy_only=False)
    rows: Flags = np.logical_and(says, column.is_valid().to_numpy(zero_copy_only=False))
    return rows


def whole(column: pa.ChunkedArray) -> pa.Array:
    """A column in one piece."""
    return column.unify_dictionaries().combine_chunks() if column.num_chunks != 1 else column.chunk(0)


def unusable(kind: pa.DataType, wanted: str) -> InputError:
    """The fault of a column of another kind than ``wanted``."""
    remedy = "Correct the column map, or the file"
    return InputError("AVL_COLUMN", f"a column of {kind} holds no {wanted}", remedy=remedy)


def _read(column: pa.Array) -> tuple[FloatArray, Flags]:
    legible = pc.fill_null(pc.match_substring_regex(column, NUMBER), fill_value=False)
    missing = pc.fill_null(pc.is_in(column, value_set=pa.array(MISSING)), fill_value=True)
    plain = pc.utf8_ltrim(pc.if_else(legible, column, pa.scalar(None, pa.string())), "+")
    values: FloatArray = pc.cast(plain, pa.float64()).to_numpy(zero_copy_only=False)
    wrong: Flags = ~(pc.or_(legible, missing).to_numpy(zero_copy_only=False))
    return values, wrong


def id_text(value: object) -> str:
    """An id as text: ``4582`` of 4582, 4582.0 and ``" 4582.0 "``; empty for what says nothing."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    text = str(value).strip()
    return text.partition(".")[0] if WHOLE.fullmatch(text) else text


@lru_cache(maxsize=MOST_KNOWN)
def _known_text(text: str | None) -> str:
    """The same of a text; pieces of a file have the same ones again and again."""
    return id_text(text)


def labels(column: pa.Array) -> Labels:
    """A column of ids as labels: without the spaces around them, whole numbers without a point.

    Raises
    ------
    InputError
        AVL_COLUMN for a column of lists or the like.
    """
    if pa.types.is_null(column.type):
        return Labels(np.full(len(column), NO_LABEL, dtype=np.int32), ())
    encoded = column if pa.types.is_dictionary(column.type) else _encoded(column)
    read = _known_text if is_text(encoded.type) else id_text
    texts = tuple(map(read, encoded.dictionary.to_pylist()))
    indices = pc.cast(encoded.indices, pa.int32())
    if len(set(texts)) == len(texts) and "" not in texts:  # they are labels as they stand
        return Labels(_filled(indices, NO_LABEL), texts)
    places: dict[str, int] = {}
    codes = [places.setdefault(text, len(places)) if text else NO_LABEL for text in texts]
    return Labels(np.array([*codes, NO_LABEL], dtype=np.int32)[_filled(indices, len(codes))], tuple(places))


def _filled(indices: pa.Array, missing: int) -> npt.NDArray[np.int32]:
    filled: npt.NDArray[np.int32] = (pc.fill_null(indices, missing) if indices.null_count else indices).to_numpy()
    return filled


def _encoded(column: pa.Array) -> pa.DictionaryArray:
    try:
        return column.dictionary_encode()
    except (pa.ArrowNotImplementedError, pa.ArrowInvalid) as fault:
        raise unusable(column.type, "texts") from fault


def label_texts(texts: list[str]) -> Labels:
    """Labels of texts, one a row; an empty one says nothing."""
    places: dict[str, int] = {"": NO_LABEL}
    codes = [places.setdefault(text, len(places) - 1) for text in texts]
    del places[""]
    return Labels(np.array(codes, dtype=np.int32), tuple(places))
