-- Figures of a period, and the months that were published.

-- Nearly every outage and every time unknown is short: what touches a period began in it or little
-- before, but for a few. These indexes find the few, so that old history costs a report nothing.
CREATE INDEX outages_long ON outages (ended_at) WHERE ended_at - started_at > interval '1 day';
CREATE INDEX unknown_spells_time ON unknown_spells (started_at);
CREATE INDEX unknown_spells_long ON unknown_spells (ended_at)
    WHERE ended_at - started_at > interval '1 day';

-- A month as it was published: kept for ever. Publishing it again makes another edition.
CREATE TABLE published_months (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    month        text NOT NULL CHECK (month ~ '^\d{4}-(0[1-9]|1[0-2])$'),
    area_id      bigint NOT NULL REFERENCES areas (id) ON DELETE RESTRICT,
    area_name    text NOT NULL,                  -- as it was called then
    kind         text NOT NULL DEFAULT '',       -- of the devices; empty: all
    edition      integer NOT NULL CHECK (edition > 0),
    since        timestamptz NOT NULL,
    until        timestamptz NOT NULL,
    time_zone    text NOT NULL,                  -- in which the month begins and ends
    published_at timestamptz NOT NULL,
    author       text NOT NULL,
    figures      jsonb NOT NULL,                 -- by every grouping, each with its formula
    UNIQUE (area_id, month, kind, edition)
);
CREATE INDEX published_months_order ON published_months (id DESC);
CREATE FUNCTION refuse_other_figures() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'a published month can only be published again';
END
$$;
CREATE TRIGGER published_months_kept BEFORE UPDATE OR DELETE OR TRUNCATE ON published_months
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_other_figures();
