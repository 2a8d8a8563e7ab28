// Package play holds what the exchange says (语音) and plays it: prompts, numbers
// put together from clips, tones and music, all 8 kHz A-law in the binary.
//
// The words are data: prompts.tsv and numbers.tsv say name, scene and text;
// render.sh speaks them once with a synthesiser, and the sound is kept beside
// them. A customer's studio recording DIR/voice/prompts/NAME.wav takes the place
// of the clip NAME. callers/ and callees/ are apart: what the people of the demo
// say who call and are called, the callers with the moments of each sentence.
package play
