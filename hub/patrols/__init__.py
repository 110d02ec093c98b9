"""The midnight video patrol: plans, rounds, stops and reports."""
