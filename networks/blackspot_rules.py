"""National rules of what a place of many accidents is: so many crashes, of such harm, within so long and so far.

A rule is data (TOML); three come with the package. It is applied to sites: of the records matched to a site, or of all
within half of its span around it, some must fulfil a criterion in any window of its months.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.spatial import KDTree

from networks.crash_rates import safety_table
from networks.crash_sites import CrashMatches
from networks.crashes import Crashes, Severity
from networks.faults import InputError
from networks.intake import open_bytes
from networks.sites import Site

RULES = ("cis", "hesse", "wales")
HARMS = ("any", "injury", "severe", "fatal")
_KEYS = ("name", "source", "span_m", "at_intersection", "criterion")
_CRITERION_KEYS = ("count", "months", "harm", "same_type")
_DAYS_PER_MONTH = 365.25 / 12
_DAY = np.timedelta64(86_400, "s")

MaskArray = npt.NDArray[np.bool_]
FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Criterion:
    """At least ``count`` crashes of a harm in any window of ``months``, all of one type if ``same_type``."""

    count: int
    months: float
    harm: str
    same_type: bool


@dataclass(frozen=True, slots=True)
class BlackspotRule:
    """A rule: any of its criteria makes a place one of many accidents.

    ``span_m`` is the length of the place. With ``at_intersection`` the place is the intersection, whatever its size.
    """

    name: str
    source: str
    span_m: float
    at_intersection: bool
    criteria: tuple[Criterion, ...]


@dataclass(frozen=True, slots=True, eq=False)
class RuleHits:
    """Per site: the most crashes in a window over those that a criterion asks for (1 and more: met), and which one.

    ``criterion`` is a position in the rule's criteria.
    """

    ratio: FloatArray
    criterion: npt.NDArray[np.int64]


def find_rule(name: str | Path) -> BlackspotRule:
    """A rule that comes with the package, by name, or one from a TOML file.

    Raises
    ------
    InputError
        FILE_MISSING; CONFIG_VALUE where it is no TOML, or a value is of the wrong kind; CONFIG_KEY for an unknown key.
    """
    if str(name) in RULES:
        return rule_from(safety_table(f"{name}.toml"), f"{name}.toml")
    if not str(name).endswith(".toml"):
        raise InputError(
            "CONFIG_VALUE", f"unknown rule {str(name)!r}", field="rule",
            remedy=f"Use {', '.join(RULES)} or a file that ends in .toml",
        )  # fmt: skip
    with open_bytes(name) as stream:
        try:
            table = tomllib.loads(stream.read().decode("utf-8"))
        except ValueError as fault:
            what = f"not readable as TOML ({fault})"
            raise InputError("CONFIG_VALUE", what, file=name, remedy="Correct it") from fault
    return rule_from(table, name)


def rule_from(table: Mapping[str, Any], path: str | Path) -> BlackspotRule:
    """Check a rule already in memory; ``path`` is what messages name."""
    _check_keys(table, _KEYS, path, "")
    rows = table.get("criterion")
    if not isinstance(rows, list) or not rows:
        raise _wrong(rows, "at least one [[criterion]]", "criterion", path)
    return BlackspotRule(
        name=_value(table, "name", str, Path(path).stem, path),
        source=_value(table, "source", str, "", path),
        span_m=float(_at_least_zero(_value(table, "span_m", (int, float), 0, path), "span_m", path)),
        at_intersection=_value(table, "at_intersection", bool, False, path),  # noqa: FBT003 - the default of a key
        criteria=tuple(_criterion(row, path) for row in rows),
    )


def _criterion(row: Any, path: str | Path) -> Criterion:
    if not isinstance(row, dict):
        raise _wrong(row, "a table", "criterion", path)
    _check_keys(row, _CRITERION_KEYS, path, "criterion.")
    harm = _value(row, "harm", str, "any", path)
    if harm not in HARMS:
        raise _wrong(harm, " or ".join(HARMS), "criterion.harm", path)
    count, months = (_value(row, key, (int, float), 0, path) for key in ("count", "months"))
    if count < 1 or months <= 0:
        raise _wrong(row, "a table with `count` of at least 1 and `months` above 0", "criterion", path)
    return Criterion(int(count), float(months), harm, _value(row, "same_type", bool, False, path))  # noqa: FBT003 - a default


def _check_keys(table: Mapping[str, Any], known: tuple[str, ...], path: str | Path, inside: str) -> None:
    for key in table:
        if key not in known:
            near = get_close_matches(key, known, n=1, cutoff=0)
            remedy = f"Did you mean {near[0]!r}? Known are {', '.join(known)}"
            raise InputError("CONFIG_KEY", f"unknown key {key!r}", file=path, field=inside + key, remedy=remedy)


def _value(table: Mapping[str, Any], key: str, kind: Any, default: Any, path: str | Path) -> Any:
    value = table.get(key, default)
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
        raise _wrong(value, "of the kind that this key holds", key, path)
    return value


def _at_least_zero(value: float, key: str, path: str | Path) -> float:
    if not 0 <= value < float("inf"):
        raise _wrong(value, "a number of at least 0", key, path)
    return value


def _wrong(value: Any, wanted: str, key: str, path: str | Path) -> InputError:
    return InputError("CONFIG_VALUE", f"{value!r} is not {wanted}", file=path, field=key, remedy=f"Give {wanted}")


def apply_rule(rule: BlackspotRule, sites: tuple[Site, ...], crashes: Crashes, matches: CrashMatches) -> RuleHits:
    """Hold every site against a rule. Records without a time fulfil nothing.

    With a span, records within half of it around the middle of a site count, whichever site they were matched to, so
    that neighbours may fulfil a rule by the same crashes.
    """
    harmful = [_has_harm(crashes, criterion.harm) & ~np.isnat(crashes.time) for criterion in rule.criteria]
    members = _members(rule, sites, crashes, matches)
    kinds = np.array(crashes.type, dtype=object)
    ratios = np.zeros((len(rule.criteria), len(sites)))
    for number, criterion in enumerate(rule.criteria):
        for site, rows in members.items():
            wanted = rows[harmful[number][rows]]
            if len(wanted):
                ratios[number, site] = _most(crashes.time[wanted], kinds[wanted], criterion) / criterion.count
    best = ratios.argmax(axis=0)
    return RuleHits(ratios.max(axis=0), best.astype(np.int64))


def _members(
    rule: BlackspotRule, sites: tuple[Site, ...], crashes: Crashes, matches: CrashMatches
) -> dict[int, npt.NDArray[np.intp]]:
    """Records at each site that has any."""
    if rule.at_intersection or not rule.span_m:
        order = np.argsort(matches.site, kind="stable")
        owners, first = np.unique(matches.site[order], return_index=True)
        groups = np.split(order, first[1:])
        return {int(site): rows for site, rows in zip(owners, groups, strict=True) if site >= 0}
    placed = np.flatnonzero(np.isfinite(crashes.x_m))
    tree = KDTree(np.column_stack((crashes.x_m, crashes.y_m))[placed])
    around = tree.query_ball_point([(site.x_m, site.y_m) for site in sites], rule.span_m / 2, return_sorted=True)
    return {site: placed[rows] for site, rows in enumerate(around) if rows}


def _has_harm(crashes: Crashes, harm: str) -> MaskArray:
    match harm:
        case "injury":
            return np.asarray(crashes.severity >= Severity.INJURY, dtype=bool)
        case "severe":
            return np.asarray((crashes.severity == Severity.FATAL) | (crashes.severely_injured > 0), dtype=bool)
        case "fatal":
            return np.asarray(crashes.severity == Severity.FATAL, dtype=bool)
    return np.ones(len(crashes), dtype=bool)


def _most(times: npt.NDArray[np.datetime64], kinds: npt.NDArray[np.object_], criterion: Criterion) -> int:
    """Most crashes in any window, of any one type where the criterion asks for one; unnamed types are none."""
    if not criterion.same_type:
        return _densest(times, criterion.months)
    return max((_densest(times[kinds == kind], criterion.months) for kind in sorted(set(kinds) - {""})), default=0)


def _densest(times: npt.NDArray[np.datetime64], months: float) -> int:
    """Most times in a window that begins with one of them and ends before so many months have passed."""
    ordered = np.sort(times)
    length = np.timedelta64(round(months * _DAYS_PER_MONTH * (_DAY / np.timedelta64(1, "s"))), "s")
    behind = np.searchsorted(ordered, ordered + length, side="left")
    return int((behind - np.arange(len(ordered))).max(initial=0))
