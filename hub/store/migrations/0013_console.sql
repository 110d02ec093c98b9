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
