"""How fast a queue leaves at green: one set of first values for controllers, plans and measures alike."""

PROTECTED_HEADWAY_S = 1.9
"""Between two vehicles of a lane that discharge at protected green: some 1,900 vehicles an hour of green."""

PERMITTED_HEADWAY_S = 3.0
"""Between two that must yield and find a gap."""
