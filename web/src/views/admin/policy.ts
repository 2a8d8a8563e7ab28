import { computed, ref, shallowRef, watch } from 'vue'
import { api, ApiError, errorText } from '@/api/client'
import { useMe } from '@/stores/me'
import type { ReadState } from '@/composables/read'

export interface PolicyVersion {
  id?: string
  no: number
  effective_from: string
  published_at?: string
  published_by?: string
  by?: string
  note?: string
  platform?: string
}
export interface PolicyDoc<D> {
  id?: string
  no: number
  effective_from?: string
  platform?: string
  doc: D
}
export interface Policy<D> {
  kind: string
  label?: string
  versions: PolicyVersion[]
  current: PolicyDoc<D>
  parent?: { no: number; doc: D } | null
  diff?: string[]
  /** Platforms whose own rules are looser than the province's now are. */
  loosened?: string[]
  city?: boolean
  may_publish?: boolean
}
/** Versions that are published and not yet in force, soonest first. */
export function pendingOf(versions: PolicyVersion[] | null | undefined, now = Date.now()): PolicyVersion[] {
  return (versions ?? []).filter((v) => new Date(v.effective_from).getTime() > now).sort((a, b) => a.effective_from.localeCompare(b.effective_from))
}
export interface Platform {
  id: string
  name: string
}

/** 武汉市12345政务服务便民热线平台 is 武汉市 where one chooses whose rules to see. */
const shortly = (name: string) => name.replace(/12345政务服务便民热线平台$/, '')

/**
 * usePolicy is one kind of versioned data on one platform: what is in force, a draft of it that may be edited, and
 * its publication with an effective date. Nothing that is published is ever changed. A version of another time is
 * looked at in the draft's place, beside the one that it took the place of, and cannot be edited.
 */
export function usePolicy<D>(kind: string) {
  const me = useMe()
  const PROVINCE: Platform = { id: '0', name: '全省' }
  // A city looks after its own rules and reads the province's; the province reads those of every city.
  const home = me.account?.platform
  const here = home && home.kind === 'city_platform' ? { id: home.id, name: shortly(home.name) } : undefined
  const platforms = ref<Platform[]>(here ? [PROVINCE, here] : [PROVINCE])
  const platform = ref(PROVINCE.id)
  const data = shallowRef<Policy<D>>()
  const draft = ref<D>()
  const before = ref('')
  const state = ref<ReadState>('loading')
  const error = ref('')
  /** The version looked at, while it is not the draft. */
  const seen = ref<PolicyVersion>()
  const dirty = computed(() => !seen.value && draft.value !== undefined && JSON.stringify(draft.value) !== before.value)
  let turn = 0
  /** The province's own version is the one without a platform. */
  const own = () => (platform.value === PROVINCE.id ? undefined : platform.value)

  async function show(read: () => Promise<{ policy: Policy<D>; version?: PolicyDoc<D> }>) {
    const mine = ++turn
    state.value = 'loading'
    try {
      const { policy, version } = await read()
      if (mine !== turn) return
      data.value = policy
      before.value = JSON.stringify(policy.current.doc)
      draft.value = version ? version.doc : (JSON.parse(before.value) as D)
      seen.value = version && policy.versions.find((v) => v.id === version.id)
      error.value = ''
      state.value = 'ready'
    } catch (err) {
      if (mine !== turn) return
      error.value = errorText(err)
      state.value = err instanceof ApiError && err.forbidden ? 'forbidden' : 'error'
    }
  }
  const load = () =>
    show(async () => {
      const got = await api.get<Policy<D>>(`/admin/policies/${kind}`, { platform: own() })
      return { policy: { ...got, versions: got.versions ?? [] } }
    })
  const look = (v: PolicyVersion) =>
    show(async () => {
      const got = await api.get<{ version: PolicyDoc<D>; before: PolicyDoc<D> }>(`/admin/policies/${kind}/versions/${v.id}`)
      return { policy: { ...data.value!, current: got.before, parent: null, loosened: [] }, version: got.version }
    })
  /** Called for kinds that a city may rule for itself. */
  async function loadPlatforms() {
    if (here) {
      platform.value = here.id
      return
    }
    try {
      const { items } = await api.get<{ items: Platform[] }>('/units', { kind: 'city_platform' })
      platforms.value = [PROVINCE, ...items.map(({ id, name }) => ({ id, name: shortly(name) }))]
    } catch {
      // Without the list the province's own version can still be read and published.
    }
  }
  function discard() {
    draft.value = JSON.parse(before.value) as D
  }
  /** Names beside codes are for the screen; a document is published without them. */
  const bare = () => JSON.parse(JSON.stringify(draft.value, (k, v: unknown) => (k.endsWith('_name') || k === 'duties' ? undefined : v))) as D
  const publish = (v: Record<string, unknown>) =>
    api.post<{ no: number; message?: string }>(`/admin/policies/${kind}`, { platform: own(), doc: bare(), effective_from: v.effective_from, note: v.note })

  /** A change that cannot even enter the draft, said in the dialog that asked for it. */
  const refusal = (detail: string) => new ApiError(422, { code: 'draft', detail })
  watch(platform, load)
  void load()
  /** A city's draft is held against the province's of today; a version of another time is not. */
  const city = computed(() => own() !== undefined && !seen.value)
  const mayEdit = computed(() => !seen.value && data.value !== undefined && data.value.may_publish !== false)
  return { seen, look, city, mayEdit, data, draft, state, error, dirty, platform, platforms, load, loadPlatforms, discard, publish, refusal }
}
export type PolicyStore<D> = ReturnType<typeof usePolicy<D>>
