package policy

import "hotline/internal/db"

// Schema is the room's tables. policy_change holds one counter that each
// publication moves in its own transaction; it tells other processes to look.
func Schema() db.Schema {
	return db.Schema{Name: "policy", Steps: []db.Step{{SQL: `
CREATE TABLE policy_version (
  id BIGINT PRIMARY KEY,
  kind TEXT NOT NULL,
  platform BIGINT NOT NULL,
  no BIGINT NOT NULL,
  effective_from BIGINT NOT NULL,
  published_by BIGINT NOT NULL,
  published_at BIGINT NOT NULL,
  note TEXT NOT NULL,
  digest TEXT NOT NULL,
  doc TEXT NOT NULL
);
CREATE UNIQUE INDEX policy_version_no ON policy_version (kind, platform, no);
CREATE TABLE policy_change (one SMALLINT PRIMARY KEY CHECK (one = 1), n BIGINT NOT NULL);
INSERT INTO policy_change (one, n) VALUES (1, 0)`}}}
}
