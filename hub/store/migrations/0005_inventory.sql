-- The asset record of a device (一机一档, after the GB/T 28181 catalogue). Its code, place, class,
-- team, manufacturer, model, serial, firmware and address are columns of devices: lists and figures
-- use those. Empty text: not recorded.
CREATE TABLE asset_records (
    device_id   bigint PRIMARY KEY REFERENCES devices (id) ON DELETE CASCADE,
    mac         text NOT NULL DEFAULT '' CHECK (mac ~ '^([0-9a-f]{2}(:[0-9a-f]{2}){5})?$'),
    port        integer CHECK (port BETWEEN 1 AND 65535),
    longitude   double precision CHECK (longitude BETWEEN -180 AND 180),
    latitude    double precision CHECK (latitude BETWEEN -90 AND 90),
    ptz_type    text NOT NULL DEFAULT ''         -- PTZType 1-4
                CHECK (ptz_type IN ('', 'ptz_dome', 'fixed_dome', 'fixed_bullet', 'ptz_bullet')),
    position_type text NOT NULL DEFAULT ''       -- PositionType 1-10
                CHECK (position_type IN ('', 'checkpoint', 'government', 'station', 'square',
                       'stadium', 'commercial', 'religious', 'campus', 'disorder', 'trunk_road')),
    room        text NOT NULL DEFAULT ''         -- RoomType 1-2
                CHECK (room IN ('', 'outdoor', 'indoor')),
    purpose     text NOT NULL DEFAULT ''         -- UseType 1-3
                CHECK (purpose IN ('', 'security', 'traffic', 'key_site')),
    light       text NOT NULL DEFAULT ''         -- SupplyLightType 1-4 and 9
                CHECK (light IN ('', 'none', 'infrared', 'white', 'laser', 'other')),
    direction   text NOT NULL DEFAULT ''         -- DirectionType 1-8
                CHECK (direction IN ('', 'east', 'west', 'south', 'north', 'southeast',
                       'northeast', 'southwest', 'northwest')),
    resolution  text NOT NULL DEFAULT '' CHECK (length(resolution) <= 64),
    mount_height_m double precision CHECK (mount_height_m BETWEEN 0 AND 1000),
    installed_on   date,
    warranty_until date,
    owner       text NOT NULL DEFAULT '' CHECK (length(owner) <= 128),
    notes       text NOT NULL DEFAULT '' CHECK (length(notes) <= 1000),
    CHECK ((longitude IS NULL) = (latitude IS NULL))
);
