package zh

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/mozillazg/go-pinyin"
)

// readings override the dictionary's first reading: place names of Hubei that
// are read otherwise than the character alone, and everyday words. The longest
// entry at a position wins; the values have one syllable a character.
var readings = map[string]string{
	// single characters whose common reading is not the dictionary's first
	"长": "chang", "佛": "fo", "咀": "zui", "陂": "pi", "埫": "shang", "涴": "yuan", "酂": "zan", "垸": "yuan",
	"硚": "qiao", "猇": "xiao", "郧": "yun", "蕲": "qi", "掇": "duo", "汈": "diao", "奓": "zha", "剅": "lou",
	// places
	"硚口": "qiao kou", "监利": "jian li", "黄陂": "huang pi", "沌口": "zhuan kou", "沌阳": "zhuan yang",
	"宜都": "yi du", "曾都": "zeng du", "都镇湾": "du zhen wan", "钢都": "gang du", "都亭": "du ting", "成都": "cheng du", "首都": "shou du",
	"厦铺": "xia pu", "燕厦": "yan xia", "厦门": "xia men", "还地桥": "huan di qiao", "薄刀峰": "bo dao feng",
	"重庆": "chong qing", "重阳": "chong yang", "点军": "dian jun", "大冶": "da ye", "洪湖": "hong hu", "大悟": "da wu",
	"长官": "zhang guan", "六安": "lu an", "西藏": "xi zang",
	// everyday words
	"市长": "shi zhang", "县长": "xian zhang", "区长": "qu zhang", "镇长": "zhen zhang", "乡长": "xiang zhang", "村长": "cun zhang",
	"局长": "ju zhang", "处长": "chu zhang", "科长": "ke zhang", "校长": "xiao zhang", "院长": "yuan zhang", "家长": "jia zhang", "班长": "ban zhang",
	"会长": "hui zhang", "增长": "zeng zhang", "成长": "cheng zhang", "长大": "zhang da",
	"银行": "yin hang", "行业": "hang ye", "行长": "hang zhang", "人行道": "ren xing dao", "重新": "chong xin", "重复": "chong fu", "重办": "chong ban",
	"音乐": "yin yue", "会计": "kuai ji", "仿佛": "fang fu", "还款": "huan kuan", "还建": "huan jian", "退还": "tui huan", "归还": "gui huan",
	"调整": "tiao zheng", "调解": "tiao jie", "空调": "kong tiao", "宿舍": "su she", "供给": "gong ji", "给水": "ji shui",
}

const longestReading = 3

var plainPinyin = pinyin.NewArgs()

// Pinyin is the text in toneless pinyin, without spaces: 硚口区 gives "qiaokouqu".
// Latin letters and digits stay, in lower case; everything else is left out.
func Pinyin(s string) string {
	var b strings.Builder
	syllables(s, func(p string) { b.WriteString(p) })
	return b.String()
}

// Initials is the first letter of each syllable: 监利市 gives "jls". Latin
// letters and digits stay, in lower case; everything else is left out.
func Initials(s string) string {
	var b strings.Builder
	syllables(s, func(p string) { b.WriteByte(p[0]) })
	return b.String()
}

// syllables calls fn for each syllable, letter and digit of s; p is never "".
func syllables(s string, fn func(p string)) {
	for s != "" {
		if word, reading := longest(s); word > 0 {
			for _, p := range strings.Fields(reading) {
				fn(p)
			}
			s = s[word:]
			continue
		}
		r, n := utf8.DecodeRuneInString(s)
		s = s[n:]
		switch {
		case r < utf8.RuneSelf && (unicode.IsLetter(r) || unicode.IsDigit(r)):
			fn(string(unicode.ToLower(r)))
		case unicode.Is(unicode.Han, r):
			if ps := pinyin.SinglePinyin(r, plainPinyin); len(ps) > 0 && ps[0] != "" {
				fn(ps[0])
			}
		}
	}
}

// longest finds the longest entry of readings that begins s.
func longest(s string) (bytes int, reading string) {
	end := 0
	for n := 0; n < longestReading && end < len(s); n++ {
		_, w := utf8.DecodeRuneInString(s[end:])
		end += w
		if r, ok := readings[s[:end]]; ok {
			bytes, reading = end, r
		}
	}
	return bytes, reading
}
