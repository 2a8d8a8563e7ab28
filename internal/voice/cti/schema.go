package cti

import "hotline/internal/db"

// Schema is the room's tables.
func Schema() db.Schema {
	return db.Schema{Name: "cti", Steps: []db.Step{{SQL: `
CREATE TABLE cti_centre (
  name TEXT PRIMARY KEY,
  seq BIGINT NOT NULL
);
CREATE TABLE cti_call (
  centre TEXT NOT NULL,
  ref TEXT NOT NULL,
  call_id BIGINT NOT NULL,
  ended BIGINT NOT NULL,
  recording TEXT NOT NULL DEFAULT '',
  PRIMARY KEY (centre, ref)
);
CREATE INDEX cti_call_ended ON cti_call(centre, ended);
`}}}
}
