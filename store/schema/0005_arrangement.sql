-- When and where: what files say more of it, and what is worked out of that.

-- What else a photo's file says, as JSON; see more.go.
ALTER TABLE photos ADD COLUMN more TEXT NOT NULL DEFAULT '';
-- The version of the rules by which the file's metadata was read.
ALTER TABLE photos ADD COLUMN reader INTEGER NOT NULL DEFAULT 0;

-- All that follows is derived from photos and decisions, and made anew when
-- these changed. Where the account is sealed, each value is.

CREATE TABLE cameras (
    id    INTEGER PRIMARY KEY,
    value TEXT NOT NULL -- make, model and serial number as JSON
) STRICT;

-- Cells of about a kilometre in which there are photos; one for each zone and
-- name that there are in it.
CREATE TABLE cells (
    id    INTEGER PRIMARY KEY,
    value TEXT NOT NULL -- the cell's number and what the gazetteer says of it, as JSON
) STRICT;

-- Places where the account often was.
CREATE TABLE places (
    id    INTEGER PRIMARY KEY,
    uid   TEXT NOT NULL UNIQUE,
    value TEXT NOT NULL -- JSON
) STRICT;

-- Moments, the days that they are of, and the trips that days are of.
CREATE TABLE moments (
    id     INTEGER PRIMARY KEY,
    uid    TEXT    NOT NULL UNIQUE,
    kind   TEXT    NOT NULL CHECK (kind IN ('moment', 'day', 'trip')),
    parent INTEGER REFERENCES moments (id) ON DELETE SET NULL,
    day    INTEGER NOT NULL, -- the first day, days since 1970 on the wall's calendar
    last   INTEGER NOT NULL, -- the last day
    at     INTEGER NOT NULL, -- shots.at of the first photo
    until  INTEGER NOT NULL, -- and of the last
    shots  INTEGER NOT NULL, -- photos
    coarse INTEGER NOT NULL CHECK (coarse IN (0, 1)), -- all that is known of their times is the day
    cover  INTEGER REFERENCES photos (id) ON DELETE SET NULL,
    place  INTEGER REFERENCES places (id) ON DELETE SET NULL,
    value  TEXT    NOT NULL  -- where it was, as JSON
) STRICT;

CREATE INDEX moments_kind ON moments (kind, at, id);
CREATE INDEX moments_parent ON moments (parent, at);
CREATE INDEX moments_cover ON moments (cover);
CREATE INDEX moments_place ON moments (place);

-- When and where each photo was taken, as worked out.
CREATE TABLE shots (
    photo   INTEGER PRIMARY KEY REFERENCES photos (id) ON DELETE CASCADE,
    at      INTEGER NOT NULL, -- microseconds since 1970; orders photos, and is the instant where that is known; the least integer: no time is known
    instant INTEGER,          -- microseconds since 1970 in UTC; NULL: unknown
    wall    INTEGER,          -- microseconds, the clock on the wall read as if it showed UTC; NULL: unknown
    zone    TEXT    NOT NULL, -- where the zone came from, as in photos.taken_zone
    source  TEXT    NOT NULL, -- where the time came from
    fine    INTEGER NOT NULL, -- how fine the time is, in seconds: 0 as a clock's second or finer, 60, 86400
    shift   INTEGER NOT NULL, -- microseconds that a correction of the camera's clock added
    month   INTEGER,          -- 12 * year + month - 1, on the wall
    date    INTEGER,          -- 100 * month + day of the month, on the wall
    weekday INTEGER,          -- 0 Sunday to 6 Saturday, on the wall
    camera  INTEGER REFERENCES cameras (id) ON DELETE SET NULL,
    cell    INTEGER REFERENCES cells (id) ON DELETE SET NULL,
    place   INTEGER REFERENCES places (id) ON DELETE SET NULL,
    moment  INTEGER REFERENCES moments (id) ON DELETE SET NULL,
    guessed INTEGER NOT NULL CHECK (guessed IN (0, 1)), -- where it was taken is an estimate
    spot    TEXT    NOT NULL  -- where it was taken, as JSON; '': unknown
) STRICT;

CREATE INDEX shots_at ON shots (at, photo);
CREATE INDEX shots_instant ON shots (instant);
CREATE INDEX shots_wall ON shots (wall);
CREATE INDEX shots_month ON shots (month);
CREATE INDEX shots_date ON shots (date);
CREATE INDEX shots_weekday ON shots (weekday);
CREATE INDEX shots_camera ON shots (camera, at);
CREATE INDEX shots_cell ON shots (cell);
CREATE INDEX shots_place ON shots (place);
CREATE INDEX shots_moment ON shots (moment, at);
CREATE INDEX shots_guessed ON shots (guessed) WHERE guessed = 1;
-- With the person in it, who is on a photo is known without reading faces.
DROP INDEX faces_photo;
CREATE INDEX faces_photo ON faces (photo, person);

-- By which rules and settings it was arranged, and whether nothing that it
-- depends on has changed since, as for grouping.
CREATE TABLE arrangement (
    id      INTEGER PRIMARY KEY CHECK (id = 1),
    about   TEXT    NOT NULL,
    current INTEGER NOT NULL CHECK (current IN (0, 1))
) STRICT;

INSERT INTO arrangement (id, about, current) VALUES (1, '', 0);

CREATE TRIGGER arrangement_photo_new AFTER INSERT ON photos
BEGIN UPDATE arrangement SET current = 0 WHERE current; END;
CREATE TRIGGER arrangement_photo_changed AFTER UPDATE OF
    path, mtime_s, mtime_ns, sha256, taken_wall, taken_offset, taken_zone, lat, lon, alt, make, model, sealed, more, status, vanished ON photos
BEGIN UPDATE arrangement SET current = 0 WHERE current; END;
CREATE TRIGGER arrangement_photo_gone AFTER DELETE ON photos
BEGIN UPDATE arrangement SET current = 0 WHERE current; END;
CREATE TRIGGER arrangement_decision_new AFTER INSERT ON decisions WHEN NEW.kind = 'clock'
BEGIN UPDATE arrangement SET current = 0 WHERE current; END;
CREATE TRIGGER arrangement_decision_revoked AFTER UPDATE ON decisions WHEN NEW.kind = 'clock'
BEGIN UPDATE arrangement SET current = 0 WHERE current; END;
CREATE TRIGGER arrangement_decision_gone AFTER DELETE ON decisions WHEN OLD.kind = 'clock'
BEGIN UPDATE arrangement SET current = 0 WHERE current; END;
-- Faces say which photo is a moment's best.
CREATE TRIGGER arrangement_face_new AFTER INSERT ON faces
BEGIN UPDATE arrangement SET current = 0 WHERE current; END;
CREATE TRIGGER arrangement_face_rejected AFTER UPDATE OF rejected ON faces
BEGIN UPDATE arrangement SET current = 0 WHERE current; END;
CREATE TRIGGER arrangement_face_gone AFTER DELETE ON faces
BEGIN UPDATE arrangement SET current = 0 WHERE current; END;

-- A photo that goes takes along what was worked out of it: what is left of a
-- moment or a place says nothing of where it was until it is made anew.
CREATE TRIGGER shots_gone AFTER DELETE ON shots
BEGIN
    UPDATE places SET value = '' WHERE id = OLD.place;
    DELETE FROM places WHERE id = OLD.place AND NOT EXISTS (SELECT 1 FROM shots WHERE place = OLD.place);
    DELETE FROM cells WHERE id = OLD.cell AND NOT EXISTS (SELECT 1 FROM shots WHERE cell = OLD.cell);
    DELETE FROM cameras WHERE id = OLD.camera AND NOT EXISTS (SELECT 1 FROM shots WHERE camera = OLD.camera);
    UPDATE moments SET value = '', shots = shots - 1 WHERE id = OLD.moment
        OR id = (SELECT parent FROM moments WHERE id = OLD.moment)
        OR id = (SELECT d.parent FROM moments m JOIN moments d ON d.id = m.parent WHERE m.id = OLD.moment);
    UPDATE moments SET (at, until) = (SELECT coalesce(min(at), 0), coalesce(max(at), 0) FROM shots WHERE moment = OLD.moment)
        WHERE id = OLD.moment;
    UPDATE moments SET (at, until) = (SELECT min(m.at), max(m.until) FROM moments m WHERE m.parent = moments.id AND m.shots > 0)
        WHERE shots > 0 AND id = (SELECT parent FROM moments WHERE id = OLD.moment);
    UPDATE moments SET (at, until) = (SELECT min(d.at), max(d.until) FROM moments d WHERE d.parent = moments.id AND d.shots > 0)
        WHERE shots > 0 AND id = (SELECT d.parent FROM moments m JOIN moments d ON d.id = m.parent WHERE m.id = OLD.moment);
    DELETE FROM moments WHERE shots = 0 AND id IN (
        SELECT OLD.moment
        UNION SELECT parent FROM moments WHERE id = OLD.moment
        UNION SELECT d.parent FROM moments m JOIN moments d ON d.id = m.parent WHERE m.id = OLD.moment);
END;
