-- name: LastSerial :one
SELECT value FROM last_serial WHERE only_row = 1;

-- name: LockLastSerial :one
-- Holds up every other change of notices until the transaction ends.
SELECT value FROM last_serial WHERE only_row = 1 FOR UPDATE;

-- name: SetLastSerial :exec
UPDATE last_serial SET value = @value WHERE only_row = 1;

-- name: Notify :exec
-- Tells whoever watches, when the transaction is committed.
SELECT pg_notify(@channel, @serial::text);

-- name: Heads :many
-- Where ids stand now, without their documents.
SELECT n.id, n.serial, n.revision_serial, n.first_seen_at, n.version, n.completeness, n.superseded,
       r.revision, r.source_hash, r.content_hash
FROM notice n
JOIN revision r ON r.serial = n.revision_serial
WHERE n.id = ANY(@ids::text[]);

-- name: FormerIDs :many
SELECT id FROM former_id WHERE id = ANY(@ids::text[]);

-- name: OfferedCopies :many
SELECT o.notice_id, o.source_hash, o.revision
FROM (SELECT unnest(@notice_ids::text[]) AS notice_id, unnest(@source_hashes::text[]) AS source_hash) asked
JOIN offered_copy o ON o.notice_id = asked.notice_id AND o.source_hash = asked.source_hash;

-- name: Documents :many
SELECT n.id, r.doc
FROM notice n
JOIN revision r ON r.serial = n.revision_serial
WHERE n.id = ANY(@ids::text[]);

-- name: MissesBetween :many
SELECT notice_id, count FROM miss WHERE notice_id >= @first AND notice_id < @beyond;

-- name: UnsourcedBetween :many
-- The ids in a span whose present revision no source stands for: most of them
-- were withdrawn because they were missing.
SELECT n.id
FROM revision r
JOIN notice n ON n.id = r.notice_id AND n.revision_serial = r.serial
WHERE r.source_hash = '' AND r.notice_id >= @first AND r.notice_id < @beyond AND NOT n.superseded
ORDER BY n.id;

-- name: AddRevisions :copyfrom
INSERT INTO revision (serial, notice_id, revision, seen_at, source_hash, content_hash, version, completeness, doc)
VALUES (@serial, @notice_id, @revision, @seen_at, @source_hash, @content_hash, @version, @completeness, @doc);

-- name: AddNotices :copyfrom
INSERT INTO notice (id, serial, revision_serial, first_seen_at, version, completeness, superseded)
VALUES (@id, @serial, @revision_serial, @first_seen_at, @version, @completeness, @superseded);

-- name: MoveNotices :exec
UPDATE notice n
SET serial = moved.serial, revision_serial = moved.revision_serial,
    version = moved.version, completeness = moved.completeness, superseded = moved.superseded
FROM (
    SELECT unnest(@ids::text[]) AS id, unnest(@serials::bigint[]) AS serial,
           unnest(@revision_serials::bigint[]) AS revision_serial, unnest(@versions::bigint[]) AS version,
           unnest(@completenesses::integer[]) AS completeness, unnest(@superseded::boolean[]) AS superseded
) moved
WHERE n.id = moved.id;

-- name: AddFormerIDs :exec
INSERT INTO former_id (id, heir, since)
SELECT unnest(@ids::text[]) AS id, unnest(@heirs::text[]) AS heir, unnest(@since::bigint[]) AS since;

-- name: RecordOffers :exec
INSERT INTO offered_copy (notice_id, source_hash, revision)
SELECT unnest(@notice_ids::text[]) AS notice_id, unnest(@source_hashes::text[]) AS source_hash, unnest(@revisions::bigint[]) AS revision
ON CONFLICT (notice_id, source_hash) DO UPDATE SET revision = excluded.revision;

-- name: AddArrivals :exec
INSERT INTO arrival (serial, agency, published_at, seen_at)
SELECT unnest(@serials::bigint[]) AS serial, unnest(@agencies::text[]) AS agency,
       unnest(@published_at::bigint[]) AS published_at, unnest(@seen_at::bigint[]) AS seen_at;

-- name: ForgetMisses :exec
DELETE FROM miss WHERE notice_id = ANY(@notice_ids::text[]);

-- name: RecordMisses :exec
INSERT INTO miss (notice_id, count)
SELECT unnest(@notice_ids::text[]) AS notice_id, unnest(@counts::bigint[]) AS count
ON CONFLICT (notice_id) DO UPDATE SET count = excluded.count;

-- name: SettleRejections :exec
DELETE FROM rejection r
USING (
    SELECT unnest(@agencies::text[]) AS agency, unnest(@record_keys::bytea[]) AS record_key, unnest(@until::bigint[]) AS until
) settled
WHERE r.agency = settled.agency AND r.record_key = settled.record_key AND r.seen_at <= settled.until;

-- name: Current :one
-- Where an id stands, or the one that it resolves to.
WITH RECURSIVE step (heir, steps) AS (
    SELECT f.heir, 1 FROM former_id f WHERE f.id = @id
    UNION ALL
    SELECT f.heir, step.steps + 1 FROM step JOIN former_id f ON f.id = step.heir
)
SELECT n.serial, n.first_seen_at, n.superseded, r.revision, r.doc
FROM notice n
JOIN revision r ON r.serial = n.revision_serial
WHERE n.id = coalesce((SELECT step.heir FROM step ORDER BY step.steps DESC LIMIT 1), @id);

-- name: Revisions :many
WITH RECURSIVE step (heir, steps) AS (
    SELECT f.heir, 1 FROM former_id f WHERE f.id = @id
    UNION ALL
    SELECT f.heir, step.steps + 1 FROM step JOIN former_id f ON f.id = step.heir
)
SELECT r.serial, r.revision, r.seen_at, n.first_seen_at, r.doc
FROM revision r
JOIN notice n ON n.id = r.notice_id
WHERE r.notice_id = coalesce((SELECT step.heir FROM step ORDER BY step.steps DESC LIMIT 1), @id)
ORDER BY r.revision;

-- name: RevisionAsOf :one
-- The id is resolved as far as it had been given up by then.
WITH RECURSIVE step (heir, steps) AS (
    SELECT f.heir, 1 FROM former_id f WHERE f.id = @id AND f.since <= @at::bigint
    UNION ALL
    SELECT f.heir, step.steps + 1 FROM step JOIN former_id f ON f.id = step.heir AND f.since <= @at::bigint
)
SELECT r.serial, r.revision, r.seen_at, n.first_seen_at, r.doc
FROM revision r
JOIN notice n ON n.id = r.notice_id
WHERE r.notice_id = coalesce((SELECT step.heir FROM step ORDER BY step.steps DESC LIMIT 1), @id) AND r.seen_at <= @at::bigint
ORDER BY r.revision DESC
LIMIT 1;

-- name: StartRun :one
INSERT INTO run (agency, kind, state, reason, started_at, read, added, revised, unchanged, older, rejected, withdrawn)
VALUES (@agency, @kind, @state, '', @started_at, 0, 0, 0, 0, 0, 0, 0)
RETURNING id;

-- name: FinishRun :execrows
UPDATE run
SET state = @state, reason = @reason, finished_at = @finished_at, read = @read, added = @added, revised = @revised,
    unchanged = @unchanged, older = @older, rejected = @rejected, withdrawn = @withdrawn
WHERE id = @id;

-- name: Sources :many
-- The agencies are found by steps through the index, for runs are many.
WITH RECURSIVE ran (agency) AS (
    SELECT min(run.agency) FROM run
    UNION ALL
    SELECT (SELECT min(run.agency) FROM run WHERE run.agency > ran.agency) FROM ran WHERE ran.agency IS NOT NULL
)
SELECT ran.agency::text AS agency,
       last_success.finished_at AS last_success, first_success.finished_at AS first_success,
       last_import.finished_at AS last_import, coalesce(fault.reason, '')::bytea AS import_fault,
       (SELECT count(*) FROM rejection WHERE rejection.agency = ran.agency) AS rejected,
       coalesce((
           SELECT r.id FROM run r WHERE r.agency = ran.agency AND r.kind = 'poll' AND r.finished_at IS NOT NULL
           ORDER BY r.finished_at DESC, r.id DESC LIMIT 1
       ), 0)::bigint AS last_poll
FROM ran
LEFT JOIN LATERAL (
    SELECT r.finished_at FROM run r
    WHERE r.agency = ran.agency AND r.kind = 'poll' AND r.state = 'done' AND r.finished_at IS NOT NULL
    ORDER BY r.finished_at DESC LIMIT 1
) last_success ON true
LEFT JOIN LATERAL (
    SELECT r.finished_at FROM run r
    WHERE r.agency = ran.agency AND r.kind = 'poll' AND r.state = 'done' AND r.finished_at IS NOT NULL
    ORDER BY r.finished_at LIMIT 1
) first_success ON true
LEFT JOIN LATERAL (
    SELECT r.finished_at FROM run r
    WHERE r.agency = ran.agency AND r.kind = 'import' AND r.read > 0 AND r.finished_at IS NOT NULL
    ORDER BY r.finished_at DESC LIMIT 1
) last_import ON true
LEFT JOIN LATERAL (
    SELECT CASE r.state WHEN 'partial' THEN r.reason ELSE '' END AS reason FROM run r
    WHERE r.agency = ran.agency AND r.kind = 'import' AND r.finished_at IS NOT NULL
    ORDER BY r.finished_at DESC, r.id DESC LIMIT 1
) fault ON true
WHERE ran.agency IS NOT NULL
ORDER BY ran.agency;

-- name: RunsByID :many
SELECT id, agency, kind, state, reason, started_at, finished_at, read, added, revised, unchanged, older, rejected, withdrawn
FROM run
WHERE id = ANY(@ids::bigint[]);

-- name: LockRejections :exec
-- Lets one process at a time record rejections of an agency, until the
-- transaction ends: of two that don't see each other's, both would be kept.
SELECT pg_advisory_xact_lock(hashtext('crownsafe rejections'), hashtext(@agency));

-- name: DropEarlierRejections :exec
-- Those of the same record in payloads that weren't seen later, if none was.
DELETE FROM rejection r
WHERE r.agency = @agency AND r.record_key = @record_key AND r.raw <> @raw AND r.seen_at <= @seen_at AND r.record_key <> ''
  AND NOT EXISTS (
    SELECT 1 FROM rejection later
    WHERE later.agency = @agency AND later.record_key = @record_key AND later.raw <> @raw AND later.seen_at > @seen_at
  );

-- name: AddRejection :exec
INSERT INTO rejection (agency, native_id, record_key, reason, excerpt, raw, position, seen_at)
SELECT @agency::text, @native_id::bytea, @record_key::bytea, @reason::bytea, @excerpt::bytea, @raw::text, @position::bigint, @seen_at::bigint
WHERE @record_key::bytea = '' OR NOT EXISTS (
    SELECT 1 FROM rejection later
    WHERE later.agency = @agency AND later.record_key = @record_key AND later.raw <> @raw AND later.seen_at > @seen_at
)
ON CONFLICT (agency, raw, position) DO NOTHING;

-- name: DropRejectionsOfPayload :exec
DELETE FROM rejection WHERE agency = @agency AND raw = @raw;

-- name: Rejections :many
SELECT id, agency, native_id, reason, excerpt, raw, position, seen_at
FROM rejection
WHERE agency = @agency AND (seen_at, id) < (@before::bigint, @before_id::bigint)
ORDER BY seen_at DESC, id DESC
LIMIT sqlc.narg(most)::bigint;

-- name: AddPayload :exec
INSERT INTO payload (agency, key, source_url, format, live, fetched_at, last_fetched_at, size)
VALUES (@agency, @key, @source_url, @format, @live, @fetched_at, @fetched_at, @size)
ON CONFLICT (key, md5(source_url)) DO UPDATE SET last_fetched_at = greatest(payload.last_fetched_at, excluded.last_fetched_at);

-- name: Payloads :many
SELECT agency, key, source_url, format, live, fetched_at, last_fetched_at, size
FROM payload
WHERE agency = @agency
ORDER BY fetched_at, id;

-- name: AnyArrivalWaits :one
SELECT EXISTS (SELECT 1 FROM arrival WHERE searchable_at IS NULL AND serial <= @serial);

-- name: ServeArrivals :exec
UPDATE arrival SET searchable_at = @searchable_at WHERE searchable_at IS NULL AND serial <= @serial;

-- name: Arrivals :many
SELECT published_at, seen_at, searchable_at FROM arrival
WHERE agency = @agency AND searchable_at IS NOT NULL
ORDER BY serial DESC
LIMIT sqlc.narg(most)::bigint;

-- name: ContinueNumbers :exec
-- Numbers that were given elsewhere aren't given again.
SELECT setval(pg_get_serial_sequence('run', 'id'), coalesce((SELECT max(id) FROM run), 0) + 1, false),
       setval(pg_get_serial_sequence('rejection', 'id'), coalesce((SELECT max(id) FROM rejection), 0) + 1, false),
       setval(pg_get_serial_sequence('payload', 'id'), coalesce((SELECT max(id) FROM payload), 0) + 1, false);
