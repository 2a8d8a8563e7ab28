package intake

import (
	"errors"
	"os"
	"sort"
	"strings"

	"github.com/xuri/excelize/v2"
)

// WriteWorkbook writes the rejected lines of an import as an .xlsx file with
// the reason of each, so that they can be mended and imported again.
func WriteWorkbook(path string, rep Report) (err error) {
	f := excelize.NewFile()
	defer func() {
		if e := f.Close(); err == nil {
			err = e
		}
	}()
	const sheet = "导入错误"
	if err := f.SetSheetName("Sheet1", sheet); err != nil {
		return err
	}
	head, err := f.NewStyle(&excelize.Style{Font: &excelize.Font{Bold: true}})
	if err != nil {
		return err
	}
	w, err := f.NewStreamWriter(sheet)
	if err != nil {
		return err
	}
	for i, width := range []float64{8, 14, 16, 36, 20, 60, 44} {
		if err := w.SetColWidth(i+1, i+1, width); err != nil {
			return err
		}
	}
	titles := []any{}
	for _, t := range []string{"行号", "编号", "用户", "标题", "时间", "正文", "错误原因"} {
		titles = append(titles, excelize.Cell{StyleID: head, Value: t})
	}
	if err := w.SetRow("A1", titles); err != nil {
		return err
	}
	lines := append([]LineError(nil), rep.Errors...)
	sort.SliceStable(lines, func(i, j int) bool { return lines[i].Line < lines[j].Line })
	for i, l := range lines {
		cell, err := excelize.CoordinatesToCellName(1, i+2)
		if err != nil {
			return err
		}
		if err := w.SetRow(cell, []any{l.Line, harmless(l.No), harmless(l.User), harmless(l.Title), harmless(l.Time), harmless(l.Body), harmless(l.Reason)}); err != nil {
			return err
		}
	}
	if err := w.Flush(); err != nil {
		return err
	}
	out, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600) // citizens' own words
	if err != nil {
		return err
	}
	return errors.Join(f.Write(out), out.Close())
}

// maxCell is what a cell holds, less a margin, in characters.
const maxCell = 32_000

// harmless makes a text safe as a cell: what a spreadsheet could take for a
// formula gets an apostrophe, and what XML cannot hold is dropped.
func harmless(s string) string {
	s = strings.Map(func(r rune) rune {
		if r < 32 && r != '\n' || r == 0xFFFE || r == 0xFFFF {
			return -1
		}
		return r
	}, s)
	if r := []rune(s); len(r) > maxCell {
		s = string(r[:maxCell]) + "…"
	}
	if rest := strings.TrimLeft(s, " \u00a0\u3000\ufeff\u200b\n"); rest != "" && strings.ContainsRune("=+-@＝＋－＠", []rune(rest)[0]) {
		return "'" + s
	}
	return s
}
