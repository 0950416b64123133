"""Fixed cases, measured side by side."""
