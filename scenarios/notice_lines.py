"""Notices in words, a line each, for those who watch."""

from networks.faults import Notice
from scenarios.numerals import number


def notice_line(notice: Notice) -> str:
    """Code, where, what, how often, and what to do."""
    where = f"{notice.file}: " if notice.file else ""
    often = f" ({number(notice.count)} times)" if notice.count > 1 else ""
    return f"{notice.code}: {where}{notice.value}{often}. {notice.remedy}"
