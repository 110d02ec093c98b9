-- Image quality: what is judged of pictures, what was found, what people said of it.

ALTER TABLE probe_intervals
    ADD COLUMN picture_s double precision CHECK (picture_s BETWEEN 60 AND 2592000);

-- Thresholds under a name, for the cameras of an area and below it. {index: score or null}.
CREATE TABLE picture_profiles (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    area_id     bigint NOT NULL REFERENCES areas (id) ON DELETE CASCADE,
    name        text NOT NULL CHECK (length(name) BETWEEN 1 AND 64),
    thresholds  jsonb NOT NULL CHECK (jsonb_typeof(thresholds) = 'object'),
    UNIQUE (area_id, name)
);

-- Which profile applies by day and by night. The most particular row wins: the device's, then the
-- nearest area's with the class, then the nearest area's.
CREATE TABLE picture_assignments (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    area_id     bigint NOT NULL REFERENCES areas (id) ON DELETE CASCADE,
    class       text NOT NULL DEFAULT '' CHECK (length(class) <= 64),
    device_id   bigint REFERENCES devices (id) ON DELETE CASCADE,
    day_id      bigint NOT NULL REFERENCES picture_profiles (id) ON DELETE RESTRICT,
    night_id    bigint NOT NULL REFERENCES picture_profiles (id) ON DELETE RESTRICT,
    UNIQUE NULLS NOT DISTINCT (area_id, class, device_id)
);
CREATE INDEX picture_assignments_day ON picture_assignments (day_id);
CREATE INDEX picture_assignments_night ON picture_assignments (night_id);

-- What is known of one camera's picture now. next_at: when it is to be looked at again.
-- faults, suspects: {index: {since, looks, score, threshold, why}}; mending: {index: looks};
-- findings: {index: {score, threshold, why, region}}; corrections: {index: points}.
CREATE TABLE picture_states (
    device_id   bigint PRIMARY KEY REFERENCES devices (id) ON DELETE CASCADE,
    next_at     timestamptz NOT NULL,
    tried_at    timestamptz,
    checked_at  timestamptz,
    mode        text NOT NULL DEFAULT 'colour' CHECK (mode IN ('colour', 'infrared')),
    width       integer NOT NULL DEFAULT 0,
    height      integer NOT NULL DEFAULT 0,
    findings    jsonb NOT NULL DEFAULT '{}',
    faults      jsonb NOT NULL DEFAULT '{}',
    suspects    jsonb NOT NULL DEFAULT '{}',
    mending     jsonb NOT NULL DEFAULT '{}',
    opinions    jsonb NOT NULL DEFAULT '{}',     -- {index: when the camera itself said so}
    corrections jsonb NOT NULL DEFAULT '{}',
    unseen      text NOT NULL DEFAULT '',
    good_at     timestamptz,                     -- of the pictures kept as evidence
    bad_at      timestamptz,
    fingerprint bytea NOT NULL DEFAULT '' CHECK (length(fingerprint) <= 65536)
) WITH (fillfactor = 80, toast_tuple_target = 256);
-- What only one camera's page shows stands apart, so that lists and counts read few pages.
ALTER TABLE picture_states ALTER COLUMN faults SET STORAGE MAIN;
CREATE INDEX picture_states_next ON picture_states (next_at);
CREATE INDEX picture_states_bad ON picture_states (device_id) WHERE faults <> '{}';

-- What a camera's picture looks like when it is well, by band of hours and mode. Opaque: made and
-- read by streams/quality alone.
CREATE TABLE picture_baselines (
    device_id   bigint NOT NULL REFERENCES devices (id) ON DELETE CASCADE,
    band        smallint NOT NULL CHECK (band BETWEEN 0 AND 23),
    mode        text NOT NULL CHECK (mode IN ('colour', 'infrared')),
    state       bytea NOT NULL CHECK (length(state) <= 65536),
    learnt_at   timestamptz NOT NULL,
    PRIMARY KEY (device_id, band, mode)
) WITH (fillfactor = 80);

-- Every check: a score for each index that was judged. faults: those that reached their threshold.
CREATE TABLE picture_checks (
    at           timestamptz NOT NULL,
    device_id    bigint NOT NULL,
    mode         text NOT NULL,
    is_night     boolean NOT NULL,
    faults       text[] NOT NULL DEFAULT '{}',
    signal_loss  real,
    "freeze"     real,
    occlusion    real,
    scene_change real,
    too_dark     real,
    too_bright   real,
    low_contrast real,
    blur         real,
    colour_cast  real,
    noise        real,
    stripes      real,
    jitter       real,
    ptz          real
);
SELECT as_hypertable('picture_checks', 'at', INTERVAL '1 day');
CREATE UNIQUE INDEX picture_checks_once ON picture_checks (device_id, at);

-- What people said of verdicts: used to correct the camera's thresholds, and as a labelled set.
CREATE TABLE picture_feedback (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    device_id   bigint NOT NULL REFERENCES devices (id) ON DELETE CASCADE,
    index       text NOT NULL,
    is_fault    boolean NOT NULL,                -- "this is broken", or "this is fine"
    score       real,
    threshold   real,
    note        text NOT NULL DEFAULT '' CHECK (length(note) <= 500),
    author      text NOT NULL,
    said_at     timestamptz NOT NULL,
    taken_at    timestamptz,                     -- of the picture that was meant
    has_picture boolean NOT NULL DEFAULT false
);
CREATE INDEX picture_feedback_device ON picture_feedback (device_id, id);

-- What must not be seen: polygons, corners as shares of width and height; painted over before
-- anything is stored.
CREATE TABLE picture_masks (
    device_id   bigint PRIMARY KEY REFERENCES devices (id) ON DELETE CASCADE,
    polygons    jsonb NOT NULL CHECK (jsonb_typeof(polygons) = 'array')
);
