"""SUMO: demand in, measures out, one simulation a process."""
