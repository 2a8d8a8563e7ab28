import { ref } from 'vue'
import { ApiError, errorText } from '@/api/client'
import type { Login } from '@/api/types'

/**
 * useLogin is one person's way in: what the server answered, whether it wants the 动态口令 or a new password first, and
 * `done` once the session is there. `busy` names the attempt that runs; there is only one at a time.
 */
export function useLogin(done: () => void | Promise<void>) {
  const password = ref('')
  const otp = ref('')
  const needOtp = ref(false)
  const mustChange = ref(false)
  const error = ref('')
  const busy = ref('')

  async function attempt(name: string, ask: () => Promise<Login>) {
    if (busy.value) return
    busy.value = name
    error.value = ''
    try {
      const read = await ask()
      if (read.must_change) mustChange.value = true
      else await done()
    } catch (err) {
      error.value = errorText(err)
      if (err instanceof ApiError && /otp|totp|second/.test(err.code)) needOtp.value = true
    } finally {
      busy.value = ''
    }
  }
  return { password, otp, needOtp, mustChange, error, busy, attempt }
}
