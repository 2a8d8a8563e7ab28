package blob

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"image/jpeg"
	"image/png"

	"golang.org/x/image/webp"
	"golang.org/x/sync/semaphore"

	"hotline/internal/fault"
)

// maxPixels is known from the image's head before anything is unpacked.
const maxPixels = 50_000_000

// drawing bounds the pixels in memory at one time, over all uploads.
var drawing = semaphore.NewWeighted(maxPixels)

// redraw decodes an image and encodes its pixels anew, so that nothing else in
// the file survives; the photograph's orientation is applied first.
func redraw(name, kind string, data []byte) (stored string, clean []byte, err error) {
	defer func() { // a decoder that panics must not take the server with it
		if p := recover(); p != nil {
			stored, clean, err = "", nil, broken(name, fmt.Errorf("decoder: %v", p))
		}
	}()
	config, decode := decoder(kind)
	head, err := config(bytes.NewReader(data))
	if err != nil {
		return "", nil, broken(name, err)
	}
	pixels := int64(head.Width) * int64(head.Height)
	if head.Width <= 0 || head.Height <= 0 || head.Width > maxPixels || head.Height > maxPixels || pixels > maxPixels {
		return "", nil, fault.Invalid("blob_pixels", "图片“%s”的尺寸过大（%d×%d），最多5000万像素，请缩小后上传。", name, head.Width, head.Height)
	}
	if head.ColorModel == color.NRGBA64Model || head.ColorModel == color.RGBA64Model {
		pixels = min(2*pixels, maxPixels)
	}
	if err := drawing.Acquire(context.Background(), pixels); err != nil {
		return "", nil, fault.Internal(err)
	}
	defer drawing.Release(pixels)
	img, err := decode(bytes.NewReader(data))
	if err != nil {
		return "", nil, broken(name, err)
	}
	if kind == "jpg" {
		img = upright(img, orientation(data))
	}
	if kind == "webp" {
		kind = "png"
		if o, ok := img.(interface{ Opaque() bool }); ok && o.Opaque() {
			kind = "jpg"
		}
	}
	var out bytes.Buffer
	if kind == "jpg" {
		err = jpeg.Encode(&out, img, &jpeg.Options{Quality: 88})
	} else {
		err = (&png.Encoder{CompressionLevel: png.BestSpeed}).Encode(&out, img)
	}
	if err != nil {
		return "", nil, broken(name, err)
	}
	return kind, out.Bytes(), nil
}

func decoder(kind string) (config func(*bytes.Reader) (image.Config, error), decode func(*bytes.Reader) (image.Image, error)) {
	switch kind {
	case "jpg":
		return func(r *bytes.Reader) (image.Config, error) { return jpeg.DecodeConfig(r) }, func(r *bytes.Reader) (image.Image, error) { return jpeg.Decode(r) }
	case "png":
		return func(r *bytes.Reader) (image.Config, error) { return png.DecodeConfig(r) }, func(r *bytes.Reader) (image.Image, error) { return png.Decode(r) }
	}
	return func(r *bytes.Reader) (image.Config, error) { return webp.DecodeConfig(r) }, func(r *bytes.Reader) (image.Image, error) { return webp.Decode(r) }
}

// orientation reads EXIF tag 0x0112 of a JPEG: 1 (upright) to 8; 1 when there
// is none.
func orientation(data []byte) int {
	for i := 2; i+4 <= len(data) && data[i] == 0xff; {
		marker, size := data[i+1], int(binary.BigEndian.Uint16(data[i+2:]))
		if marker == 0xda || size < 2 || i+2+size > len(data) {
			return 1
		}
		body := data[i+4 : i+2+size]
		if marker == 0xe1 && bytes.HasPrefix(body, []byte("Exif\x00\x00")) {
			return exifOrientation(body[6:])
		}
		i += 2 + size
	}
	return 1
}

// exifOrientation walks the first directory of the TIFF structure in EXIF.
func exifOrientation(tiff []byte) int {
	if len(tiff) < 8 {
		return 1
	}
	var order binary.ByteOrder = binary.BigEndian
	if tiff[0] == 'I' {
		order = binary.LittleEndian
	}
	at := int64(order.Uint32(tiff[4:]))
	if at+2 > int64(len(tiff)) {
		return 1
	}
	n := int64(order.Uint16(tiff[at:]))
	for i := range n {
		entry := at + 2 + i*12
		if entry+12 > int64(len(tiff)) {
			return 1
		}
		if order.Uint16(tiff[entry:]) == 0x0112 {
			if v := int(order.Uint16(tiff[entry+8:])); v >= 1 && v <= 8 {
				return v
			}
			return 1
		}
	}
	return 1
}

// upright turns and mirrors the pixels as the camera meant them to be seen.
func upright(img image.Image, orientation int) image.Image {
	if orientation == 1 {
		return img
	}
	b := img.Bounds()
	w, h := b.Dx(), b.Dy()
	src := image.NewRGBA(image.Rect(0, 0, w, h))
	draw.Draw(src, src.Bounds(), img, b.Min, draw.Src)
	dw, dh := w, h
	if orientation >= 5 {
		dw, dh = h, w
	}
	dst := image.NewRGBA(image.Rect(0, 0, dw, dh))
	for y := range h {
		for x := range w {
			dx, dy := x, y
			switch orientation {
			case 2:
				dx = w - 1 - x
			case 3:
				dx, dy = w-1-x, h-1-y
			case 4:
				dy = h - 1 - y
			case 5:
				dx, dy = y, x
			case 6:
				dx, dy = h-1-y, x
			case 7:
				dx, dy = h-1-y, w-1-x
			case 8:
				dx, dy = y, w-1-x
			}
			copy(dst.Pix[dy*dst.Stride+dx*4:][:4], src.Pix[y*src.Stride+x*4:][:4])
		}
	}
	return dst
}
