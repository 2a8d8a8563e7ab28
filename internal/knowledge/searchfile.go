package knowledge

import (
	"encoding/json"
	"errors"
	"io"
	"math"

	"hotline/internal/fault"
	"hotline/internal/jsonl"
)

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
	err := jsonl.Each(corpus, "知识文件", hasID, func(a fileLine) error {
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
	enc, flush := jsonl.Writer(out)
	err = jsonl.Each(queries, "查询", hasID, func(q fileLine) error {
		hits := []hit{}
		for _, r := range x.search(q.Q, k, nil) {
			hits = append(hits, hit{ids[r.doc], math.Round(float64(r.score)*1e4) / 1e4})
		}
		return enc.Encode(struct {
			ID   json.RawMessage `json:"id"`
			Hits []hit           `json:"hits"`
		}{q.ID, hits})
	})
	return errors.Join(err, flush())
}

// fileLine is one article or query of a file. The id is given back as it came.
type fileLine struct {
	ID             json.RawMessage
	Title, Body, Q string
}

// hasID tells whether a line can be answered.
func hasID(l fileLine) bool { return len(l.ID) > 0 }
