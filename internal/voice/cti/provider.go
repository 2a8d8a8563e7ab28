package cti

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"

	webhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"hotline/internal/clock"
	"hotline/internal/fault"
)

// Provider is the way to one foreign call centre. What it tells comes in by
// Center.Take.
type Provider interface {
	// Do asks for something. It fails with conflict cti_refused, in the call
	// centre's own words, and with unavailable cti_away when it does not answer.
	Do(ctx context.Context, c Command) error
	// Recording gives a recording as a WAV file.
	Recording(ctx context.Context, name string) (io.ReadCloser, error)
}

// Config is one foreign call centre: the file DIR/voice/cti/NAME.json.
type Config struct {
	Name     string `json:"-"`
	Title    string `json:"title"`    // what people read: 宜昌华为话务平台
	Platform string `json:"platform"` // code of the platform whose seats it serves
	URL      string `json:"url"`      // of its bridge
	Secret   string `json:"secret"`   // whsec_…, of Standard Webhooks
}

var nameForm = regexp.MustCompile(`^[a-z0-9-]{1,32}$`)

// Configs reads what a directory describes; one that is missing describes none.
func Configs(dir string) (out []Config, err error) {
	files, err := filepath.Glob(filepath.Join(dir, "*.json"))
	if err != nil {
		return nil, err
	}
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			return nil, fmt.Errorf("cti: %w", err)
		}
		c := Config{Name: strings.TrimSuffix(filepath.Base(f), ".json")}
		d := json.NewDecoder(bytes.NewReader(b))
		d.DisallowUnknownFields()
		u, uerr := &url.URL{}, d.Decode(&c)
		if uerr == nil {
			u, uerr = url.Parse(c.URL)
		}
		if uerr != nil || !nameForm.MatchString(c.Name) || c.Title == "" || c.Platform == "" || len(c.Secret) < 24 || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
			return nil, fault.Invalid("cti_config", "话务平台配置 %s 不对：应为 {\"title\",\"platform\",\"url\",\"secret\"}，文件名为小写字母、数字或短横，密钥为 whsec_ 开头的 Base64。", f)
		}
		out = append(out, c)
	}
	return out, nil
}

// Webhook reaches a call centre's bridge by JSON over HTTP; both ways are signed
// (Standard Webhooks 1.0.0, https://www.standardwebhooks.com).
type Webhook struct {
	url    string
	sign   *webhooks.Webhook
	clk    clock.Clock
	client *http.Client
}

// within is how long a bridge may take to answer a command.
const within = 5 * time.Second

// maxText bounds what a bridge says of a refusal.
const maxText = 4 << 10

// NewWebhook makes the way to the bridge of a call centre.
func NewWebhook(c Config, clk clock.Clock) (*Webhook, error) {
	sign, err := webhooks.NewWebhook(c.Secret)
	if err != nil {
		return nil, fault.Invalid("cti_config", "话务平台%s的密钥不是有效的 Base64。", c.Title).Because(err)
	}
	return &Webhook{url: strings.TrimSuffix(c.URL, "/"), sign: sign, clk: clk, client: &http.Client{Timeout: time.Minute, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}, nil
}

// Verify tells whether a delivery is of the call centre, and of the last five
// minutes.
func (w *Webhook) Verify(h http.Header, body []byte) error {
	if err := w.sign.Verify(body, h); err != nil {
		return ErrSignature().Because(err)
	}
	return nil
}

// ErrSignature refuses a delivery of somebody else.
func ErrSignature() *fault.Error {
	return fault.Unauthenticated("cti_signature", "签名不对或已过时。")
}

func (w *Webhook) request(ctx context.Context, method, path, id string, body []byte) (*http.Response, error) {
	r, err := http.NewRequestWithContext(ctx, method, w.url+path, bytes.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("cti: %w", err)
	}
	now := w.clk.Now()
	signature, err := w.sign.Sign(id, now, body)
	if err != nil {
		return nil, fmt.Errorf("cti: %w", err)
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set(webhooks.HeaderWebhookID, id)
	r.Header.Set(webhooks.HeaderWebhookTimestamp, strconv.FormatInt(now.Unix(), 10))
	r.Header.Set(webhooks.HeaderWebhookSignature, signature)
	return w.client.Do(r)
}

func away(err error) error {
	return fault.Unavailable("cti_away", "话务平台没有应答，请在话机上操作，或稍后再试；表单可照常使用。").Because(err)
}

// Do posts a command to URL/commands.
func (w *Webhook) Do(ctx context.Context, c Command) error {
	body, err := json.Marshal(c)
	if err != nil {
		return fmt.Errorf("cti: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	r, err := w.request(ctx, http.MethodPost, "/commands", c.ID, body)
	if err != nil {
		return away(err)
	}
	defer r.Body.Close()
	switch {
	case r.StatusCode < 300:
		return nil
	case r.StatusCode < 400 || r.StatusCode >= 500:
		return away(errors.New(r.Status))
	}
	var said struct {
		Text string `json:"text"`
	}
	_ = json.NewDecoder(io.LimitReader(r.Body, maxText)).Decode(&said)
	if said.Text == "" {
		said.Text = "话务平台不能这样操作。"
	}
	return fault.Conflict("cti_refused", "%s", said.Text)
}

// Recording fetches URL/recordings/NAME.
func (w *Webhook) Recording(ctx context.Context, name string) (io.ReadCloser, error) {
	r, err := w.request(ctx, http.MethodGet, "/recordings/"+url.PathEscape(name), name, nil)
	if err != nil {
		return nil, away(err)
	}
	if r.StatusCode != http.StatusOK {
		r.Body.Close()
		return nil, fmt.Errorf("cti: recording: %s", r.Status)
	}
	return r.Body, nil
}
