package workforce

import "hotline/internal/db"

// Schema is the room's tables.
func Schema() db.Schema {
	return db.Schema{Name: "workforce", Steps: []db.Step{{SQL: `
CREATE TABLE staff_person (
  account BIGINT PRIMARY KEY,
  platform BIGINT NOT NULL,
  no BIGINT NOT NULL,
  phone TEXT NOT NULL
);
CREATE UNIQUE INDEX staff_person_no ON staff_person(platform, no);
CREATE TABLE staff_certificate (
  id BIGINT PRIMARY KEY,
  account BIGINT NOT NULL,
  skill TEXT NOT NULL,
  level INTEGER NOT NULL,
  document TEXT NOT NULL,
  expires BIGINT NOT NULL,
  revoked BIGINT NOT NULL,
  by_account BIGINT NOT NULL,
  at BIGINT NOT NULL
);
CREATE INDEX staff_certificate_account ON staff_certificate(account);
CREATE TABLE roster (
  id BIGINT PRIMARY KEY,
  unit BIGINT NOT NULL,
  line TEXT NOT NULL,
  from_day BIGINT NOT NULL,
  to_day BIGINT NOT NULL,
  state TEXT NOT NULL,
  version BIGINT NOT NULL,
  by_account BIGINT NOT NULL,
  at BIGINT NOT NULL
);
CREATE INDEX roster_unit ON roster(unit, from_day);
CREATE TABLE roster_shift (
  id BIGINT PRIMARY KEY,
  roster BIGINT NOT NULL,
  account BIGINT NOT NULL,
  template TEXT NOT NULL,
  from_at BIGINT NOT NULL,
  to_at BIGINT NOT NULL,
  skill TEXT NOT NULL
);
CREATE INDEX roster_shift_roster ON roster_shift(roster);
CREATE INDEX roster_shift_account ON roster_shift(account, from_at);
CREATE TABLE roster_swap (
  id BIGINT PRIMARY KEY,
  shift BIGINT NOT NULL,
  from_account BIGINT NOT NULL,
  to_account BIGINT NOT NULL,
  reason TEXT NOT NULL,
  state TEXT NOT NULL,
  decider BIGINT NOT NULL,
  at BIGINT NOT NULL,
  decided BIGINT NOT NULL
)`}, {SQL: `
CREATE TABLE handset (
  id BIGINT PRIMARY KEY,
  sip_user TEXT NOT NULL,
  platform BIGINT NOT NULL,
  unit BIGINT NOT NULL,
  place TEXT NOT NULL,
  account BIGINT NOT NULL,
  dek BYTEA NOT NULL,
  ha1 BYTEA NOT NULL,
  srtp INTEGER NOT NULL,
  enabled INTEGER NOT NULL,
  by_account BIGINT NOT NULL,
  at BIGINT NOT NULL,
  changed BIGINT NOT NULL
);
CREATE UNIQUE INDEX handset_user ON handset(sip_user);
CREATE INDEX handset_unit ON handset(unit)`}}}
}
