-- Parents inferred for review, and which windows were told to have begun.

-- The IPv4 host of an address ("rtsp://10.3.7.12:554/x", "10.3.7.12"), null when it has none.
CREATE FUNCTION ipv4_host(address text) RETURNS inet LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT substring(address FROM
        '^(?:[A-Za-z][A-Za-z0-9+.-]*://)?((?:(?:25[0-5]|2[0-4][0-9]|1?[0-9]?[0-9])\.){3}(?:25[0-5]|2[0-4][0-9]|1?[0-9]?[0-9]))(?:[:/?#]|$)'
    )::inet
$$;

-- Whether people were told that a window is in force: the present is compared with it.
ALTER TABLE maintenance_windows
    ADD COLUMN is_announced boolean NOT NULL DEFAULT false;
CREATE INDEX maintenance_windows_announced ON maintenance_windows (id) WHERE is_announced;
CREATE INDEX maintenance_windows_start ON maintenance_windows (starts_at DESC, id DESC);

-- Devices of one subnet that fail and return together: perhaps behind one parent. A person
-- decides; at most one open suggestion a subnet.
CREATE TABLE parent_suggestions (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    subnet      cidr NOT NULL,
    device_ids  bigint[] NOT NULL CHECK (cardinality(device_ids) > 0),
    times_seen  integer NOT NULL,
    first_at    timestamptz NOT NULL,
    last_at     timestamptz NOT NULL,
    confidence  double precision NOT NULL CHECK (confidence BETWEEN 0 AND 1),
    state       text NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'accepted', 'dismissed')),
    parent_id   bigint REFERENCES devices (id) ON DELETE SET NULL,
    created_at  timestamptz NOT NULL,
    updated_at  timestamptz NOT NULL,
    decided_at  timestamptz,
    decided_by  text NOT NULL DEFAULT ''
);
CREATE UNIQUE INDEX parent_suggestions_open ON parent_suggestions (subnet) WHERE state = 'open';
CREATE INDEX parent_suggestions_subnet ON parent_suggestions (subnet, state);
