package blob

import (
	"archive/zip"
	"bytes"
	"io"
	"path"
	"regexp"
	"strings"

	"hotline/internal/fault"
)

// The bounds of an Office file, which is a zip: a bomb is told by the sizes
// in its directory and by entries that together claim more than the file has.
const (
	maxEntries  = 5000
	maxUnpacked = 200 << 20
	maxRatio    = 200 // unpacked to packed, once above a megabyte
)

// external is a template or object that Word would fetch when it opens the file.
var external = regexp.MustCompile(`(?i)relationships/(attachedTemplate|oleObject|frame|subDocument)"[^>]*TargetMode\s*=\s*"External"|TargetMode\s*=\s*"External"[^>]*relationships/(attachedTemplate|oleObject|frame|subDocument)"`)

// office lets DOCX and XLSX in and refuses every other zip.
func office(name string, data []byte) (string, []byte, error) {
	z, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		return "", nil, broken(name, err)
	}
	if len(z.File) > maxEntries {
		return "", nil, bomb(name)
	}
	var packed, unpacked uint64
	has := map[string]bool{}
	for _, f := range z.File {
		packed += f.CompressedSize64
		unpacked += f.UncompressedSize64
		if f.UncompressedSize64 > maxUnpacked || unpacked > maxUnpacked || packed > uint64(len(data)) ||
			f.UncompressedSize64 > 1<<20 && f.UncompressedSize64 > maxRatio*max(f.CompressedSize64, 1) {
			return "", nil, bomb(name)
		}
		has[f.Name] = true
	}
	kind := ""
	switch {
	case !has["[Content_Types].xml"]:
	case has["word/document.xml"]:
		kind = "docx"
	case has["xl/workbook.xml"]:
		kind = "xlsx"
	}
	if kind == "" {
		return "", nil, archive(name)
	}
	for _, f := range z.File {
		if err := officeEntry(name, f); err != nil {
			return "", nil, err
		}
	}
	return kind, data, nil
}

func bomb(name string) error {
	return fault.Invalid("blob_bomb", "文件“%s”解压后过大，系统拒绝接收；请删去不必要的图片后另存，或转为PDF上传。", name)
}

// officeEntry refuses programs inside the file and references that fetch one.
func officeEntry(name string, f *zip.File) error {
	lower := strings.ToLower(f.Name)
	if strings.Contains(lower, "..") || strings.HasPrefix(lower, "/") || strings.Contains(lower, `\`) || f.Flags&1 != 0 {
		return broken(name, nil)
	}
	base := path.Base(lower)
	embedded := strings.Contains(lower, "/embeddings/") || strings.Contains(lower, "/activex/")
	switch ext := path.Ext(base); {
	case strings.HasPrefix(base, "vbaproject"), strings.HasPrefix(base, "vbadata"), embedded && ext == ".bin":
		return active(name)
	case ext == ".exe", ext == ".dll", ext == ".js", ext == ".vbs", ext == ".bat", ext == ".ps1", ext == ".html", ext == ".htm", ext == ".svg", ext == ".zip", ext == ".docm", ext == ".xlsm":
		return active(name)
	case ext == ".rels" || base == "[content_types].xml":
		r, err := f.Open()
		if err != nil {
			return broken(name, err)
		}
		defer r.Close()
		text, err := io.ReadAll(io.LimitReader(r, 4<<20))
		if err != nil {
			return broken(name, err)
		}
		if external.Match(text) || bytes.Contains(bytes.ToLower(text), []byte("macroenabled")) {
			return active(name)
		}
	}
	return nil
}
