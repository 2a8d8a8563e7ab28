package blob

import (
	"archive/zip"
	"bytes"
	"strings"

	"github.com/gabriel-vasile/mimetype"

	"hotline/internal/fault"
)

// MaxSize is the largest upload, 20 MB.
const MaxSize = 20 << 20

// Check decides whether an upload may come in and returns what is to be
// stored: its kind (jpg png pdf mp3 amr mp4 docx xlsx) by content, whatever the
// name says, and its clean form. Images are drawn anew: upright, without EXIF
// and without anything that was hidden in the file; WebP becomes JPEG, or PNG
// when it is transparent. Places are removed from videos. The error is kind
// invalid and says in Chinese what to send instead; name is only quoted.
func Check(name string, data []byte) (kind string, clean []byte, err error) {
	name = shortName(name)
	switch {
	case len(data) == 0:
		return "", nil, fault.Invalid("blob_empty", "文件“%s”是空的，请重新选择。", name)
	case len(data) > MaxSize:
		return "", nil, fault.Invalid("blob_too_large", "文件“%s”超过20MB，请压缩或分成几个文件后上传。", name)
	}
	found := mimetype.Detect(data)
	switch {
	case found.Is("image/jpeg"):
		return redraw(name, "jpg", data)
	case found.Is("image/png"), found.Is("image/vnd.mozilla.apng"):
		return redraw(name, "png", data)
	case found.Is("image/webp"):
		return redraw(name, "webp", data)
	case found.Is("application/pdf") && bytes.HasPrefix(data, []byte("%PDF-")):
		return plainFile(name, "pdf", data)
	case found.Is("audio/mpeg"), bytes.HasPrefix(data, []byte("ID3")):
		return plainFile(name, "mp3", data)
	case found.Is("audio/amr"), bytes.HasPrefix(data, []byte("#!AMR")):
		return plainFile(name, "amr", data)
	case found.Is("video/mp4"), found.Is("audio/mp4"), found.Is("audio/x-m4a"), found.Is("video/x-m4v"), found.Is("video/3gpp"):
		return plainFile(name, "mp4", withoutPlace(data))
	case bytes.HasPrefix(data, []byte("PK\x03\x04")):
		return office(name, data)
	}
	return "", nil, refused(name, found)
}

// refused says what is wrong with a kind that may not come in.
func refused(name string, found *mimetype.MIME) error {
	is := func(types ...string) bool {
		for _, t := range types {
			for m := found; m != nil; m = m.Parent() {
				if m.Is(t) {
					return true
				}
			}
		}
		return false
	}
	switch {
	case is("image/svg+xml", "text/html", "text/xml", "application/xhtml+xml", "text/javascript", "application/javascript"):
		return fault.Invalid("blob_active", "文件“%s”是网页或矢量图，可能含有脚本，不能上传；请截图后上传图片。", name)
	case is("image/heic", "image/heif", "image/heic-sequence", "image/heif-sequence", "image/avif"):
		return fault.Invalid("blob_type", "文件“%s”是HEIC格式，请在手机相机设置中选择“兼容性最佳”，或另存为JPG后上传。", name)
	case is("application/x-7z-compressed", "application/x-rar-compressed", "application/vnd.rar", "application/gzip", "application/x-tar", "application/x-bzip2", "application/x-xz", "application/zstd"):
		return archive(name)
	case is("application/x-ole-storage"):
		return fault.Invalid("blob_type", "文件“%s”是旧版Office格式，请另存为DOCX、XLSX或PDF后上传。", name)
	}
	return fault.Invalid("blob_type", "不支持文件“%s”的格式。可上传：图片（JPG、PNG、WebP）、PDF、录音（MP3、AMR）、视频（MP4）、DOCX、XLSX。", name)
}

func archive(name string) error {
	return fault.Invalid("blob_archive", "文件“%s”是压缩包，不能上传；请解压后逐个上传里面的文件。", name)
}

func broken(name string, err error) error {
	return fault.Invalid("blob_broken", "文件“%s”已损坏或不完整，请重新导出或拍摄后上传。", name).Because(err)
}

func active(name string) error {
	return fault.Invalid("blob_active", "文件“%s”里混有脚本、宏或其他程序，不能上传；请另存为不含宏的文件，或截图后上传图片。", name)
}

// markup is what a browser would run if it could be talked into reading a file
// as a page.
var markup = []string{"<html", "<!doctype html", "<script", "<svg", "<iframe", "<body", "<?php", "javascript:"}

// plainFile lets a file in as it is unless it is also something else: a page
// in its first or last bytes, or an archive behind it.
func plainFile(name, kind string, data []byte) (string, []byte, error) {
	const edge = 4096
	head := data[:min(edge, len(data))]
	tail := data[max(0, len(data)-edge):]
	for _, part := range [][]byte{head, tail} {
		text := strings.ToLower(string(part))
		for _, m := range markup {
			if strings.Contains(text, m) {
				return "", nil, active(name)
			}
		}
	}
	if _, err := zip.NewReader(bytes.NewReader(data), int64(len(data))); err == nil {
		return "", nil, archive(name)
	}
	return kind, data, nil
}

// shortName makes a client's file name fit to be quoted.
func shortName(name string) string {
	name = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r == '"' || r == '<' || r == '>' || r >= 0x200b && r <= 0x202f || r >= 0x2066 && r <= 0x2069 {
			return -1
		}
		return r
	}, name)
	if i := strings.LastIndexAny(name, `/\`); i >= 0 {
		name = name[i+1:]
	}
	if rs := []rune(name); len(rs) > 60 {
		name = string(rs[:40]) + "…" + string(rs[len(rs)-15:])
	}
	if name == "" {
		return "未命名"
	}
	return name
}
