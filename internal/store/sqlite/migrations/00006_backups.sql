-- +goose Up

-- What the backups of this store need to know of it. None of the three is in a
-- backup.

-- Since when changes are kept without a gap; empty: they are not kept. Triggers on
-- every table keep them, which are made with the first backup.
CREATE TABLE change_tracking (
    only_row     INTEGER PRIMARY KEY CHECK (only_row = 1),
    epoch        TEXT    NOT NULL,
    forgotten_to INTEGER NOT NULL -- the last number that is not kept any more
) STRICT;

-- The keys of rows that were added, changed or removed.
CREATE TABLE change_log (
    seq   INTEGER PRIMARY KEY AUTOINCREMENT,
    tbl   TEXT NOT NULL,
    key_1 ANY  NOT NULL,
    key_2 ANY
) STRICT;

-- The backups that were begun here, or, in what was restored, the one that it is of.
CREATE TABLE backup_mark (
    name TEXT PRIMARY KEY
) STRICT, WITHOUT ROWID;

-- +goose Down

DROP TABLE backup_mark;
DROP TABLE change_log;
DROP TABLE change_tracking;
