package access

import "hotline/internal/db"

// Schema is the room's tables. Passwords are argon2id, session tokens are kept
// as their SHA-256, TOTP secrets are sealed. account_person holds each person
// on one side of the separation of duties: its primary key is the constraint.
func Schema() db.Schema {
	return db.Schema{Name: "access", Steps: []db.Step{{SQL: `
CREATE TABLE account (
  id BIGINT PRIMARY KEY,
  username TEXT NOT NULL,
  name TEXT NOT NULL,
  role TEXT NOT NULL,
  unit BIGINT NOT NULL,
  region TEXT NOT NULL,
  skills TEXT NOT NULL,
  contractor SMALLINT NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('pending', 'active', 'disabled')),
  person TEXT NOT NULL,
  password_hash TEXT NOT NULL,
  password_at BIGINT NOT NULL,
  must_change SMALLINT NOT NULL,
  totp_key BYTEA,
  totp_secret BYTEA,
  totp_on SMALLINT NOT NULL,
  totp_step BIGINT NOT NULL,
  login_at BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  created_by BIGINT NOT NULL,
  version BIGINT NOT NULL
);
CREATE UNIQUE INDEX account_username ON account (username);
CREATE INDEX account_unit ON account (unit, role);
CREATE TABLE account_person (person TEXT PRIMARY KEY, family TEXT NOT NULL);
CREATE TABLE account_password (account BIGINT NOT NULL, at BIGINT NOT NULL, hash TEXT NOT NULL, PRIMARY KEY (account, at));
CREATE TABLE session (
  hash BYTEA PRIMARY KEY,
  id BIGINT NOT NULL,
  account BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  seen_at BIGINT NOT NULL,
  expires_at BIGINT NOT NULL,
  idle_ms BIGINT NOT NULL,
  restricted TEXT NOT NULL,
  ip TEXT NOT NULL,
  agent TEXT NOT NULL,
  ended_at BIGINT NOT NULL
);
CREATE INDEX session_account ON session (account, created_at) WHERE ended_at = 0;
CREATE INDEX session_expiry ON session (expires_at);
CREATE TABLE session_end (n BIGINT PRIMARY KEY, account BIGINT NOT NULL, session BIGINT NOT NULL, at BIGINT NOT NULL);
CREATE TABLE session_change (one SMALLINT PRIMARY KEY CHECK (one = 1), n BIGINT NOT NULL);
INSERT INTO session_change (one, n) VALUES (1, 0);
CREATE TABLE login_guard (
  key TEXT PRIMARY KEY, fails BIGINT NOT NULL, since BIGINT NOT NULL, locked_until BIGINT NOT NULL
);
CREATE TABLE login_known (account BIGINT NOT NULL, address TEXT NOT NULL, at BIGINT NOT NULL, PRIMARY KEY (account, address));
CREATE TABLE account_grant (
  id BIGINT PRIMARY KEY,
  account BIGINT NOT NULL,
  role TEXT NOT NULL,
  unit BIGINT NOT NULL,
  region TEXT NOT NULL,
  reason TEXT NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('proposed', 'approved', 'refused')),
  proposed_by BIGINT NOT NULL,
  proposed_at BIGINT NOT NULL,
  decided_by BIGINT NOT NULL,
  decided_at BIGINT NOT NULL,
  opinion TEXT NOT NULL
);
CREATE UNIQUE INDEX account_grant_open ON account_grant (account) WHERE state = 'proposed'`}}}
}
