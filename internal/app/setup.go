package app

import (
	"context"
	"crypto/rand"
	"encoding/base32"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"hotline/internal/access"
	"hotline/internal/fault"
	"hotline/internal/intake"
	"hotline/internal/org"
)

// FirstRun founds an empty installation: the organisation of the province and
// nothing else. It answers what the operator should do next, "" later.
func (a *App) FirstRun(ctx context.Context) (string, error) {
	if a.Org.Tree().Province().ID != 0 {
		return "", nil
	}
	if err := a.Org.CreateAll(ctx, org.By{}, org.Province(org.ProvinceOptions{})); err != nil {
		return "", err
	}
	return "已按湖北省区划建立组织机构。请另开终端用 hotline user create 建立第一个系统管理员。", nil
}

// CreateAccount makes an account with a random first password.
func (a *App) CreateAccount(ctx context.Context, username, name string, role access.Role, unit string) (string, error) {
	u, ok := a.Org.Tree().ByCode(unit)
	if !ok {
		return "", fault.Invalid("unit_unknown", "单位编码“%s”不存在。", unit)
	}
	var raw [10]byte
	if _, err := rand.Read(raw[:]); err != nil {
		return "", err
	}
	password := "Hx" + strings.ToLower(base32.StdEncoding.EncodeToString(raw[:])) + "7"
	_, err := a.Access.CreateAccount(ctx, access.System("命令行"), access.NewAccount{Username: username, Name: name, Role: role, Unit: u.ID, Password: password, MustChange: true})
	return password, err
}

// Import takes requests in; platform is the code of the unit that takes those
// whose place is unknown.
func (a *App) Import(ctx context.Context, actor access.Actor, r io.Reader, source, platform string, progress func(int)) (intake.Report, error) {
	if a.Org.Tree().Province().ID == 0 {
		if _, err := a.FirstRun(ctx); err != nil {
			return intake.Report{}, err
		}
	}
	u, ok := a.Org.Tree().ByCode(platform)
	if !ok {
		return intake.Report{}, fault.Invalid("platform_unknown", "平台编码“%s”不存在。", platform)
	}
	return a.Intake.Import(ctx, actor, r, intake.ImportOptions{Source: source, Platform: u.ID, Progress: progress})
}

// Told is one line of the answer of the control socket to an import: how far
// it is, and in the last one the report or what stopped it.
type Told struct {
	Done   int            `json:"done,omitempty"`
	Report *intake.Report `json:"report,omitempty"`
	Failed string         `json:"failed,omitempty"`
}

// importFor runs an import for a command and tells it of every hundredth line.
func (a *App) importFor(w http.ResponseWriter, r *http.Request) {
	var mu sync.Mutex
	out := json.NewEncoder(w)
	flush := http.NewResponseController(w)
	tell := func(t Told) {
		mu.Lock()
		defer mu.Unlock()
		_ = out.Encode(t)
		_ = flush.Flush()
	}
	// Answers begin before the file is read to its end.
	_ = flush.EnableFullDuplex()
	q := r.URL.Query()
	rep, err := a.Import(r.Context(), access.System("导入"), r.Body, q.Get("source"), q.Get("platform"), func(done int) {
		if done%100 == 0 {
			tell(Told{Done: done})
		}
	})
	if err != nil {
		tell(Told{Failed: fault.As(err).Detail})
		return
	}
	tell(Told{Report: &rep})
}

// control serves the local socket in the data directory, by which commands
// reach the server that holds it. Only the owner of the directory can.
func (a *App) control(ctx context.Context) error {
	path := filepath.Join(a.Data, "control.sock")
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	ln, err := net.Listen("unix", path)
	if err != nil {
		slog.Warn("no local control socket", "err", err)
		<-ctx.Done()
		return nil
	}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /import", a.importFor)
	mux.HandleFunc("POST /user", func(w http.ResponseWriter, r *http.Request) {
		password, err := a.CreateAccount(r.Context(), r.FormValue("username"), r.FormValue("name"), access.Role(r.FormValue("role")), r.FormValue("unit"))
		if err != nil {
			http.Error(w, fault.As(err).Detail, http.StatusBadRequest)
			return
		}
		_ = json.NewEncoder(w).Encode(password)
	})
	s := &http.Server{Handler: mux}
	go func() { <-ctx.Done(); s.Close() }()
	if err := s.Serve(ln); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}
