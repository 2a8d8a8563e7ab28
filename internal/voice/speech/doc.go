// Package speech is the seam to systems that hear and speak: a Recognizer turns
// what one party of a call says into text (语音识别), a Synthesizer turns the
// text of an announcement into a clip (语音合成). The recognizers speak FunASR's
// WebSocket protocol or the OpenAI-compatible HTTP one; neither knows of calls.
// flow taps the legs and stores what is recognized; cmd writes clips. Nothing
// here keeps a text or a sound.
package speech
