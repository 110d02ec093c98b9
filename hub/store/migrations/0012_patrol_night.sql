-- The whole night patrol: who looks, what the machine noticed, duty rooms, dispatch, reports.

-- Plans and rounds. details: hub/domain/patrol_details.py; a round keeps its copy.
ALTER TABLE patrol_plans
    ADD COLUMN mode       text NOT NULL DEFAULT 'machine'
               CHECK (mode IN ('machine', 'walk', 'mixed', 'sampled')),
    ADD COLUMN ends_on    date,
    ADD COLUMN exceptions date[] NOT NULL DEFAULT '{}',
    ADD COLUMN lasts_s    integer CHECK (lasts_s BETWEEN 60 AND 86400),
    ADD COLUMN details    jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(details) = 'object'),
    DROP CONSTRAINT patrol_plans_stop_order_check,
    ADD CONSTRAINT patrol_plans_stop_order_check
        CHECK (stop_order IN ('fixed', 'by_area', 'shortest', 'shuffled'));

ALTER TABLE patrol_rounds
    ADD COLUMN mode        text NOT NULL DEFAULT 'machine'
               CHECK (mode IN ('machine', 'walk', 'mixed', 'sampled')),
    ADD COLUMN stop_order  text NOT NULL DEFAULT 'by_area',
    ADD COLUMN details     jsonb NOT NULL DEFAULT '{}',
    ADD COLUMN lasts_s     integer,
    ADD COLUMN ends_by     timestamptz,
    ADD COLUMN forecast_s  double precision,
    ADD COLUMN walker_id   bigint REFERENCES users (id) ON DELETE SET NULL,
    ADD COLUMN walker_name text NOT NULL DEFAULT '',
    ADD COLUMN paused_at   timestamptz,
    ADD COLUMN paused_s    double precision NOT NULL DEFAULT 0,
    ADD COLUMN is_unattended boolean NOT NULL DEFAULT false,  -- it was said that nobody looks
    -- Its stops once it is over: planned, seen, not seen, open, normal, abnormal, not judged.
    ADD COLUMN counts      bigint[],
    DROP CONSTRAINT patrol_rounds_state_check,
    ADD CONSTRAINT patrol_rounds_state_check
        CHECK (state IN ('due', 'running', 'paused', 'finished', 'missed', 'cancelled'));
DROP INDEX patrol_rounds_open;
CREATE INDEX patrol_rounds_open ON patrol_rounds (planned_at)
    WHERE state IN ('due', 'running', 'paused');
CREATE INDEX patrol_rounds_plan ON patrol_rounds (plan_id, id DESC);

-- remarks: [sentence]; checked: which items of the checklist hold; group_no: its stop group.
ALTER TABLE patrol_stops
    ADD COLUMN group_no     integer NOT NULL DEFAULT 0,
    ADD COLUMN claimed_at   timestamptz,
    ADD COLUMN due_at       timestamptz,
    ADD COLUMN remarks      text[] NOT NULL DEFAULT '{}',
    ADD COLUMN doubt        real NOT NULL DEFAULT 0,
    ADD COLUMN is_drawn     boolean NOT NULL DEFAULT false,  -- the random share: shown to a person
    ADD COLUMN is_for_person boolean NOT NULL DEFAULT false,
    ADD COLUMN looked_s     real,
    ADD COLUMN moved        real CHECK (moved BETWEEN 0 AND 1),  -- share of the picture
    ADD COLUMN picture_sha256 text NOT NULL DEFAULT '',
    ADD COLUMN clip_sha256  text NOT NULL DEFAULT '',
    ADD COLUMN result       text NOT NULL DEFAULT 'open'
               CHECK (result IN ('open', 'normal', 'abnormal', 'not_judged')),
    ADD COLUMN kind         text NOT NULL DEFAULT '',
    ADD COLUMN note         text NOT NULL DEFAULT '',
    ADD COLUMN judged_by    text NOT NULL DEFAULT '',
    ADD COLUMN judged_by_id bigint REFERENCES users (id) ON DELETE SET NULL,
    ADD COLUMN judged_at    timestamptz,
    ADD COLUMN checked      boolean[] NOT NULL DEFAULT '{}',
    ADD COLUMN timing       text NOT NULL DEFAULT ''
               CHECK (timing IN ('', 'on_time', 'early', 'late', 'missed', 'out_of_order')),
    ADD COLUMN second_look  text NOT NULL DEFAULT ''
               CHECK (second_look IN ('', 'wanted', 'agreed', 'disagreed')),
    ADD COLUMN second_by    text NOT NULL DEFAULT '',
    ADD COLUMN second_at    timestamptz,
    ADD COLUMN second_note  text NOT NULL DEFAULT '',
    ADD COLUMN dispatch_id  bigint;
-- What earlier versions walked was judged by the machine alone.
UPDATE patrol_stops SET judged_by = 'hub.patrols', judged_at = at,
    result = CASE verdict WHEN 'seen' THEN CASE reason WHEN '' THEN 'normal' ELSE 'abnormal' END
             WHEN 'not_seen' THEN 'abnormal' ELSE 'not_judged' END;
UPDATE patrol_rounds r SET counts = (SELECT ARRAY[count(*),
    count(*) FILTER (WHERE verdict = 'seen'), count(*) FILTER (WHERE verdict = 'not_seen'), 0,
    count(*) FILTER (WHERE result = 'normal'), count(*) FILTER (WHERE result = 'abnormal'),
    count(*) FILTER (WHERE result = 'not_judged')] FROM patrol_stops s WHERE s.round_id = r.id)
    WHERE state IN ('finished', 'missed', 'cancelled');
CREATE INDEX patrol_stops_open ON patrol_stops (round_id, position) WHERE result = 'open';
CREATE INDEX patrol_stops_second ON patrol_stops (round_id, position) WHERE second_look = 'wanted';

-- What moves at a place at a time of the day when all is well: share of the picture.
CREATE TABLE patrol_movements (
    device_id   bigint NOT NULL REFERENCES devices (id) ON DELETE CASCADE,
    band        smallint NOT NULL CHECK (band BETWEEN 0 AND 23),
    looks       integer NOT NULL DEFAULT 0,
    usual       real NOT NULL DEFAULT 0 CHECK (usual BETWEEN 0 AND 1),
    PRIMARY KEY (device_id, band)
);

-- Evidence: what happened in a round, each line with the hash of the line before it. Lines of
-- rounds that are over are sealed by one line of a chain of all rounds. Neither ever changes.
CREATE TABLE patrol_evidence (
    round_id    bigint NOT NULL,
    seq         integer NOT NULL CHECK (seq > 0),
    position    integer,
    what        text NOT NULL,
    at          timestamptz NOT NULL,
    body        text NOT NULL,                 -- canonical JSON
    prev        bytea NOT NULL,
    hash        bytea NOT NULL,
    PRIMARY KEY (round_id, seq)
);
CREATE TABLE patrol_seals (
    seq         bigint PRIMARY KEY CHECK (seq > 0),
    round_id    bigint NOT NULL,
    lines       integer NOT NULL,
    head        bytea NOT NULL,
    at          timestamptz NOT NULL,
    prev        bytea NOT NULL,
    hash        bytea NOT NULL
);
CREATE INDEX patrol_seals_round ON patrol_seals (round_id);
CREATE FUNCTION refuse_evidence_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the evidence of patrols can only be appended to';
END
$$;
CREATE TRIGGER patrol_evidence_stays BEFORE UPDATE OR DELETE OR TRUNCATE ON patrol_evidence
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_evidence_change();
CREATE TRIGGER patrol_seals_stay BEFORE UPDATE OR DELETE OR TRUNCATE ON patrol_seals
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_evidence_change();

-- People on duty, and what one shift leaves to the next. hours: a calendar.
CREATE TABLE shifts (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    area_id     bigint NOT NULL REFERENCES areas (id) ON DELETE CASCADE,
    name        text NOT NULL CHECK (length(name) BETWEEN 1 AND 128),
    hours       jsonb NOT NULL,
    user_ids    bigint[] NOT NULL DEFAULT '{}'
);
CREATE INDEX shifts_area ON shifts (area_id);
CREATE TABLE handovers (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    area_id     bigint NOT NULL REFERENCES areas (id) ON DELETE CASCADE,
    at          timestamptz NOT NULL,
    from_id     bigint REFERENCES users (id) ON DELETE SET NULL,
    from_name   text NOT NULL,
    note        text NOT NULL CHECK (length(note) BETWEEN 1 AND 4000),
    to_user_id  bigint REFERENCES users (id) ON DELETE SET NULL,
    taken_at    timestamptz,
    taken_by    text NOT NULL DEFAULT ''
);
CREATE INDEX handovers_area ON handovers (area_id, id DESC);

-- The duty-room check (点名).
CREATE TABLE duty_rooms (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    area_id     bigint NOT NULL REFERENCES areas (id) ON DELETE CASCADE,
    name        text NOT NULL CHECK (length(name) BETWEEN 1 AND 128),
    phone       text NOT NULL DEFAULT '' CHECK (length(phone) <= 32),
    receiver_id bigint REFERENCES receivers (id) ON DELETE SET NULL,
    speaker_id  bigint REFERENCES devices (id) ON DELETE SET NULL,
    is_enabled  boolean NOT NULL DEFAULT true,
    UNIQUE (area_id, name)
);
CREATE TABLE room_calls (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    round_id    bigint REFERENCES patrol_rounds (id) ON DELETE CASCADE,
    room_id     bigint REFERENCES duty_rooms (id) ON DELETE SET NULL,
    room_name   text NOT NULL,
    phone       text NOT NULL DEFAULT '',
    area_id     bigint NOT NULL REFERENCES areas (id) ON DELETE CASCADE,
    asked_at    timestamptz NOT NULL,
    answer_by   timestamptz NOT NULL,
    state       text NOT NULL DEFAULT 'asked'
                CHECK (state IN ('asked', 'answered', 'unanswered', 'cancelled')),
    code        text NOT NULL CHECK (length(code) = 4),
    answered_at timestamptz,
    answered_by text NOT NULL DEFAULT '',
    answered_how text CHECK (answered_how IN ('console', 'phone', 'telephone')),
    note        text NOT NULL DEFAULT '',
    wrong_codes integer NOT NULL DEFAULT 0,
    UNIQUE (round_id, room_id)
);
CREATE INDEX room_calls_due ON room_calls (answer_by) WHERE state = 'asked';
CREATE INDEX room_calls_area ON room_calls (area_id, id DESC);

-- People in the field, and which of them get which tasks.
CREATE TABLE field_units (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    area_id     bigint NOT NULL REFERENCES areas (id) ON DELETE RESTRICT,
    name        text NOT NULL CHECK (length(name) BETWEEN 1 AND 128),
    kind        text NOT NULL CHECK (kind IN ('grid_officer', 'patrol_unit', 'repair_team')),
    phone       text NOT NULL DEFAULT '' CHECK (length(phone) <= 32),
    receiver_id bigint REFERENCES receivers (id) ON DELETE SET NULL,
    hours       jsonb,
    most_open   integer NOT NULL DEFAULT 5 CHECK (most_open BETWEEN 1 AND 1000),
    is_enabled  boolean NOT NULL DEFAULT true,
    longitude   double precision,
    latitude    double precision,
    position_at timestamptz,
    accuracy_m  real,
    removed_at  timestamptz
);
CREATE INDEX field_units_area ON field_units (area_id) WHERE removed_at IS NULL;
CREATE TABLE dispatch_rules (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    area_id     bigint NOT NULL REFERENCES areas (id) ON DELETE CASCADE,
    name        text NOT NULL CHECK (length(name) BETWEEN 1 AND 128),
    kinds       text[] NOT NULL DEFAULT '{}',
    priorities  text[] NOT NULL DEFAULT '{}',
    sources     text[] NOT NULL DEFAULT '{}',
    unit_kinds  text[] NOT NULL DEFAULT '{}',
    most_km     double precision CHECK (most_km > 0),
    is_automatic boolean NOT NULL DEFAULT true,
    is_enabled  boolean NOT NULL DEFAULT true
);
CREATE TABLE task_deadlines (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    area_id     bigint NOT NULL REFERENCES areas (id) ON DELETE CASCADE,
    priority    text NOT NULL CHECK (priority IN ('low', 'normal', 'high', 'urgent')),
    accept_s    double precision CHECK (accept_s BETWEEN 1 AND 31536000),
    arrive_s    double precision CHECK (arrive_s BETWEEN 1 AND 31536000),
    done_s      double precision CHECK (done_s BETWEEN 1 AND 31536000),
    yellow_share double precision NOT NULL DEFAULT 0.25 CHECK (yellow_share BETWEEN 0 AND 1),
    UNIQUE (area_id, priority)
);

-- Reports of residents and grid officers (随手拍). contact is sealed; follow_up: a SHA-256 digest.
CREATE TABLE citizen_reports (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    reference   text NOT NULL UNIQUE,
    follow_up   bytea NOT NULL UNIQUE,
    area_id     bigint NOT NULL REFERENCES areas (id) ON DELETE RESTRICT,
    state       text NOT NULL DEFAULT 'new'
                CHECK (state IN ('new', 'dispatched', 'answered', 'rejected')),
    text        text NOT NULL CHECK (length(text) BETWEEN 1 AND 2000),
    kind        text NOT NULL,
    place       text NOT NULL DEFAULT '' CHECK (length(place) <= 256),
    longitude   double precision,
    latitude    double precision,
    contact     bytea,
    unit_id     bigint REFERENCES field_units (id) ON DELETE SET NULL,
    reporter    text NOT NULL DEFAULT '',      -- an officer's name, or a digest of the contact
    answer      text NOT NULL DEFAULT '',
    moderated_by text NOT NULL DEFAULT '',
    moderated_at timestamptz,
    dispatch_id bigint,
    created_at  timestamptz NOT NULL
);
CREATE INDEX citizen_reports_area ON citizen_reports (area_id, id DESC);
CREATE INDEX citizen_reports_new ON citizen_reports (id) WHERE state = 'new';
CREATE TABLE report_points (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    report_id   bigint NOT NULL REFERENCES citizen_reports (id) ON DELETE CASCADE,
    reporter    text NOT NULL,
    points      integer NOT NULL,
    reason      text NOT NULL,
    given_by    text NOT NULL,
    at          timestamptz NOT NULL
);
CREATE INDEX report_points_reporter ON report_points (reporter);

-- Tasks. deadline_at is the one that counts in its state; overdue_told: for this one it was told.
CREATE TABLE dispatches (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    area_id     bigint NOT NULL REFERENCES areas (id) ON DELETE RESTRICT,
    title       text NOT NULL CHECK (length(title) BETWEEN 1 AND 200),
    text        text NOT NULL DEFAULT '' CHECK (length(text) <= 4000),
    kind        text NOT NULL CHECK (kind ~ '^[a-z0-9_]{1,32}$'),
    priority    text NOT NULL CHECK (priority IN ('low', 'normal', 'high', 'urgent')),
    state       text NOT NULL DEFAULT 'new' CHECK (state IN ('new', 'sent', 'accepted',
                'on_the_way', 'on_site', 'done', 'verified', 'refused', 'returned', 'cancelled',
                'merged')),
    place       text NOT NULL DEFAULT '' CHECK (length(place) <= 256),
    longitude   double precision,
    latitude    double precision,
    device_id   bigint REFERENCES devices (id) ON DELETE SET NULL,
    device_name text NOT NULL DEFAULT '',
    checklist   text[] NOT NULL DEFAULT '{}',
    checked     boolean[] NOT NULL DEFAULT '{}',
    source      text NOT NULL CHECK (source IN ('hand', 'call', 'alert', 'patrol', 'roll_call',
                'report')),
    alert_id    bigint REFERENCES alerts (id) ON DELETE SET NULL,
    round_id    bigint REFERENCES patrol_rounds (id) ON DELETE SET NULL,
    position    integer,
    roll_call_id bigint REFERENCES room_calls (id) ON DELETE SET NULL,
    report_id   bigint REFERENCES citizen_reports (id) ON DELETE SET NULL,
    unit_id     bigint REFERENCES field_units (id) ON DELETE SET NULL,
    unit_name   text NOT NULL DEFAULT '',
    created_at  timestamptz NOT NULL,
    created_by  text NOT NULL,
    sent_at     timestamptz,
    accepted_at timestamptz,
    on_site_at  timestamptz,
    done_at     timestamptz,
    closed_at   timestamptz,
    verified_by text NOT NULL DEFAULT '',
    verdict     text NOT NULL DEFAULT '',
    accept_by   timestamptz,
    arrive_by   timestamptz,
    done_by     timestamptz,
    yellow_share double precision NOT NULL DEFAULT 0.25,
    deadline_at timestamptz,
    is_overdue_told boolean NOT NULL DEFAULT false,
    overdue_at  timestamptz,
    merged_into bigint REFERENCES dispatches (id) ON DELETE SET NULL,
    has_picture boolean NOT NULL DEFAULT false,
    version     integer NOT NULL DEFAULT 0
);
CREATE INDEX dispatches_area ON dispatches (area_id, id DESC);
CREATE INDEX dispatches_open ON dispatches (id DESC)
    WHERE state NOT IN ('verified', 'cancelled', 'merged');
CREATE INDEX dispatches_due ON dispatches (deadline_at)
    WHERE deadline_at IS NOT NULL AND NOT is_overdue_told;
CREATE INDEX dispatches_open_area ON dispatches (area_id)
    WHERE state NOT IN ('verified', 'cancelled', 'merged');
CREATE INDEX dispatches_deadline ON dispatches (coalesce(deadline_at, 'infinity'), id)
    WHERE state NOT IN ('verified', 'cancelled', 'merged');
CREATE INDEX dispatches_unit ON dispatches (unit_id, id DESC);
CREATE INDEX dispatches_at_work ON dispatches (unit_id)
    WHERE state IN ('sent', 'accepted', 'on_the_way', 'on_site');
CREATE INDEX dispatches_state ON dispatches (state, id DESC);
CREATE INDEX dispatches_kind ON dispatches (kind, id DESC);
CREATE INDEX dispatches_search ON dispatches USING gin
    ((title || ' ' || place || ' ' || device_name || ' ' || unit_name) gin_trgm_ops);
CREATE INDEX dispatches_device ON dispatches (device_id)
    WHERE state NOT IN ('verified', 'cancelled', 'merged');
CREATE INDEX dispatches_alert ON dispatches (alert_id);
CREATE INDEX dispatches_round ON dispatches (round_id, position);
CREATE INDEX dispatches_call ON dispatches (roll_call_id) WHERE roll_call_id IS NOT NULL;
CREATE INDEX dispatches_report ON dispatches (report_id) WHERE report_id IS NOT NULL;
CREATE INDEX dispatches_merged ON dispatches (merged_into) WHERE merged_into IS NOT NULL;
CREATE TABLE dispatch_steps (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    dispatch_id bigint NOT NULL REFERENCES dispatches (id) ON DELETE CASCADE,
    at          timestamptz NOT NULL,
    actor       text NOT NULL,
    is_field    boolean NOT NULL DEFAULT false,
    what        text NOT NULL,
    note        text NOT NULL DEFAULT '' CHECK (length(note) <= 4000),
    unit_name   text NOT NULL DEFAULT '',
    detail      jsonb NOT NULL DEFAULT '{}'
);
CREATE INDEX dispatch_steps_dispatch ON dispatch_steps (dispatch_id, id);
CREATE TABLE dispatch_messages (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    dispatch_id bigint NOT NULL REFERENCES dispatches (id) ON DELETE CASCADE,
    at          timestamptz NOT NULL,
    author      text NOT NULL,
    is_field    boolean NOT NULL,
    text        text NOT NULL CHECK (length(text) BETWEEN 1 AND 2000),
    given_id    text,                           -- the phone's own number of it: sent twice, kept once
    UNIQUE (dispatch_id, given_id)
);
CREATE TABLE dispatch_positions (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    dispatch_id bigint NOT NULL REFERENCES dispatches (id) ON DELETE CASCADE,
    unit_id     bigint REFERENCES field_units (id) ON DELETE SET NULL,
    at          timestamptz NOT NULL,
    longitude   double precision NOT NULL CHECK (longitude BETWEEN -180 AND 180),
    latitude    double precision NOT NULL CHECK (latitude BETWEEN -90 AND 90),
    accuracy_m  real
);
CREATE INDEX dispatch_positions_dispatch ON dispatch_positions (dispatch_id, id DESC);

-- Photos of the field and of residents; the files are in the data folder, named by number.
CREATE TABLE photos (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    dispatch_id bigint REFERENCES dispatches (id) ON DELETE CASCADE,
    report_id   bigint REFERENCES citizen_reports (id) ON DELETE CASCADE,
    at          timestamptz NOT NULL,
    author      text NOT NULL,
    is_field    boolean NOT NULL,
    width       integer NOT NULL,
    height      integer NOT NULL,
    sha256      text NOT NULL,
    CHECK ((dispatch_id IS NULL) <> (report_id IS NULL))
);
CREATE INDEX photos_dispatch ON photos (dispatch_id, id) WHERE dispatch_id IS NOT NULL;
CREATE INDEX photos_report ON photos (report_id, id) WHERE report_id IS NOT NULL;

-- Links to phone pages: SHA-256 digests of their tokens, each bound to one matter.
CREATE TABLE phone_links (
    digest      bytea PRIMARY KEY,
    purpose     text NOT NULL CHECK (purpose IN ('task', 'roll_call', 'report')),
    dispatch_id bigint REFERENCES dispatches (id) ON DELETE CASCADE,
    call_id     bigint REFERENCES room_calls (id) ON DELETE CASCADE,
    unit_id     bigint REFERENCES field_units (id) ON DELETE CASCADE,
    created_at  timestamptz NOT NULL,
    expires_at  timestamptz NOT NULL,
    last_word   text NOT NULL DEFAULT ''       -- the phone's number of the step that ended it
);
CREATE INDEX phone_links_dispatch ON phone_links (dispatch_id) WHERE dispatch_id IS NOT NULL;
CREATE INDEX phone_links_call ON phone_links (call_id) WHERE call_id IS NOT NULL;
CREATE INDEX phone_links_unit ON phone_links (unit_id) WHERE unit_id IS NOT NULL;

-- Reports of a round, a night, a week, a month. The figures are kept with their formula's version.
CREATE TABLE patrol_reports (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    period      text NOT NULL CHECK (period IN ('round', 'night', 'week', 'month')),
    area_id     bigint NOT NULL REFERENCES areas (id) ON DELETE CASCADE,
    round_id    bigint REFERENCES patrol_rounds (id) ON DELETE CASCADE,
    starts_at   timestamptz NOT NULL,
    ends_at     timestamptz NOT NULL,
    time_zone   text NOT NULL,
    formula     integer NOT NULL,
    figures     jsonb NOT NULL,
    made_at     timestamptz NOT NULL,
    signed_by   text NOT NULL DEFAULT '',
    signed_at   timestamptz,
    sign_note   text NOT NULL DEFAULT '',
    UNIQUE NULLS NOT DISTINCT (period, area_id, round_id, starts_at)
);
CREATE INDEX patrol_reports_area ON patrol_reports (area_id, id DESC);
CREATE INDEX patrol_reports_round ON patrol_reports (round_id) WHERE round_id IS NOT NULL;
CREATE FUNCTION refuse_signed_report_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'a signed report stays as it is';
END
$$;
CREATE TRIGGER patrol_reports_signed_stay BEFORE UPDATE ON patrol_reports
    FOR EACH ROW WHEN (OLD.signed_at IS NOT NULL) EXECUTE FUNCTION refuse_signed_report_change();
CREATE INDEX patrol_rounds_planned ON patrol_rounds (planned_at);
CREATE INDEX dispatches_created ON dispatches (created_at);
CREATE INDEX room_calls_asked ON room_calls (asked_at);

-- Which device is nearest to a place.
CREATE INDEX asset_records_latitude ON asset_records (latitude) WHERE latitude IS NOT NULL;

-- Which of the hub's own rules were put into an installation: each once, also if removed since.
CREATE TABLE default_rules (
    name        text PRIMARY KEY,
    added_at    timestamptz NOT NULL DEFAULT now()
);
-- Older installations had these at their first start.
INSERT INTO default_rules (name) SELECT name FROM unnest(ARRAY[
    'Camera offline 摄像机离线', 'Camera degraded 摄像机异常', 'Device offline 设备离线',
    'Patrol round missed 漏巡', 'Signal lost 视频丢失', 'Battery low 电量低', 'Weak signal 信号弱',
    'Sensor value out of range 传感器数值越界', 'Sensor value stuck 传感器数值不变',
    'Sensor silent 传感器无数据', 'Broker link lost 接入链路中断', 'Device flapping 设备时好时坏',
    'Certificate expiring 证书即将过期', 'Notification channel dead 通知通道中断',
    'Message template broken 通知模板出错']) AS name
    WHERE EXISTS (SELECT FROM rules)
    UNION SELECT u.name FROM rules u WHERE u.name = 'Picture faulty 画面异常';
