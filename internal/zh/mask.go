package zh

import (
	"regexp"
	"strings"
)

// MaskPhone shows a number for recognition, not for dialling: "138****2671",
// "027****4321". What is too short to keep anything becomes stars.
func MaskPhone(s string) string {
	d, ok := NormalizePhone(s)
	if !ok {
		d = strings.Map(func(r rune) rune {
			if r < '0' || r > '9' {
				return -1
			}
			return r
		}, s)
	}
	switch {
	case d == "" && s == "":
		return ""
	case len(d) >= 10:
		return d[:3] + "****" + d[len(d)-4:]
	case len(d) >= 7:
		return "****" + d[len(d)-3:]
	}
	return "****"
}

// MaskName keeps the surname: 张三丰 gives "张**", 欧阳娜娜 gives "欧阳**". A name in
// other letters keeps its first.
func MaskName(s string) string {
	rs := []rune(strings.TrimSpace(s))
	keep := 1
	if len(rs) > 2 && compoundSurnames[string(rs[:2])] {
		keep = 2
	}
	switch {
	case len(rs) == 0:
		return ""
	case len(rs) == 1:
		return "*"
	}
	return string(rs[:keep]) + strings.Repeat("*", min(len(rs)-keep, 3))
}

var street = regexp.MustCompile(`^.*?(?:街道|大道|[镇乡路街巷])`)

var district = regexp.MustCompile(`^.*[省市州区县旗]`)

// MaskAddress keeps an address down to the street or township and hides the
// rest: "武汉市洪山区关山街道****". Without one it keeps the county; else nothing.
func MaskAddress(s string) string {
	s = strings.TrimSpace(s)
	if s == "" {
		return ""
	}
	head := district.FindString(s)
	for _, keep := range []string{street.FindString(s), head} {
		if keep != "" {
			if keep == s {
				return s
			}
			return keep + "****"
		}
	}
	return "****"
}
