package api

import (
	"context"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"

	"hotline/internal/access"
	"hotline/internal/db"
	"hotline/internal/fault"
	"hotline/internal/ticket"
)

// ActionOut is what an action answers.
type ActionOut struct {
	ID          ID     `json:"id"`
	Number      string `json:"number"`
	Version     int64  `json:"version"`
	Status      string `json:"status"`
	StatusLabel string `json:"status_label"`
	Message     string `json:"message"`
	Created     ID     `json:"created,omitempty"`
}

// BatchItem is one ticket of a batch action.
type BatchItem struct {
	ID         ID    `json:"id"`
	Version    int64 `json:"version"`
	Assignment ID    `json:"assignment,omitempty"`
	Unit       ID    `json:"unit,omitempty"`
}

// BatchResult tells what became of one ticket of a batch.
type BatchResult struct {
	ID      ID     `json:"id"`
	OK      bool   `json:"ok"`
	Detail  string `json:"detail"`
	Code    string `json:"code,omitempty"`
	Version int64  `json:"version,omitempty"`
}

func (a *API) actionRoutes() {
	rule := Rule{Audit: "event"}
	route(a, http.MethodPost, "/api/v1/tickets/{id}/actions/{action}", "tickets-action", "办理一步", rule, func(ctx context.Context, in *struct {
		ID      string         `path:"id"`
		Action  string         `path:"action" maxLength:"40"`
		IfMatch string         `header:"If-Match"`
		Key     string         `header:"Idempotency-Key"`
		Body    map[string]any `required:"false"`
	}) (*struct{ Body ActionOut }, error) {
		id, err := parseID(in.ID)
		if err != nil {
			return nil, err
		}
		out, err := a.act(ctx, id, in.Action, in.IfMatch, in.Key, in.Body)
		return &struct{ Body ActionOut }{out}, err
	})
	type batchOut struct {
		Items []BatchResult `json:"items"`
	}
	route(a, http.MethodPost, "/api/v1/batch/{action}", "tickets-batch", "批量办理", rule, func(ctx context.Context, in *struct {
		Action string `path:"action" maxLength:"40"`
		Body   struct {
			Items  []BatchItem    `json:"items" maxItems:"200"`
			Fields map[string]any `json:"fields,omitempty"`
		}
	}) (*struct{ Body batchOut }, error) {
		out := batchOut{Items: []BatchResult{}}
		for _, it := range in.Body.Items {
			fields := map[string]any{}
			for k, v := range in.Body.Fields {
				fields[k] = v
			}
			if it.Unit != 0 {
				fields["unit"] = int64(it.Unit)
			}
			if it.Assignment != 0 {
				fields["assignment"] = strconv.FormatInt(int64(it.Assignment), 10)
			}
			res, err := a.act(ctx, int64(it.ID), in.Action, strconv.FormatInt(it.Version, 10), "", fields)
			if err != nil {
				p := toProblem(a.problem(ctx, err))
				out.Items = append(out.Items, BatchResult{ID: it.ID, Detail: p.Detail, Code: p.Code})
				continue
			}
			out.Items = append(out.Items, BatchResult{ID: it.ID, OK: true, Detail: res.Message, Version: res.Version})
		}
		return &struct{ Body batchOut }{out}, nil
	})
	type revealOut struct {
		Value     string `json:"value"`
		ExpiresAt string `json:"expires_at"`
	}
	route(a, http.MethodPost, "/api/v1/tickets/{id}/reveal", "tickets-reveal", "查看个人信息", Rule{Verbs: []access.Verb{access.Reveal, access.Sealed}, Audit: "reveal"}, func(ctx context.Context, in *struct {
		ID   string `path:"id"`
		Body struct {
			Field      string `json:"field" enum:"phone,name,address,content"`
			ReasonCode string `json:"reason_code"`
			Reason     string `json:"reason,omitempty" maxLength:"200"`
		}
	}) (*struct{ Body revealOut }, error) {
		id, err := parseID(in.ID)
		if err != nil {
			return nil, err
		}
		actor := actorOf(ctx)
		v, err := a.Ticket.Reveal(ctx, actor, id, in.Body.Field, in.Body.ReasonCode, in.Body.Reason, actor.IP)
		if err != nil {
			return nil, err
		}
		return &struct{ Body revealOut }{revealOut{v.Value(), stamp(a.now().UnixMilli() + 60_000)}}, nil
	})
}

// act runs one action; a key makes a repeat harmless.
func (a *API) act(ctx context.Context, id int64, name, ifMatch, key string, fields map[string]any) (ActionOut, error) {
	actor := actorOf(ctx)
	version, err := parseVersion(ifMatch)
	if err != nil {
		return ActionOut{}, err
	}
	if version == 0 && !a.freeAction(name) {
		return ActionOut{}, fault.Invalid("version_required", "请在 If-Match 中给出工单版本。")
	}
	act := ticket.Action{Name: name, Version: version}
	clean := map[string]any{}
	for k, v := range fields {
		if k == "assignment" {
			if act.Assignment, err = strconv.ParseInt(strings.TrimSpace(toText(v)), 10, 64); err != nil && v != "" {
				return ActionOut{}, fault.Invalid("assignment_invalid", "承办环节编号有误。")
			}
			continue
		}
		clean[k] = v
	}
	a.unitCodes(clean)
	act.Fields = clean
	body, _ := json.Marshal(fields)
	digest := ticket.Digest(strconv.FormatInt(id, 10), name, ifMatch, string(body))
	var out ActionOut
	err = a.DB.Update(ctx, func(tx *db.Tx) error {
		_, answer, err := a.Ticket.Once(tx, actor.Account, key, digest, func() (int, []byte, error) {
			res, err := a.Ticket.DoTx(tx, actor, id, act)
			if err != nil {
				return 0, nil, err
			}
			o := ActionOut{ID(res.ID), res.Number, res.Version, res.Status, a.Ticket.RulesNow(0).StatusWord(res.Status), res.Message, ID(res.Created)}
			b, err := json.Marshal(o)
			return http.StatusOK, b, err
		})
		if err != nil {
			return err
		}
		return json.Unmarshal(answer, &out)
	})
	return out, err
}

// freeAction tells whether an action needs no If-Match.
func (a *API) freeAction(name string) bool {
	for _, e := range a.Ticket.RulesNow(0).Of(name) {
		if e.Free {
			return true
		}
	}
	return false
}

func toText(v any) string {
	switch x := v.(type) {
	case string:
		return x
	case float64:
		return strconv.FormatInt(int64(x), 10)
	}
	return ""
}

func parseVersion(s string) (int64, error) {
	s = strings.Trim(strings.TrimPrefix(strings.TrimSpace(s), "W/"), `"`)
	if s == "" {
		return 0, nil
	}
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil || n <= 0 {
		return 0, fault.Invalid("version_invalid", "工单版本应为正整数。")
	}
	return n, nil
}
