-- What to watch for, what was concluded, who was told.

CREATE TABLE receivers (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name        text NOT NULL CHECK (length(name) BETWEEN 1 AND 128),
    area_id     bigint NOT NULL REFERENCES areas (id) ON DELETE RESTRICT,
    kind        text NOT NULL CHECK (kind IN ('webhook', 'smtp', 'mqtt')),
    options     jsonb NOT NULL DEFAULT '{}',
    secret_sealed bytea,                         -- AES-256-GCM, key outside the database
    is_enabled  boolean NOT NULL DEFAULT true,
    created_at  timestamptz NOT NULL DEFAULT now(),
    removed_at  timestamptz                      -- kept: notifications name it
);
CREATE INDEX receivers_area ON receivers (area_id);

CREATE TABLE rules (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name        text NOT NULL CHECK (length(name) BETWEEN 1 AND 128),
    area_id     bigint NOT NULL REFERENCES areas (id) ON DELETE RESTRICT,
    condition   jsonb NOT NULL,
    severity    text NOT NULL CHECK (severity IN ('info', 'warning', 'critical')),
    is_enabled  boolean NOT NULL DEFAULT true,
    created_at  timestamptz NOT NULL DEFAULT now(),
    removed_at  timestamptz                      -- kept: alerts name it
);
CREATE INDEX rules_area ON rules (area_id);

CREATE TABLE rule_receivers (
    rule_id     bigint NOT NULL REFERENCES rules (id) ON DELETE CASCADE,
    receiver_id bigint NOT NULL REFERENCES receivers (id) ON DELETE CASCADE,
    PRIMARY KEY (rule_id, receiver_id)
);
CREATE INDEX rule_receivers_receiver ON rule_receivers (receiver_id);

-- One row a judgement: names are those of the moment it fired, devices may be gone since.
CREATE TABLE alerts (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    rule_id     bigint NOT NULL REFERENCES rules (id) ON DELETE RESTRICT,
    subject     text NOT NULL,
    condition   text NOT NULL,
    severity    text NOT NULL,
    status      text NOT NULL DEFAULT 'firing' CHECK (status IN ('firing', 'acknowledged', 'resolved')),
    area_id     bigint NOT NULL REFERENCES areas (id) ON DELETE RESTRICT,
    device_id   bigint,
    device_name text NOT NULL DEFAULT '',
    point_id    bigint,
    point       text NOT NULL DEFAULT '',
    unit        text NOT NULL DEFAULT '',
    channel     text NOT NULL DEFAULT '',
    event_id    bigint,                          -- the stored event that made it fire
    value       double precision,
    reason      text NOT NULL,
    started_at  timestamptz NOT NULL,            -- when the cause began
    fired_at    timestamptz NOT NULL,
    acknowledged_at timestamptz,
    acknowledged_by text NOT NULL DEFAULT '',
    resolved_at timestamptz,
    resolved_by text NOT NULL DEFAULT '',
    resolution  text NOT NULL DEFAULT ''
);
CREATE UNIQUE INDEX alerts_open ON alerts (rule_id, subject) WHERE status <> 'resolved';
CREATE INDEX alerts_area ON alerts (area_id, id DESC);
CREATE INDEX alerts_device ON alerts (device_id, id DESC);

CREATE TABLE alert_steps (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    alert_id    bigint NOT NULL REFERENCES alerts (id) ON DELETE CASCADE,
    at          timestamptz NOT NULL,
    actor       text NOT NULL,
    step        text NOT NULL CHECK (step IN ('fired', 'acknowledged', 'commented', 'resolved')),
    note        text NOT NULL DEFAULT ''
);
CREATE INDEX alert_steps_alert ON alert_steps (alert_id, id);

-- What a rule remembers about a subject that is not clear; timers live here, memory only knows
-- when the next one rings.
CREATE TABLE rule_states (
    rule_id     bigint NOT NULL REFERENCES rules (id) ON DELETE CASCADE,
    subject     text NOT NULL,
    area_id     bigint NOT NULL,
    device_id   bigint,
    point_id    bigint,
    channel     text NOT NULL DEFAULT '',
    phase       text NOT NULL CHECK (phase IN ('pending', 'firing', 'held')),
    since       timestamptz,
    due_at      timestamptz,
    value       double precision,
    alert_id    bigint REFERENCES alerts (id) ON DELETE CASCADE,
    PRIMARY KEY (rule_id, subject)
) WITH (fillfactor = 70);
CREATE INDEX rule_states_due ON rule_states (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX rule_states_alert ON rule_states (alert_id);

-- One message about one step to one receiver; message_id is the same on every attempt.
CREATE TABLE notifications (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    message_id  uuid NOT NULL UNIQUE DEFAULT gen_random_uuid(),
    alert_id    bigint NOT NULL REFERENCES alerts (id) ON DELETE CASCADE,
    step_id     bigint NOT NULL REFERENCES alert_steps (id) ON DELETE CASCADE,
    receiver_id bigint NOT NULL REFERENCES receivers (id) ON DELETE RESTRICT,
    status      text NOT NULL DEFAULT 'waiting' CHECK (status IN ('waiting', 'delivered', 'rejected', 'failed')),
    created_at  timestamptz NOT NULL DEFAULT now(),
    UNIQUE (step_id, receiver_id)
);
CREATE INDEX notifications_alert ON notifications (alert_id, id);

CREATE TABLE notification_attempts (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    notification_id bigint NOT NULL REFERENCES notifications (id) ON DELETE CASCADE,
    at          timestamptz NOT NULL,
    outcome     text NOT NULL CHECK (outcome IN ('delivered', 'try_again', 'rejected')),
    detail      text NOT NULL DEFAULT ''
);
CREATE INDEX notification_attempts_of ON notification_attempts (notification_id, id);
