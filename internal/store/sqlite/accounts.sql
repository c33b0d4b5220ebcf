-- name: CreateAccount :exec
INSERT INTO account (id, email, email_key, password_hash, role, created_at, verified_at, disabled_at, password_at, failures, locked_until)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?);

-- name: Account :one
SELECT id, email, email_key, password_hash, role, created_at, verified_at, disabled_at, password_at, failures, locked_until
FROM account
WHERE id = ?;

-- name: AccountByEmail :one
SELECT id, email, email_key, password_hash, role, created_at, verified_at, disabled_at, password_at, failures, locked_until
FROM account
WHERE email_key = ?;

-- name: Accounts :many
SELECT id, email, email_key, password_hash, role, created_at, verified_at, disabled_at, password_at, failures, locked_until
FROM account
WHERE id > sqlc.arg(after)
ORDER BY id
LIMIT sqlc.arg(most);

-- name: SetPassword :execrows
UPDATE account SET password_hash = ?, password_at = ?, failures = 0, locked_until = NULL WHERE id = ?;

-- name: UpgradePassword :execrows
-- Counts a row whose hash is another one too: it is there.
UPDATE account
SET password_hash = CASE WHEN password_hash = sqlc.arg(old) THEN sqlc.arg(hash) ELSE password_hash END
WHERE id = sqlc.arg(id);

-- name: SetRole :execrows
UPDATE account SET role = ? WHERE id = ?;

-- name: SetVerified :execrows
UPDATE account SET verified_at = coalesce(verified_at, sqlc.arg(at)) WHERE id = sqlc.arg(id);

-- name: SetDisabled :execrows
UPDATE account SET disabled_at = ? WHERE id = ?;

-- name: FailLogin :one
UPDATE account SET failures = failures + 1 WHERE id = ? RETURNING failures;

-- name: Lock :execrows
UPDATE account SET locked_until = max(coalesce(locked_until, 0), CAST(sqlc.arg(until) AS INTEGER)) WHERE id = sqlc.arg(id);

-- name: ClearFailures :execrows
UPDATE account SET failures = 0, locked_until = NULL WHERE id = ?;

-- name: DeleteAccount :execrows
-- Sessions, their secrets, keys and tokens go with it.
DELETE FROM account WHERE id = ?;

-- name: AbandonedAccounts :many
SELECT a.id FROM account a
WHERE a.id > sqlc.arg(after)
  AND a.verified_at IS NULL AND a.disabled_at IS NULL AND a.role = 'member' AND a.created_at < sqlc.arg(before)
  AND NOT EXISTS (SELECT 1 FROM session s WHERE s.account_id = a.id)
  AND NOT EXISTS (SELECT 1 FROM api_key k WHERE k.account_id = a.id)
  AND NOT EXISTS (SELECT 1 FROM single_use_token x WHERE x.account_id = a.id AND x.expires_at > sqlc.arg(now))
ORDER BY a.id
LIMIT sqlc.arg(most);

-- name: DeleteAbandonedAccount :execrows
-- Where it is still as AbandonedAccounts has it.
DELETE FROM account AS a
WHERE a.id = sqlc.arg(id)
  AND a.verified_at IS NULL AND a.disabled_at IS NULL AND a.role = 'member' AND a.created_at < sqlc.arg(before)
  AND NOT EXISTS (SELECT 1 FROM session s WHERE s.account_id = a.id)
  AND NOT EXISTS (SELECT 1 FROM api_key k WHERE k.account_id = a.id)
  AND NOT EXISTS (SELECT 1 FROM single_use_token x WHERE x.account_id = a.id AND x.expires_at > sqlc.arg(now));

-- name: StartSession :exec
INSERT INTO session (id, account_id, kind, created_at, last_used_at, expires_at, ended_at, agent, network)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?);

-- name: AddSecret :exec
INSERT INTO session_secret (hash, session_id) VALUES (?, ?);

-- name: Session :one
SELECT id, account_id, kind, created_at, last_used_at, expires_at, ended_at, agent, network
FROM session
WHERE id = ?;

-- name: SessionBySecret :one
SELECT s.id, s.account_id, s.kind, s.created_at, s.last_used_at, s.expires_at, s.ended_at, s.agent, s.network
FROM session_secret x
JOIN session s ON s.id = x.session_id
WHERE x.hash = ? AND x.replaced_at IS NULL;

-- name: Secret :one
SELECT session_id, replaced_at FROM session_secret WHERE hash = ?;

-- name: ReplaceSecret :exec
UPDATE session_secret SET replaced_at = ? WHERE hash = ?;

-- name: RenewSession :exec
UPDATE session SET last_used_at = ?, expires_at = ? WHERE id = ?;

-- name: LiveSessions :many
SELECT id, account_id, kind, created_at, last_used_at, expires_at, ended_at, agent, network
FROM session
WHERE account_id = sqlc.arg(account_id) AND ended_at IS NULL AND expires_at > sqlc.arg(now)
ORDER BY created_at DESC, id DESC;

-- name: SessionsOf :many
SELECT id, account_id, kind, created_at, last_used_at, expires_at, ended_at, agent, network
FROM session
WHERE account_id = ?
ORDER BY created_at DESC, id DESC;

-- name: TouchSession :execrows
-- Counts a row that was used later too: it is there.
UPDATE session
SET last_used_at = max(last_used_at, CAST(sqlc.arg(at) AS INTEGER)),
    expires_at = CASE WHEN last_used_at <= CAST(sqlc.arg(at) AS INTEGER) THEN coalesce(sqlc.narg(expires), expires_at) ELSE expires_at END
WHERE id = sqlc.arg(id);

-- name: CloseSession :exec
UPDATE session SET ended_at = ? WHERE id = ?;

-- name: EndSession :execrows
UPDATE session SET ended_at = sqlc.arg(at)
WHERE id = sqlc.arg(id) AND account_id = sqlc.arg(account_id) AND ended_at IS NULL AND expires_at > sqlc.arg(at);

-- name: EndSessions :many
UPDATE session SET ended_at = sqlc.arg(at)
WHERE account_id = sqlc.arg(account_id) AND id <> sqlc.arg(but) AND ended_at IS NULL AND expires_at > sqlc.arg(at)
RETURNING id;

-- name: CreateKey :exec
INSERT INTO api_key (id, account_id, name, prefix, hash, scopes, created_at, expires_at, revoked_at, last_used_at)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?);

-- name: KeyByHash :one
SELECT sqlc.embed(k), sqlc.embed(a)
FROM api_key k
JOIN account a ON a.id = k.account_id
WHERE k.hash = ?;

-- name: Key :one
SELECT id, account_id, name, prefix, hash, scopes, created_at, expires_at, revoked_at, last_used_at
FROM api_key
WHERE id = ? AND account_id = ?;

-- name: Keys :many
SELECT id, account_id, name, prefix, hash, scopes, created_at, expires_at, revoked_at, last_used_at
FROM api_key
WHERE account_id = ?
ORDER BY created_at DESC, id DESC;

-- name: CountGoodKeys :one
SELECT count(*) FROM api_key
WHERE account_id = sqlc.arg(account_id) AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > sqlc.arg(now));

-- name: LetKeyExpire :execrows
-- A key that is good now and belongs to the account.
UPDATE api_key SET expires_at = min(coalesce(expires_at, CAST(sqlc.arg(expires) AS INTEGER)), CAST(sqlc.arg(expires) AS INTEGER))
WHERE id = sqlc.arg(id) AND account_id = sqlc.arg(account_id) AND revoked_at IS NULL
  AND (expires_at IS NULL OR expires_at > sqlc.arg(now));

-- name: RevokeKey :execrows
UPDATE api_key SET revoked_at = sqlc.arg(at) WHERE id = sqlc.arg(id) AND account_id = sqlc.arg(account_id) AND revoked_at IS NULL;

-- name: TouchKey :exec
UPDATE api_key SET last_used_at = max(coalesce(last_used_at, 0), CAST(sqlc.arg(at) AS INTEGER)) WHERE id = sqlc.arg(id);

-- name: SaveToken :exec
-- One to reset comes in place of the account's earlier one.
INSERT INTO single_use_token (hash, account_id, purpose, created_at, expires_at, pending) VALUES (?, ?, ?, ?, ?, ?)
ON CONFLICT (account_id) WHERE purpose = 'reset'
DO UPDATE SET hash = excluded.hash, created_at = excluded.created_at, expires_at = excluded.expires_at, pending = excluded.pending;

-- name: UseToken :one
DELETE FROM single_use_token WHERE hash = sqlc.arg(hash) AND purpose = sqlc.arg(purpose) AND expires_at > sqlc.arg(now)
RETURNING hash, account_id, purpose, created_at, expires_at, pending;

-- name: TokensOf :many
SELECT hash, account_id, purpose, created_at, expires_at, pending
FROM single_use_token
WHERE account_id = ?
ORDER BY created_at DESC, hash;

-- name: DropPastAttempt :exec
-- One that is kept no longer, or was left unfinished, makes way.
DELETE FROM attempt
WHERE owner = sqlc.arg(owner) AND key = sqlc.arg(key)
  AND (keep_until <= sqlc.arg(now) OR finished = 0 AND lease_until <= sqlc.arg(now));

-- name: BeginAttempt :execrows
INSERT INTO attempt (owner, key, fingerprint, lease_until, keep_until, finished, answer)
VALUES (?, ?, ?, ?, ?, 0, x'')
ON CONFLICT (owner, key) DO NOTHING;

-- name: Attempt :one
SELECT fingerprint, finished, answer FROM attempt WHERE owner = ? AND key = ?;

-- name: AttemptsOf :many
-- Those of the user and of every key of theirs.
SELECT owner, key, keep_until FROM attempt
WHERE owner = 'user:' || CAST(sqlc.arg(account_id) AS TEXT)
   OR owner IN (SELECT 'key:' || id FROM api_key WHERE account_id = CAST(sqlc.arg(account_id) AS TEXT))
ORDER BY keep_until DESC, owner, key;

-- name: FinishAttempt :exec
UPDATE attempt SET finished = 1, answer = ? WHERE owner = ? AND key = ? AND lease_until = ?;

-- name: ForgetAttempt :exec
DELETE FROM attempt WHERE owner = ? AND key = ? AND lease_until = ?;

-- name: ForgetAttemptsOfAccount :exec
-- Those of the user and of every key of theirs.
DELETE FROM attempt
WHERE owner = 'user:' || CAST(sqlc.arg(account_id) AS TEXT)
   OR owner IN (SELECT 'key:' || id FROM api_key WHERE account_id = CAST(sqlc.arg(account_id) AS TEXT));

-- name: ForgetSomeAttempts :exec
DELETE FROM attempt
WHERE (owner, key) IN (SELECT a.owner, a.key FROM attempt a WHERE a.keep_until <= sqlc.arg(now) ORDER BY a.keep_until LIMIT 10);

-- name: SweepAttempts :execrows
DELETE FROM attempt
WHERE (owner, key) IN (SELECT a.owner, a.key FROM attempt a WHERE a.keep_until < sqlc.arg(before) LIMIT sqlc.arg(most));

-- name: SweepTokens :execrows
DELETE FROM single_use_token
WHERE hash IN (SELECT x.hash FROM single_use_token x WHERE x.expires_at < sqlc.arg(before) LIMIT sqlc.arg(most));

-- name: SweepReplacedSecrets :execrows
DELETE FROM session_secret
WHERE hash IN (SELECT x.hash FROM session_secret x WHERE x.replaced_at < CAST(sqlc.arg(before) AS INTEGER) LIMIT sqlc.arg(most));

-- name: KeysOver :many
SELECT id FROM api_key
WHERE revoked_at < CAST(sqlc.arg(before) AS INTEGER) OR expires_at < CAST(sqlc.arg(before) AS INTEGER)
LIMIT sqlc.arg(most);

-- name: SweepAttemptsOfKey :execrows
DELETE FROM attempt
WHERE (owner, key) IN (SELECT a.owner, a.key FROM attempt a WHERE a.owner = 'key:' || CAST(sqlc.arg(id) AS TEXT) LIMIT sqlc.arg(most));

-- name: SweepKey :exec
DELETE FROM api_key WHERE id = ?;

-- name: SessionsOver :many
SELECT id FROM session
WHERE ended_at < CAST(sqlc.arg(before) AS INTEGER) OR expires_at < CAST(sqlc.arg(before) AS INTEGER)
LIMIT sqlc.arg(most);

-- name: SweepSecretsOfSession :execrows
DELETE FROM session_secret
WHERE hash IN (SELECT x.hash FROM session_secret x WHERE x.session_id = sqlc.arg(id) LIMIT sqlc.arg(most));

-- name: SweepSession :exec
DELETE FROM session WHERE id = ?;

-- name: AddEntry :exec
INSERT INTO audit_entry (seq, at, action, actor, subject, outcome, reason, network, trace_id, previous, hash)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?);

-- name: LastEntry :one
SELECT seq, at, action, actor, subject, outcome, reason, network, trace_id, previous, hash
FROM audit_entry
ORDER BY seq DESC
LIMIT 1;

-- name: EntriesAfter :many
SELECT seq, at, action, actor, subject, outcome, reason, network, trace_id, previous, hash
FROM audit_entry
WHERE seq > sqlc.arg(after)
ORDER BY seq
LIMIT sqlc.arg(most);
