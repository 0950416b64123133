"""What a before-and-after comparison may rest on, by the method that chose the junctions: regression to the mean."""

from networks.screening import EMPIRICAL_BAYES, RULE

_CHOSEN = {RULE: "by a national rule, which goes by counts", "rate": "by a rate, which is a count over traffic"}
_CHOSEN |= {"critical-rate": "by a rate, which is a count over traffic", "epdo": "by severity weights of a count"}


def overstates(method: str) -> bool:
    """Whether a plain before-and-after comparison at junctions so chosen shows a success that is not there."""
    return method != EMPIRICAL_BAYES


def before_and_after(method: str) -> str:
    """Sentences about junctions that a method of :data:`networks.screening.METHODS` chose, for who compares later."""
    if not overstates(method):
        return (
            "The junctions were chosen by Empirical Bayes, which takes the luck out of a count by what junctions like "
            "it have. Hold later accidents against what it expected there (expected), not against the count, which is "
            "still partly chance; it knows of no trend from year to year."
        )
    return (
        f"The junctions were chosen {_CHOSEN.get(method, 'by their plain count')}. A high count is partly chance, so "
        "most such junctions will have fewer accidents in the next years with nothing done. A plain before-and-after "
        "comparison would overstate what new lights did: a later drop is no proof that they helped. Choose by "
        "Empirical Bayes, or hold later accidents against what it expects there."
    )
