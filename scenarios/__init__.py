"""Questions people ask: scenarios, comparisons and reports."""
