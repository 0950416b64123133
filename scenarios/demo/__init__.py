"""The built-in city: real streets of Berlin-Adlershof, with traffic and accidents that are made up and say so."""

from scenarios.demo.city import write_demo_city

__all__ = ["write_demo_city"]
