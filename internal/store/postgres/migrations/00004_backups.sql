-- +goose Up

-- What the backups of this store need to know of it. None of the three is in a
-- backup. This only adds: programs of before don't know of it.

-- Since when changes are kept without a gap; empty: they are not kept. Triggers on
-- every table keep them, which are made with the first backup.
CREATE TABLE change_tracking (
    only_row     smallint PRIMARY KEY CHECK (only_row = 1),
    epoch        text     NOT NULL,
    forgotten_to xid8     NOT NULL -- transactions before it are not kept any more
);

-- The keys of rows that were added, changed or removed, as text. Transactions are
-- committed in another order than that in which they are numbered: what a backup has
-- seen of them its snapshot tells (pg_visible_in_snapshot), not a number.
CREATE TABLE change_log (
    xid   xid8 NOT NULL DEFAULT pg_current_xact_id(),
    tbl   text COLLATE "C" NOT NULL,
    key_1 text COLLATE "C" NOT NULL,
    key_2 text COLLATE "C"
);
CREATE INDEX change_log_by_xid ON change_log (xid);

-- The backups that were begun here, or, in what was restored, the one that it is of.
CREATE TABLE backup_mark (
    name text COLLATE "C" PRIMARY KEY
);

-- +goose Down

-- The triggers go with their functions.
-- +goose StatementBegin
DO $$
DECLARE tracker regprocedure;
BEGIN
    FOR tracker IN SELECT oid FROM pg_proc WHERE pronamespace = current_schema()::regnamespace AND starts_with(proname, 'change_log_of_') LOOP
        EXECUTE 'DROP FUNCTION ' || tracker || ' CASCADE';
    END LOOP;
END
$$;
-- +goose StatementEnd
DROP TABLE backup_mark;
DROP TABLE change_log;
DROP TABLE change_tracking;
