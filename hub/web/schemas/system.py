"""How the hub does, and which of its settings need attention."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from hub.store.server import Edition
from hub.web.attention import Gravity
from hub.web.schemas.shapes import Out


class TableOut(Out):
    """A table with its indexes and chunks."""

    name: str
    bytes: int
    chunks: int


class CompressionOut(Out):
    """A hypertable and how much of it is compressed."""

    name: str
    is_enabled: bool
    chunks: int
    compressed: int


class DatabaseOut(Out):
    """The database: which one, how big, how busy. ``meaning`` is what the edition implies."""

    edition: Edition
    postgresql: str
    timescaledb: str
    meaning: str
    bytes: int
    connections: int
    most_connections: int
    oldest_transaction_s: float
    started_at: datetime
    tables: Sequence[TableOut]
    compression: Sequence[CompressionOut]


class BrokerOut(Out):
    """The broker as a process sees it. ``limits`` is empty for one that is not embedded."""

    is_embedded: bool = False
    flavour: str = ""
    address: str = ""
    limits: str = ""


class DiskOut(Out):
    """The disk of a data folder."""

    folder: str
    free_bytes: int
    total_bytes: int


class RetentionOut(Out):
    """For how many days what is kept."""

    readings_days: int
    events_days: int
    health_days: int
    scores_days: int


class FiguresOut(Out):
    """What a process measures of itself; null: it does not do that, or cannot measure it."""

    waiting: float | None = None
    events_per_s: float | None = None
    last_stored_at: datetime | None = None
    consoles: float | None = None
    memory_bytes: float | None = None
    cpu_s: float | None = None


class ProcessOut(Out):
    """A process; ``parts`` maps each of its parts to true or to what is wrong with it."""

    host: str
    pid: int
    roles: Sequence[str]
    version: str
    started_at: datetime
    seen_at: datetime
    is_alive: bool
    parts: Mapping[str, bool | str]
    figures: FiguresOut
    disk: DiskOut | None
    broker: BrokerOut
    retention: RetentionOut | None
    has_embedded_database: bool


class QueueOut(Out):
    """One kind of due work; ``failed`` within 24 hours."""

    name: str
    due: int
    later: int
    running: int
    oldest_s: float
    failed: int


class WorkerOut(Out):
    """One worker of the queue."""

    id: int
    seen_at: datetime
    running: int


class LagOut(Out):
    """How far a reader of events is behind; null: it has read everything."""

    name: str
    events: int
    oldest_at: datetime | None


class WholeOut(Out):
    """The hub as a whole."""

    database: DatabaseOut
    processes: Sequence[ProcessOut]
    queues: Sequence[QueueOut]
    workers: Sequence[WorkerOut]
    lags: Sequence[LagOut]
    readiness: Mapping[str, bool | str]


class SystemOut(Out):
    """How the hub does at ``at``; ``whole`` is null for those who hold no root area."""

    at: datetime
    version: str
    whole: WholeOut | None


class AttentionOut(Out):
    """One finding: ``code`` says what, ``link`` is the console's page where it is mended."""

    code: str
    severity: Gravity
    link: str
    count: int
    names: Sequence[str]
    data: Mapping[str, object]


class AttentionListOut(Out):
    """What needs attention as of ``at``, the gravest first."""

    at: datetime
    items: Sequence[AttentionOut]
