-- The operator console: what a person has arranged for himself, who watches which camera live,
-- and where the areas lie on the map.

-- What a person has arranged for himself; it goes with him.
CREATE TABLE person_settings (
    user_id     bigint NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    kind        text NOT NULL
                CHECK (kind IN ('wall-layout', 'device-view', 'alert-view', 'dispatch-view', 'choices')),
    name        text NOT NULL CHECK (length(name) BETWEEN 1 AND 64),
    value       jsonb NOT NULL CHECK (jsonb_typeof(value) = 'object'),
    version     integer NOT NULL DEFAULT 1,
    changed_at  timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (user_id, kind, name)
);

-- Which processes there are: each says so every few seconds, with what only it can know.
CREATE TABLE processes (
    key         text PRIMARY KEY,
    host        text NOT NULL,
    pid         integer NOT NULL,
    roles       text[] NOT NULL,
    version     text NOT NULL,
    started_at  timestamptz NOT NULL,
    seen_at     timestamptz NOT NULL DEFAULT now(),
    facts       jsonb NOT NULL DEFAULT '{}'
) WITH (fillfactor = 50);

-- What the audit log is asked for, newest first.
CREATE INDEX audit_actor ON audit (actor, id DESC);
CREATE INDEX audit_action ON audit (action, id DESC);
CREATE INDEX audit_object ON audit (object_type, object_id, id DESC);
CREATE INDEX audit_area ON audit (area_id, id DESC);
CREATE INDEX audit_area_what ON audit (area_id, action, actor, object_type);
CREATE INDEX audit_text ON audit USING gin (
    (actor || ' ' || source || ' ' || action || ' ' || object_type || ' ' || object_id || ' '
     || detail::text) gin_trgm_ops);
-- When somebody signed in last.
CREATE INDEX audit_signed_in ON audit (user_id, id DESC) WHERE action = 'session.begun';

-- Looks for devices that nobody has registered: what was asked, how far it is, who answered.
-- beat_at: whoever looks says so every second; a look that says nothing for long is broken off.
CREATE TABLE discoveries (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    area_id     bigint NOT NULL REFERENCES areas (id) ON DELETE CASCADE,
    ranges      cidr[] NOT NULL,
    is_multicast boolean NOT NULL,
    onvif_ports integer[] NOT NULL,
    rtsp_ports  integer[] NOT NULL,
    author      text NOT NULL,
    created_at  timestamptz NOT NULL,
    state       text NOT NULL DEFAULT 'waiting'
                CHECK (state IN ('waiting', 'running', 'done', 'cancelled', 'failed', 'broken_off')),
    detail      text NOT NULL DEFAULT '',
    started_at  timestamptz,
    beat_at     timestamptz,
    ended_at    timestamptz,
    hosts       integer NOT NULL DEFAULT 0,
    asked       integer NOT NULL DEFAULT 0,
    found       integer NOT NULL DEFAULT 0
);
CREATE INDEX discoveries_area ON discoveries (area_id, id DESC);
CREATE INDEX discoveries_open ON discoveries (id) WHERE state IN ('waiting', 'running');

-- Credentials to try, sealed; gone a day after the look has ended.
CREATE TABLE discovery_credentials (
    discovery_id bigint NOT NULL REFERENCES discoveries (id) ON DELETE CASCADE,
    position    integer NOT NULL,
    username    text NOT NULL,
    password_sealed bytea,
    PRIMARY KEY (discovery_id, position)
);

CREATE TABLE discovery_finds (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    discovery_id bigint NOT NULL REFERENCES discoveries (id) ON DELETE CASCADE,
    host        text NOT NULL,
    port        integer NOT NULL,
    protocol    text NOT NULL,
    address     text NOT NULL,
    name        text NOT NULL,
    manufacturer text NOT NULL,
    model       text NOT NULL,
    serial      text NOT NULL,
    firmware    text NOT NULL,
    login       text NOT NULL,
    credential  integer,
    trouble     text NOT NULL,
    UNIQUE (discovery_id, protocol, address)
);

-- Where areas lie, as imported (GeoJSON MultiPolygon coordinates, WGS-84), and a copy with fewer
-- corners for the map of all of them.
CREATE TABLE area_outlines (
    area_id     bigint PRIMARY KEY REFERENCES areas (id) ON DELETE CASCADE,
    shape       jsonb NOT NULL CHECK (jsonb_typeof(shape) = 'array'),
    simple      jsonb NOT NULL CHECK (jsonb_typeof(simple) = 'array'),
    corners     integer NOT NULL CHECK (corners > 0),
    west        double precision NOT NULL CHECK (west BETWEEN -180 AND 180),
    south       double precision NOT NULL CHECK (south BETWEEN -90 AND 90),
    east        double precision NOT NULL CHECK (east BETWEEN west AND 180),
    north       double precision NOT NULL CHECK (north BETWEEN south AND 90),
    changed_at  timestamptz NOT NULL DEFAULT now(),
    changed_by  text NOT NULL
);

-- Who watched which camera live, from when to when. process: the one that relayed it, which says
-- every few seconds that it still does; what it leaves open when it dies ends at its last word.
CREATE TABLE viewings (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    user_id     bigint REFERENCES users (id) ON DELETE SET NULL,
    user_name   text NOT NULL,
    source      text NOT NULL DEFAULT '',
    device_id   bigint NOT NULL REFERENCES devices (id) ON DELETE CASCADE,
    channel     text NOT NULL DEFAULT '',
    stream      text NOT NULL CHECK (stream IN ('main', 'sub')),
    process     text NOT NULL,
    began_at    timestamptz NOT NULL,
    seen_at     timestamptz NOT NULL,
    ended_at    timestamptz,
    bytes       bigint NOT NULL DEFAULT 0,
    why         text NOT NULL DEFAULT ''
);
CREATE INDEX viewings_open ON viewings (device_id) WHERE ended_at IS NULL;
CREATE INDEX viewings_of_device ON viewings (device_id, id DESC);
CREATE INDEX viewings_user ON viewings (user_id);
CREATE INDEX viewings_ended ON viewings (ended_at);

-- By addresses people sort as by numbers: 10.9.0.1 comes before 10.20.0.1.
CREATE FUNCTION address_order(address text) RETURNS text LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
AS $$
    SELECT coalesce(lpad(m[1], 3, '0') || lpad(m[2], 3, '0') || lpad(m[3], 3, '0')
                    || lpad(m[4], 3, '0'), '') || address
    FROM (SELECT regexp_match(address, '(?:^|//)(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})(?:[:/]|$)')) x (m)
$$;
ALTER TABLE devices
    ADD COLUMN address_order text NOT NULL GENERATED ALWAYS AS (address_order(address)) STORED;

-- Who steers a camera by hand, or speaks through it: one person, for a few seconds after his last
-- order.
CREATE TABLE device_holds (
    device_id   bigint NOT NULL REFERENCES devices (id) ON DELETE CASCADE,
    work        text NOT NULL CHECK (work IN ('steer', 'talk')),
    user_id     bigint REFERENCES users (id) ON DELETE CASCADE,
    actor       text NOT NULL,
    since       timestamptz NOT NULL,
    until       timestamptz NOT NULL,
    PRIMARY KEY (device_id, work)
) WITH (fillfactor = 50);
CREATE INDEX device_holds_user ON device_holds (user_id);

-- The overview asks what came back within the hour.
CREATE INDEX outages_ended ON outages (ended_at);

-- What was done about one device, also long ago.
CREATE INDEX dispatches_of_device ON dispatches (device_id, id DESC) WHERE device_id IS NOT NULL;

-- What each area's own devices did on each finished day of the site's calendar: made once, read by
-- heat maps and trends. kind '' is all kinds.
CREATE TABLE area_days (
    day           date   NOT NULL,
    area_id       bigint NOT NULL REFERENCES areas (id) ON DELETE CASCADE,
    kind          text   NOT NULL,
    devices       integer NOT NULL,
    rated         integer NOT NULL,
    rate_sum      double precision NOT NULL,
    managed_s     double precision NOT NULL,
    maintenance_s double precision NOT NULL,
    unknown_s     double precision NOT NULL,
    down_s        double precision NOT NULL,
    outages       integer NOT NULL,
    PRIMARY KEY (day, kind, area_id)
);
-- Days that were made, also those on which there was no device.
CREATE TABLE made_days (
    day     date PRIMARY KEY,
    made_at timestamptz NOT NULL
);
