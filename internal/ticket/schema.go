package ticket

import "hotline/internal/db"

// Schema is the room's tables, the same text on both engines.
func Schema() db.Schema {
	return db.Schema{Name: "ticket", Steps: []db.Step{{SQL: schemaV1}, {SQL: revealSchema}, {SQL: refanSchema}, {SQL: `ALTER TABLE attachment ADD COLUMN ticket BIGINT NOT NULL DEFAULT 0`}, {SQL: queueSchema}, {SQL: markSchema}}}
}

const schemaV1 = `
CREATE TABLE ticket (
  id BIGINT PRIMARY KEY,
  number TEXT NOT NULL,
  former TEXT NOT NULL DEFAULT '',
  source TEXT NOT NULL DEFAULT '',
  source_no TEXT NOT NULL DEFAULT '',
  platform BIGINT NOT NULL,
  created_by BIGINT NOT NULL,
  type TEXT NOT NULL,
  category TEXT NOT NULL DEFAULT '',
  region TEXT NOT NULL,
  label TEXT NOT NULL,
  secrecy TEXT NOT NULL,
  urgency TEXT NOT NULL,
  nature TEXT NOT NULL,
  channel TEXT NOT NULL,
  line TEXT NOT NULL DEFAULT '',
  call_id BIGINT NOT NULL DEFAULT 0,
  status TEXT NOT NULL,
  version BIGINT NOT NULL,
  rules_id BIGINT NOT NULL,
  limits_id BIGINT NOT NULL,
  leg INTEGER NOT NULL,
  title_r TEXT NOT NULL,
  content_r TEXT NOT NULL,
  address_r TEXT NOT NULL DEFAULT '',
  object_r TEXT NOT NULL DEFAULT '',
  kind TEXT NOT NULL DEFAULT '',
  mask_name TEXT NOT NULL DEFAULT '',
  mask_phone TEXT NOT NULL DEFAULT '',
  dek BYTEA,
  requester BYTEA,
  body BYTEA,
  phone_bi BYTEA,
  code_hash BYTEA,
  main BIGINT NOT NULL DEFAULT 0,
  split_of BIGINT NOT NULL DEFAULT 0,
  repeat_of BIGINT NOT NULL DEFAULT 0,
  unit BIGINT NOT NULL DEFAULT 0,
  urges INTEGER NOT NULL DEFAULT 0,
  returns INTEGER NOT NULL DEFAULT 0,
  dispute TEXT NOT NULL DEFAULT '',
  escalated SMALLINT NOT NULL DEFAULT 0,
  watch INTEGER NOT NULL DEFAULT 0,
  accepted BIGINT NOT NULL,
  dispatched BIGINT NOT NULL DEFAULT 0,
  due BIGINT NOT NULL DEFAULT 0,
  closed_at BIGINT NOT NULL DEFAULT 0,
  original BIGINT NOT NULL DEFAULT 0,
  occurred BIGINT NOT NULL DEFAULT 0,
  detail TEXT NOT NULL
);
CREATE UNIQUE INDEX ticket_number ON ticket(number);
CREATE INDEX ticket_phone ON ticket(phone_bi, id) WHERE phone_bi IS NOT NULL;
CREATE UNIQUE INDEX ticket_source ON ticket(source, source_no) WHERE source <> '';
CREATE INDEX ticket_former ON ticket(former) WHERE former <> '';
CREATE INDEX ticket_main ON ticket(main) WHERE main <> 0;
CREATE INDEX ticket_creator ON ticket(created_by, id);
CREATE TABLE assignment (
  id BIGINT PRIMARY KEY,
  ticket BIGINT NOT NULL,
  parent BIGINT NOT NULL,
  leg INTEGER NOT NULL,
  depth INTEGER NOT NULL,
  unit BIGINT NOT NULL,
  role TEXT NOT NULL,
  state TEXT NOT NULL,
  prior TEXT NOT NULL DEFAULT '',
  handler BIGINT NOT NULL DEFAULT 0,
  created BIGINT NOT NULL,
  signed BIGINT NOT NULL DEFAULT 0,
  contacted BIGINT NOT NULL DEFAULT 0,
  replied BIGINT NOT NULL DEFAULT 0,
  due BIGINT NOT NULL DEFAULT 0,
  extensions INTEGER NOT NULL DEFAULT 0,
  returns INTEGER NOT NULL DEFAULT 0,
  denied INTEGER NOT NULL DEFAULT 0,
  first INTEGER NOT NULL DEFAULT 0,
  contacts INTEGER NOT NULL DEFAULT 0,
  reply TEXT NOT NULL DEFAULT ''
);
CREATE INDEX assignment_ticket ON assignment(ticket);
CREATE TABLE ticket_request (
  id BIGINT PRIMARY KEY,
  ticket BIGINT NOT NULL,
  assignment BIGINT NOT NULL,
  kind TEXT NOT NULL,
  state TEXT NOT NULL,
  reason TEXT NOT NULL,
  days INTEGER NOT NULL DEFAULT 0,
  suggested BIGINT NOT NULL DEFAULT 0,
  by_account BIGINT NOT NULL,
  at BIGINT NOT NULL,
  decider BIGINT NOT NULL DEFAULT 0,
  decided_at BIGINT NOT NULL DEFAULT 0
);
CREATE INDEX ticket_request_ticket ON ticket_request(ticket);
CREATE TABLE time_limit (
  id BIGINT PRIMARY KEY,
  ticket BIGINT NOT NULL,
  assignment BIGINT NOT NULL,
  kind TEXT NOT NULL,
  unit BIGINT NOT NULL,
  limits_id BIGINT NOT NULL,
  calendar TEXT NOT NULL,
  n INTEGER NOT NULL,
  n_unit TEXT NOT NULL,
  started BIGINT NOT NULL,
  due BIGINT NOT NULL,
  stage INTEGER NOT NULL DEFAULT 0,
  next_at BIGINT NOT NULL DEFAULT 0,
  paused_at BIGINT NOT NULL DEFAULT 0,
  stopped BIGINT NOT NULL DEFAULT 0
);
CREATE INDEX time_limit_ticket ON time_limit(ticket);
CREATE INDEX time_limit_next ON time_limit(next_at) WHERE next_at > 0;
CREATE TABLE time_pause (
  clock BIGINT NOT NULL,
  from_at BIGINT NOT NULL,
  to_at BIGINT NOT NULL,
  reason TEXT NOT NULL,
  PRIMARY KEY (clock, from_at)
);
CREATE TABLE worklist (
  unit BIGINT NOT NULL,
  ticket BIGINT NOT NULL,
  assignment BIGINT NOT NULL,
  state TEXT NOT NULL,
  sort_at BIGINT NOT NULL,
  label TEXT NOT NULL,
  PRIMARY KEY (unit, ticket, assignment)
);
CREATE INDEX worklist_queue ON worklist(unit, state, sort_at, ticket);
CREATE INDEX worklist_ticket ON worklist(ticket);
CREATE TABLE ticket_text (
  id BIGINT PRIMARY KEY,
  ticket BIGINT NOT NULL,
  event BIGINT NOT NULL,
  kind TEXT NOT NULL,
  body BYTEA NOT NULL,
  redacted TEXT NOT NULL,
  at BIGINT NOT NULL
);
CREATE INDEX ticket_text_ticket ON ticket_text(ticket);
CREATE TABLE attachment (
  id BIGINT PRIMARY KEY,
  name TEXT NOT NULL,
  kind TEXT NOT NULL,
  size BIGINT NOT NULL,
  ref TEXT NOT NULL,
  by_account BIGINT NOT NULL,
  unit BIGINT NOT NULL,
  at BIGINT NOT NULL
);
CREATE TABLE number_block (
  prefix TEXT NOT NULL,
  day TEXT NOT NULL,
  next BIGINT NOT NULL,
  PRIMARY KEY (prefix, day)
);
CREATE TABLE idempotency (
  actor BIGINT NOT NULL,
  idem_key TEXT NOT NULL,
  digest BYTEA NOT NULL,
  status INTEGER NOT NULL,
  answer BYTEA NOT NULL,
  at BIGINT NOT NULL,
  PRIMARY KEY (actor, idem_key)
);
CREATE INDEX idempotency_at ON idempotency(at)`

// queueSchema: the worklist's index holds all that a count looks at, and the
// tickets of a status, or under 督办, are found without looking at the others.
const queueSchema = `
DROP INDEX worklist_queue;
CREATE INDEX worklist_rank ON worklist(unit, state, sort_at, ticket, assignment, label);
CREATE INDEX worklist_informant ON worklist(unit, ticket, assignment) WHERE label = 'informant';
CREATE INDEX ticket_status ON ticket(status, id);
CREATE INDEX ticket_watched ON ticket(id) WHERE watch > 0 AND closed_at = 0`

// markSchema: 单号 are spoken by their last four digits. 重办 and 督办 are few among many; their rows have indexes of
// their own, in the order in which each queue runs, with all that a count looks at.
const markSchema = `
ALTER TABLE worklist ADD COLUMN mark SMALLINT NOT NULL DEFAULT 0;
UPDATE worklist SET mark = (SELECT CASE WHEN t.leg > 1 THEN 1 ELSE 0 END + CASE WHEN t.watch > 0 THEN 2 ELSE 0 END FROM ticket t WHERE t.id = worklist.ticket)
  WHERE ticket IN (SELECT id FROM ticket WHERE closed_at = 0 AND (leg > 1 OR watch > 0));
CREATE INDEX worklist_again ON worklist(unit, state, sort_at, ticket, assignment, label) WHERE mark IN (1, 3);
CREATE INDEX worklist_watched ON worklist(unit, ticket, assignment, label) WHERE mark IN (2, 3);
CREATE INDEX worklist_sealed ON worklist(unit, ticket, assignment, label) WHERE label IN ('informant', 'quarantine');
CREATE INDEX ticket_tail ON ticket(substr(number, length(number) - 3), id);
DROP INDEX worklist_informant;
DROP INDEX ticket_watched`
