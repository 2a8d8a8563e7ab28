package api

import (
	"encoding/json"
	"io"
	"net/http"
	"slices"

	"hotline/internal/fault"
	"hotline/internal/voice/cti"
)

// centreRoutes take what foreign call centres (他厂商话务平台) tell; the signature
// of a delivery is its login.
func (a *API) centreRoutes() {
	a.raw(http.MethodPost, "/api/v1/cti/{name}/events", "cti-events", "他厂商话务平台送来通话和座席事件", Rule{Public: true, Audit: "event"}, func(w http.ResponseWriter, r *http.Request) error {
		i := slices.IndexFunc(a.Centres, func(c *cti.Center) bool { return c.Name() == r.PathValue("name") })
		body, err := io.ReadAll(io.LimitReader(r.Body, maxJSON+1))
		switch {
		case err != nil || len(body) > maxJSON:
			return fault.Invalid("too_large", "提交的内容超过这里能收的大小，请分批提交。")
		case i < 0: // as a wrong signature, so that names cannot be tried
			return cti.ErrSignature()
		}
		next, err := a.Centres[i].Receive(r.Context(), r.Header, body)
		if err != nil {
			return err
		}
		w.Header().Set("Content-Type", "application/json; charset=utf-8")
		return json.NewEncoder(w).Encode(cti.Wanted{Next: next})
	})
}
