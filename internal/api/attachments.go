package api

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"path/filepath"
	"strings"

	"hotline/internal/access"
	"hotline/internal/audit"
	"hotline/internal/blob"
	"hotline/internal/fault"
	"hotline/internal/ticket"
	"hotline/internal/zh"
)

// AttachmentOut is a file of a ticket.
type AttachmentOut struct {
	ID    ID     `json:"id"`
	Name  string `json:"name"`
	Kind  string `json:"kind"`
	Size  int64  `json:"size"`
	At    string `json:"at"`
	By    string `json:"by"`
	Stage string `json:"stage"`
}

const maxUpload = 20 << 20

func (a *API) attachmentRoutes() {
	a.raw(http.MethodPost, "/api/v1/attachments", "attachments-create", "上传附件", Rule{Verbs: []access.Verb{access.Create, access.Handle, access.Approve, access.Supervise, access.DoCallback}, Audit: "attachment.add"}, func(w http.ResponseWriter, r *http.Request) error {
		r.Body = http.MaxBytesReader(w, r.Body, maxUpload+1<<20)
		f, head, err := r.FormFile("file")
		if err != nil {
			return fault.Invalid("file_needed", "请选择不超过20兆字节的文件。").Because(err)
		}
		defer f.Close()
		data, err := io.ReadAll(io.LimitReader(f, maxUpload+1))
		if err != nil || len(data) > maxUpload {
			return fault.Invalid("file_too_large", "文件不能超过20兆字节。").Because(err)
		}
		at, err := a.StoreFile(r.Context(), actorOf(r.Context()), head.Filename, data)
		if err != nil {
			return err
		}
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusCreated)
		return json.NewEncoder(w).Encode(a.attachmentOut(at))
	})
	a.raw(http.MethodGet, "/api/v1/attachments/{id}", "attachments-get", "查看附件", Rule{Verbs: []access.Verb{access.View}, Audit: "attachment.view"}, func(w http.ResponseWriter, r *http.Request) error {
		id, err := parseID(r.PathValue("id"))
		if err != nil {
			return err
		}
		tid, _ := parseID(r.URL.Query().Get("ticket"))
		actor := actorOf(r.Context())
		at, err := a.Ticket.OpenAttachment(r.Context(), actor, tid, id)
		if err != nil {
			return err
		}
		if err := a.Audit.Seen(r.Context(), audit.Entry{Actor: actor.Account, Account: actor.Username, Role: string(actor.Role), Unit: actor.Unit, Op: "attachment.view", SubjectKind: "ticket", Subject: at.Ticket, Count: 1, IP: actor.IP}); err != nil {
			return err
		}
		return a.serveBlob(w, r, at.Ref, at.Name, at.Kind)
	})
}

// StoreFile checks, cleans and keeps an uploaded file.
func (a *API) StoreFile(ctx context.Context, actor access.Actor, name string, data []byte) (ticket.Attachment, error) {
	kind, clean, err := blob.Check(name, data)
	if err != nil {
		return ticket.Attachment{}, err
	}
	ref, err := a.Blobs.Put(ctx, bytes.NewReader(clean))
	if err != nil {
		return ticket.Attachment{}, err
	}
	name = zh.Truncate(strings.Map(func(r rune) rune {
		if r < 32 || strings.ContainsRune(`/\:*?"<>|`, r) {
			return -1
		}
		return r
	}, filepath.Base(name)), 80)
	return a.Ticket.Attach(ctx, actor, ticket.Attachment{Name: name, Kind: kind, Size: int64(len(clean)), Ref: string(ref)})
}

// inlineKinds may be shown in the page; everything else is downloaded.
var inlineKinds = map[string]string{"jpg": "image/jpeg", "png": "image/png"}

func (a *API) serveBlob(w http.ResponseWriter, r *http.Request, ref, name, kind string) error {
	f, err := a.Blobs.Open(r.Context(), blob.Ref(ref))
	if err != nil {
		return err
	}
	defer f.Close()
	h := w.Header()
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Content-Security-Policy", "default-src 'none'; sandbox")
	h.Set("Cache-Control", "private, no-store")
	how := "attachment"
	if t, ok := inlineKinds[kind]; ok {
		h.Set("Content-Type", t)
		how = "inline"
	} else {
		h.Set("Content-Type", "application/octet-stream")
	}
	h.Set("Content-Disposition", fmt.Sprintf("%s; filename*=UTF-8''%s", how, url.PathEscape(name)))
	_, err = io.Copy(w, f)
	return err
}

func (a *API) attachmentOut(x ticket.Attachment) AttachmentOut {
	return AttachmentOut{ID: ID(x.ID), Name: x.Name, Kind: x.Kind, Size: x.Size, At: stamp(x.At), By: a.accountName(x.By), Stage: a.Org.Tree().Name(x.Unit)}
}

func (a *API) attachments(ctx context.Context, t *ticket.Ticket) ([]AttachmentOut, error) {
	list, err := a.Ticket.Attachments(ctx, t)
	out := []AttachmentOut{}
	for _, x := range list {
		out = append(out, a.attachmentOut(x))
	}
	return out, err
}
