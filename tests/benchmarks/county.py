"""A database with a county of cameras in it, made by a few statements.

Three levels of areas: the county, townships of 25 villages, villages. Camera ``n`` (from 0) is
reached at the address of camera ``n`` of the farm.
"""

import psycopg

from hub.store.migrate import migrate
from tests.benchmarks.camera_farm import FIRST_OCTET, PER_SUBNET, SUBNETS
from tests.fresh_databases import with_database

VILLAGES = 500
PER_TOWNSHIP = 25

_AREAS = """
INSERT INTO areas (code, name, path) VALUES ('county', '测试县', 'county');
INSERT INTO areas (parent_id, code, name, path)
    SELECT c.id, 't' || n, '第' || n || '镇', c.path || ('t' || n)
    FROM areas c, generate_series(1, %(townships)s) n WHERE c.code = 'county';
INSERT INTO areas (parent_id, code, name, path)
    SELECT t.id, 'v' || n, n || '号村', t.path || ('v' || n)
    FROM generate_series(1, %(villages)s) n
    JOIN areas t ON t.code = 't' || (n - 1) / %(per_township)s + 1;
"""

_CAMERAS = """
CREATE TEMP TABLE new AS
    SELECT n, 'rtsp://127.' || %(first)s + n / %(per_subnet)s / %(subnets)s || '.'
        || n / %(per_subnet)s %% %(subnets)s || '.' || n %% %(per_subnet)s + 1
        || ':' || %(port)s || '/live' AS address,
        a.id AS area_id
    FROM generate_series(0, %(cameras)s - 1) n
    JOIN areas a ON a.code = 'v' || (n::bigint * %(villages)s / %(cameras)s) + 1;
INSERT INTO connections (protocol, name, address, area_id, options)
    SELECT 'rtsp', '枪机 ' || n, address, area_id, '{"protocol": "rtsp"}' FROM new;
INSERT INTO devices (connection_id, key, area_id, kind, name, registration, manufacturer, model,
        firmware, serial, address, code, class, team, created_at)
    SELECT c.id, 'camera', c.area_id, 'camera', c.name, 'approved',
        (ARRAY['海康威视', '大华', '宇视', '天地伟业'])[new.n %% 4 + 1], 'M' || new.n %% 12,
        '5.7.' || new.n %% 9, 'SN' || lpad(new.n::text, 9, '0'), c.address,
        '33040200001320' || lpad(new.n::text, 6, '0'), (ARRAY['一类', '二类'])[new.n %% 2 + 1],
        '运维' || new.n %% 6 || '队', now() - interval '60 days'
    FROM new JOIN connections c ON c.address = new.address ORDER BY new.n;
INSERT INTO device_status (device_id) SELECT id FROM devices;
INSERT INTO channels (device_id, key, name, streams)
    SELECT d.id, '1', d.name, jsonb_build_array(jsonb_build_object('role', 'main', 'address',
        d.address, 'codec', 'H264', 'width', 1920, 'height', 1080, 'frame_rate', 25.0))
    FROM devices d;
ANALYZE;
"""


async def build_county(server: str, database: str, *, cameras: int, port: int) -> str:
    """Make the database anew; returns its URL. ``port`` is the farm's."""
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE IF EXISTS {database} WITH (FORCE)".encode())
        connection.execute(f"CREATE DATABASE {database}".encode())
    url = with_database(server, database)
    await migrate(url)
    values = {
        "townships": VILLAGES // PER_TOWNSHIP,
        "villages": VILLAGES,
        "per_township": PER_TOWNSHIP,
        "first": FIRST_OCTET,
        "per_subnet": PER_SUBNET,
        "subnets": SUBNETS,
        "port": port,
        "cameras": cameras,
    }
    with psycopg.ClientCursor(psycopg.connect(url, autocommit=True)) as cursor:
        cursor.execute(_AREAS.encode(), values)
        cursor.execute(_CAMERAS.encode(), values)
        cursor.connection.close()
    return url
