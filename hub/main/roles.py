"""What one process of the hub may do; by default everything."""

from enum import StrEnum


class ProcessRole(StrEnum):
    """See ARCHITECTURE.md, "Roles of a process"."""

    WEB = "web"
    INGEST = "ingest"
    ALERTS = "alerts"
    WORK = "work"


ALL_ROLES = frozenset(ProcessRole)
