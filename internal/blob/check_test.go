package blob

import (
	"archive/zip"
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"hash/crc32"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"slices"
	"strings"
	"testing"

	"hotline/internal/fault"
)

// picture is 40 by 20: its left half red, its right half blue.
func picture() *image.RGBA {
	img := image.NewRGBA(image.Rect(0, 0, 40, 20))
	for y := range 20 {
		for x := range 40 {
			c := color.RGBA{255, 0, 0, 255}
			if x >= 20 {
				c = color.RGBA{0, 0, 255, 255}
			}
			img.SetRGBA(x, y, c)
		}
	}
	return img
}

func jpegOf(t testing.TB, img image.Image) []byte {
	var b bytes.Buffer
	if err := jpeg.Encode(&b, img, &jpeg.Options{Quality: 95}); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func pngOf(t testing.TB, img image.Image) []byte {
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// withEXIF puts an APP1 segment with an orientation and a planted place behind
// the start of a JPEG.
func withEXIF(jpg []byte, orientation uint16, planted string) []byte {
	tiff := []byte("II*\x00\x08\x00\x00\x00\x01\x00")
	tiff = binary.LittleEndian.AppendUint16(tiff, 0x0112)
	tiff = append(tiff, 3, 0, 1, 0, 0, 0)
	tiff = binary.LittleEndian.AppendUint16(tiff, orientation)
	tiff = append(tiff, 0, 0, 0, 0, 0, 0)
	body := append([]byte("Exif\x00\x00"), append(tiff, planted...)...)
	out := append([]byte{}, jpg[:2]...)
	out = append(out, 0xff, 0xe1)
	out = binary.BigEndian.AppendUint16(out, uint16(len(body)+2))
	return append(append(out, body...), jpg[2:]...)
}

func pngHead(w, h uint32) []byte {
	b := []byte("\x89PNG\r\n\x1a\n")
	chunk := append([]byte("IHDR"), make([]byte, 13)...)
	binary.BigEndian.PutUint32(chunk[4:], w)
	binary.BigEndian.PutUint32(chunk[8:], h)
	chunk[12], chunk[13] = 8, 6
	b = binary.BigEndian.AppendUint32(b, 13)
	b = append(b, chunk...)
	return binary.BigEndian.AppendUint32(b, crc32.ChecksumIEEE(chunk))
}

type entry struct{ name, text string }

func zipOf(t testing.TB, entries ...entry) []byte {
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for _, e := range entries {
		w, err := z.Create(e.name)
		if err == nil {
			_, err = w.Write([]byte(e.text))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func docx(t testing.TB, more ...entry) []byte {
	return zipOf(t, append([]entry{{"[Content_Types].xml", "<Types/>"}, {"word/document.xml", "<w:document/>"}}, more...)...)
}

// liar is a DOCX whose directory claims that an entry unpacks to that size.
func liar(t testing.TB, unpacked uint64) []byte {
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for _, name := range []string{"[Content_Types].xml", "word/document.xml"} {
		if _, err := z.Create(name); err != nil {
			t.Fatal(err)
		}
	}
	w, err := z.CreateRaw(&zip.FileHeader{Name: "word/media/a.bmp", Method: zip.Deflate, CompressedSize64: 100, UncompressedSize64: unpacked})
	if err == nil {
		_, err = w.Write(make([]byte, 100))
	}
	if err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func box(kind, content string) string {
	return string(binary.BigEndian.AppendUint32(nil, uint32(len(content)+8))) + kind + content
}

var webpLossy, _ = base64.StdEncoding.DecodeString("UklGRiIAAABXRUJQVlA4IBYAAAAwAQCdASoBAAEADsD+JaQAA3AAAAAA")
var webpClear, _ = base64.StdEncoding.DecodeString("UklGRhoAAABXRUJQVlA4TA0AAAAvAAAAEAcQERGIiP4HAA==")

func mp4() []byte {
	return []byte(box("ftyp", "isom\x00\x00\x02\x00isomiso2mp41") + box("moov", box("mvhd", strings.Repeat("\x00", 100))) + box("mdat", "frames"))
}

func TestWhatComesIn(t *testing.T) {
	for _, tt := range []struct {
		name string
		data []byte
		kind string
		same bool
	}{
		{"照片.jpg", jpegOf(t, picture()), "jpg", false},
		{"截图.PNG", pngOf(t, picture()), "png", false},
		{"其实是图片.html", pngOf(t, picture()), "png", false},
		{"图.webp", webpLossy, "jpg", false},
		{"透明图.webp", webpClear, "png", false},
		{"文件.pdf", []byte("%PDF-1.7\n1 0 obj\n<< >>\nendobj\n%%EOF\n"), "pdf", true},
		{"录音.mp3", append([]byte("ID3\x04\x00\x00\x00\x00\x00\x00"), bytes.Repeat([]byte{0xff, 0xfb, 0x90, 0x64}, 200)...), "mp3", true},
		{"微信语音.amr", append([]byte("#!AMR\n"), bytes.Repeat([]byte{0x3c, 0x91}, 100)...), "amr", true},
		{"视频.mp4", mp4(), "mp4", true},
		{"合同.docx", docx(t), "docx", true},
		{"名单.xlsx", zipOf(t, entry{"[Content_Types].xml", "<Types/>"}, entry{"xl/workbook.xml", "<workbook/>"}, entry{"xl/printerSettings/printerSettings1.bin", "x"}), "xlsx", true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			kind, clean, err := Check(tt.name, tt.data)
			if err != nil {
				t.Fatal(err)
			}
			if kind != tt.kind || bytes.Equal(clean, tt.data) != tt.same {
				t.Fatalf("kind %s, unchanged %v", kind, bytes.Equal(clean, tt.data))
			}
			if again, _, err := Check(tt.name, clean); err != nil || again != kind {
				t.Errorf("the clean form is not accepted: %s %v", again, err)
			}
		})
	}
}

func TestWhatIsRefused(t *testing.T) {
	page := "<html><script>alert(1)</script></html>"
	jpg := jpegOf(t, picture())
	for _, tt := range []struct {
		name string
		data []byte
		code string
	}{
		{"空.jpg", nil, "blob_empty"},
		{"大.pdf", append([]byte("%PDF-1.7\n"), make([]byte, MaxSize)...), "blob_too_large"},
		{"图.svg", []byte(`<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>`), "blob_active"},
		{"图.jpg", []byte(`<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>`), "blob_active"},
		{"页.html", []byte(page), "blob_active"},
		{"页.png", []byte("<!DOCTYPE html>" + page), "blob_active"},
		{"断.jpg", jpg[:len(jpg)/3], "blob_broken"},
		{"页藏在图里.jpg", append([]byte{0xff, 0xd8, 0xff}, page...), "blob_broken"},
		{"十亿像素.png", pngHead(40000, 25000), "blob_pixels"},
		{"超大.png", pngHead(0x7fffffff, 0x7fffffff), "blob_broken"},
		{"断.png", pngHead(10, 10), "blob_broken"},
		{"页.pdf", []byte("%PDF-1.7\n" + page), "blob_active"},
		{"尾页.pdf", []byte("%PDF-1.7\n" + strings.Repeat("x", 9000) + page), "blob_active"},
		{"不在开头.pdf", []byte("\n\n\n<b>%PDF-1.7\n"), "blob_type"},
		{"压缩包.pdf", append([]byte("%PDF-1.7\n"), zipOf(t, entry{"a.exe", "MZ"})...), "blob_archive"},
		{"页.mp3", []byte("ID3\x04\x00\x00\x00\x00\x00\x00" + page), "blob_active"},
		{"包.zip", zipOf(t, entry{"a.txt", "x"}), "blob_archive"},
		{"包.docx", zipOf(t, entry{"a.txt", "x"}), "blob_archive"},
		{"包.jar", zipOf(t, entry{"META-INF/MANIFEST.MF", "x"}), "blob_archive"},
		{"坏.docx", docx(t)[:60], "blob_broken"},
		{"谎报.docx", liar(t, 10<<30), "blob_bomb"},
		{"高压缩.docx", docx(t, entry{"word/media/zeros.bmp", strings.Repeat("\x00", 5<<20)}), "blob_bomb"},
		{"宏.docx", docx(t, entry{"word/vbaProject.bin", "x"}), "blob_active"},
		{"宏.docm", zipOf(t, entry{"[Content_Types].xml", `<Override ContentType="application/vnd.ms-word.document.macroEnabled.main+xml"/>`}, entry{"word/document.xml", ""}), "blob_active"},
		{"对象.docx", docx(t, entry{"word/embeddings/oleObject1.bin", "x"}), "blob_active"},
		{"远程模板.docx", docx(t, entry{"word/_rels/settings.xml.rels", `<Relationship Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/attachedTemplate" Target="http://x/evil.dotm" TargetMode="External"/>`}), "blob_active"},
		{"越界.docx", docx(t, entry{"word/../../etc/passwd", "x"}), "blob_broken"},
		{"7z.7z", []byte("7z\xbc\xaf\x27\x1c\x00\x04aaaaaaaaaaaaaaaaaaaaaaaaaa"), "blob_archive"},
		{"rar.rar", []byte("Rar!\x1a\x07\x01\x00aaaaaaaaaaaaaaaaaa"), "blob_archive"},
		{"gz.gz", []byte("\x1f\x8b\x08\x00aaaaaaaaaaaaaaaaaaaaa"), "blob_archive"},
		{"iPhone.heic", []byte(box("ftyp", "heic\x00\x00\x00\x00mif1heic") + "x"), "blob_type"},
		{"旧.doc", append([]byte{0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1, 0x1a, 0xe1}, make([]byte, 600)...), "blob_type"},
		{"动图.gif", []byte("GIF89a\x01\x00\x01\x00\x00\x00\x00;"), "blob_type"},
		{"程序.jpg", []byte("MZ\x90\x00\x03aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"), "blob_type"},
		{"文本.txt", []byte("你好"), "blob_type"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			kind, clean, err := Check(tt.name, tt.data)
			if !fault.Is(err, tt.code) || fault.KindOf(err) != fault.KindInvalid || kind != "" || clean != nil {
				t.Fatalf("kind %q, %v; want %s", kind, err, tt.code)
			}
			if d := fault.As(err).Detail; !strings.Contains(d, tt.name) || strings.Contains(d, "%!") {
				t.Errorf("says %s", d)
			}
		})
	}
}

func TestImagesLoseEverythingButPixels(t *testing.T) {
	const planted = "GPS 30.5928N 114.3055E"
	polyglot := append(withEXIF(jpegOf(t, picture()), 1, planted), []byte("<script>alert(1)</script>"+planted)...)
	texted := pngOf(t, picture())
	text := append([]byte("tEXt"), ("Comment\x00" + planted)...)
	chunk := binary.BigEndian.AppendUint32(nil, uint32(len(text)-4))
	chunk = binary.BigEndian.AppendUint32(append(chunk, text...), crc32.ChecksumIEEE(text))
	texted = append(append(append([]byte{}, texted[:33]...), chunk...), texted[33:]...)
	for name, data := range map[string][]byte{"jpg": polyglot, "png": append(texted, zipOf(t, entry{"a", planted})...)} {
		if !bytes.Contains(data, []byte(planted)) {
			t.Fatal("nothing planted")
		}
		kind, clean, err := Check("x", data)
		if err != nil || kind != name {
			t.Fatal(kind, err)
		}
		for _, left := range []string{planted, "<script", "Exif", "tEXt", "PK\x03\x04"} {
			if bytes.Contains(clean, []byte(left)) {
				t.Errorf("%s still has %q", name, left)
			}
		}
	}
}

func TestPhotosAreTurnedUpright(t *testing.T) {
	// Where the red half of the picture ends up, per orientation.
	for orientation, red := range map[uint16]image.Point{1: {5, 10}, 2: {35, 10}, 3: {35, 10}, 4: {5, 10}, 5: {10, 5}, 6: {10, 5}, 7: {10, 35}, 8: {10, 35}} {
		_, clean, err := Check("x.jpg", withEXIF(jpegOf(t, picture()), orientation, ""))
		if err != nil {
			t.Fatal(err)
		}
		img, err := jpeg.Decode(bytes.NewReader(clean))
		if err != nil {
			t.Fatal(err)
		}
		if tall := img.Bounds().Dy() == 40; tall != (orientation >= 5) {
			t.Errorf("orientation %d: %v", orientation, img.Bounds())
		}
		if r, _, b, _ := img.At(red.X, red.Y).RGBA(); r < b {
			t.Errorf("orientation %d: no red at %v", orientation, red)
		}
	}
}

func TestVideosLoseTheirPlace(t *testing.T) {
	const place = "+30.5928+114.3055+023.1/"
	xyz := box("\xa9xyz", "\x00\x18\x15\xc7"+place)
	keys := box("meta", "\x00\x00\x00\x00"+box("ilst", box("data", place)))
	data := []byte(box("ftyp", "mp42\x00\x00\x00\x00mp42isom") + box("mdat", "frames "+place) +
		box("moov", box("mvhd", strings.Repeat("\x00", 100))+box("udta", xyz+box("loci", "\x00\x00\x00\x00secret"))+box("trak", box("udta", keys))))
	kind, clean, err := Check("v.mp4", data)
	if err != nil || kind != "mp4" {
		t.Fatal(kind, err)
	}
	if len(clean) != len(data) {
		t.Error("lengths moved")
	}
	moov := clean[bytes.Index(clean, []byte("moov")):]
	for _, left := range []string{"30.5928", "secret", "\xa9xyz", "loci"} {
		if bytes.Contains(moov, []byte(left)) {
			t.Errorf("still has %q", left)
		}
	}
	if !bytes.Contains(clean, []byte("frames "+place)) {
		t.Error("the sound and pictures were touched")
	}
}

func TestFileNamesAreQuotedHarmlessly(t *testing.T) {
	for in, want := range map[string]string{
		"照片.jpg": "照片.jpg", `C:\a\b.doc`: "b.doc", "../../etc/passwd": "passwd", "a\r\nb<script>": "abscript", "\u202Egpj.exe": "gpj.exe", "": "未命名",
	} {
		if got := shortName(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
	if n := len([]rune(shortName(strings.Repeat("长", 300) + ".jpg"))); n > 60 {
		t.Errorf("%d characters", n)
	}
}

// stored are the kinds that may come in.
var stored = strings.Fields("jpg png pdf mp3 amr mp4 docx xlsx")

func FuzzCheck(f *testing.F) {
	for _, seed := range [][]byte{jpegOf(f, picture()), pngOf(f, picture()), webpLossy, webpClear, mp4(), docx(f), pngHead(9, 9), []byte("%PDF-1.7"), withEXIF(jpegOf(f, picture()), 6, "x")} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		kind, clean, err := Check("f", data)
		if (err == nil) != (slices.Contains(stored, kind) && len(clean) > 0) {
			t.Fatalf("kind %q, %d bytes, %v", kind, len(clean), err)
		}
		if err != nil && fault.KindOf(err) != fault.KindInvalid {
			t.Fatal(err)
		}
	})
}
