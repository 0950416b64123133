"""Arrays as columns of Arrow tables: ids once each, moments as text, numbers rounded, what is not known as null."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from gtfs.clock import local_texts
from networks.network import FloatArray

DECIMALS = 3
"""Milliseconds and millimetres: finer than any position knows, and exact for a time since 1970 in a float."""

Integers = npt.NDArray[np.integer]


def labels(texts: Sequence[str], codes: Integers) -> pa.Array:
    """Text of each row by its code, null for a negative code and for an empty text.

    Each distinct text that occurs is kept once, in alphabetical order, so that the same rows give the same bytes.
    """
    occurs = np.zeros(len(texts) + 1, dtype=np.bool_)
    occurs[codes] = True  # a code of -1 marks the end
    used = np.flatnonzero(occurs[:-1]).tolist()
    distinct = sorted({texts[code] for code in used} - {""})
    rank = {text: row for row, text in enumerate(distinct)}
    place = np.full(len(texts) + 1, -1, dtype=np.int32)
    place[used] = [rank.get(texts[code], -1) for code in used]
    place = place[codes]  # a code of -1 finds the place at the end
    return _coded(place, pa.array(distinct, type=pa.string()))


def moments(epoch_s: FloatArray, timezone: str) -> pa.Array:
    """ISO 8601 in the zone, to the nearest second, null for NaN."""
    place, distinct = pd.factorize(np.floor(epoch_s + 0.5))
    texts = pa.array(local_texts(distinct, timezone)).cast(pa.string())
    return _coded(place.astype(np.int32), texts)


def _coded(place: Integers, texts: pa.Array) -> pa.Array:
    """Texts by their places, null for a negative one."""
    missing = place < 0
    return pa.DictionaryArray.from_arrays(pa.array(place, mask=missing if missing.any() else None), texts)


def reals(values: FloatArray) -> pa.Array:
    """Numbers to :data:`DECIMALS` places, null for NaN."""
    # Adding zero turns the minus zero that rounding makes of a tiny loss into zero.
    return pa.array(np.round(values, DECIMALS) + 0.0, type=pa.float64(), from_pandas=True)


def wholes(values: Integers) -> pa.Array:
    """Whole numbers, null for a negative one."""
    return pa.array(values.astype(np.int64), mask=values < 0)
