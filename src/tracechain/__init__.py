"""tracechain."""
