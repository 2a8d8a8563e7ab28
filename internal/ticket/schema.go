package ticket

import "hotline/internal/db"

// Schema is the room's tables, the same text on both engines.
func Schema() db.Schema {
	return db.Schema{Name: "ticket", Steps: []db.Step{{SQL: schemaV1}, {SQL: revealSchema}, {SQL: refanSchema}, {SQL: listSchema},
		{SQL: `CREATE INDEX attachment_ref ON attachment(ref)`}, {SQL: `ALTER TABLE ticket_request ADD COLUMN level BIGINT NOT NULL DEFAULT 0`}}}
}

// Every index is paid by each step of each ticket. Lists go by worklist_rank,
// which holds all that a count looks at; 重办 and 督办 are few among many and
// have indexes of their own, in the order in which their queues run, and so
// have the sealed labels, which no full text holds. What is only ever read
// with its ticket (clocks, places) is in the ticket's row or under its key.
// version and places stand first because every look begins with them.
// 单号 are spoken by their last four digits: number is unique behind its tail.
//
// listSchema has the engine use them: an index that lacks a column which the
// list gives is passed over for the key. Lists of all tickets begin with the
// 事项, county, status or days of 受理 that are asked for; a town's tickets are
// its county's, too.
// attachment_loose has the files of no ticket.
const listSchema = `
DROP INDEX worklist_watched;
DROP INDEX worklist_sealed;
CREATE INDEX worklist_watched ON worklist(unit, ticket, assignment, label, mark, state, sort_at) WHERE mark IN (2, 3);
CREATE INDEX worklist_sealed ON worklist(unit, ticket, assignment, label, state, sort_at) WHERE label IN ('informant', 'quarantine');
DROP INDEX ticket_status;
CREATE INDEX ticket_status ON ticket(status, accepted, id);
CREATE INDEX ticket_accepted ON ticket(accepted, id, type, urgency);
CREATE INDEX ticket_county ON ticket(substr(region, 1, 6), accepted, id);
CREATE INDEX ticket_category ON ticket(category, accepted, id);
CREATE INDEX attachment_loose ON attachment(at) WHERE ticket <= 0`

const schemaV1 = `
CREATE TABLE ticket (
  id BIGINT PRIMARY KEY,
  version BIGINT NOT NULL,
  places TEXT NOT NULL,
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
  next_at BIGINT NOT NULL DEFAULT 0,
  clocks TEXT NOT NULL,
  detail TEXT NOT NULL
);
CREATE UNIQUE INDEX ticket_number ON ticket(substr(number, length(number) - 3), number);
CREATE INDEX ticket_phone ON ticket(phone_bi, id) WHERE phone_bi IS NOT NULL;
CREATE UNIQUE INDEX ticket_source ON ticket(source, source_no) WHERE source <> '';
CREATE INDEX ticket_former ON ticket(former) WHERE former <> '';
CREATE INDEX ticket_main ON ticket(main) WHERE main <> 0;
CREATE INDEX ticket_status ON ticket(status, id);
CREATE INDEX ticket_next ON ticket(next_at) WHERE next_at > 0;
CREATE TABLE assignment (
  ticket BIGINT NOT NULL,
  id BIGINT NOT NULL,
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
  reply TEXT NOT NULL DEFAULT '',
  PRIMARY KEY (ticket, id)
);
CREATE TABLE ticket_request (
  ticket BIGINT NOT NULL,
  id BIGINT NOT NULL,
  assignment BIGINT NOT NULL,
  kind TEXT NOT NULL,
  state TEXT NOT NULL,
  reason TEXT NOT NULL,
  days INTEGER NOT NULL DEFAULT 0,
  suggested BIGINT NOT NULL DEFAULT 0,
  by_account BIGINT NOT NULL,
  at BIGINT NOT NULL,
  decider BIGINT NOT NULL DEFAULT 0,
  decided_at BIGINT NOT NULL DEFAULT 0,
  PRIMARY KEY (ticket, id)
);
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
  mark SMALLINT NOT NULL,
  PRIMARY KEY (unit, ticket, assignment)
);
CREATE INDEX worklist_rank ON worklist(unit, state, sort_at, ticket, assignment, label);
CREATE INDEX worklist_again ON worklist(unit, state, sort_at, ticket, assignment, label) WHERE mark IN (1, 3);
CREATE INDEX worklist_watched ON worklist(unit, ticket, assignment, label) WHERE mark IN (2, 3);
CREATE INDEX worklist_sealed ON worklist(unit, ticket, assignment, label) WHERE label IN ('informant', 'quarantine');
CREATE TABLE ticket_text (
  ticket BIGINT NOT NULL,
  id BIGINT NOT NULL,
  event BIGINT NOT NULL,
  kind TEXT NOT NULL,
  body BYTEA NOT NULL,
  redacted TEXT NOT NULL,
  at BIGINT NOT NULL,
  PRIMARY KEY (ticket, id)
);
CREATE TABLE attachment (
  id BIGINT PRIMARY KEY,
  name TEXT NOT NULL,
  kind TEXT NOT NULL,
  size BIGINT NOT NULL,
  ref TEXT NOT NULL,
  by_account BIGINT NOT NULL,
  unit BIGINT NOT NULL,
  at BIGINT NOT NULL,
  ticket BIGINT NOT NULL DEFAULT 0
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
