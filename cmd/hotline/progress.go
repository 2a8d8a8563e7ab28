package main

import (
	"fmt"
	"io"
	"os"
	"strings"
)

// progress draws a bar on a terminal, or plain lines every tenth elsewhere.
func progress(w io.Writer) func(done, total int, what string) {
	tty := false
	if f, ok := w.(*os.File); ok {
		if s, err := f.Stat(); err == nil {
			tty = s.Mode()&os.ModeCharDevice != 0
		}
	}
	last := ""
	return func(done, total int, what string) {
		if total <= 0 {
			total = 1
		}
		part := min(done*10/total, 10)
		if tty {
			fmt.Fprintf(w, "\r\033[K[%s%s] %3d%% %s", strings.Repeat("█", part*2), strings.Repeat("░", 20-part*2), min(done*100/total, 100), what)
			if done >= total {
				fmt.Fprintln(w)
			}
			return
		}
		if line := fmt.Sprintf("%s %d%%", what, part*10); line != last {
			last = line
			fmt.Fprintln(w, line)
		}
	}
}
