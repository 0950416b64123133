"""Who gets green: plans, safe sequences and controllers."""
