/** startRinging sounds 1 s of 450 Hz every 4 s (the tone of GF 002) until the answer is called; silent where the browser forbids sound. */
export function startRinging(): () => void {
  let audio: AudioContext
  try {
    audio = new AudioContext()
  } catch {
    return () => undefined
  }
  const beep = () => {
    const tone = audio.createOscillator()
    const gain = audio.createGain()
    tone.frequency.value = 450
    gain.gain.value = 0.08
    tone.connect(gain).connect(audio.destination)
    tone.start()
    tone.stop(audio.currentTime + 1)
  }
  beep()
  const timer = window.setInterval(beep, 4000)
  return () => {
    window.clearInterval(timer)
    void audio.close()
  }
}
