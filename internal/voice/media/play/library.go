package play

import (
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"

	"hotline/internal/fault"
	"hotline/internal/voice/media"
)

//go:embed prompts.tsv numbers.tsv prompts/*.al numbers/*.al
var embedded embed.FS

// Line is one line of the script (话术): what the clip Name says, and when.
type Line struct {
	Name  string `json:"name"`
	Scene string `json:"scene"`
	Text  string `json:"text"`
}

// Script is the script of all clips that speak.
func Script() []Line {
	var out []Line
	for _, table := range []string{"prompts.tsv", "numbers.tsv"} {
		text, _ := embedded.ReadFile(table)
		for row := range strings.Lines(string(text)) {
			if f := strings.Split(strings.TrimRight(row, "\n"), "\t"); len(f) == 3 {
				out = append(out, Line{f[0], f[1], f[2]})
			}
		}
	}
	return out
}

// Library (语音库) is the sound of every clip by name.
type Library struct{ clips map[string][]byte }

// Load reads the embedded clips and the studio recordings of dir, "" for none. A
// recording that cannot be used is told and leaves the embedded clip in place.
func Load(dir string) (*Library, error) {
	l := &Library{clips: map[string][]byte{}}
	var problems error
	err := fs.WalkDir(embedded, ".", func(p string, e fs.DirEntry, err error) error {
		if err == nil && strings.HasSuffix(p, ".al") {
			l.clips[strings.TrimSuffix(path.Base(p), ".al")], err = embedded.ReadFile(p)
		}
		return err
	})
	if err != nil || dir == "" {
		return l, err
	}
	studio, err := filepath.Glob(filepath.Join(dir, "*.wav"))
	if err != nil {
		return l, err
	}
	for _, file := range studio {
		raw, err := os.ReadFile(file)
		if err == nil {
			raw, err = ParseWAV(raw)
		}
		if err != nil {
			problems = errors.Join(problems, fmt.Errorf("%s：%w", filepath.Base(file), err))
			continue
		}
		l.clips[strings.TrimSuffix(filepath.Base(file), ".wav")] = raw
	}
	return l, problems
}

// Sound is what clips sound like, one after another. A name of digits is read
// as a number ("105" = 一百零五), one that begins with # digit by digit
// ("#105" = 幺零五), as 工号 and 单号 are.
func (l *Library) Sound(clips []media.Clip) ([][]byte, error) {
	var out [][]byte
	for _, c := range clips {
		if sound, ok := l.clips[c.Name]; ok {
			out = append(out, sound)
			continue
		}
		names := spell(c.Name)
		if names == nil {
			return nil, fault.Invalid("clip_unknown", "没有名为“%s”的语音。", c.Name)
		}
		for _, n := range names {
			out = append(out, l.clips[n])
		}
	}
	return out, nil
}

// spoken are the clips whose word may stand for them.
var spoken = map[string]string{"零": "0", "一": "1", "二": "2", "三": "3", "四": "4", "五": "5", "六": "6", "七": "7", "八": "8", "九": "9",
	"幺": "yao", "两": "liang", "十": "ten", "百": "hundred", "千": "thousand", "万": "wan"}

func spell(name string) []string {
	if clip, ok := spoken[name]; ok {
		return []string{clip}
	}
	if digits, ok := strings.CutPrefix(name, "#"); ok && digits != "" && len(digits) <= 32 && strings.Trim(digits, "0123456789") == "" {
		return Digits(digits)
	}
	if name == "" || len(name) > 8 || strings.Trim(name, "0123456789") != "" {
		return nil
	}
	n := 0
	for _, d := range name {
		n = n*10 + int(d-'0')
	}
	return Number(n)
}

// Digits names the clips that read a string digit by digit; 一 is spoken 幺, as
// on every Chinese switchboard.
func Digits(s string) []string {
	var out []string
	for _, d := range s {
		switch {
		case d == '1':
			out = append(out, "yao")
		case d >= '0' && d <= '9':
			out = append(out, string(d))
		}
	}
	return out
}

// Number names the clips that read n as a number, 0…99,999,999.
func Number(n int) []string {
	if n < 0 || n > 99_999_999 {
		return nil
	}
	if n >= 10_000 {
		out := append(Number(n/10_000), "wan")
		if rest := n % 10_000; rest > 0 {
			if rest < 1000 {
				out = append(out, "0")
			}
			return append(out, below(rest)...)
		}
		return out
	}
	if n == 0 {
		return []string{"0"}
	}
	if n >= 10 && n < 20 { // 十二, not 一十二
		return below(n)[1:]
	}
	return below(n)
}

// below reads 1…9,999.
func below(n int) []string {
	var out []string
	zero := false
	for i, unit := range []string{"thousand", "hundred", "ten", ""} {
		d := n / []int{1000, 100, 10, 1}[i] % 10
		if d == 0 {
			zero = len(out) > 0
			continue
		}
		if zero {
			out, zero = append(out, "0"), false
		}
		out = append(out, string(rune('0'+d)))
		if unit != "" {
			out = append(out, unit)
		}
	}
	return out
}
