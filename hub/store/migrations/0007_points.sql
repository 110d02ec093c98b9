-- Health of points: what is plausible, what was learnt of them, what is wrong with them now.

-- low and high are the range an operator set, said_low and said_high the device's own; the
-- operator's count first. All in the point's unit. stuck_after_s: 0 never judges, null learns.
-- spread: a change that is not larger than this is none.
ALTER TABLE points
    ADD COLUMN low           double precision CHECK (low > '-Infinity' AND low < 'Infinity'),
    ADD COLUMN high          double precision CHECK (high > '-Infinity' AND high < 'Infinity'),
    ADD COLUMN said_low      double precision CHECK (said_low > '-Infinity' AND said_low < 'Infinity'),
    ADD COLUMN said_high     double precision CHECK (said_high > '-Infinity' AND said_high < 'Infinity'),
    ADD COLUMN spread        double precision CHECK (spread >= 0 AND spread < 'Infinity'),
    ADD COLUMN stuck_after_s double precision CHECK (stuck_after_s BETWEEN 0 AND 2592000),
    ADD CONSTRAINT points_range CHECK (low < high);

-- What a point tells of the device itself, whatever its key. A battery's voltage is no charge.
ALTER TABLE points ADD COLUMN role text NOT NULL GENERATED ALWAYS AS (CASE
    WHEN unit IN ('', '%') AND lower(key || ' ' || quantity) !~ 'volt|temp|电压|温度'
         AND lower(CASE quantity WHEN '' THEN key ELSE quantity END)
             ~ '(^|[^a-z])(battery|batt)([^a-z]|$)|电量|电池'
        THEN 'battery'
    WHEN lower(CASE quantity WHEN '' THEN key ELSE quantity END)
             ~ '(^|[^a-z])(rssi|lqi|signal[ _-]?strength|signal[ _-]?quality|link[ _-]?quality)([^a-z]|$)|^signal$|信号'
        THEN 'signal'
    ELSE '' END) STORED;

-- What a point does when it is well; written now and then by whoever takes its readings.
CREATE TABLE point_learnt (
    point_id    bigint PRIMARY KEY REFERENCES points (id) ON DELETE CASCADE,
    observed_s  double precision NOT NULL,       -- for how long it was seen reporting
    changes     bigint NOT NULL,
    longest_s   double precision NOT NULL,       -- the longest usual time without a change
    today_s     double precision NOT NULL,       -- the longest of the day of observation under way
    still_s     double precision NOT NULL,       -- unchanged for so long when this was written …
    anchor      double precision,                -- … at this value
    is_binary   boolean NOT NULL                 -- never read anything but 0 and 1
) WITH (fillfactor = 80);

-- What is wrong now. A row goes when it is over; the events remain.
CREATE TABLE point_faults (
    point_id    bigint NOT NULL REFERENCES points (id) ON DELETE CASCADE,
    kind        text NOT NULL CHECK (kind IN ('out_of_range', 'stuck', 'silent')),
    since       timestamptz NOT NULL,
    sentence    text NOT NULL,
    value       double precision,
    PRIMARY KEY (point_id, kind)
);
