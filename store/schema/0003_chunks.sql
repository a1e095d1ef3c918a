-- Vectors, sealed: about half a megabyte of one space in a row, which is read
-- several times as fast as a row for each. Those that came last stay in the
-- table vectors until there are enough.
CREATE TABLE chunks (
    id    INTEGER PRIMARY KEY,
    space INTEGER NOT NULL REFERENCES spaces (id),
    faces TEXT    NOT NULL CHECK (faces <> ''), -- their uids, with spaces between, in the order of the vectors
    v     BLOB    NOT NULL CHECK (length(v) > 0 AND length(v) % 4 = 0) -- little-endian float32
) STRICT;

CREATE INDEX chunks_space ON chunks (space);

-- Which chunk holds the vector of a face. A face cannot go before its vector
-- did: hence no ON DELETE.
CREATE TABLE slots (
    face  INTEGER PRIMARY KEY REFERENCES faces (id),
    chunk INTEGER NOT NULL REFERENCES chunks (id)
) STRICT;

CREATE INDEX slots_chunk ON slots (chunk);

-- The modification time, in seconds, that the file was given when it was last
-- closed.
ALTER TABLE account ADD COLUMN closed INTEGER;

-- What the latest grouping of all faces came to, as JSON of the caller; no row
-- if there was none. It is current as long as nothing has changed since that
-- grouping depends on, which the triggers below see to.
CREATE TABLE grouping (
    id      INTEGER PRIMARY KEY CHECK (id = 1),
    about   TEXT    NOT NULL,
    current INTEGER NOT NULL CHECK (current IN (0, 1))
) STRICT;

INSERT INTO grouping (id, about, current) SELECT 1, value, 0 FROM settings WHERE key = 'grouped';
DELETE FROM settings WHERE key = 'grouped';

CREATE TRIGGER grouping_face_new AFTER INSERT ON faces
BEGIN UPDATE grouping SET current = 0 WHERE current; END;
CREATE TRIGGER grouping_face_changed AFTER UPDATE ON faces
BEGIN UPDATE grouping SET current = 0 WHERE current; END;
CREATE TRIGGER grouping_face_gone AFTER DELETE ON faces
BEGIN UPDATE grouping SET current = 0 WHERE current; END;

CREATE TRIGGER grouping_person_new AFTER INSERT ON people
BEGIN UPDATE grouping SET current = 0 WHERE current; END;
CREATE TRIGGER grouping_person_changed AFTER UPDATE ON people
BEGIN UPDATE grouping SET current = 0 WHERE current; END;
CREATE TRIGGER grouping_person_gone AFTER DELETE ON people
BEGIN UPDATE grouping SET current = 0 WHERE current; END;

CREATE TRIGGER grouping_decision_new AFTER INSERT ON decisions
BEGIN UPDATE grouping SET current = 0 WHERE current; END;
CREATE TRIGGER grouping_decision_revoked AFTER UPDATE ON decisions
BEGIN UPDATE grouping SET current = 0 WHERE current; END;

CREATE TRIGGER grouping_space_new AFTER INSERT ON spaces
BEGIN UPDATE grouping SET current = 0 WHERE current; END;
-- The impostors are put again with every batch of photos.
CREATE TRIGGER grouping_space_changed AFTER UPDATE ON spaces
WHEN NEW.impostors <> OLD.impostors OR NEW.dim <> OLD.dim OR NEW.name <> OLD.name
BEGIN UPDATE grouping SET current = 0 WHERE current; END;

CREATE TRIGGER grouping_consent AFTER INSERT ON consent
BEGIN UPDATE grouping SET current = 0 WHERE current; END;
