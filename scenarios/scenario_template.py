"""A scenario to start from, with every key and what it does."""

TEMPLATE = """\
# A scenario for `bagdar run`. Lines that begin with # are comments; paths are relative to this file.

[scenario]
name = "{name}"
begin = "07:00:00"
end = "08:00:00"
seeds = [1, 2, 3]        # every variant runs once with each seed; 10 or more before you claim anything
step_s = 1.0             # length of a simulation step
teleport_s = -1          # -1: stuck vehicles stay where they are, so that gridlock shows

[network]                # exactly one of the two
# file = "city.net.xml.gz"     # a SUMO network
osm = "city.osm.pbf"           # or OpenStreetMap data (.osm, .osm.gz, .osm.pbf) to build one from

[demand]                 # exactly one of the three
# routes = ["cars.rou.xml.gz"]                          # SUMO route files
# counts = "counts.csv"                                 # traffic counts: edge, begin, end, count
synthetic = {{ vehicles_per_hour = 4000, seed = 1 }}      # made up by volume and road class; the report says so

# [crashes]              # accident records (CSV, Parquet, GeoJSON), for hotspots
# files = ["crashes.csv"]
# columns = "map.toml"   # only where the columns are not recognised by themselves

# [transit]              # timetabled vehicles, compared with their timetable
# gtfs = "gtfs.zip"      # a GTFS feed
# date = "2026-05-13"    # the day of it to drive
# modes = ["bus"]        # bus, coach, tram, subway, rail; all where left out
# on_time = "default"    # 60 s early to 300 s late; or "mbta", "tcqsm", or seconds early and late such as "-60,300"
# dwell_s = 15           # time at a stop

# [fares]                # passengers who board, each for as long as the way of paying takes; needs [transit]
# electronic_share = 0.6 # a [[variant]] may have its own: fares = {{ electronic_share = 1.0 }}
# boardings_per_h = 20   # at every stop, made up; or boardings = "boardings.csv": stop_id, boardings_per_h, route_id
# electronic = "smart-card"    # or "prepaid", "magnetic-card", "validator", "shown"
# cash = "exact-change"        # or "ticket"

# [stops]                # what stops offer; needs [transit]
# amenities = "stops.csv"      # stop_id and features, each yes, no or empty for unknown
# features = ["air_conditioned", "enclosed", "wifi", "charging_point", "information_board"]

# [hotspots]
# method = "frequency"   # or "empirical-bayes", which does not take bad luck for danger; "epdo", "rule", "rate"
# top = 10               # the worst junctions that have a signal

[signals]
junctions = "all"        # "all", "hotspots", or a list of signal or junction ids
clearance = "ite"        # "ite": yellow and all-red by formula; "as-shipped": what the network's programs show
# what controllers see; a [[variant]] may have its own. One of the three; all vehicles connected where left out
# sensing = {{ kind = "connected", penetration = 0.3 }}   # the share of vehicles that tell where they are
# sensing = {{ kind = "camera", range_m = 80 }}           # also: miss, double, mast_m
# sensing = {{ kind = "loops", advance_m = 50 }}          # also: miss, double, stuck

# [conflicts]            # how near vehicles come to each other
# sites = "hotspots"     # "all", "hotspots", or a list of signal or junction ids
# measures = ["pet", "ttc", "drac"]
# trj = false            # true: also SSAM's .trj file for each run

# [drivers]              # for route files whose drivers are too good
# sigma = 0.5            # imperfection, 0 to 1
# red_running = {{ share = 0.05, after_red_s = 2, after_yellow_s = 3 }}

[[variant]]              # the first variant is what the others are compared with
name = "as shipped"
controller = "static"    # `bagdar signals list` has all; "module:Class" is one of your own, beside this file

[[variant]]
name = "actuated"
controller = "actuated"
# parameters = {{ gap_s = 3.0 }}

[[variant]]
name = "max pressure"
controller = "max-pressure"
# parameters = {{ green_per_loss = 1.5 }}

# [[variant]]            # late buses first; needs [transit]
# name = "late buses first"
# controller = "static"  # any
# priority = {{ vehicles = "late-buses", late_s = 60, extension_s = 10, early_green_s = 10 }}
"""


def new_scenario_text(name: str) -> str:
    """A commented scenario to start from."""
    return TEMPLATE.format(name=name.replace("\\", "").replace('"', ""))
