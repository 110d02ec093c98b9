"""A county in the database, in bulk: 500 areas of three levels, 70,000 devices, their troubles."""

from dataclasses import dataclass, replace

from hub.domain.access import Role, system_scope
from hub.store.database import Database, Transaction
from tests.web.stage import add_person

SCOPE = system_scope("benchmark")
COUNTY_USER, TOWN_USER = "county-maintainer", "town-maintainer"

_AREAS = """
INSERT INTO areas (code, name, path) VALUES ('330402', '南湖区', '330402');
INSERT INTO areas (parent_id, code, name, path)
SELECT c.id, '330402' || lpad(t::text, 3, '0'),
       (ARRAY['青','凤','余','新','大','七','长','东','建','解'])[t % 10 + 1]
       || (ARRAY['龙','桥','新','丰'])[t % 4 + 1] || '镇',
       c.path || ('330402' || lpad(t::text, 3, '0'))
FROM areas c, generate_series(1, 20) t WHERE c.code = '330402';
INSERT INTO areas (parent_id, code, name, path)
SELECT p.id, p.code || lpad(v::text, 3, '0'),
       (ARRAY['祠堂','石桥','三河','柳树','白云','永兴','高家','李家','王家','上塘',
              '下塘','双溪','红旗','胜利','和平','光明','新民','竹园','梅园','荷花'])[v % 20 + 1]
       || (ARRAY['村','社区','新村'])[v % 3 + 1],
       p.path || (p.code || lpad(v::text, 3, '0'))
FROM generate_series(1, 479) v JOIN areas p
  ON p.code = '330402' || lpad((v % 20 + 1)::text, 3, '0');
"""

# A link to each device; uplinks first, then switches, then cameras and a few sensors.
_DEVICES = """
CREATE TEMP TABLE village ON COMMIT DROP AS
SELECT id, parent_id AS town_id, name, (row_number() OVER (ORDER BY path))::int AS n
FROM areas WHERE nlevel(path) = 3;
CREATE TEMP TABLE town ON COMMIT DROP AS
SELECT id, name, (row_number() OVER (ORDER BY path))::int AS n FROM areas WHERE nlevel(path) = 2;
CREATE TEMP TABLE plan ON COMMIT DROP AS
SELECT t.n AS i, t.id AS area_id, 'uplink' AS kind, t.name || '上行链路' AS name, '' AS place
FROM town t
UNION ALL
SELECT 20 + v.n, v.id, 'switch', v.name || '交换机', '村委会机房' FROM village v
UNION ALL
SELECT i, v.id, CASE WHEN i % 20 = 0 THEN 'sensor' ELSE 'camera' END,
       v.name || (ARRAY['东','西','南','北','中'])[i % 5 + 1]
       || (ARRAY['路口','大门','停车场','河道','小学','卫生院','广场'])[i % 7 + 1]
       || (i % 89) || '号' || (ARRAY['枪机','球机','半球'])[i % 3 + 1],
       v.name || '解放路' || (i % 311) || '号'
FROM generate_series(500, 70000) i JOIN village v ON v.n = i % 479 + 1;
INSERT INTO connections (protocol, name, address, area_id, state)
SELECT 'onvif', name, 'http://10.' || (i / 65536 + 20) || '.' || (i / 256 % 256) || '.' || (i % 256)
       || '/onvif/device_service', area_id,
       CASE WHEN i % 40 = 0 THEN 'DeviceUnreachable' ELSE 'connected' END FROM plan ORDER BY i;
INSERT INTO devices (connection_id, key, area_id, kind, name, registration, manufacturer, model,
                     firmware, serial, address, code, place, class, team, clock_offset_s,
                     created_at)
SELECT c.id, 'device', p.area_id, p.kind, p.name,
       CASE WHEN p.i % 700 = 0 THEN 'pending' ELSE 'approved' END,
       (ARRAY['Hikvision','Dahua','Uniview','Tiandy'])[p.i % 4 + 1],
       (ARRAY['DS-2CD3T46','IPC-HFW5442','IPC-B2A2','TC-C32'])[p.i % 4 + 1] || '-' || p.i % 6,
       'V5.' || p.i % 8 || '.0 build ' || 190000 + p.i % 12, 'SN' || lpad(p.i::text, 9, '0'),
       c.address, '33040200001320' || lpad(p.i::text, 6, '0'), p.place,
       (ARRAY['road','gate','river','school'])[p.i % 4 + 1],
       (ARRAY['甲队','乙队','丙队'])[p.i % 3 + 1], (p.i % 60)::float8 / 10, now() - interval '1 y'
FROM plan p JOIN connections c ON c.address = 'http://10.' || (p.i / 65536 + 20) || '.'
     || (p.i / 256 % 256) || '.' || (p.i % 256) || '/onvif/device_service' ORDER BY p.i;
UPDATE devices d SET parent_id = u.id FROM devices u, areas a
WHERE d.kind = 'switch' AND a.id = d.area_id AND u.kind = 'uplink' AND u.area_id = a.parent_id;
UPDATE devices d SET parent_id = s.id FROM devices s
WHERE d.kind IN ('camera', 'sensor') AND s.kind = 'switch' AND s.area_id = d.area_id;
"""

_TROUBLES = """
INSERT INTO maintenance_windows (area_id, starts_at, ends_at, reason, author)
SELECT id, now() - interval '1 h', now() + interval '3 h', '线路割接', 'zhang' FROM areas
WHERE code = '330402003';
INSERT INTO device_status (device_id, status, since, layer, detail, faults, window_id, is_flapping)
SELECT d.id, t.status, now() - (d.id * 7919 % 5000000) * interval '1 s', t.layer, t.detail,
       CASE WHEN t.layer = '' THEN '{}' ELSE jsonb_build_object(t.layer, t.detail) END, w.id,
       d.id % 900 = 0
FROM devices d JOIN areas a ON a.id = d.area_id
LEFT JOIN maintenance_windows w ON d.id % 200 = 7 AND a.path <@ '330402.330402003'
CROSS JOIN LATERAL (SELECT
  CASE WHEN d.id % 50 = 1 THEN 'offline' WHEN d.id % 100 IN (2, 4) THEN 'degraded'
       WHEN d.id % 200 = 3 THEN 'unknown' ELSE 'online' END AS status,
  CASE WHEN d.id % 50 = 1 THEN 'network' WHEN d.id % 100 = 2 THEN 'stream'
       WHEN d.id % 100 = 4 THEN 'picture' ELSE '' END AS layer,
  CASE WHEN d.id % 50 = 1 THEN 'no answer within 3 s' WHEN d.id % 100 = 2 THEN '404 Not Found'
       WHEN d.id % 100 = 4 THEN 'too dark' ELSE '' END AS detail) t;
UPDATE device_status s SET status = 'offline', since = now() - interval '40 min',
       layer = 'network', detail = 'unreachable behind ' || u.name,
       faults = jsonb_build_object('network', 'unreachable behind ' || u.name),
       behind_id = nullif(u.id, s.device_id)
FROM devices d JOIN areas a ON a.id = d.area_id, devices u JOIN areas t ON t.id = u.area_id
WHERE s.device_id = d.id AND u.kind = 'uplink' AND t.code = '330402007' AND a.path <@ t.path;
INSERT INTO outages (device_id, started_at, layer, cause, parent_id)
SELECT device_id, since, layer, detail, behind_id FROM device_status WHERE status = 'offline';
INSERT INTO rules (name, area_id, condition, severity)
SELECT 'Camera offline', id, '{"type": "device_offline", "for_s": 30}', 'warning' FROM areas
WHERE parent_id IS NULL;
INSERT INTO alerts (rule_id, subject, condition, severity, area_id, device_id, device_name, reason,
                    started_at, fired_at)
SELECT r.id, 'device:' || d.id, 'device_offline', r.severity, d.area_id, d.id, d.name, s.detail,
       s.since, s.since FROM rules r, device_status s JOIN devices d ON d.id = s.device_id
WHERE s.status = 'offline' AND s.behind_id IS NULL;
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class County:
    """Numbers of what the questions are about; the uplink of the township is down."""

    root: int
    town: int
    village: int
    town_uplink: int

    def inside_town(self) -> "County":
        """The same questions for somebody who sees the township only."""
        return replace(self, root=self.town)


async def build_county(database: Database) -> County:
    """Fill an empty, migrated database."""
    async with database.transaction() as tx:
        for script in (_AREAS, _DEVICES, _TROUBLES):
            await tx.connection.execute(script)
        county = County(
            root=await _number(tx, "SELECT id FROM areas WHERE code = '330402'"),
            town=await _number(tx, "SELECT id FROM areas WHERE code = '330402007'"),
            village=await _number(
                tx, "SELECT max(id) FROM areas WHERE code LIKE '330402007%' AND length(code) > 9"
            ),
            town_uplink=await _number(
                tx,
                "SELECT d.id FROM devices d JOIN areas a ON a.id = d.area_id"
                " WHERE d.kind = 'uplink' AND a.code = '330402007'",
            ),
        )
        await add_person(tx, COUNTY_USER, Role.MAINTAINER, county.root)
        await add_person(tx, TOWN_USER, Role.MAINTAINER, county.town)
    async with database.pool.connection() as connection:
        await connection.set_autocommit(True)
        await connection.execute("VACUUM ANALYZE")
        await connection.set_autocommit(False)
    return county


async def _number(tx: Transaction, query: str) -> int:
    rows = await tx.connection.execute(query.encode())
    found = await rows.fetchone()
    if found is None:
        msg = "the county lacks something"
        raise LookupError(msg)
    return int(str(found[0]))
