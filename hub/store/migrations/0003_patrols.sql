-- The midnight video patrol: plans, rounds and stops.

CREATE TABLE patrol_plans (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name        text NOT NULL CHECK (length(name) BETWEEN 1 AND 128),
    area_id     bigint NOT NULL REFERENCES areas (id) ON DELETE RESTRICT,
    rrule       text NOT NULL CHECK (length(rrule) BETWEEN 1 AND 500),
    time_zone   text NOT NULL,
    starts_on   date NOT NULL,
    window_s    integer NOT NULL CHECK (window_s BETWEEN 10 AND 86400),
    seconds_per_stop double precision NOT NULL CHECK (seconds_per_stop BETWEEN 0 AND 600),
    stop_order  text NOT NULL CHECK (stop_order IN ('fixed', 'by_area', 'shuffled')),
    device_ids  bigint[],                        -- null: every approved camera of the area
    is_enabled  boolean NOT NULL DEFAULT true,
    planned_through timestamptz NOT NULL DEFAULT now(),  -- rounds due until here exist already
    created_at  timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX patrol_plans_area ON patrol_plans (area_id);

-- A round keeps what it needs of its plan: the plan may change or go away, what happened stays.
CREATE TABLE patrol_rounds (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    plan_id     bigint REFERENCES patrol_plans (id) ON DELETE SET NULL,
    plan_name   text NOT NULL,
    area_id     bigint NOT NULL REFERENCES areas (id) ON DELETE RESTRICT,
    time_zone   text NOT NULL,
    window_s    integer NOT NULL,
    seconds_per_stop double precision NOT NULL,
    planned_at  timestamptz NOT NULL,
    state       text NOT NULL DEFAULT 'due'
                CHECK (state IN ('due', 'running', 'finished', 'missed', 'cancelled')),
    started_at  timestamptz,
    touched_at  timestamptz,                     -- the last sign of life while it runs
    finished_at timestamptz,
    reason      text NOT NULL DEFAULT '',
    has_report  boolean NOT NULL DEFAULT false,
    UNIQUE (plan_id, planned_at)
);
CREATE INDEX patrol_rounds_area ON patrol_rounds (area_id, id DESC);
CREATE INDEX patrol_rounds_open ON patrol_rounds (planned_at) WHERE state IN ('due', 'running');

CREATE TABLE patrol_stops (
    round_id    bigint NOT NULL REFERENCES patrol_rounds (id) ON DELETE CASCADE,
    position    integer NOT NULL CHECK (position > 0),
    device_id   bigint REFERENCES devices (id) ON DELETE SET NULL,
    device_name text NOT NULL,
    area_id     bigint NOT NULL,
    area_name   text NOT NULL,
    verdict     text NOT NULL DEFAULT 'pending' CHECK (verdict IN ('pending', 'seen', 'not_seen')),
    reason      text NOT NULL DEFAULT '',
    layer       text NOT NULL DEFAULT '',
    detail      text NOT NULL DEFAULT '',
    has_picture boolean NOT NULL DEFAULT false,
    attempts    integer NOT NULL DEFAULT 0,      -- how often a worker set out for it
    at          timestamptz,
    PRIMARY KEY (round_id, position),
    UNIQUE (round_id, device_id)
);
CREATE INDEX patrol_stops_device ON patrol_stops (device_id);
