package supervise

import "hotline/internal/db"

// Schema is the room's tables, the same text on both engines.
func Schema() db.Schema {
	return db.Schema{Name: "supervise", Steps: []db.Step{{SQL: schemaV1}}}
}

const schemaV1 = `
CREATE TABLE supervision (
  id BIGINT PRIMARY KEY,
  no TEXT NOT NULL,
  ticket BIGINT NOT NULL,
  platform BIGINT NOT NULL,
  issuer BIGINT NOT NULL,
  rule TEXT NOT NULL,
  level TEXT NOT NULL,
  unit BIGINT NOT NULL,
  requirement TEXT NOT NULL,
  state TEXT NOT NULL,
  due BIGINT NOT NULL,
  opened_at BIGINT NOT NULL,
  opened_by BIGINT NOT NULL,
  closed_at BIGINT NOT NULL DEFAULT 0,
  version BIGINT NOT NULL
);
CREATE UNIQUE INDEX supervision_no_unique ON supervision(no);
CREATE INDEX supervision_ticket ON supervision(ticket);
CREATE INDEX supervision_platform ON supervision(platform, id);
CREATE INDEX supervision_unit ON supervision(unit, id);
CREATE TABLE supervision_note (
  id BIGINT PRIMARY KEY,
  supervision BIGINT NOT NULL,
  kind TEXT NOT NULL,
  text TEXT NOT NULL,
  by_account BIGINT NOT NULL,
  unit BIGINT NOT NULL,
  at BIGINT NOT NULL
);
CREATE INDEX supervision_note_of ON supervision_note(supervision, id);
CREATE TABLE supervision_number (
  platform BIGINT NOT NULL,
  year BIGINT NOT NULL,
  last BIGINT NOT NULL,
  PRIMARY KEY (platform, year)
);
CREATE TABLE supervision_candidate (
  ticket BIGINT NOT NULL,
  rule TEXT NOT NULL,
  platform BIGINT NOT NULL,
  unit BIGINT NOT NULL,
  since BIGINT NOT NULL,
  handled BIGINT NOT NULL DEFAULT 0,
  PRIMARY KEY (ticket, rule)
);
CREATE INDEX supervision_candidate_rule ON supervision_candidate(rule, platform, since, ticket) WHERE handled = 0;
CREATE TABLE supervision_unhappy (
  ticket BIGINT NOT NULL,
  leg BIGINT NOT NULL,
  PRIMARY KEY (ticket, leg)
);
CREATE TABLE supervision_repeat (
  ticket BIGINT PRIMARY KEY,
  root BIGINT NOT NULL
);
CREATE INDEX supervision_repeat_root ON supervision_repeat(root)`
