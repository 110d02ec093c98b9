-- Places, people, devices and what happened to them.
-- One code path for TimescaleDB (both editions) and plain PostgreSQL: only as_hypertable() differs.

CREATE EXTENSION IF NOT EXISTS ltree;
CREATE EXTENSION IF NOT EXISTS pg_trgm;

-- Makes a table a hypertable where TimescaleDB is there; elsewhere it stays as it is.
CREATE FUNCTION as_hypertable(target regclass, time_column name, chunk interval) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM pg_extension WHERE extname = 'timescaledb') THEN
        PERFORM create_hypertable(target, by_range(time_column, chunk), create_default_indexes => false);
    END IF;
END
$$;

-- places ---------------------------------------------------------------------------------------

CREATE TABLE areas (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    parent_id  bigint REFERENCES areas (id) ON DELETE RESTRICT,
    code       text NOT NULL UNIQUE CHECK (code ~ '^[A-Za-z0-9_]{1,64}$'),
    name       text NOT NULL CHECK (length(name) BETWEEN 1 AND 128),
    path       ltree NOT NULL UNIQUE
);
CREATE INDEX areas_path ON areas USING gist (path);
CREATE INDEX areas_parent ON areas (parent_id);

-- people ---------------------------------------------------------------------------------------

CREATE TABLE users (
    id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name          text NOT NULL UNIQUE CHECK (length(name) BETWEEN 1 AND 64),
    display_name  text NOT NULL DEFAULT '',
    password_hash text NOT NULL,
    is_disabled   boolean NOT NULL DEFAULT false,
    created_at    timestamptz NOT NULL DEFAULT now(),
    password_changed_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE grants (
    user_id bigint NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    role    text NOT NULL CHECK (role IN ('viewer', 'operator', 'dispatcher', 'maintainer', 'supervisor', 'admin')),
    area_id bigint NOT NULL REFERENCES areas (id) ON DELETE CASCADE,
    PRIMARY KEY (user_id, role, area_id)
);

-- Both hold SHA-256 digests of random values, never the values.
CREATE TABLE sessions (
    digest      bytea PRIMARY KEY,
    user_id     bigint NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    csrf        text NOT NULL,
    created_at  timestamptz NOT NULL DEFAULT now(),
    expires_at  timestamptz NOT NULL
);
CREATE INDEX sessions_user ON sessions (user_id);

CREATE TABLE tokens (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    digest      bytea NOT NULL UNIQUE,
    user_id     bigint NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    name        text NOT NULL,
    created_at  timestamptz NOT NULL DEFAULT now(),
    expires_at  timestamptz,
    last_used_at timestamptz
);
CREATE INDEX tokens_user ON tokens (user_id);

CREATE TABLE audit (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at          timestamptz NOT NULL DEFAULT now(),
    actor       text NOT NULL,
    user_id     bigint,
    source      text NOT NULL DEFAULT '',
    action      text NOT NULL,
    object_type text NOT NULL DEFAULT '',
    object_id   text NOT NULL DEFAULT '',
    area_id     bigint,
    detail      jsonb NOT NULL DEFAULT '{}'
);
CREATE INDEX audit_at ON audit (at DESC, id DESC);

CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the audit log can only be appended to';
END
$$;
CREATE TRIGGER audit_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- links and devices ----------------------------------------------------------------------------

CREATE TABLE connections (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    protocol    text NOT NULL,
    name        text NOT NULL,
    address     text NOT NULL,
    area_id     bigint NOT NULL REFERENCES areas (id) ON DELETE RESTRICT,
    username    text NOT NULL DEFAULT '',
    password_sealed bytea,                       -- AES-256-GCM, key outside the database
    options     jsonb NOT NULL DEFAULT '{}',
    is_enabled  boolean NOT NULL DEFAULT true,
    state       text NOT NULL DEFAULT 'new',     -- new, connected, or the error's class name
    state_detail text NOT NULL DEFAULT '',
    state_since timestamptz NOT NULL DEFAULT now(),
    created_at  timestamptz NOT NULL DEFAULT now(),
    UNIQUE (protocol, address)
);
CREATE INDEX connections_area ON connections (area_id);

CREATE TABLE devices (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    connection_id bigint NOT NULL REFERENCES connections (id) ON DELETE CASCADE,
    key         text NOT NULL,                   -- the adapter's name for it
    area_id     bigint NOT NULL REFERENCES areas (id) ON DELETE RESTRICT,
    parent_id   bigint REFERENCES devices (id) ON DELETE SET NULL,
    kind        text NOT NULL DEFAULT 'other',
    name        text NOT NULL,
    registration text NOT NULL DEFAULT 'pending' CHECK (registration IN ('pending', 'approved', 'retired')),
    manufacturer text NOT NULL DEFAULT '',
    model       text NOT NULL DEFAULT '',
    firmware    text NOT NULL DEFAULT '',
    serial      text NOT NULL DEFAULT '',
    hardware_id text NOT NULL DEFAULT '',
    address     text NOT NULL DEFAULT '',
    clock_offset_s double precision,
    capabilities jsonb NOT NULL DEFAULT '{}',
    created_at  timestamptz NOT NULL DEFAULT now(),
    described_at timestamptz,
    UNIQUE (connection_id, key)
);
CREATE INDEX devices_area ON devices (area_id, id);
CREATE INDEX devices_hardware ON devices (hardware_id) WHERE hardware_id <> '';
CREATE INDEX devices_search ON devices USING gin ((name || ' ' || serial || ' ' || address) gin_trgm_ops);

CREATE TABLE channels (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    device_id   bigint NOT NULL REFERENCES devices (id) ON DELETE CASCADE,
    key         text NOT NULL,
    name        text NOT NULL DEFAULT '',
    streams     jsonb NOT NULL DEFAULT '[]',
    snapshot_address text NOT NULL DEFAULT '',
    presets     jsonb NOT NULL DEFAULT '[]',
    UNIQUE (device_id, key)
);

CREATE TABLE points (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    device_id   bigint NOT NULL REFERENCES devices (id) ON DELETE CASCADE,
    key         text NOT NULL,
    unit        text NOT NULL DEFAULT '',
    quantity    text NOT NULL DEFAULT '',
    expected_interval_s double precision,
    UNIQUE (device_id, key)
);

-- The latest reading of each point: "latest" never scans history.
CREATE TABLE point_status (
    point_id    bigint PRIMARY KEY REFERENCES points (id) ON DELETE CASCADE,
    at          timestamptz NOT NULL,
    value       double precision NOT NULL
) WITH (fillfactor = 50);

-- The present status of each device: one row a device, changed by transitions only.
CREATE TABLE device_status (
    device_id   bigint PRIMARY KEY REFERENCES devices (id) ON DELETE CASCADE,
    status      text NOT NULL DEFAULT 'unknown'
                CHECK (status IN ('online', 'offline', 'degraded', 'unknown', 'maintenance')),
    since       timestamptz NOT NULL DEFAULT now(),
    layer       text NOT NULL DEFAULT '',
    detail      text NOT NULL DEFAULT '',
    session     bigint
) WITH (fillfactor = 80);
CREATE INDEX device_status_bad ON device_status (status) WHERE status <> 'online';

CREATE TABLE outages (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    device_id   bigint NOT NULL REFERENCES devices (id) ON DELETE CASCADE,
    started_at  timestamptz NOT NULL,
    ended_at    timestamptz CHECK (ended_at >= started_at),
    layer       text NOT NULL DEFAULT '',
    cause       text NOT NULL DEFAULT ''
);
CREATE UNIQUE INDEX outages_open ON outages (device_id) WHERE ended_at IS NULL;
CREATE INDEX outages_device ON outages (device_id, started_at DESC);

-- what happened --------------------------------------------------------------------------------

CREATE TABLE events (
    id          bigint GENERATED ALWAYS AS IDENTITY,
    at          timestamptz NOT NULL,
    received_at timestamptz NOT NULL,
    digest      uuid NOT NULL,                   -- of device, kind, channel, time and data: redelivery is ignored
    device_id   bigint,                          -- null: concerns a place
    area_id     bigint NOT NULL,
    kind        text NOT NULL,
    channel     text NOT NULL DEFAULT '',
    severity    text NOT NULL DEFAULT 'info',
    is_active   boolean,
    replayed    boolean NOT NULL DEFAULT false,
    data        jsonb NOT NULL DEFAULT '{}'
);
SELECT as_hypertable('events', 'at', INTERVAL '7 days');
CREATE UNIQUE INDEX events_once ON events (at, digest);
CREATE INDEX events_device ON events (device_id, at DESC);
CREATE INDEX events_order ON events (id);

CREATE TABLE readings (
    at          timestamptz NOT NULL,
    device_id   bigint NOT NULL,
    point_id    bigint NOT NULL,
    value       double precision NOT NULL
);
SELECT as_hypertable('readings', 'at', INTERVAL '1 day');
-- Covers "one device, some time" without touching the table, and makes redelivery harmless.
CREATE UNIQUE INDEX readings_once ON readings (device_id, at, point_id) INCLUDE (value);

-- Which stored events a consumer has dealt with; it goes on from here after a crash.
CREATE TABLE cursors (
    name        text PRIMARY KEY,
    event_id    bigint NOT NULL
);
