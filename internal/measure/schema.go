package measure

import (
	"strconv"
	"strings"

	"hotline/internal/db"
)

// Schema is the room's tables, the same text on both engines.
func Schema() db.Schema {
	return db.Schema{Name: "measure", Steps: []db.Step{{SQL: schemaV1}}}
}

// The columns of stat_day are the atoms in their order; a new atom is a new
// step here and a rebuild.
const schemaV1 = `
CREATE TABLE stat_row (
  ticket BIGINT NOT NULL,
  leg BIGINT NOT NULL,
  node BIGINT NOT NULL,
  platform BIGINT NOT NULL,
  unit BIGINT NOT NULL,
  root BIGINT NOT NULL,
  region TEXT NOT NULL,
  category TEXT NOT NULL,
  type TEXT NOT NULL,
  status TEXT NOT NULL,
  received BIGINT NOT NULL,
  dispatched BIGINT NOT NULL,
  late BIGINT NOT NULL,
  closed BIGINT NOT NULL,
  judged BIGINT NOT NULL,
  moves BIGINT NOT NULL,
  marks BIGINT NOT NULL,
  PRIMARY KEY (ticket, leg, node)
);
CREATE INDEX stat_row_received ON stat_row(platform, received) WHERE received > 0;
CREATE INDEX stat_row_dispatched ON stat_row(platform, dispatched) WHERE dispatched > 0;
CREATE INDEX stat_row_late ON stat_row(platform, late) WHERE late > 0;
CREATE INDEX stat_row_closed ON stat_row(platform, closed) WHERE closed > 0;
CREATE INDEX stat_row_judged ON stat_row(platform, judged) WHERE judged > 0;
CREATE TABLE stat_day (
  axis TEXT NOT NULL,
  platform BIGINT NOT NULL,
  day BIGINT NOT NULL,
  key TEXT NOT NULL,
  n_received BIGINT NOT NULL, n_invalid BIGINT NOT NULL, n_direct BIGINT NOT NULL, n_told BIGINT NOT NULL, n_repeated BIGINT NOT NULL, n_cited BIGINT NOT NULL,
  n_missed BIGINT NOT NULL, n_first BIGINT NOT NULL, n_wrong BIGINT NOT NULL, n_prompt BIGINT NOT NULL, n_wait BIGINT NOT NULL, n_late BIGINT NOT NULL,
  n_closed BIGINT NOT NULL, n_ontime BIGINT NOT NULL, n_extended BIGINT NOT NULL, n_redone BIGINT NOT NULL, n_moves BIGINT NOT NULL, n_took BIGINT NOT NULL,
  n_contactable BIGINT NOT NULL, n_contacted BIGINT NOT NULL, n_contact24 BIGINT NOT NULL, n_judged BIGINT NOT NULL, n_satisfied BIGINT NOT NULL, n_solved BIGINT NOT NULL,
  n_special BIGINT NOT NULL, n_special_satisfied BIGINT NOT NULL, n_called BIGINT NOT NULL, n_called_through BIGINT NOT NULL, n_assigned BIGINT NOT NULL,
  n_returned BIGINT NOT NULL, n_denied BIGINT NOT NULL, n_signed BIGINT NOT NULL, n_unsigned BIGINT NOT NULL, n_sign_late BIGINT NOT NULL,
  n_open BIGINT NOT NULL, n_overdue BIGINT NOT NULL,
  PRIMARY KEY (axis, platform, day, key)
)`

// cellColumns and upsertCell are the parts of statements over all atoms.
var cellColumns, upsertCell = func() (string, string) {
	var cols, marks, sets []string
	for i, a := range atoms {
		c := "n_" + a.name
		cols = append(cols, c)
		marks = append(marks, "$"+strconv.Itoa(i+5))
		sets = append(sets, c+" = stat_day."+c+" + excluded."+c)
	}
	return strings.Join(cols, ", "),
		"INSERT INTO stat_day (axis, platform, day, key, " + strings.Join(cols, ", ") + ") VALUES ($1,$2,$3,$4," + strings.Join(marks, ",") +
			") ON CONFLICT (axis, platform, day, key) DO UPDATE SET " + strings.Join(sets, ", ")
}()

func saveCell(tx *db.Tx, c cell, v *vec) error {
	args := make([]any, 0, len(v)+4)
	args = append(args, c.axis, c.platform, c.day, c.key)
	for _, n := range v {
		args = append(args, n)
	}
	_, err := tx.Exec(upsertCell, args...)
	return err
}

// scanVec reads all atoms after the columns of dest.
func scanVec(s db.Scanner, v *vec, dest ...any) error {
	for i := range v {
		dest = append(dest, &v[i])
	}
	return s.Scan(dest...)
}
