-- What a device said of itself when it was described last, as a number: said again, nothing is to do.
ALTER TABLE devices ADD COLUMN described_mark bigint;

-- What summaries and reports count.
CREATE INDEX devices_approved ON devices (area_id, id) WHERE registration = 'approved';
