package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"hotline/internal/fault"
	"hotline/internal/voice/media/play"
	"hotline/internal/voice/speech"
)

// runPrompt has a text spoken by a synthesizer and puts it in the place of one
// of the exchange's prompts.
func runPrompt(ctx context.Context, args []string) error {
	f := newFlags("prompt")
	data := f.String("data", "data", "数据目录")
	name := f.String("name", "", "提示语代码，如 welcome；不填列出全部")
	text := f.String("text", "", "要说的话，不填用原来的文字")
	c := speech.Config{}
	f.StringVar(&c.TTS, "tts", "", "语音合成服务的 OpenAI 兼容接口，如 http://主机:端口/v1")
	f.StringVar(&c.TTSModel, "tts-model", "", "合成模型，不填为 tts-1")
	f.StringVar(&c.Voice, "voice", "", "音色，不填为 alloy")
	f.StringVar(&c.KeyFile, "speech-key", "", "存放语音服务密钥的文件，不填不带密钥")
	if err := parse(f, args); err != nil {
		return err
	}
	script := play.Script()
	if *name == "" {
		for _, l := range script {
			fmt.Printf("%s\t%s\t%s\n", l.Name, l.Scene, l.Text)
		}
		return nil
	}
	i := slices.IndexFunc(script, func(l play.Line) bool { return l.Name == *name })
	if i < 0 {
		return exitCode{2, fmt.Sprintf("没有“%s”这条提示语，不带 --name 可列出全部。", *name)}
	}
	if *text == "" {
		*text = script[i].Text
	}
	voice, err := c.Synthesizer()
	if err != nil {
		return err
	}
	sound, err := voice.Speak(ctx, *text)
	if err != nil {
		return fault.Unavailable("speech_failed", "语音合成服务 %s 没有给出声音，请核对地址、密钥和模型名。", c.TTS).Because(err)
	}
	dir := filepath.Join(*data, "voice", "prompts")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	file := filepath.Join(dir, *name+".wav")
	if err := os.WriteFile(file, speech.WAV(sound), 0o600); err != nil {
		return err
	}
	fmt.Printf("已写入 %s，时长%.1f秒；话务交换下次启动时使用。\n", file, float64(len(sound))/8000)
	return nil
}
