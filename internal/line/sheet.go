package line

import (
	"io"
	"strconv"

	"github.com/xuri/excelize/v2"

	"hotline/internal/region"
)

// listWords are the merge modes as a 归并清单 writes them.
var listWords = map[Mode]string{Merged: "整体并入", SeatsIn: "双号并行-并座席", SeatsKept: "双号并行-转接", Subcentre: "设分中心", TheHotline: "总号"}

// Sheet writes entries as a 归并清单 in xlsx: the template that people fill in
// further, and read back without a change as it stands.
func Sheet(w io.Writer, lines []Line) error {
	f := excelize.NewFile()
	defer f.Close()
	name := f.GetSheetName(0)
	put := func(row int, cells []any) error {
		at, err := excelize.CoordinatesToCellName(1, row)
		if err != nil {
			return err
		}
		return f.SetSheetRow(name, at, &cells)
	}
	head := make([]any, len(Columns))
	for i, c := range Columns {
		head[i] = c
	}
	if err := put(1, head); err != nil {
		return err
	}
	for i, l := range lines {
		vertical := "否"
		if l.Vertical {
			vertical = "是"
		}
		number := func(n int) any {
			if n == 0 {
				return ""
			}
			return n
		}
		if err := put(i+2, []any{strconv.Itoa(i + 1), l.Number, l.Name, l.Department, l.Level, region.FullName(l.Region), vertical, number(l.Monthly), number(l.Seats), l.System, listWords[l.Mode], l.Plan, l.Done, l.Until, l.Target, l.Interface, l.Owner, l.Basis}); err != nil {
			return err
		}
	}
	for col, width := range map[string]float64{"B": 12, "C": 28, "D": 20, "F": 14, "K": 18, "L": 13, "M": 13, "N": 18, "R": 24} {
		if err := f.SetColWidth(name, col, col, width); err != nil {
			return err
		}
	}
	return f.Write(w)
}

// Kept fills in what a 归并清单 has no column for from the entries that stand:
// the sub-centre's unit, the state of a number that the list dates nowhere, and
// the confidence of an entry of which the list says nothing new.
func (s *Service) Kept(lines []Line) []Line {
	at := map[string]Line{}
	for _, l := range s.all() {
		at[l.key()] = l
	}
	out := make([]Line, len(lines))
	for i, l := range lines {
		was, ok := at[l.key()]
		if ok {
			if l.Mode == was.Mode {
				l.Unit = was.Unit
			}
			if l.Mode == was.Mode && l.Until == was.Until && l.Done == was.Done {
				l.State = was.State
			}
			same := l
			if same.Confidence = was.Confidence; same == was {
				l = was
			}
		}
		out[i] = l
	}
	return out
}
