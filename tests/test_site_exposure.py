"""Traffic of sites: from a file by id or place, from a run; faulty files refused with their line."""

import numpy as np
import pytest

from networks.faults import InputError
from networks.network import RoadNetwork
from networks.site_exposure import entering_by_id, read_exposure
from networks.site_traits import site_traits, trait_columns
from networks.sites import find_sites
from tests.street_plans import lonlat, read_plan


@pytest.fixture(scope="module")
def town(tmp_path_factory) -> RoadNetwork:
    """A crossing with a light at 0, a side street's at 300 m."""
    places = {
        "w": (-300.0, 0.0),
        "c": (0, 0),
        "b": (300, 0),
        "e": (600, 0),
        "n": (0, 99),
        "s": (0, -99),
        "t": (300, 99),
    }
    streets = ["High Street: w c b e", "Mill Lane: n c s", "Side: b t"]
    return read_plan(tmp_path_factory.mktemp("town"), places, streets, {"light": "c"})


def read(town: RoadNetwork, folder, text: str):
    path = folder / "volumes.csv"
    path.write_text(text)
    return read_exposure(path, town, find_sites(town))


def test_traffic_is_found_by_junction_by_signal_and_by_place(town, tmp_path):
    lon, lat = lonlat(town, 310, 0)
    exposure, notices = read(
        town, tmp_path, f"site,lon,lat,entering_veh_per_day\nlight,,,12000\n,{lon},{lat},5000\nelsewhere,,,7\n"
    )
    assert [site.site_id for site in find_sites(town)] == ["c", "b"]
    assert exposure.entering_veh_per_day.tolist() == [12000, 5000]
    (notice,) = notices
    assert (notice.code, notice.row, notice.value, notice.count) == ("EXPOSURE_SITE", 4, "elsewhere", 1)


def test_volumes_of_streets_are_summed_by_how_many_legs_they_enter_on(town, tmp_path):
    exposure, _ = read(town, tmp_path, "site,major_veh_per_day,minor_veh_per_day\nc,10000,4000\nb,10000,4000\n")
    assert exposure.entering_veh_per_day.tolist() == [14000, 12000], "of a street that ends there half drive in"
    assert exposure.major_veh_per_day.tolist() == [10000, 10000]


@pytest.mark.parametrize(
    ("text", "code", "row", "field"),
    [
        ("site,count\nc,3\n", "EXPOSURE_COLUMN", 1, None),
        ("entering_veh_per_day\n3\n", "EXPOSURE_COLUMN", 1, None),
        ("site,entering_veh_per_day\n", "EXPOSURE_COLUMN", None, None),
        ("site,entering_veh_per_day\nc,many\n", "EXPOSURE_VALUE", 2, "entering_veh_per_day"),
        ("site,entering_veh_per_day\nc,0\n", "EXPOSURE_VALUE", 2, "entering_veh_per_day"),
        ("site,entering_veh_per_day\nc,inf\n", "EXPOSURE_VALUE", 2, "entering_veh_per_day"),
        ("site,entering_veh_per_day\nc,1,2\n", "CSV_ROW", 2, None),
        ('site,entering_veh_per_day\n"c,1\n', "CSV_ROW", 2, None),
        ("site,entering_veh_per_day\nx,100\n", "EXPOSURE_SITE", 2, "site"),
        ("lon,lat,entering_veh_per_day\nx,5,100\n", "EXPOSURE_VALUE", 2, "lon"),
    ],
)
def test_a_faulty_file_is_refused(town, tmp_path, text, code, row, field):
    with pytest.raises(InputError) as caught:
        read(town, tmp_path, text)
    assert (caught.value.code, caught.value.row, caught.value.field) == (code, row, field)


def test_bytes_that_are_no_text_are_refused(town, tmp_path):
    path = tmp_path / "volumes.csv"
    path.write_bytes(b"site,entering_veh_per_day\n\xff,1\n")
    with pytest.raises(InputError, match="CSV_ENCODING"):
        read_exposure(path, town, find_sites(town))


def test_volumes_of_a_run_go_to_sites_by_signal_or_junction(town):
    exposure = entering_by_id(town, find_sites(town), {"light": 900.0, "b": 300.0, "c": 1.0})
    assert exposure.entering_veh_per_day.tolist() == [900, 300]
    assert np.isnan(entering_by_id(town, find_sites(town), {}).entering_veh_per_day).all()


def test_traits_are_what_the_plan_shows(town):
    traits = site_traits(town, find_sites(town))
    assert (traits.legs.tolist(), traits.signalised.tolist()) == ([4, 3], [True, False])
    assert traits.group.tolist() == [3, 0]
    columns = {name: column.tolist() for name, column in trait_columns(traits).items()}
    assert (columns["four legs"], columns["signal"], columns["primary street"]) == ([1, 0], [1, 0], [0, 0])
