package cdr

import "hotline/internal/db"

// Schema is the room's tables.
func Schema() db.Schema {
	return db.Schema{Name: "voice", Steps: []db.Step{{SQL: schemaV1}, {SQL: schemaV2}, {SQL: schemaV3}, {SQL: schemaV4}}}
}

const schemaV1 = `
CREATE TABLE voice_call (
  id BIGINT PRIMARY KEY,
  version BIGINT NOT NULL,
  direction TEXT NOT NULL,
  trunk TEXT NOT NULL,
  dnis TEXT NOT NULL,
  line TEXT NOT NULL,
  mode TEXT NOT NULL,
  platform BIGINT NOT NULL,
  region TEXT NOT NULL,
  number_bi BYTEA NOT NULL,
  dek BYTEA NOT NULL,
  number BYTEA,
  masked TEXT NOT NULL,
  queue TEXT NOT NULL,
  skill TEXT NOT NULL,
  seat BIGINT NOT NULL,
  unit BIGINT NOT NULL,
  ticket BIGINT NOT NULL,
  origin BIGINT NOT NULL,
  began BIGINT NOT NULL,
  queued BIGINT NOT NULL,
  answered BIGINT NOT NULL,
  ended BIGINT NOT NULL,
  hold_ms BIGINT NOT NULL,
  acw_ms BIGINT NOT NULL,
  result TEXT NOT NULL,
  cause INTEGER NOT NULL,
  by_who TEXT NOT NULL,
  flags TEXT NOT NULL,
  survey INTEGER NOT NULL,
  solved TEXT NOT NULL,
  mos INTEGER NOT NULL,
  loss INTEGER NOT NULL,
  jitter INTEGER NOT NULL
);
CREATE INDEX voice_call_platform ON voice_call(platform, began);
CREATE INDEX voice_call_seat ON voice_call(seat, began) WHERE seat > 0;
CREATE INDEX voice_call_unit ON voice_call(unit, began) WHERE unit > 0;
CREATE INDEX voice_call_number ON voice_call(number_bi, began);
CREATE INDEX voice_call_began ON voice_call(began);
CREATE INDEX voice_call_ticket ON voice_call(ticket) WHERE ticket > 0;
CREATE TABLE voice_leg (
  leg TEXT NOT NULL,
  call_id BIGINT NOT NULL,
  kind TEXT NOT NULL,
  party TEXT NOT NULL,
  seat BIGINT NOT NULL,
  began BIGINT NOT NULL,
  answered BIGINT NOT NULL,
  ended BIGINT NOT NULL,
  cause INTEGER NOT NULL,
  mos INTEGER NOT NULL,
  loss INTEGER NOT NULL,
  jitter INTEGER NOT NULL,
  PRIMARY KEY (call_id, leg, began)
);
CREATE TABLE voice_offer (
  id BIGINT PRIMARY KEY,
  call_id BIGINT NOT NULL,
  queue TEXT NOT NULL,
  reach TEXT NOT NULL,
  seat BIGINT NOT NULL,
  why TEXT NOT NULL,
  began BIGINT NOT NULL,
  ended BIGINT NOT NULL,
  outcome TEXT NOT NULL
);
CREATE INDEX voice_offer_call ON voice_offer(call_id);
CREATE TABLE voice_transfer (
  id BIGINT PRIMARY KEY,
  call_id BIGINT NOT NULL,
  from_seat BIGINT NOT NULL,
  platform BIGINT NOT NULL,
  unit BIGINT NOT NULL,
  target TEXT NOT NULL,
  name TEXT NOT NULL,
  kind TEXT NOT NULL,
  mode TEXT NOT NULL,
  reason TEXT NOT NULL,
  began BIGINT NOT NULL,
  ring_ms BIGINT NOT NULL,
  wait_ms BIGINT NOT NULL,
  result TEXT NOT NULL,
  recording TEXT NOT NULL,
  ticket BIGINT NOT NULL
);
CREATE INDEX voice_transfer_call ON voice_transfer(call_id);
CREATE INDEX voice_transfer_began ON voice_transfer(platform, began);
CREATE TABLE voice_recording (
  rec TEXT PRIMARY KEY,
  call_id BIGINT NOT NULL,
  began BIGINT NOT NULL,
  ms BIGINT NOT NULL,
  bytes BIGINT NOT NULL,
  sha256 TEXT NOT NULL,
  state TEXT NOT NULL
);
CREATE INDEX voice_recording_call ON voice_recording(call_id);
CREATE TABLE voice_state (
  id BIGINT PRIMARY KEY,
  account BIGINT NOT NULL,
  unit BIGINT NOT NULL,
  platform BIGINT NOT NULL,
  state TEXT NOT NULL,
  why TEXT NOT NULL,
  from_at BIGINT NOT NULL,
  to_at BIGINT NOT NULL
);
CREATE INDEX voice_state_account ON voice_state(account, from_at);
CREATE TABLE voice_callback (
  call_id BIGINT PRIMARY KEY,
  kind TEXT NOT NULL,
  platform BIGINT NOT NULL,
  line TEXT NOT NULL,
  number_bi BYTEA NOT NULL,
  due BIGINT NOT NULL,
  state TEXT NOT NULL,
  tries INTEGER NOT NULL,
  made BIGINT NOT NULL,
  done_at BIGINT NOT NULL
);
CREATE INDEX voice_callback_open ON voice_callback(platform, due) WHERE state = 'open';
CREATE INDEX voice_callback_made ON voice_callback(platform, made);
CREATE TABLE voice_special (
  id BIGINT PRIMARY KEY,
  platform BIGINT NOT NULL,
  number_bi BYTEA NOT NULL,
  masked TEXT NOT NULL,
  kind TEXT NOT NULL,
  reason TEXT NOT NULL,
  applicant BIGINT NOT NULL,
  approver BIGINT NOT NULL,
  state TEXT NOT NULL,
  expires BIGINT NOT NULL,
  made BIGINT NOT NULL
);
CREATE INDEX voice_special_number ON voice_special(number_bi);
CREATE TABLE voice_live (
  call_id BIGINT PRIMARY KEY,
  dek BYTEA NOT NULL,
  body BYTEA NOT NULL,
  at BIGINT NOT NULL
);
CREATE TABLE voice_exclusion (
  id BIGINT PRIMARY KEY,
  platform BIGINT NOT NULL,
  from_at BIGINT NOT NULL,
  to_at BIGINT NOT NULL,
  reason TEXT NOT NULL,
  by_account BIGINT NOT NULL,
  made BIGINT NOT NULL
);
CREATE TABLE voice_leader (
  id BIGINT PRIMARY KEY,
  platform BIGINT NOT NULL,
  leader BIGINT NOT NULL,
  title TEXT NOT NULL,
  from_at BIGINT NOT NULL,
  to_at BIGINT NOT NULL,
  made_by BIGINT NOT NULL
);
CREATE TABLE voice_leader_item (
  id BIGINT PRIMARY KEY,
  session BIGINT NOT NULL,
  call_id BIGINT NOT NULL,
  ticket BIGINT NOT NULL,
  state TEXT NOT NULL,
  note TEXT NOT NULL,
  due BIGINT NOT NULL,
  at BIGINT NOT NULL
);
CREATE INDEX voice_leader_item_session ON voice_leader_item(session);
CREATE TABLE voice_stat (
  axis TEXT NOT NULL,
  platform BIGINT NOT NULL,
  day BIGINT NOT NULL,
  hour INTEGER NOT NULL,
  key TEXT NOT NULL,
  offered BIGINT NOT NULL,
  queued BIGINT NOT NULL,
  answered BIGINT NOT NULL,
  in10 BIGINT NOT NULL,
  in15 BIGINT NOT NULL,
  in20 BIGINT NOT NULL,
  abandoned BIGINT NOT NULL,
  short BIGINT NOT NULL,
  wait_ms BIGINT NOT NULL,
  lost_ms BIGINT NOT NULL,
  talk_ms BIGINT NOT NULL,
  hold_ms BIGINT NOT NULL,
  acw_ms BIGINT NOT NULL,
  outbound BIGINT NOT NULL,
  reached BIGINT NOT NULL,
  surveyed BIGINT NOT NULL,
  score BIGINT NOT NULL,
  satisfied BIGINT NOT NULL,
  solved BIGINT NOT NULL,
  PRIMARY KEY (axis, platform, day, hour, key)
)`

// schemaV2: what was said (转写).
const schemaV2 = `
CREATE TABLE voice_transcript (
  id BIGINT PRIMARY KEY,
  call_id BIGINT NOT NULL,
  who TEXT NOT NULL,
  seat BIGINT NOT NULL,
  from_at BIGINT NOT NULL,
  to_at BIGINT NOT NULL,
  body BYTEA NOT NULL,
  redacted TEXT NOT NULL,
  source TEXT NOT NULL
);
CREATE INDEX voice_transcript_call ON voice_transcript(call_id, from_at)`

// schemaV3: what is due to be destroyed is found without a walk through years.
const schemaV3 = `
CREATE INDEX voice_recording_due ON voice_recording(began) WHERE state <> 'expired';
CREATE INDEX voice_transcript_due ON voice_transcript(from_at)`

// schemaV4: what is kept from destruction (封存), and sessions that were called off.
const schemaV4 = `
CREATE TABLE voice_hold (
  id BIGINT PRIMARY KEY,
  call_id BIGINT NOT NULL,
  reason TEXT NOT NULL,
  made_by BIGINT NOT NULL,
  made BIGINT NOT NULL,
  lifted BIGINT NOT NULL,
  lifted_by BIGINT NOT NULL,
  lift_reason TEXT NOT NULL
);
CREATE UNIQUE INDEX voice_hold_call ON voice_hold(call_id) WHERE lifted = 0;
CREATE TABLE voice_leader_cancel (
  session BIGINT PRIMARY KEY,
  reason TEXT NOT NULL,
  by_account BIGINT NOT NULL,
  at BIGINT NOT NULL
)`
