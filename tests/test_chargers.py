"""Tables of chargers: places, powers, faults with line and remedy."""

import math
from pathlib import Path

import pytest

from gtfs.chargers import Charger, read_chargers
from networks.faults import InputError


def _table(folder: Path, text: str) -> Path:
    path = folder / "chargers.csv"
    path.write_text(text, encoding="utf-8")
    return path


def test_chargers_stand_at_places_or_stops(tmp_path: Path) -> None:
    path = _table(
        tmp_path,
        "charger_id,lat,lon,stop_id,power_kw,kind\nA,51.1,71.4,,150,bus\nB,,,S7,50,\nC,51.2,71.5,,,Public\n",
    )
    table = read_chargers(path)
    assert table.chargers[0] == Charger("A", 51.1, 71.4, "", 150.0, "bus", 2)
    assert table.chargers[1].stop_id == "S7"
    assert not table.chargers[1].has_place
    assert math.isnan(table.chargers[2].power_kw)
    assert table.chargers[2].kind == "public"
    assert table.notices == ()


def test_faulty_rows_are_told_with_line_and_remedy(tmp_path: Path) -> None:
    path = _table(
        tmp_path,
        "charger_id,lat,lon,power_kw,kind\nA,91,71,150,bus\nB,51,71,-3,bus\nB,52,71,3,bus\nC,51,71,nan,steam\n",
    )
    table = read_chargers(path)
    assert [(row.code, row.row, row.field) for row in table.notices] == [
        ("CHARGER_PLACE", 2, "lat"),
        ("CHARGER_POWER", 3, "power_kw"),
        ("CHARGER_TWICE", 4, "charger_id"),
        ("CHARGER_POWER", 5, "power_kw"),
        ("CHARGER_KIND", 5, "kind"),
    ]
    assert all(row.remedy for row in table.notices)
    assert [(row.charger_id, row.kind) for row in table.chargers] == [("B", "bus"), ("C", "")]
    assert all(math.isnan(row.power_kw) for row in table.chargers)


def test_a_table_without_places_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError) as fault:
        read_chargers(_table(tmp_path, "charger_id,power_kw\nA,50\n"))
    assert fault.value.code == "CHARGER_COLUMNS"
