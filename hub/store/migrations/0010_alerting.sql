-- Alerts that many people share: more conditions, folding, silences, deadlines, escalation,
-- messages instead of one letter for each step, drills.

ALTER TABLE devices ADD COLUMN tags text[] NOT NULL DEFAULT '{}';
CREATE INDEX devices_tags ON devices USING gin (tags) WHERE tags <> '{}';

ALTER TABLE rules
    ADD COLUMN classes text[] NOT NULL DEFAULT '{}',
    ADD COLUMN tags text[] NOT NULL DEFAULT '{}',
    ADD COLUMN hours jsonb,                      -- a calendar, null: always
    ADD COLUMN most_in_area integer NOT NULL DEFAULT 20 CHECK (most_in_area BETWEEN 1 AND 10000),
    ADD COLUMN most integer NOT NULL DEFAULT 100 CHECK (most BETWEEN 1 AND 100000);

-- What a condition over several events remembers.
ALTER TABLE rule_states ADD COLUMN memory jsonb NOT NULL DEFAULT '{}';

-- Days off that are weekdays, and days worked that are not (调休).
CREATE TABLE holidays (
    day         date PRIMARY KEY,
    name        text NOT NULL CHECK (length(name) BETWEEN 1 AND 64),
    is_working  boolean NOT NULL DEFAULT false
);

CREATE TABLE drills (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    area_id     bigint NOT NULL REFERENCES areas (id) ON DELETE CASCADE,
    name        text NOT NULL CHECK (length(name) BETWEEN 1 AND 128),
    rule_id     bigint NOT NULL REFERENCES rules (id) ON DELETE CASCADE,
    device_ids  bigint[] NOT NULL,
    author      text NOT NULL,
    started_at  timestamptz NOT NULL DEFAULT now(),
    ends_at     timestamptz NOT NULL,
    ended_at    timestamptz
);
CREATE INDEX drills_open ON drills (ends_at) WHERE ended_at IS NULL;

ALTER TABLE alerts
    DROP CONSTRAINT alerts_status_check,
    ADD CONSTRAINT alerts_status_check
        CHECK (status IN ('firing', 'acknowledged', 'assigned', 'resolved')),
    ADD COLUMN folded_into bigint REFERENCES alerts (id) ON DELETE SET NULL,
    ADD COLUMN is_storm boolean NOT NULL DEFAULT false,
    ADD COLUMN folded integer NOT NULL DEFAULT 0,
    ADD COLUMN drill_id bigint REFERENCES drills (id) ON DELETE SET NULL,
    ADD COLUMN assigned_to bigint REFERENCES users (id) ON DELETE SET NULL,
    ADD COLUMN assigned_name text NOT NULL DEFAULT '',
    ADD COLUMN assigned_at timestamptz,
    ADD COLUMN quiet_until timestamptz,          -- nobody is told anew before
    ADD COLUMN quiet_reason text NOT NULL DEFAULT '',
    ADD COLUMN snoozed_until timestamptz,        -- the part of it that is a snooze
    ADD COLUMN snoozed_by text NOT NULL DEFAULT '',
    ADD COLUMN is_closed_by_hand boolean NOT NULL DEFAULT false,
    ADD COLUMN acknowledge_by timestamptz,
    ADD COLUMN resolve_by timestamptz,
    ADD COLUMN yellow_share double precision NOT NULL DEFAULT 0.25;
CREATE INDEX alerts_folded ON alerts (folded_into) WHERE folded_into IS NOT NULL;
CREATE INDEX alerts_storms ON alerts (rule_id) WHERE is_storm AND status <> 'resolved';
CREATE INDEX alerts_standing ON alerts (rule_id, area_id)
    WHERE status <> 'resolved' AND folded_into IS NULL AND NOT is_storm;
CREATE INDEX alerts_quiet ON alerts (quiet_until) WHERE quiet_until IS NOT NULL;
CREATE INDEX alerts_assigned ON alerts (assigned_to, id DESC) WHERE assigned_to IS NOT NULL;
CREATE INDEX alerts_rule ON alerts (rule_id, id DESC);
CREATE INDEX alerts_worst ON alerts (
    (CASE severity WHEN 'critical' THEN 3 WHEN 'warning' THEN 2 ELSE 1 END) DESC, id DESC);
CREATE INDEX alerts_not_over ON alerts (id DESC) WHERE status <> 'resolved';

ALTER TABLE alert_steps
    DROP CONSTRAINT alert_steps_step_check,
    ADD CONSTRAINT alert_steps_step_check CHECK (step IN (
        'fired', 'folded', 'silenced', 'snoozed', 'repeated', 'escalated',
        'acknowledged', 'assigned', 'commented', 'resolved', 'reopened'));

-- Why somebody was not called: a row for each rule, subject and reason, from the first time to
-- the last.
CREATE TABLE alert_holds (
    rule_id     bigint NOT NULL REFERENCES rules (id) ON DELETE CASCADE,
    subject     text NOT NULL,
    reason      text NOT NULL,
    area_id     bigint NOT NULL REFERENCES areas (id) ON DELETE CASCADE,
    device_id   bigint,
    first_at    timestamptz NOT NULL,
    last_at     timestamptz NOT NULL,
    times       integer NOT NULL DEFAULT 1,
    PRIMARY KEY (rule_id, subject, reason)
);
CREATE INDEX alert_holds_device ON alert_holds (device_id, last_at DESC);
CREATE INDEX alert_holds_time ON alert_holds (last_at);

CREATE TABLE silences (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    area_id     bigint NOT NULL REFERENCES areas (id) ON DELETE CASCADE,
    matcher     jsonb NOT NULL DEFAULT '{}',
    author      text NOT NULL,
    reason      text NOT NULL CHECK (length(reason) BETWEEN 1 AND 1024),
    starts_at   timestamptz NOT NULL,
    ends_at     timestamptz NOT NULL CHECK (ends_at >= starts_at), -- equal: taken back
    ended_by    text NOT NULL DEFAULT '',
    created_at  timestamptz NOT NULL DEFAULT now(),
    is_begun    boolean NOT NULL DEFAULT false   -- what was open when it began is quiet
);
CREATE INDEX silences_end ON silences (ends_at);
CREATE INDEX silences_begin ON silences (starts_at) WHERE NOT is_begun;

-- Who is told, beside the receivers a rule names itself.
CREATE TABLE routes (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name        text NOT NULL CHECK (length(name) BETWEEN 1 AND 128),
    area_id     bigint NOT NULL REFERENCES areas (id) ON DELETE CASCADE,
    matcher     jsonb NOT NULL DEFAULT '{}',
    hours       jsonb,
    is_enabled  boolean NOT NULL DEFAULT true,
    removed_at  timestamptz
);
CREATE TABLE route_receivers (
    route_id    bigint NOT NULL REFERENCES routes (id) ON DELETE CASCADE,
    receiver_id bigint NOT NULL REFERENCES receivers (id) ON DELETE CASCADE,
    PRIMARY KEY (route_id, receiver_id)
);
CREATE INDEX route_receivers_receiver ON route_receivers (receiver_id);

CREATE TABLE deadlines (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    area_id     bigint NOT NULL REFERENCES areas (id) ON DELETE CASCADE,
    severity    text NOT NULL CHECK (severity IN ('info', 'warning', 'critical')),
    acknowledge_s double precision CHECK (acknowledge_s BETWEEN 1 AND 31536000),
    resolve_s   double precision CHECK (resolve_s BETWEEN 1 AND 31536000),
    yellow_share double precision NOT NULL DEFAULT 0.25 CHECK (yellow_share BETWEEN 0 AND 1),
    UNIQUE (area_id, severity)
);

CREATE TABLE duties (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    area_id     bigint NOT NULL REFERENCES areas (id) ON DELETE CASCADE,
    receiver_id bigint NOT NULL REFERENCES receivers (id) ON DELETE CASCADE,
    hours       jsonb,
    UNIQUE NULLS NOT DISTINCT (area_id, receiver_id, hours)
);

CREATE TABLE policies (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name        text NOT NULL CHECK (length(name) BETWEEN 1 AND 128),
    area_id     bigint NOT NULL REFERENCES areas (id) ON DELETE CASCADE,
    matcher     jsonb NOT NULL DEFAULT '{}',
    steps       jsonb NOT NULL,
    until       text NOT NULL DEFAULT 'acknowledged' CHECK (until IN ('acknowledged', 'resolved')),
    is_enabled  boolean NOT NULL DEFAULT true,
    removed_at  timestamptz
);

-- Where each alert stands in each policy; gone once nothing more can come of it. step -1 waits
-- for the moment by which the alert must be resolved.
CREATE TABLE climbs (
    alert_id    bigint NOT NULL REFERENCES alerts (id) ON DELETE CASCADE,
    policy_id   bigint NOT NULL REFERENCES policies (id) ON DELETE CASCADE,
    step        integer NOT NULL,
    repeat      integer NOT NULL DEFAULT 0,
    due_at      timestamptz NOT NULL,
    since       timestamptz NOT NULL,            -- what the wait for the next step counts from
    PRIMARY KEY (alert_id, policy_id)
);
CREATE INDEX climbs_due ON climbs (due_at);

ALTER TABLE receivers
    DROP CONSTRAINT receivers_kind_check,
    ADD CONSTRAINT receivers_kind_check CHECK (kind IN ('webhook', 'smtp', 'mqtt', 'apprise')),
    ADD COLUMN template text NOT NULL DEFAULT '' CHECK (length(template) <= 8192),
    ADD COLUMN most_a_minute integer NOT NULL DEFAULT 12 CHECK (most_a_minute BETWEEN 1 AND 600),
    ADD COLUMN failing_since timestamptz,        -- since when no message gets through
    ADD COLUMN failed_attempts integer NOT NULL DEFAULT 0, -- in a row, up to now
    ADD COLUMN failed_since timestamptz,         -- the first of them
    ADD COLUMN is_template_failing boolean NOT NULL DEFAULT false,
    ADD COLUMN test_by text NOT NULL DEFAULT ''; -- who asked for a test message that is not made yet

-- What one receiver gets at once. Its contents are fixed before the first attempt, so that each
-- attempt brings the same message under the same id.
CREATE TABLE messages (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    message_id  uuid NOT NULL UNIQUE DEFAULT gen_random_uuid(),
    receiver_id bigint NOT NULL REFERENCES receivers (id) ON DELETE RESTRICT,
    status      text NOT NULL DEFAULT 'waiting' CHECK (status IN ('waiting', 'delivered', 'rejected', 'failed')),
    count       integer NOT NULL DEFAULT 1,
    attempts    integer NOT NULL DEFAULT 0,
    created_at  timestamptz NOT NULL DEFAULT now(),
    next_at     timestamptz NOT NULL DEFAULT now(), -- of the next attempt
    is_asked    boolean NOT NULL DEFAULT false,  -- the receiver named next_at: never sooner
    ended_at    timestamptz,
    test_by     text NOT NULL DEFAULT ''         -- who asked for this test message; count is 0
);
CREATE UNIQUE INDEX messages_waiting ON messages (receiver_id) WHERE status = 'waiting';
CREATE INDEX messages_receiver ON messages (receiver_id, created_at DESC);

ALTER TABLE notifications
    ADD COLUMN message bigint REFERENCES messages (id) ON DELETE SET NULL,
    ADD COLUMN why text NOT NULL DEFAULT '',
    ADD COLUMN due_at timestamptz NOT NULL DEFAULT now();
-- One message for each letter there was; what was still waiting is sent anew.
INSERT INTO messages (message_id, receiver_id, status, created_at, ended_at)
    SELECT message_id, receiver_id, status, created_at, created_at FROM notifications
    WHERE status <> 'waiting';
UPDATE notifications n SET message = m.id FROM messages m WHERE m.message_id = n.message_id;
ALTER TABLE notification_attempts RENAME TO message_attempts;
ALTER TABLE message_attempts ADD COLUMN message bigint REFERENCES messages (id) ON DELETE CASCADE;
UPDATE message_attempts t SET message = n.message FROM notifications n WHERE n.id = t.notification_id;
DELETE FROM message_attempts WHERE message IS NULL;
ALTER TABLE message_attempts DROP COLUMN notification_id, ALTER COLUMN message SET NOT NULL;
ALTER INDEX IF EXISTS notification_attempts_pkey RENAME TO message_attempts_pkey;
CREATE INDEX message_attempts_of ON message_attempts (message, id);
ALTER TABLE notifications DROP COLUMN message_id;
CREATE INDEX notifications_waiting ON notifications (receiver_id, due_at)
    WHERE status = 'waiting' AND message IS NULL;
CREATE INDEX notifications_message ON notifications (message);
