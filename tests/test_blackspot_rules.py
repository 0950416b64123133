"""National rules on records made by hand, at their edges."""

import numpy as np
import pytest

from networks.blackspot_rules import RULES, BlackspotRule, apply_rule, find_rule, rule_from
from networks.crash_sites import NEAREST, CrashMatches
from networks.crashes import Crashes
from networks.faults import InputError
from networks.network import NONE
from networks.sites import Site

SITES = tuple(Site(name, (number,), (), 4, (name,), 1000.0 * number, 0.0) for number, name in enumerate("ab"))
HARM = {"damage": (0, 0, 0, 0), "hurt": (0, 1, 0, 1), "badly": (0, 1, 1, 1), "fatal": (1, 0, 0, 2)}


def hits(rule: BlackspotRule, told: str) -> list[float]:
    """Ratios at both sites, 0 where the rule is not met, of records.

    They are told as ``a hurt rear-end 2012-05-01 10``: site, harm, type, day, metres off.
    """
    rows = [part.split() for part in told.split(",")]
    count = len(rows)
    site = np.array(["ab".find(row[0]) if row[0] in "ab" else NONE for row in rows], dtype=np.int32)
    deaths, injured, severely, severity = np.array([HARM[row[1]] for row in rows], dtype=np.int32).T
    x_m = np.array([(1000.0 if row[0] == "b" else 0.0) + float(row[4]) for row in rows])
    zeros, empty = np.zeros(count), ("",) * count
    crashes = Crashes(
        files=("a.csv",), file=np.zeros(count, dtype=np.int32), row=np.arange(count, dtype=np.int32),
        time=np.array([row[3] for row in rows], dtype="datetime64[s]"),
        lon=zeros, lat=zeros, x_m=x_m, y_m=zeros,
        deaths=deaths, injured=injured, severely_injured=severely, severity=severity,
        at_junction=np.full(count, NONE),
        type=tuple("" if row[2] == "-" else row[2] for row in rows),
        street=empty, cross_street=empty, parties=empty, synthetic=np.zeros(count, dtype=bool),
    )  # fmt: skip
    ratio = apply_rule(rule, SITES, crashes, CrashMatches(site, zeros, (NEAREST,) * count)).ratio
    return np.where(ratio >= 1, ratio, 0).tolist()


def records(count: int, text: str) -> str:
    return ",".join([text] * count)


def test_the_rules_say_what_the_laws_say():
    cis, hesse, wales = (find_rule(name) for name in RULES)
    assert [(c.count, c.months, c.harm, c.same_type) for c in cis.criteria] == [
        (3, 12, "injury", True),
        (5, 12, "injury", False),
    ]
    assert [(c.count, c.months, c.harm, c.same_type) for c in hesse.criteria] == [
        (5, 12, "any", True),
        (3, 36, "severe", False),
    ]
    assert [(c.count, c.months, c.harm, c.same_type) for c in wales.criteria] == [(4, 36, "injury", False)]
    assert (cis.span_m, hesse.span_m, wales.span_m) == (200, 300, 50)
    assert all(rule.source for rule in (cis, hesse, wales))


@pytest.mark.parametrize(
    ("told", "ratio"),
    [
        (records(3, "a hurt turn 2012-05-01 0"), 1.0),
        (records(2, "a hurt turn 2012-05-01 0"), 0.0),
        (records(3, "a hurt - 2012-05-01 0"), 0.0),
        (records(5, "a hurt - 2012-05-01 0"), 1.0),
        ("a hurt turn 2012-05-01 0,a hurt rear 2012-05-01 0,a hurt side 2012-05-01 0", 0.0),
        ("a hurt turn 2012-05-01 0,a hurt turn 2012-05-02 0,a fatal turn 2013-04-29 0", 1.0),
        ("a hurt turn 2012-05-01 0,a hurt turn 2012-05-02 0,a hurt turn 2013-05-02 0", 0.0),
        (records(9, "a damage turn 2012-05-01 0"), 0.0),
        (records(6, "a hurt turn 2012-05-01 0"), 2.0),
        (records(4, "a hurt turn NaT 0"), 0.0),
    ],
)
def test_three_of_a_type_or_five_of_any_that_hurt_within_a_year(told, ratio):
    assert hits(find_rule("cis"), told) == [ratio, 0.0]


def test_an_intersection_is_one_place_however_far_its_records_lie():
    assert hits(find_rule("cis"), records(3, "b hurt turn 2012-05-01 150")) == [0.0, 1.0]


def test_a_span_counts_what_lies_within_half_of_it_whatever_it_was_matched_to():
    wales = find_rule("wales")
    assert hits(wales, records(4, "- hurt - 2012-05-01 24")) == [1.0, 0.0]
    assert hits(wales, records(4, "- hurt - 2012-05-01 26")) == [0.0, 0.0]
    spread = "a hurt - 2012-05-01 0,a hurt - 2013-05-01 0,a hurt - 2014-05-01 0,a hurt - 2015-04-29 0"
    assert hits(wales, spread) == [1.0, 0.0]
    assert hits(wales, spread.replace("2015-04-29", "2015-05-02")) == [0.0, 0.0]


def test_severe_is_badly_hurt_or_killed():
    hesse = find_rule("hesse")
    assert hits(hesse, "a badly x 2012-05-01 0,a fatal y 2013-05-01 140,a badly z 2014-05-01 0") == [1.0, 0.0]
    assert hits(hesse, "a badly x 2012-05-01 0,a fatal y 2013-05-01 160,a badly z 2014-05-01 0") == [0.0, 0.0]
    assert hits(hesse, records(3, "a hurt x 2012-05-01 0")) == [0.0, 0.0]
    assert hits(hesse, records(5, "a damage x 2012-05-01 0")) == [1.0, 0.0]


@pytest.mark.parametrize(
    ("text", "code", "field"),
    [
        ("spam_m = 3\n[[criterion]]\ncount = 1\nmonths = 1", "CONFIG_KEY", "spam_m"),
        ("[[criterion]]\ncount = 1\nmonth = 1", "CONFIG_KEY", "criterion.month"),
        ("span_m = 3", "CONFIG_VALUE", "criterion"),
        ("span_m = -3\n[[criterion]]\ncount = 1\nmonths = 1", "CONFIG_VALUE", "span_m"),
        ("[[criterion]]\ncount = 0\nmonths = 1", "CONFIG_VALUE", "criterion"),
        ('[[criterion]]\ncount = 1\nmonths = 1\nharm = "sad"', "CONFIG_VALUE", "criterion.harm"),
        ("[[criterion]]\ncount = true\nmonths = 1", "CONFIG_VALUE", "count"),
        ("span_m = ", "CONFIG_VALUE", None),
    ],
)
def test_a_faulty_rule_is_refused(tmp_path, text, code, field):
    path = tmp_path / "rule.toml"
    path.write_text(text)
    with pytest.raises(InputError) as caught:
        find_rule(path)
    assert (caught.value.code, caught.value.field) == (code, field)


def test_a_rule_of_ones_own_is_read_and_an_unknown_name_refused(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text("span_m = 10\n[[criterion]]\ncount = 2\nmonths = 6")
    rule = find_rule(path)
    assert (rule.name, rule.span_m, rule.at_intersection, rule.criteria[0].harm) == ("mine", 10, False, "any")
    assert rule_from({"criterion": [{"count": 1, "months": 1}]}, "x.toml").span_m == 0
    with pytest.raises(InputError, match="cis, hesse, wales"):
        find_rule("atlantis")
