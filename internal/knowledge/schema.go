package knowledge

import "hotline/internal/db"

// textIndex finds working copies for the editors' list.
var textIndex = db.Text("knowledge_text")

// contentDDL declares the columns of a Text, in the tables knowledge_article
// and knowledge_live alike.
const contentDDL = `title TEXT NOT NULL,
  path TEXT NOT NULL,
  kind TEXT NOT NULL,
  source TEXT NOT NULL,
  doc_no TEXT NOT NULL,
  unit BIGINT NOT NULL,
  unit_words TEXT NOT NULL,
  region TEXT NOT NULL,
  valid_from BIGINT NOT NULL,
  valid_to BIGINT NOT NULL,
  keywords TEXT NOT NULL,
  questions TEXT NOT NULL,
  body TEXT NOT NULL,
  public SMALLINT NOT NULL`

// Schemas are the room's tables: the working copies, the published copies (kept
// after 下线, gone = 1, so that an old citation can be opened), every text ever
// saved, every publication and withdrawal, feedback, citations, use, and what
// was asked in vain.
func Schemas() []db.Schema {
	return []db.Schema{{Name: "knowledge", Steps: []db.Step{{SQL: `
CREATE TABLE knowledge_article (
  id BIGINT PRIMARY KEY,
  version BIGINT NOT NULL,
  platform BIGINT NOT NULL,
  state TEXT NOT NULL,
  no BIGINT NOT NULL,
  live BIGINT NOT NULL,
  author BIGINT NOT NULL,
  submitter BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL,
  ` + contentDDL + `
);
CREATE UNIQUE INDEX knowledge_title ON knowledge_article (platform, title);
CREATE INDEX knowledge_recent ON knowledge_article (updated_at, id);
CREATE TABLE knowledge_live (
  article BIGINT PRIMARY KEY,
  no BIGINT NOT NULL,
  at BIGINT NOT NULL,
  gone SMALLINT NOT NULL,
  rev BIGINT NOT NULL,
  ` + contentDDL + `
);
CREATE UNIQUE INDEX knowledge_live_rev ON knowledge_live (rev);
CREATE INDEX knowledge_live_recent ON knowledge_live (at, article);
CREATE TABLE knowledge_change (
  one SMALLINT PRIMARY KEY CHECK (one = 1),
  n BIGINT NOT NULL
);
INSERT INTO knowledge_change (one, n) VALUES (1, 0);
CREATE TABLE knowledge_version (
  article BIGINT NOT NULL,
  no BIGINT NOT NULL,
  at BIGINT NOT NULL,
  actor BIGINT NOT NULL,
  name TEXT NOT NULL,
  note TEXT NOT NULL,
  doc TEXT NOT NULL,
  PRIMARY KEY (article, no)
);
CREATE TABLE knowledge_release (
  id BIGINT PRIMARY KEY,
  article BIGINT NOT NULL,
  no BIGINT NOT NULL,
  at BIGINT NOT NULL,
  actor BIGINT NOT NULL,
  name TEXT NOT NULL,
  note TEXT NOT NULL
);
CREATE INDEX knowledge_release_at ON knowledge_release (article, at);
CREATE TABLE knowledge_feedback (
  id BIGINT PRIMARY KEY,
  article BIGINT NOT NULL,
  no BIGINT NOT NULL,
  kind TEXT NOT NULL,
  text TEXT NOT NULL,
  at BIGINT NOT NULL,
  actor BIGINT NOT NULL,
  name TEXT NOT NULL,
  unit BIGINT NOT NULL,
  done_at BIGINT NOT NULL
);
CREATE INDEX knowledge_feedback_article ON knowledge_feedback (article, id);
CREATE TABLE knowledge_cite (
  article BIGINT NOT NULL,
  ticket BIGINT NOT NULL,
  at BIGINT NOT NULL,
  PRIMARY KEY (article, ticket)
);
CREATE TABLE knowledge_use (
  article BIGINT PRIMARY KEY,
  cited BIGINT NOT NULL,
  views BIGINT NOT NULL
)`}, {SQL: `
CREATE TABLE knowledge_miss (
  platform BIGINT NOT NULL,
  term TEXT NOT NULL,
  words TEXT NOT NULL,
  category TEXT NOT NULL,
  asked BIGINT NOT NULL,
  last_at BIGINT NOT NULL,
  article BIGINT NOT NULL,
  PRIMARY KEY (platform, term)
)`}}}, textIndex.Schema()}
}
