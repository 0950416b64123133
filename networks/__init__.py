"""The road: networks, places on them, and where accidents concentrate."""
