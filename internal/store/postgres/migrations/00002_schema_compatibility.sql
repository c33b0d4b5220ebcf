-- +goose Up

-- Which programs may work with this schema. A program is as old as the newest
-- migration that it knows; one that is older than oldest_program is refused.
--
-- Migrations expand first: one that only adds lets older programs work on, which
-- are there while a new release comes, and leaves this alone. One that takes
-- away or changes what programs up to version n still use comes when none of
-- them is left, and sets oldest_program to n+1 (its Down sets it back).
CREATE TABLE schema_compatibility (
    only_row       smallint PRIMARY KEY CHECK (only_row = 1),
    oldest_program bigint   NOT NULL
);
INSERT INTO schema_compatibility (only_row, oldest_program) VALUES (1, 1);

-- +goose Down

DROP TABLE schema_compatibility;
