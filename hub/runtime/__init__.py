"""What keeps running: pipeline, supervisor, registry, jobs, live fan-out, embedded servers."""
