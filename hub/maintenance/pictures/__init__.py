"""Pictures judged on rounds: when, by which thresholds, what becomes of verdicts."""
