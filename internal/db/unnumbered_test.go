package db

import "testing"

func TestUnnumbered(t *testing.T) {
	for text, want := range map[string]string{
		"SELECT 1":                            "SELECT 1",
		"VALUES ($1,$2,$3)":                   "VALUES (?,?,?)",
		"a = $1 AND b = $1":                   "a = $1 AND b = $1",
		"a = $2 AND b = $1":                   "a = $2 AND b = $1",
		"a = $1 AND b = 'x$2'":                "a = $1 AND b = 'x$2'",
		"a = $1 AND b = 'x' OR c = $2":        "a = ? AND b = 'x' OR c = ?",
		"a = $name":                           "a = $name",
		"$1 $2 $3 $4 $5 $6 $7 $8 $9 $10, $11": "? ? ? ? ? ? ? ? ? ?, ?",
	} {
		if got := unnumbered(text); got != want {
			t.Errorf("%s: %s", text, got)
		}
	}
}
