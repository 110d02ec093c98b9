-- Health at the size of a county: layers, parents, maintenance, what nobody watched, roll-ups.

-- Part of the asset record: what lists are narrowed to and figures are grouped by.
ALTER TABLE devices
    ADD COLUMN code  text NOT NULL DEFAULT '' CHECK (length(code) <= 64),
    ADD COLUMN place text NOT NULL DEFAULT '' CHECK (length(place) <= 256),  -- where it hangs
    ADD COLUMN class text NOT NULL DEFAULT '' CHECK (length(class) <= 64),
    ADD COLUMN team  text NOT NULL DEFAULT '' CHECK (length(team) <= 128);   -- who maintains it
CREATE UNIQUE INDEX devices_code ON devices (code) WHERE code <> '';
CREATE INDEX devices_parent ON devices (parent_id) WHERE parent_id IS NOT NULL;
DROP INDEX devices_search;
CREATE INDEX devices_search ON devices
    USING gin ((name || ' ' || code || ' ' || serial || ' ' || address || ' ' || place) gin_trgm_ops);

-- Planned maintenance, of a device or of an area and all below it. A window is never removed:
-- figures of the past need it. Ended early: ends_at is moved.
CREATE TABLE maintenance_windows (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    area_id     bigint NOT NULL REFERENCES areas (id) ON DELETE RESTRICT,
    device_id   bigint REFERENCES devices (id) ON DELETE CASCADE,
    starts_at   timestamptz NOT NULL,
    ends_at     timestamptz NOT NULL CHECK (ends_at >= starts_at),
    reason      text NOT NULL CHECK (length(reason) BETWEEN 1 AND 500),
    author      text NOT NULL,
    created_at  timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX maintenance_windows_time ON maintenance_windows (ends_at, starts_at);

-- faults: every layer known to fail, with its sentence; status and layer are the first of them.
-- A device in a window goes on being watched; shown is what people see meanwhile.
ALTER TABLE device_status
    ADD COLUMN faults      jsonb NOT NULL DEFAULT '{}',
    ADD COLUMN behind_id   bigint REFERENCES devices (id) ON DELETE SET NULL,
    ADD COLUMN is_flapping boolean NOT NULL DEFAULT false,
    ADD COLUMN window_id   bigint REFERENCES maintenance_windows (id) ON DELETE SET NULL,
    ADD COLUMN shown       text NOT NULL GENERATED ALWAYS AS
               (CASE WHEN window_id IS NULL THEN status ELSE 'maintenance' END) STORED,
    ADD COLUMN picture_at  timestamptz,          -- when a picture was judged last
    ADD COLUMN clock_at    timestamptz;          -- when the clock was compared last
DROP INDEX device_status_bad;
CREATE INDEX device_status_shown ON device_status (shown) WHERE shown <> 'online';
CREATE INDEX device_status_behind ON device_status (behind_id) WHERE behind_id IS NOT NULL;
CREATE INDEX device_status_flapping ON device_status (device_id) WHERE is_flapping;
CREATE INDEX device_status_window ON device_status (window_id) WHERE window_id IS NOT NULL;

UPDATE device_status SET faults = jsonb_build_object(layer, detail) WHERE layer <> '';

-- doubtful_from: the hub was away from then on; until somebody looks, the outage is known no further.
ALTER TABLE outages
    ADD COLUMN parent_id     bigint REFERENCES devices (id) ON DELETE SET NULL,
    ADD COLUMN doubtful_from timestamptz;
CREATE INDEX outages_time ON outages (started_at);

-- Time in which it could not be told how a device is; written when it ends.
CREATE TABLE unknown_spells (
    device_id   bigint NOT NULL REFERENCES devices (id) ON DELETE CASCADE,
    started_at  timestamptz NOT NULL,
    ended_at    timestamptz NOT NULL CHECK (ended_at >= started_at),
    reason      text NOT NULL DEFAULT ''
);
CREATE INDEX unknown_spells_device ON unknown_spells (device_id, started_at);

-- Who watches: one mark a probe shard, one for the adapters. A gap between marks is an absence of
-- the hub: unknown for all that it would have watched, and one row, not one a device.
CREATE TABLE watch_marks (
    watch       text NOT NULL CHECK (watch IN ('probes', 'adapters')),
    shard       integer NOT NULL,
    shards      integer NOT NULL,
    seen_at     timestamptz NOT NULL,
    PRIMARY KEY (watch, shards, shard)
);
CREATE TABLE absences (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    watch       text NOT NULL CHECK (watch IN ('probes', 'adapters')),
    shard       integer NOT NULL,
    shards      integer NOT NULL,
    started_at  timestamptz NOT NULL,
    ended_at    timestamptz NOT NULL CHECK (ended_at >= started_at)
);
CREATE INDEX absences_time ON absences (ended_at, started_at);

-- How often which devices are asked; empty fields inherit. The most particular row wins: the
-- device's, then the nearest area's with the class, then the nearest area's.
CREATE TABLE probe_intervals (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    area_id     bigint NOT NULL REFERENCES areas (id) ON DELETE CASCADE,
    class       text NOT NULL DEFAULT '',
    device_id   bigint REFERENCES devices (id) ON DELETE CASCADE,
    answer_s    double precision CHECK (answer_s BETWEEN 5 AND 86400),
    stream_s    double precision CHECK (stream_s BETWEEN 5 AND 86400),
    frames_s    double precision CHECK (frames_s BETWEEN 30 AND 604800),
    inspect_s   double precision CHECK (inspect_s BETWEEN 60 AND 2592000),
    UNIQUE NULLS NOT DISTINCT (area_id, class, device_id)
);

-- Latency and loss per device and hour.
CREATE TABLE probe_hours (
    hour        timestamptz NOT NULL,
    device_id   bigint NOT NULL,
    probes      integer NOT NULL,
    lost        integer NOT NULL,
    latency_ms  real NOT NULL,                   -- sum over the answered probes
    slowest_ms  real NOT NULL
);
SELECT as_hypertable('probe_hours', 'hour', INTERVAL '7 days');
CREATE UNIQUE INDEX probe_hours_once ON probe_hours (device_id, hour);

-- What slow looks found, a row per camera and day.
CREATE TABLE camera_days (
    day         timestamptz NOT NULL,            -- its beginning
    device_id   bigint NOT NULL,
    clock_offset_s double precision,             -- the worst of the day, with its sign
    recorded_s  double precision,
    planned_s   double precision,
    holes       jsonb NOT NULL DEFAULT '[]'      -- [[from, until], …]
);
SELECT as_hypertable('camera_days', 'day', INTERVAL '30 days');
CREATE UNIQUE INDEX camera_days_once ON camera_days (device_id, day);

ALTER TABLE devices
    ADD COLUMN inspected_at timestamptz,
    ADD COLUMN oldest_recording_at timestamptz,
    ADD COLUMN certificate_expires_at timestamptz;
