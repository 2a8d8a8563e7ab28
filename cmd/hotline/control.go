package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"path/filepath"
)

// throughServer asks the server that holds a data directory to do what a
// command would have done, and reads its one answer.
func throughServer(ctx context.Context, data, path string, q url.Values, into any) error {
	body, err := callServer(ctx, data, path, q, nil)
	if err != nil {
		return err
	}
	defer body.Close()
	return json.NewDecoder(body).Decode(into)
}

// callServer posts to the server's local socket; the caller closes the answer.
func callServer(ctx context.Context, data, path string, q url.Values, body io.Reader) (io.ReadCloser, error) {
	c := http.Client{Transport: &http.Transport{DisableKeepAlives: true, DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "unix", filepath.Join(data, "control.sock"))
	}}}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://control"+path+"?"+q.Encode(), body)
	if err != nil {
		return nil, err
	}
	res, err := c.Do(req)
	if err != nil {
		return nil, fmt.Errorf("平台正在使用该目录，但联系不上它的本地接口：%w", err)
	}
	if res.StatusCode != http.StatusOK {
		defer res.Body.Close()
		b, _ := io.ReadAll(io.LimitReader(res.Body, 4096))
		return nil, errors.New(string(b))
	}
	return res.Body, nil
}
