package knowledge

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"math"

	"hotline/internal/fault"
)

// maxLine bounds a line of a JSONL file, in bytes.
const maxLine = 16 << 20

// SearchFile answers queries over a corpus, both JSON lines: corpus
// {"id","title","body"}, query {"id","q"}; each answer is {"id","hits":[{"id","score"}]}
// with at most k hits, the best first. It is the ranking of Search without a
// database: `hotline search`. Ids are given back as they came.
func SearchFile(corpus, queries io.Reader, out io.Writer, k int) error {
	if k <= 0 {
		return fault.Invalid("search_k_invalid", "--k 应为正整数。")
	}
	x := newBM25()
	var ids []json.RawMessage
	err := eachLine(corpus, "知识文件", func(a fileLine) error {
		x.add(field{a.Title, titleTimes}, field{a.Body, 1})
		ids = append(ids, a.ID)
		return nil
	})
	if err != nil {
		return err
	}
	type hit struct {
		ID    json.RawMessage `json:"id"`
		Score float64         `json:"score"`
	}
	w := bufio.NewWriter(out)
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	err = eachLine(queries, "查询", func(q fileLine) error {
		hits := []hit{}
		for _, r := range x.search(q.Q, k, nil) {
			hits = append(hits, hit{ids[r.doc], math.Round(float64(r.score)*1e4) / 1e4})
		}
		return enc.Encode(struct {
			ID   json.RawMessage `json:"id"`
			Hits []hit           `json:"hits"`
		}{q.ID, hits})
	})
	return errors.Join(err, w.Flush())
}

// fileLine is one article or query of a file. The id is given back as it came.
type fileLine struct {
	ID             json.RawMessage
	Title, Body, Q string
}

// eachLine hands fn the rows of a JSONL stream that are not blank. A bad line
// is invalid, code jsonl_invalid, and named by its number.
func eachLine(r io.Reader, name string, fn func(fileLine) error) error {
	sc := bufio.NewScanner(r)
	sc.Buffer(make([]byte, 64<<10), maxLine)
	n := 0
	for sc.Scan() {
		n++
		line := bytes.TrimSpace(bytes.TrimPrefix(sc.Bytes(), []byte("\xef\xbb\xbf")))
		if len(line) == 0 {
			continue
		}
		var row fileLine
		if err := json.Unmarshal(line, &row); err != nil || len(row.ID) == 0 {
			return fault.Invalid("jsonl_invalid", "%s第%d行不是有效的 JSON 对象，或缺少 id。", name, n).Because(err)
		}
		if err := fn(row); err != nil {
			return err
		}
	}
	switch err := sc.Err(); {
	case errors.Is(err, bufio.ErrTooLong):
		return fault.Invalid("jsonl_too_long", "%s第%d行超过%d兆字节。", name, n+1, maxLine>>20).Because(err)
	case err != nil:
		return fault.Unavailable("jsonl_unreadable", "%s读取失败，请检查文件是否完整。", name).Because(err)
	}
	return nil
}
