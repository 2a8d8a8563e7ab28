import { onBeforeUnmount, ref } from 'vue'

/** useNow ticks each second while the component lives; timers on the screen are differences to it. */
export function useNow() {
  const now = ref(Date.now())
  const timer = window.setInterval(() => (now.value = Date.now()), 1000)
  onBeforeUnmount(() => window.clearInterval(timer))
  return now
}
