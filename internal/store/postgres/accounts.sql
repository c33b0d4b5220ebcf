-- name: CreateAccount :exec
INSERT INTO account (id, email, email_key, password_hash, role, created_at, verified_at, disabled_at, password_at, failures, locked_until)
VALUES (@id, @email, @email_key, @password_hash, @role, @created_at, @verified_at, @disabled_at, @password_at, @failures, @locked_until);

-- name: Account :one
SELECT id, email, email_key, password_hash, role, created_at, verified_at, disabled_at, password_at, failures, locked_until
FROM account
WHERE id = @id;

-- name: AccountByEmail :one
SELECT id, email, email_key, password_hash, role, created_at, verified_at, disabled_at, password_at, failures, locked_until
FROM account
WHERE email_key = @email_key;

-- name: Accounts :many
SELECT id, email, email_key, password_hash, role, created_at, verified_at, disabled_at, password_at, failures, locked_until
FROM account
WHERE id > @after
ORDER BY id
LIMIT sqlc.narg(most)::bigint;

-- name: SetPassword :execrows
UPDATE account SET password_hash = @password_hash, password_at = @password_at, failures = 0, locked_until = NULL WHERE id = @id;

-- name: UpgradePassword :execrows
-- Counts a row whose hash is another one too: it is there.
UPDATE account
SET password_hash = CASE WHEN password_hash = @old THEN @hash ELSE password_hash END
WHERE id = @id;

-- name: SetRole :execrows
UPDATE account SET role = @role WHERE id = @id;

-- name: SetVerified :execrows
UPDATE account SET verified_at = coalesce(verified_at, @at::bigint) WHERE id = @id;

-- name: SetDisabled :execrows
UPDATE account SET disabled_at = @disabled_at WHERE id = @id;

-- name: FailLogin :one
UPDATE account SET failures = failures + 1 WHERE id = @id RETURNING failures;

-- name: Lock :execrows
UPDATE account SET locked_until = greatest(coalesce(locked_until, 0), @until::bigint) WHERE id = @id;

-- name: ClearFailures :execrows
UPDATE account SET failures = 0, locked_until = NULL WHERE id = @id;

-- name: LockAccount :exec
-- Lets nothing more be stored for the account until the transaction ends.
SELECT id FROM account WHERE id = @id FOR UPDATE;

-- name: HoldAccount :exec
-- Keeps the account until the transaction ends, and lets one at a time do so, for
-- whom what he counts of the account's stays true. Whoever locks something of an
-- account's, and then needs the account, does this first, as who deletes it does:
-- so nobody waits for one who waits for him.
SELECT id FROM account WHERE id = @id FOR NO KEY UPDATE;

-- name: LockSessionsOfAccount :exec
-- Several rows are locked in order of their ids, everywhere.
SELECT id FROM session WHERE account_id = @account_id ORDER BY id FOR UPDATE;

-- name: LockKeysOfAccount :exec
SELECT id FROM api_key WHERE account_id = @account_id ORDER BY id FOR UPDATE;

-- name: DeleteAccount :execrows
-- Sessions, their secrets, keys and tokens go with it.
DELETE FROM account WHERE id = @id;

-- name: AbandonedAccounts :many
SELECT a.id FROM account a
WHERE a.id > @after
  AND a.verified_at IS NULL AND a.disabled_at IS NULL AND a.role = 'member' AND a.created_at < @before
  AND NOT EXISTS (SELECT 1 FROM session s WHERE s.account_id = a.id)
  AND NOT EXISTS (SELECT 1 FROM api_key k WHERE k.account_id = a.id)
  AND NOT EXISTS (SELECT 1 FROM single_use_token x WHERE x.account_id = a.id AND x.expires_at > @now)
ORDER BY a.id
LIMIT sqlc.narg(most)::bigint;

-- name: DeleteAbandonedAccount :execrows
-- Where it is still as AbandonedAccounts has it.
DELETE FROM account AS a
WHERE a.id = @id
  AND a.verified_at IS NULL AND a.disabled_at IS NULL AND a.role = 'member' AND a.created_at < @before
  AND NOT EXISTS (SELECT 1 FROM session s WHERE s.account_id = a.id)
  AND NOT EXISTS (SELECT 1 FROM api_key k WHERE k.account_id = a.id)
  AND NOT EXISTS (SELECT 1 FROM single_use_token x WHERE x.account_id = a.id AND x.expires_at > @now);

-- name: StartSession :exec
INSERT INTO session (id, account_id, kind, created_at, last_used_at, expires_at, ended_at, agent, network)
VALUES (@id, @account_id, @kind, @created_at, @last_used_at, @expires_at, @ended_at, @agent, @network);

-- name: AddSecret :exec
INSERT INTO session_secret (hash, session_id) VALUES (@hash, @session_id);

-- name: Session :one
SELECT id, account_id, kind, created_at, last_used_at, expires_at, ended_at, agent, network
FROM session
WHERE id = @id;

-- name: LockSession :one
-- Holds up every other change of the session until the transaction ends.
SELECT id, account_id, kind, created_at, last_used_at, expires_at, ended_at, agent, network
FROM session
WHERE id = @id
FOR NO KEY UPDATE;

-- name: SessionBySecret :one
SELECT s.id, s.account_id, s.kind, s.created_at, s.last_used_at, s.expires_at, s.ended_at, s.agent, s.network
FROM session_secret x
JOIN session s ON s.id = x.session_id
WHERE x.hash = @hash AND x.replaced_at IS NULL;

-- name: Secret :one
SELECT session_id, replaced_at FROM session_secret WHERE hash = @hash;

-- name: ReplaceSecret :exec
UPDATE session_secret SET replaced_at = @replaced_at::bigint WHERE hash = @hash;

-- name: RenewSession :exec
UPDATE session SET last_used_at = @last_used_at, expires_at = @expires_at WHERE id = @id;

-- name: LiveSessions :many
SELECT id, account_id, kind, created_at, last_used_at, expires_at, ended_at, agent, network
FROM session
WHERE account_id = @account_id AND ended_at IS NULL AND expires_at > @now
ORDER BY created_at DESC, id DESC;

-- name: SessionsOf :many
SELECT id, account_id, kind, created_at, last_used_at, expires_at, ended_at, agent, network
FROM session
WHERE account_id = @account_id
ORDER BY created_at DESC, id DESC;

-- name: TouchSession :execrows
-- Counts a row that was used later too: it is there.
UPDATE session
SET last_used_at = greatest(last_used_at, @at::bigint),
    expires_at = CASE WHEN last_used_at <= @at::bigint THEN coalesce(sqlc.narg(expires)::bigint, expires_at) ELSE expires_at END
WHERE id = @id;

-- name: CloseSession :exec
UPDATE session SET ended_at = @ended_at::bigint WHERE id = @id;

-- name: EndSession :execrows
UPDATE session SET ended_at = @at::bigint
WHERE id = @id AND account_id = @account_id AND ended_at IS NULL AND expires_at > @at::bigint;

-- name: EndSessions :many
WITH live AS (
    SELECT s.id FROM session s
    WHERE s.account_id = @account_id AND s.id <> @but AND s.ended_at IS NULL AND s.expires_at > @at::bigint
    ORDER BY s.id
    FOR NO KEY UPDATE
)
UPDATE session SET ended_at = @at::bigint
FROM live
WHERE session.id = live.id
RETURNING session.id;

-- name: CreateKey :exec
INSERT INTO api_key (id, account_id, name, prefix, hash, scopes, created_at, expires_at, revoked_at, last_used_at)
VALUES (@id, @account_id, @name, @prefix, @hash, @scopes, @created_at, @expires_at, @revoked_at, @last_used_at);

-- name: KeyByHash :one
SELECT sqlc.embed(k), sqlc.embed(a)
FROM api_key k
JOIN account a ON a.id = k.account_id
WHERE k.hash = @hash;

-- name: Key :one
SELECT id, account_id, name, prefix, hash, scopes, created_at, expires_at, revoked_at, last_used_at
FROM api_key
WHERE id = @id AND account_id = @account_id;

-- name: Keys :many
SELECT id, account_id, name, prefix, hash, scopes, created_at, expires_at, revoked_at, last_used_at
FROM api_key
WHERE account_id = @account_id
ORDER BY created_at DESC, id DESC;

-- name: CountGoodKeys :one
SELECT count(*) FROM api_key
WHERE account_id = @account_id AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > @now::bigint);

-- name: LetKeyExpire :execrows
-- A key that is good now and belongs to the account.
UPDATE api_key SET expires_at = least(coalesce(expires_at, @expires::bigint), @expires::bigint)
WHERE id = @id AND account_id = @account_id AND revoked_at IS NULL
  AND (expires_at IS NULL OR expires_at > @now::bigint);

-- name: RevokeKey :execrows
UPDATE api_key SET revoked_at = @at::bigint WHERE id = @id AND account_id = @account_id AND revoked_at IS NULL;

-- name: TouchKeys :exec
WITH used AS (
    SELECT unnest(@ids::text[]) AS id, unnest(@at::bigint[]) AS at
), locked AS (
    SELECT k.id FROM api_key k WHERE k.id = ANY(@ids::text[]) ORDER BY k.id FOR NO KEY UPDATE
)
UPDATE api_key k SET last_used_at = greatest(coalesce(k.last_used_at, 0), used.at)
FROM used
JOIN locked ON locked.id = used.id
WHERE k.id = used.id;

-- name: SaveToken :exec
-- One to reset comes in place of the account's earlier one.
INSERT INTO single_use_token (hash, account_id, purpose, created_at, expires_at, pending) VALUES (@hash, @account_id, @purpose, @created_at, @expires_at, @pending)
ON CONFLICT (account_id) WHERE purpose = 'reset'
DO UPDATE SET hash = excluded.hash, created_at = excluded.created_at, expires_at = excluded.expires_at, pending = excluded.pending;

-- name: UseToken :one
DELETE FROM single_use_token WHERE hash = @hash AND purpose = @purpose AND expires_at > @now
RETURNING hash, account_id, purpose, created_at, expires_at, pending;

-- name: TokensOf :many
SELECT hash, account_id, purpose, created_at, expires_at, pending
FROM single_use_token
WHERE account_id = @account_id
ORDER BY created_at DESC, hash;

-- name: BeginAttempt :execrows
-- One that is kept no longer, or was left unfinished, makes way.
INSERT INTO attempt AS known (owner, key, fingerprint, lease_until, keep_until, finished, answer)
VALUES (@owner, @key, @fingerprint, @lease_until, @keep_until, false, '')
ON CONFLICT (owner, key) DO UPDATE
SET fingerprint = excluded.fingerprint, lease_until = excluded.lease_until, keep_until = excluded.keep_until, finished = false, answer = ''
WHERE known.keep_until <= @now::bigint OR NOT known.finished AND known.lease_until <= @now::bigint;

-- name: Attempt :one
SELECT fingerprint, finished, answer FROM attempt WHERE owner = @owner AND key = @key;

-- name: AttemptsOf :many
-- Those of the user and of every key of theirs.
SELECT owner, key, keep_until FROM attempt
WHERE owner = 'user:' || @account_id::text
   OR owner IN (SELECT 'key:' || id FROM api_key WHERE account_id = @account_id::text)
ORDER BY keep_until DESC, owner, key;

-- name: FinishAttempt :exec
UPDATE attempt SET finished = true, answer = @answer WHERE owner = @owner AND key = @key AND lease_until = @lease_until;

-- name: ForgetAttempt :exec
DELETE FROM attempt WHERE owner = @owner AND key = @key AND lease_until = @lease_until;

-- name: ForgetAttemptsOfAccount :exec
-- Those of the user and of every key of theirs.
DELETE FROM attempt
WHERE owner = 'user:' || @account_id::text
   OR owner IN (SELECT 'key:' || id FROM api_key WHERE account_id = @account_id::text);

-- name: ForgetSomeAttempts :exec
DELETE FROM attempt
WHERE (owner, key) IN (SELECT a.owner, a.key FROM attempt a WHERE a.keep_until <= @now ORDER BY a.keep_until LIMIT 10 FOR UPDATE SKIP LOCKED);

-- name: SweepAttempts :execrows
-- What somebody is at work on is left to the next sweep, here and below: so a sweep
-- waits for nobody.
DELETE FROM attempt
WHERE (owner, key) IN (SELECT a.owner, a.key FROM attempt a WHERE a.keep_until < @before LIMIT @most::bigint FOR UPDATE SKIP LOCKED);

-- name: SweepTokens :execrows
DELETE FROM single_use_token
WHERE hash IN (SELECT x.hash FROM single_use_token x WHERE x.expires_at < @before LIMIT @most::bigint FOR UPDATE SKIP LOCKED);

-- name: SweepReplacedSecrets :execrows
DELETE FROM session_secret
WHERE hash IN (SELECT x.hash FROM session_secret x WHERE x.replaced_at < @before::bigint LIMIT @most::bigint FOR UPDATE SKIP LOCKED);

-- name: KeysOver :many
SELECT id FROM api_key WHERE revoked_at < @before::bigint OR expires_at < @before::bigint LIMIT @most::bigint;

-- name: SweepAttemptsOfKeys :execrows
DELETE FROM attempt
WHERE (owner, key) IN (
    SELECT a.owner, a.key
    FROM attempt a
    WHERE a.owner IN (SELECT 'key:' || unnest(@ids::text[]))
    LIMIT @most::bigint
    FOR UPDATE SKIP LOCKED
);

-- name: SweepKeys :execrows
-- Those that are still over: an id was read before the row was locked, here and below.
DELETE FROM api_key
WHERE id IN (
    SELECT k.id FROM api_key k
    WHERE k.id = ANY(@ids::text[]) AND (k.revoked_at < @before::bigint OR k.expires_at < @before::bigint)
    FOR UPDATE SKIP LOCKED
);

-- name: SessionsOver :many
SELECT id FROM session WHERE ended_at < @before::bigint OR expires_at < @before::bigint LIMIT @most::bigint;

-- name: SweepSecretsOfSessions :execrows
DELETE FROM session_secret
WHERE hash IN (SELECT x.hash FROM session_secret x WHERE x.session_id = ANY(@ids::text[]) LIMIT @most::bigint FOR UPDATE SKIP LOCKED);

-- name: SweepSessions :execrows
DELETE FROM session
WHERE id IN (
    SELECT s.id FROM session s
    WHERE s.id = ANY(@ids::text[]) AND (s.ended_at < @before::bigint OR s.expires_at < @before::bigint)
    FOR UPDATE SKIP LOCKED
);

-- name: LockAuditLog :exec
-- Lets one process at a time append, until the transaction ends.
SELECT pg_advisory_xact_lock(hashtext('crownsafe audit log'), 0);

-- name: AddEntry :exec
INSERT INTO audit_entry (seq, at, action, actor, subject, outcome, reason, network, trace_id, previous, hash)
VALUES (@seq, @at, @action, @actor, @subject, @outcome, @reason, @network, @trace_id, @previous, @hash);

-- name: LastEntry :one
SELECT seq, at, action, actor, subject, outcome, reason, network, trace_id, previous, hash
FROM audit_entry
ORDER BY seq DESC
LIMIT 1;

-- name: EntriesAfter :many
SELECT seq, at, action, actor, subject, outcome, reason, network, trace_id, previous, hash
FROM audit_entry
WHERE seq > @after
ORDER BY seq
LIMIT @most;
