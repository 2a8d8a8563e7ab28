package play

import (
	"embed"
	"encoding/json"
	"fmt"
	"strings"
)

//go:embed callers.tsv callers/*.al callers/*.json
var callers embed.FS

// Caller (来电人) is a scenario of the demo: what somebody who rings says.
type Caller struct {
	Name  string     `json:"name"`
	Title string     `json:"title"`
	DNIS  string     `json:"dnis"` // the number he dialled
	Lines []Sentence `json:"lines"`
}

// Sentence is a line of a transcript; From and To are ms from the beginning.
type Sentence struct {
	From int    `json:"from"`
	To   int    `json:"to"`
	Text string `json:"text"`
}

// Callers lists the scenarios in the order of callers.tsv.
func Callers() ([]Caller, error) {
	table, err := callers.ReadFile("callers.tsv")
	if err != nil {
		return nil, err
	}
	var out []Caller
	for row := range strings.Lines(string(table)) {
		name, _, _ := strings.Cut(row, "\t")
		raw, err := callers.ReadFile("callers/" + name + ".json")
		if err != nil {
			return nil, err
		}
		var c Caller
		if err := json.Unmarshal(raw, &c); err != nil {
			return nil, fmt.Errorf("play: %s: %w", name, err)
		}
		out = append(out, c)
	}
	return out, nil
}

// Sound is what the caller says, 8 kHz A-law.
func (c Caller) Sound() ([]byte, error) { return callers.ReadFile("callers/" + c.Name + ".al") }

//go:embed callees/*.al
var callees embed.FS

// Callee is what somebody whom the demo's platform calls (被叫) says, 8 kHz
// A-law: citizen, unit, emergency.
func Callee(name string) ([]byte, error) { return callees.ReadFile("callees/" + name + ".al") }
